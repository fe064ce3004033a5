//! What the steps share for talking to the person at the terminal. No sockets in here.

use colored::{Colorize, control};
use indoc::indoc;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::{env, fmt, process};

const USAGE: &str = indoc! {"
    Usage: cargo run -p STEP -- [HOST:PORT]

    step1-socket takes no argument. The other steps take one address:
      127.0.0.1:8080    this machine alone; used if you pass nothing
      0.0.0.0:8080      every network that this machine is on
      [::1]:8080        this machine alone, with IPv6
      localhost:9000    a name, and another port
      127.0.0.1:0       the system chooses a free port
"};

/// Tells one line of the story, tagged with the crate that calls it. Reads like `println!`.
#[macro_export]
macro_rules! tell {
    ($($message:tt)*) => {
        $crate::terminal::tell(env!("CARGO_PKG_NAME"), format_args!($($message)*))
    };
}

/// What [`tell!`] calls. One message is one write, so lines of different clients never mix.
pub fn tell(step: &str, message: fmt::Arguments) {
    let tag = format!("[{step}]").cyan();
    let line = format!("{tag} {message}\n");
    // The terminal may be closed or the disk full. A server goes on without its story.
    let _ = io::stdout().write_all(line.as_bytes());
}

/// Turns what a client sent into text that is safe to show.
///
/// Line ends stay. Other control characters become visible, such as `\u{1b}`, so that a client
/// can't move the cursor. Bytes that are not UTF-8 become `�`.
#[must_use]
pub fn visible(bytes: &[u8]) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).replace("\r\n", "\n").chars() {
        match character {
            '\n' | ' '..='~' => text.push(character),
            _ => text.extend(character.escape_debug()),
        }
    }
    text
}

/// Waits until the person presses Enter. Returns at once if standard input is at its end.
pub fn wait_for_enter() {
    // On standard error, so that standard output holds the story alone.
    let _ = writeln!(io::stderr(), "Press Enter to close the socket.");
    let _ = io::stdin().lock().skip_until(b'\n');
}

/// Reads the command line of a step that takes no argument. Answers `--help`.
pub fn no_argument() {
    arguments(0);
}

/// Reads the address from the command line: 127.0.0.1:8080 if there is none. Answers `--help`.
///
/// A name can have several addresses. The first of IPv4 is taken, or else the first of IPv6.
#[must_use]
pub fn address_argument() -> SocketAddr {
    let argument = arguments(1).pop().unwrap_or_else(|| "127.0.0.1:8080".to_string());
    if argument.starts_with(':') || argument.contains('/') {
        wrong_usage(&format!("'{argument}' is not HOST:PORT."));
    }
    let found = argument.to_socket_addrs().and_then(|addresses| {
        addresses.min_by_key(SocketAddr::is_ipv6).ok_or(ErrorKind::NotFound.into())
    });
    found.unwrap_or_else(|error| match error.kind() {
        ErrorKind::InvalidInput => wrong_usage(&format!("'{argument}' is not HOST:PORT.")),
        _ => fail(&format!("find the address of '{argument}'"), &error),
    })
}

fn arguments(most: usize) -> Vec<String> {
    // Older Windows consoles show colors only when asked to.
    #[cfg(windows)]
    let _ = control::set_virtual_terminal(true);

    // Unlike env::args, this takes arguments that are not UTF-8.
    let arguments = env::args_os().skip(1).map(|argument| argument.display().to_string());
    let arguments: Vec<String> = arguments.collect();
    if arguments.iter().any(|argument| argument == "-h" || argument == "--help") {
        let _ = io::stdout().write_all(USAGE.as_bytes());
        process::exit(0)
    }
    if let Some(extra) = arguments.get(most) {
        wrong_usage(&format!("'{extra}' is one argument too many."))
    }
    arguments
}

/// Ends the program with status 1 and one red line: what could not be done, why, what to try.
pub fn fail(attempt: &str, error: &io::Error) -> ! {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => {
            "Another program has this port: stop it, or pass another one, such as 127.0.0.1:9000."
        }
        ErrorKind::PermissionDenied => "Ports below 1024 need special rights: pass a higher one.",
        ErrorKind::AddrNotAvailable => "It is not an address of this machine: try 127.0.0.1:8080.",
        ErrorKind::ConnectionRefused => "Start the server first, or pass its address.",
        _ if error.raw_os_error().is_none() => "Check the spelling, or pass 127.0.0.1:8080.",
        _ => "Close programs that you do not need, or try another address.",
    };
    red(&format!("Cannot {attempt}: {error}. {advice}"));
    process::exit(1)
}

fn wrong_usage(complaint: &str) -> ! {
    red(complaint);
    let _ = io::stderr().write_all(USAGE.as_bytes());
    process::exit(2)
}

fn red(line: &str) {
    // colored asks whether standard output is a terminal, but this line goes to standard error.
    let unset = |name| env::var_os(name).is_none();
    if unset("NO_COLOR") && unset("CLICOLOR_FORCE") && env::var("CLICOLOR").as_deref() != Ok("0") {
        control::set_override(io::stderr().is_terminal());
    }
    let _ = io::stderr().write_all(format!("{}\n", line.red()).as_bytes());
}
