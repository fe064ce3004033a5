//! What the person at a real terminal sees of the log and of an error: their colors.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::sync::LazyLock;
use test_support::{program, without_settings};

static STEP: LazyLock<String> = LazyLock::new(|| program("step1-socket", "step1-socket"));
const COLORED: &str = "\u{1b}[43;30m[step1-socket]\u{1b}[0m";

use rexpect::session::{PtySession, spawn_command};

/// Runs the step on a terminal of its own.
fn on_terminal(command: &mut Command) -> PtySession {
    without_settings(command);
    let command = std::mem::replace(command, Command::new(&*STEP));
    spawn_command(command, Some(20_000)).expect("a terminal")
}

#[test]
fn the_log_is_colored() {
    on_terminal(&mut Command::new(&*STEP)).exp_string(COLORED).expect("a colored tag");
}

#[test]
fn no_color_is_obeyed() {
    let mut terminal = on_terminal(Command::new(&*STEP).env("NO_COLOR", "1"));
    let before = terminal.exp_string("[step1-socket]").expect("a tag");
    assert_eq!(before, "", "nothing, and so no color, comes before the tag");
}

#[test]
fn an_error_is_red() {
    let mut terminal = on_terminal(Command::new(&*STEP).arg("extra"));
    terminal.exp_string("\u{1b}[31m'extra' is one argument too many.").expect("a red line");
}

#[test]
fn no_color_is_obeyed_by_an_error_too() {
    for (name, value) in [("NO_COLOR", "1"), ("CLICOLOR", "0")] {
        let mut terminal = on_terminal(Command::new(&*STEP).arg("extra").env(name, value));
        let before = terminal.exp_string("'extra' is one argument too many.").expect("a line");
        assert_eq!(before, "", "{name}");
    }
}

#[test]
fn an_error_that_goes_to_a_file_has_no_color_even_if_the_log_goes_to_a_terminal() {
    let script = "\"$0\" extra 2>&1 >/dev/tty | cat";
    for (name, value) in [("CLICOLOR", ""), ("CLICOLOR", "1"), ("CLICOLOR_FORCE", "0")] {
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", script, &*STEP]).env(name, value);
        let mut terminal = on_terminal(shell);
        let before = terminal.exp_string("'extra' is one argument too many.").expect("a line");
        assert_eq!(before, "");
    }
}

#[test]
fn an_error_on_a_terminal_is_red_even_if_the_log_goes_to_a_file() {
    let script = "exec \"$0\" extra >/dev/null";
    let mut terminal = on_terminal(Command::new("sh").args(["-c", script, &*STEP]));
    terminal.exp_string("\u{1b}[31m'extra'").expect("a red line");
}
