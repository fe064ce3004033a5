//! The command lines of `visit` and `look`.

use colored::{Colorize, control};
use std::io::{self, IsTerminal, Write};
use std::{env, process};

/// Reads the command line. Answers `--help`.
pub fn read(usage: &str) -> Vec<String> {
    #[cfg(windows)] // Older consoles show colors only when asked to.
    let _ = control::set_virtual_terminal(true);

    // Unlike env::args, this takes arguments that are not UTF-8.
    let arguments = env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let arguments: Vec<_> = arguments.collect();
    if arguments.iter().any(|argument| argument == "-h" || argument == "--help") {
        help(usage);
    }
    arguments
}

/// Shows how the program is used, and ends it.
pub fn help(usage: &str) -> ! {
    let _ = io::stdout().write_all(usage.as_bytes());
    process::exit(0)
}

/// Ends the program with status 2: what is wrong, and how it is used.
pub fn wrong(what: &str, usage: &str) -> ! {
    end(2, &format!("{}\n{usage}", red(what)))
}

/// Ends the program with status 1 and one red line.
pub fn fail(why: &str) -> ! {
    end(1, &format!("{}\n", red(why)))
}

fn red(text: &str) -> String {
    // colored asks whether standard output is a terminal, but this goes to standard error.
    let forced = env::var("CLICOLOR_FORCE").is_ok_and(|value| value != "0");
    let refused = env::var_os("NO_COLOR").is_some() || env::var("CLICOLOR") == Ok("0".into());
    control::set_override(forced || (!refused && io::stderr().is_terminal()));
    text.red().to_string()
}

fn end(status: i32, text: &str) -> ! {
    let _ = io::stderr().write_all(text.as_bytes());
    process::exit(status)
}
