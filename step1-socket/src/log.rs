//! The log: what the program says while it runs, a line as each thing happens.

use colored::Colorize;
use std::io::{self, Write};
use std::{env, fmt, sync::LazyLock};

static BRIEF: LazyLock<bool> = LazyLock::new(|| env::args_os().skip(1).any(|a| a == "--brief"));

/// Writes one message to the log, tagged with the crate that calls it. Reads like `println!`.
#[macro_export]
macro_rules! log {
    ($($message:tt)*) => {
        $crate::log::write(env!("CARGO_PKG_NAME"), format_args!($($message)*))
    };
}

/// What [`log!`](crate::log!) calls. One message is one write, so lines of different clients never mix.
/// Lines after the first are indented, so that nothing in a message can look like a tag.
pub fn write(step: &str, message: fmt::Arguments) {
    // Each step has a color of its own, as a background, which dark and white terminals can show.
    const COLORS: [&str; 5] = ["cyan", "yellow", "green", "bright magenta", "bright blue"];
    let number = step.chars().find_map(|c| c.to_digit(10)).unwrap_or(0) as usize;
    let tag = format!("[{step}]").black().on_color(COLORS[number % COLORS.len()]);
    let message = message.to_string();
    let mut lines = message.trim_end_matches('\n').lines();
    let mut text = format!("{tag} {}\n", lines.next().unwrap_or_default()).into_bytes();
    for line in lines.take_while(|_| !*BRIEF) {
        text.extend(format!("{}\n", format!("    {line}").dimmed()).bytes());
    }
    // The terminal may be closed or the disk full. A server goes on without its log.
    let _ = io::stdout().write_all(&text);
}

/// Turns what a client sent into text that is safe to show: printable ASCII and line ends stay, all
/// else is written like `\u{1b}`, so no client moves the cursor. What is not UTF-8 becomes `�`.
pub fn visible(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for character in String::from_utf8_lossy(bytes).replace("\r\n", "\n").chars() {
        match character {
            '\n' | ' '..='~' | '�' => text.push(character),
            _ => text.extend(character.escape_default()),
        }
    }
    text
}
