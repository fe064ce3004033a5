//! What the person at the terminal sees, whatever a client sends and wherever the output goes.

use std::process::Command;
use step1_socket::log::quoted;
use test_support::Program;

const STEP: &str = env!("CARGO_BIN_EXE_step1-socket");
const COLORED: &str = "\u{1b}[43;30m[step1-socket]\u{1b}[0m";

#[test]
fn lines_and_quotes_of_a_client_are_shown_as_they_are() {
    assert_eq!(
        quoted(b"GET / HTTP/1.1\r\nHost: \"a\" 'b'\\\n\r\n"),
        "GET / HTTP/1.1\nHost: \"a\" 'b'\\"
    );
}

#[test]
fn what_could_move_the_cursor_or_hide_is_made_visible() {
    for (sent, shown) in [
        (&b"\x1b]0;new title\x07"[..], r"\x1b]0;new title\x07"),
        (b"\x1b[2J\x1b[H", r"\x1b[2J\x1b[H"),
        (b"over\rwritten", r"over\rwritten"),
        (b"a bare CR at the end\r\r\n", r"a bare CR at the end\r"),
        (b"tab\tnul\0del\x7f", r"tab\tnul\x00del\x7f"),
        ("C1 \u{9b}2J".as_bytes(), r"C1 \xc2\x9b2J"),
        ("right to left \u{202e}".as_bytes(), r"right to left \xe2\x80\xae"),
        ("Grüße".as_bytes(), r"Gr\xc3\xbc\xc3\x9fe"),
        (b"not UTF-8 \xff\xfe", r"not UTF-8 \xff\xfe"),
    ] {
        assert_eq!(quoted(sent), shown);
    }
}

#[test]
fn a_line_is_cut_before_it_wraps_and_what_is_missing_is_said() {
    // With four columns before it, a line of 76 fills a terminal of 80.
    assert_eq!(quoted(&b"x".repeat(76)), "x".repeat(76));
    for (sent, end) in [
        (b"x".repeat(77), "x... and 22 more bytes"),
        (b"x".repeat(8000), "x... and 7,948 more bytes"),
        (b"x".repeat(1_234_567), "x... and 1,234,519 more bytes"),
        (b"\0".repeat(20), r"\x00... and 7 more bytes"),
    ] {
        let shown = quoted(&sent);
        assert!(shown.ends_with(end), "{shown}");
        assert!(shown.len() <= 76, "{shown}");
    }
}

#[test]
fn after_twenty_rows_lines_are_only_counted() {
    let lines = |count| quoted(&b"x\n".repeat(count));
    assert_eq!(lines(20).lines().count(), 20);
    assert!(lines(20).ends_with("x\nx"));
    assert_eq!(lines(21).lines().count(), 20);
    assert!(lines(21).ends_with("x\n... and 2 more lines"));
    assert!(lines(4000).ends_with("x\n... and 3,981 more lines"));
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
