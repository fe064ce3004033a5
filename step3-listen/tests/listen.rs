//! What an observer sees of step 3: clients can connect, and nobody answers.

use assert_cmd::Command;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::time::Duration;
use test_support::{Program, REQUEST, assert_story, connect, curl, story};

const STEP: &str = env!("CARGO_BIN_EXE_step3-listen");

#[test]
fn it_says_where_it_listens_and_ends_when_enter_is_pressed() {
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    let address = program.listening();
    assert_ne!(address.port(), 0, "the line names the real port");
    let line = program.wait_for("listening");
    assert!(line.ends_with(&format!("Server is listening on http://{address}")), "{line}");
    assert!(program.is_running(), "it waits for Enter");

    program.press_enter();
    let (status, told) = program.end();
    assert!(status.success());
    assert_story(&told, &story(3));
}

#[test]
fn a_client_connects_and_gets_no_answer() {
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    let mut client = connect(program.listening());
    client.write_all(REQUEST).expect("the queue takes what a client sends");

    client.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let silence = client.read(&mut [0]).expect_err("nobody answers");
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
}

#[test]
#[ignore = "needs curl, which not every system has; .ci/run installs it"]
fn curl_connects_and_waits_in_vain() {
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    assert_eq!(curl(program.listening()), 28);
}

#[test]
fn a_port_in_use_is_one_clear_line_that_names_it() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = other.local_addr().unwrap().to_string();

    let output = Command::new(STEP).arg(&address).assert().code(1);
    let complaint = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(complaint.starts_with(&format!("Cannot listen on {address}: ")), "{complaint}");
    assert!(complaint.contains("pass another one, such as 127.0.0.1:9000"), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
}
