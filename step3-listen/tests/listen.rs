//! What an observer sees of step 3: clients can connect, and nobody answers.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use step2_bind::local_address;
use step3_listen::{BACKLOG, listen};
use test_support::{Program, REQUEST, assert_log, connect, curl, has, is_silent, output};

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
    let (status, log) = program.end();
    assert!(status.success());
    assert_log(&log, &test_support::log(3));
}

#[test]
fn a_client_connects_and_gets_no_answer() {
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    let mut client = connect(program.listening());
    client.write_all(REQUEST).expect("the queue takes what a client sends");

    assert!(is_silent(&mut client, Duration::from_millis(500)));
}

#[test]
fn curl_connects_and_waits_in_vain() {
    if !has("curl") {
        return;
    }
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    assert_eq!(curl(program.listening(), 1), 28);
}

#[test]
fn a_port_in_use_is_one_clear_line_that_names_it() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = other.local_addr().unwrap().to_string();

    let (status, _, stderr) = output(STEP, &[&address]);
    assert!(stderr.starts_with(&format!("Cannot listen on {address}: ")), "{stderr}");
    assert!(stderr.contains("pass another port, such as 127.0.0.1:9000"), "{stderr}");
    assert_eq!((stderr.lines().count(), status), (1, 1), "{stderr}");
}

/// The queue is measured as a class would: by clients that nobody accepts.
#[cfg(target_os = "linux")]
#[test]
fn the_backlog_is_what_was_asked_for() {
    for backlog in [1, 5] {
        let listener = listen("127.0.0.1:0".parse().unwrap(), backlog).expect("a free port");
        let address = local_address(&listener).unwrap();
        let patience = Duration::from_millis(500);
        let clients: Vec<_> =
            std::iter::from_fn(|| TcpStream::connect_timeout(&address, patience).ok())
                .take(20)
                .collect();
        // Linux lets one more wait than the backlog says (net/ipv4: sk_acceptq_is_full).
        assert_eq!(clients.len(), usize::try_from(backlog).unwrap() + 1);
    }
}

/// On Unix two sockets can have one port until one of them listens.
#[cfg(unix)]
#[test]
fn a_socket_that_cannot_listen_does_not_say_that_it_does() {
    let address = test_support::free_address();
    let _listener = listen(address, BACKLOG).expect("nobody listens yet");
    let mut program = Program::start(STEP, &[&address.to_string()]);
    let (status, log) = program.end();
    assert_eq!(status.code(), Some(1));
    assert!(!log.contains("listening"), "{log}");
}
