//! What the person at the terminal sees, whatever a client sends and wherever the output goes.

use std::process::Command;
use step1_socket::terminal::visible;
use test_support::{Program, without_color_settings};

const STEP: &str = env!("CARGO_BIN_EXE_step1-socket");
const CYAN: &str = "\u{1b}[36m[step1-socket]\u{1b}[0m";

#[test]
fn lines_and_quotes_of_a_client_are_shown_as_they_are() {
    assert_eq!(
        visible(b"GET / HTTP/1.1\r\nHost: \"a\" 'b'\n"),
        "GET / HTTP/1.1\nHost: \"a\" 'b'\n"
    );
    assert_eq!(visible("Grüße, 世界 🦀".as_bytes()), "Grüße, 世界 🦀");
}

#[test]
fn what_could_move_the_cursor_is_made_visible() {
    for (sent, shown) in [
        (&b"\x1b]0;new title\x07"[..], r"\u{1b}]0;new title\u{7}"),
        (b"\x1b[2J\x1b[H", r"\u{1b}[2J\u{1b}[H"),
        (b"over\rwritten", r"over\rwritten"),
        (b"tab\tnul\0del\x7f", r"tab\tnul\0del\u{7f}"),
        ("C1 \u{9b}2J".as_bytes(), r"C1 \u{9b}2J"),
        ("right to left \u{202e}".as_bytes(), r"right to left \u{202e}"),
        (b"not UTF-8 \xff\xfe", "not UTF-8 \u{fffd}\u{fffd}"),
    ] {
        assert_eq!(visible(sent), shown);
    }
}

/// What step 1 tells when standard input is at its end, with these variables set.
fn story_with(settings: &[(&str, &str)]) -> String {
    let mut program = Program::run(Command::new(STEP).envs(settings.iter().copied()));
    program.end_input();
    program.end().1
}

#[test]
fn there_is_no_color_where_the_output_is_no_terminal() {
    assert!(story_with(&[]).starts_with("[step1-socket] "));
}

#[test]
fn clicolor_force_colors_the_output_wherever_it_goes() {
    assert!(story_with(&[("CLICOLOR_FORCE", "1")]).starts_with(CYAN));
}

#[test]
fn clicolor_force_colors_an_error_wherever_it_goes() {
    let program = Program::run(Command::new(STEP).arg("extra").env("CLICOLOR_FORCE", "1"));
    assert!(program.complaint().starts_with("\u{1b}[31m'extra'"));
}

#[cfg(target_os = "linux")]
mod on_a_terminal {
    use super::*;
    use rexpect::session::{PtySession, spawn_command};

    /// Runs the step on a terminal of its own.
    fn on_terminal(command: &mut Command) -> PtySession {
        without_color_settings(command);
        let command = std::mem::replace(command, Command::new(STEP));
        spawn_command(command, Some(20_000)).expect("a terminal")
    }

    #[test]
    fn the_story_is_colored() {
        on_terminal(&mut Command::new(STEP)).exp_string(CYAN).expect("a colored tag");
    }

    #[test]
    fn no_color_is_obeyed() {
        let mut terminal = on_terminal(Command::new(STEP).env("NO_COLOR", "1"));
        let ahead = terminal.exp_string("[step1-socket]").expect("a tag");
        assert_eq!(ahead, "", "nothing, and so no color, comes ahead of the tag");
    }

    #[test]
    fn an_error_is_red() {
        let mut terminal = on_terminal(Command::new(STEP).arg("extra"));
        terminal.exp_string("\u{1b}[31m'extra' is one argument too many.").expect("a red line");
    }

    #[test]
    fn no_color_is_obeyed_by_an_error_too() {
        let mut terminal = on_terminal(Command::new(STEP).arg("extra").env("NO_COLOR", "1"));
        let ahead = terminal.exp_string("'extra' is one argument too many.").expect("a line");
        assert_eq!(ahead, "");
    }

    #[test]
    fn an_error_that_goes_to_a_file_has_no_color_even_if_the_story_goes_to_a_terminal() {
        let script = "\"$0\" extra 2>&1 >/dev/tty | cat";
        for color in ["", "1"] {
            let mut shell = Command::new("sh");
            let shell = shell.args(["-c", script, STEP]).env("CLICOLOR", color);
            let mut terminal = on_terminal(shell);
            let ahead = terminal.exp_string("'extra' is one argument too many.").expect("a line");
            assert_eq!(ahead, "");
        }
    }

    #[test]
    fn an_error_on_a_terminal_is_red_even_if_the_story_goes_to_a_file() {
        let script = "exec \"$0\" extra >/dev/null";
        let mut terminal = on_terminal(Command::new("sh").args(["-c", script, STEP]));
        terminal.exp_string("\u{1b}[31m'extra'").expect("a red line");
    }
}
