//! Draws what the system knows of a port, and draws it again whenever that changes.

#[cfg(target_os = "linux")]
mod picture;
#[cfg(not(target_os = "linux"))]
mod tables;
#[cfg(target_os = "linux")]
use picture::Artist;
#[cfg(not(target_os = "linux"))]
use tables::Artist;

use colored::Colorize;
use indoc::indoc;
use observer::arguments;
use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};

const USAGE: &str = indoc! {"
    Usage: cargo look [--once] [PORT]

      --once   looks once; without it, again and again until Ctrl+C
      PORT     the port; 8080 if you pass nothing
"};

const CANNOT_ASK: &str = "Cannot ask the system for its sockets (try `ss -tan` or `netstat -an`)";

/// How long to wait before the next look.
const PAUSE: Duration = Duration::from_millis(100);
/// The same on a machine where a look takes long.
const LONG_PAUSE: Duration = Duration::from_millis(500);

fn main() {
    let (is_once, port) = read_arguments();
    let mut artist = Artist::default();
    let mut shown = String::new();
    loop {
        let start = Instant::now();
        let picture = artist
            .draw(port)
            .unwrap_or_else(|error| arguments::fail(&format!("{CANNOT_ASK}: {error}.")));
        match picture {
            Some(picture) if picture != shown => {
                // If nobody reads anymore, there is nobody to draw for.
                if show(&picture, is_once).is_err() || is_once {
                    return;
                }
                shown = picture;
            }
            // It is as before, or changes too fast to be drawn.
            _ => {}
        }
        // A look takes at most a tenth of a processor.
        thread::sleep((10 * start.elapsed()).clamp(PAUSE, LONG_PAUSE));
    }
}

/// Shows a picture: in place on a terminal, and elsewhere below the one before.
fn show(picture: &str, is_once: bool) -> io::Result<()> {
    let mut output = io::stdout().lock();
    let text = if is_once {
        picture.to_string()
    } else if output.is_terminal() {
        // To the upper left corner; each line to its end, and all that is below, is cleared.
        let lines = format!("{picture}\n{}\n", "Ctrl+C ends this.".dimmed());
        format!("\x1b[H{}\x1b[J", lines.replace('\n', "\x1b[K\n"))
    } else {
        format!("{picture}\n")
    };
    output.write_all(text.as_bytes())?;
    output.flush()
}

fn read_arguments() -> (bool, u16) {
    let arguments = arguments::read(USAGE);
    let (mut is_once, mut port) = (false, 8080);
    for argument in &arguments {
        // If HOST:PORT is passed, as to the other tools, the port is what follows the colon.
        let number = argument.rsplit(':').next().unwrap_or_default().parse();
        match (argument.as_str(), number) {
            ("--once", _) => is_once = true,
            (_, Ok(number)) if number > 0 => port = number,
            _ => arguments::wrong(&format!("'{argument}' is not a port."), USAGE),
        }
    }
    (is_once, port)
}
