//! What the person at the terminal sees, whatever a client sends and wherever the output goes.

use std::process::Command;
use step1_socket::log::visible;
use test_support::Program;

const STEP: &str = env!("CARGO_BIN_EXE_step1-socket");
const COLORED: &str = "\u{1b}[43;30m[step1-socket]\u{1b}[0m";

#[test]
fn lines_and_quotes_of_a_client_are_shown_as_they_are() {
    assert_eq!(
        visible(b"GET / HTTP/1.1\r\nHost: \"a\" 'b'\n"),
        "GET / HTTP/1.1\nHost: \"a\" 'b'\n"
    );
}

#[test]
fn what_could_move_the_cursor_or_hide_is_made_visible() {
    for (sent, shown) in [
        (&b"\x1b]0;new title\x07"[..], r"\u{1b}]0;new title\u{7}"),
        (b"\x1b[2J\x1b[H", r"\u{1b}[2J\u{1b}[H"),
        (b"over\rwritten", r"over\rwritten"),
        (b"a bare CR at the end\r\r\n", "a bare CR at the end\\r\n"),
        (b"tab\tnul\0del\x7f", r"tab\tnul\u{0}del\u{7f}"),
        ("C1 \u{9b}2J".as_bytes(), r"C1 \u{9b}2J"),
        ("right to left \u{202e}".as_bytes(), r"right to left \u{202e}"),
        ("blank \u{3164}\u{115f}\u{2800}".as_bytes(), r"blank \u{3164}\u{115f}\u{2800}"),
        ("Grüße".as_bytes(), r"Gr\u{fc}\u{df}e"),
        (b"not UTF-8 \xff\xfe", "not UTF-8 \u{fffd}\u{fffd}"),
    ] {
        assert_eq!(visible(sent), shown);
    }
}

/// The log of step 1 when standard input is at its end, with these variables set.
fn log_with(settings: &[(&str, &str)]) -> String {
    let mut program = Program::run(Command::new(STEP).envs(settings.iter().copied()));
    program.end_input();
    program.end().1
}

#[test]
fn there_is_no_color_if_the_output_is_no_terminal() {
    assert!(log_with(&[]).starts_with("[step1-socket] "));
}

#[test]
fn clicolor_force_colors_the_output_wherever_it_goes() {
    assert!(log_with(&[("CLICOLOR_FORCE", "1")]).starts_with(COLORED));
}

#[test]
fn clicolor_force_colors_an_error_wherever_it_goes() {
    let program = Program::run(Command::new(STEP).arg("extra").env("CLICOLOR_FORCE", "1"));
    assert!(program.stderr_line().starts_with("\u{1b}[31m'extra'"));
}
