//! The log: what the program says while it runs, one message as each thing happens.
//!
//! A row that begins with a tag, such as `[step4-accept]`, comes from the program itself. What a client
//! sent goes through [`quoted`], so that no client can write a row of its own.

use colored::{ColoredString, Colorize};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;
use std::{env, fmt, thread};

/// How many columns a row may have. Terminals begin with 80.
pub const COLUMNS: usize = 80;
const COLUMNS_INDENTED: usize = COLUMNS - INDENT.len();
const INDENT: &str = "    ";
/// How many columns a row has with `--brief`, so that a class can read it in large letters.
pub const BRIEF_COLUMNS: usize = 60;
/// How many rows of one client are shown. Browsers send ten to twenty, and a terminal shows 24.
pub const MAX_ROWS: usize = 20;
/// How many messages may wait to be written: a busy class fills that in some seconds.
const MAX_WAITING: usize = 1000;

/// How long a message may wait for others, so that a busy server writes many of them at once: with
/// 32 clients it serves a tenth more. Nobody sees so short a wait.
const WRITE_DELAY: Duration = Duration::from_millis(2);

static BRIEF: LazyLock<bool> = LazyLock::new(|| env::args_os().skip(1).any(|a| a == "--brief"));
static WAITING: OnceLock<SyncSender<String>> = OnceLock::new();
static MISSING: AtomicUsize = AtomicUsize::new(0);

/// Writes a message to the log, tagged with the crate that calls it. Reads like `println!`.
#[macro_export]
macro_rules! log {
    ($($message:tt)*) => {
        $crate::log::write(env!("CARGO_PKG_NAME"), format_args!($($message)*))
    };
}

/// Does what [`log!`](crate::log!) does, but not with `--brief`: one client's visit, in detail.
#[macro_export]
macro_rules! log_detail {
    ($($message:tt)*) => {
        if !$crate::log::is_brief() {
            $crate::log!($($message)*);
        }
    };
}

/// Whether the program was started with `--brief`.
pub fn is_brief() -> bool {
    *BRIEF
}

/// What [`log!`](crate::log!) calls. Lines after the first are indented, so that nothing in a
/// message can look like a tag.
pub fn write(step: &str, message: fmt::Arguments) {
    let message = message.to_string();
    let mut lines = message.lines();
    let mut rows = vec![format!("{} {}\n", tag(step), lines.next().unwrap_or_default())];
    for line in lines {
        rows.push(format!("{}\n", format!("{INDENT}{line}").dimmed()));
    }
    write_rows(rows.concat());
}

/// Writes what `--brief` shows of an answer: who, what they asked for, and what came of it.
/// It is one row of [`BRIEF_COLUMNS`] at most.
pub fn write_brief(address: SocketAddr, request: &[u8], outcome: &ColoredString) {
    let mut row = format!("{address} ");
    let mut outcome = outcome.clone();
    outcome.input = cut(outcome.input.as_bytes(), BRIEF_COLUMNS.saturating_sub(row.len()));
    // What was asked for gets what is left, if that is enough to say something.
    let request = cut(request, BRIEF_COLUMNS.saturating_sub(row.len() + 1 + outcome.input.len()));
    if row.len() + request.len() + 1 + outcome.input.len() <= BRIEF_COLUMNS {
        row = format!("{row}{request} ");
    }
    write_rows(format!("{row}{outcome}\n"));
}

/// Each step has a color of its own, as a background, which dark and white terminals can show.
fn tag(step: &str) -> ColoredString {
    const COLORS: [&str; 5] = ["cyan", "yellow", "green", "bright magenta", "bright blue"];
    let number = step.chars().find_map(|c| c.to_digit(10)).unwrap_or(0) as usize;
    format!("[{step}]").black().on_color(COLORS[number % COLORS.len()])
}

/// Shows what a client sent, so that it can do no harm. Printable ASCII stays as it is, and every
/// other byte is written like `\x1b`, so no client moves the cursor. A line is cut before it
/// wraps around, and after [`MAX_ROWS`] the lines are only counted.
pub fn quoted(bytes: &[u8]) -> String {
    let lines = bytes.split(|byte| *byte == b'\n');
    let mut lines: Vec<_> = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop(); // The blank line at the end is no news.
    }
    let count = if lines.len() > MAX_ROWS { MAX_ROWS - 1 } else { lines.len() };
    let mut rows: Vec<_> = lines[..count].iter().map(|line| cut(line, COLUMNS_INDENTED)).collect();
    if count < lines.len() {
        rows.push(format!("... and {} more lines", with_commas(lines.len() - count)));
    }
    rows.join("\n")
}

/// Shows one line in at most this many columns. If it has to be cut, it says how much is missing.
fn cut(line: &[u8], columns: usize) -> String {
    let whole = visible(line);
    if whole.len() <= columns {
        return whole;
    }
    let missing = |count| match columns {
        ..BRIEF_COLUMNS => format!("...+{} bytes", with_commas(count)),
        BRIEF_COLUMNS.. => format!("... and {} more bytes", with_commas(count)),
    };
    let room = columns.saturating_sub(missing(line.len()).len());
    let mut row = String::new();
    for (count, byte) in line.iter().enumerate() {
        let character = visible(&[*byte]);
        if row.len() + character.len() > room {
            return row + &missing(line.len() - count);
        }
        row += &character;
    }
    row
}

/// Makes bytes safe to show, and cuts nothing: printable ASCII and the ends of lines stay as they
/// are, and every other byte is written like `\x1b`.
pub fn visible(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' | b' '..=b'~' => text.push(char::from(byte)),
            b'\r' if bytes.get(index + 1) == Some(&b'\n') => {}
            _ => text.extend(byte.escape_ascii().map(char::from)),
        }
    }
    text
}

/// Writes 7900 as 7,900.
fn with_commas(number: usize) -> String {
    match (number / 1000, number % 1000) {
        (0, ones) => ones.to_string(),
        (thousands, ones) => format!("{},{ones:03}", with_commas(thousands)),
    }
}

/// From here on a thread of its own writes the log, so that no client has to wait until somebody
/// reads it. The terminal may be paused with Ctrl+S, or the log may go to a program that has
/// stopped reading. Then a thousand messages wait, and of those after them only the number is kept.
pub fn write_in_background() {
    let (sender, receiver) = sync_channel::<String>(MAX_WAITING);
    let writer = thread::Builder::new().spawn(move || {
        for mut rows in &receiver {
            thread::sleep(WRITE_DELAY);
            rows.extend(receiver.try_iter());
            print(&rows);
        }
    });
    // If the system grants no thread, each thread goes on writing its own messages.
    if writer.is_ok() {
        let _ = WAITING.set(sender);
    }
}

fn write_rows(rows: String) {
    let Some(waiting) = WAITING.get() else { return print(&rows) };
    // The first message that fits in again says how many before it did not.
    let missing = MISSING.swap(0, Relaxed);
    let rows = if missing == 0 {
        rows
    } else {
        let tag = tag(env!("CARGO_PKG_NAME"));
        format!("{tag} Nobody read the log in time. Messages missing here: {missing}\n{rows}")
    };
    if waiting.try_send(rows).is_err() {
        MISSING.fetch_add(missing + 1, Relaxed);
    }
}

/// Each message is written whole, so that rows of different clients never mix.
fn print(rows: &str) {
    // The terminal may be closed or the disk full. A server goes on without its log.
    let _ = io::stdout().write_all(rows.as_bytes());
}
