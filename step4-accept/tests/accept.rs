//! What an observer sees of step 4: clients are accepted one by one, received, and not answered.

use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use step2_bind::local_address;
use step3_listen::{BACKLOG, listen};
use step4_accept::{MAX_HEAD, REQUEST_TIMEOUT, ReceiveError, accept, read_before, receive};
#[cfg(target_os = "linux")]
use test_support::limit_descriptors;
use test_support::{
    Program, REQUEST, TIMEOUT, assert_log, connect, curl, has, head_of, log, read_all, reset,
    send_no_more,
};

const STEP: &str = env!("CARGO_BIN_EXE_step4-accept");

fn start() -> (Program, SocketAddr) {
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    let address = program.listening();
    (program, address)
}

/// The loop goes on: a plain request is still received.
fn assert_goes_on(program: &mut Program, address: SocketAddr) {
    let mut client = connect(address);
    client.write_all(b"GET /still-there HTTP/1.1\r\n\r\n").unwrap();
    program.wait_for_next("GET /still-there HTTP/1.1");
    assert_eq!(read_all(&mut client), b"", "there is no answer at this step");
}

#[test]
fn it_says_who_connected_and_what_they_asked() {
    let (mut program, address) = start();
    let mut client = connect(address);
    client.write_all(REQUEST).unwrap();
    assert_eq!(read_all(&mut client), b"", "there is no answer at this step");
    program.wait_for("Host: localhost");
    assert_log(&program.lines().join("\n"), &log(4));

    let from = client.local_addr().unwrap();
    program.wait_for(&format!("Connection from {from} has been established!"));
    program.wait_for(&format!("Request received from {from}:"));
    assert_goes_on(&mut program, address);
}

#[test]
fn curl_gets_an_empty_reply() {
    if !has("curl") {
        return;
    }
    let (_program, address) = start();
    assert_eq!(curl(address, 20), 52);
}

#[test]
fn a_request_cut_into_single_bytes_is_received_complete() {
    let (mut program, address) = start();
    let mut client = connect(address);
    client.set_nodelay(true).unwrap();
    for byte in REQUEST {
        client.write_all(&[*byte]).unwrap();
    }
    program.wait_for("Host: localhost");
    assert_log(&program.lines().join("\n"), &log(4));
}

#[test]
fn the_end_of_a_head_is_found_wherever_a_read_ends() {
    let (mut program, address) = start();
    // Heads around the 1024 bytes of one read: the blank line falls on both sides of the cut.
    for length in 1020..1030 {
        let mut client = connect(address);
        client.write_all(&head_of(length)).unwrap();
        assert_eq!(read_all(&mut client), b"");
        program.wait_for_next("Request received");
    }
}

#[test]
fn lines_end_in_either_way_and_blank_lines_before_a_request_do_not_count() {
    let (mut program, address) = start();
    for (number, [before, line_end, last]) in
        [["", "\n", "\n"], ["", "\n", "\r\n"], ["", "\r\n", "\n"], ["\r\n\n\r\n", "\r\n", "\r\n"]]
            .into_iter()
            .enumerate()
    {
        let first_line = format!("GET /{number} HTTP/1.1");
        let head = format!("{before}{first_line}{line_end}Host: localhost{line_end}{last}");
        connect(address).write_all(head.as_bytes()).unwrap();
        program.wait_for_next(&first_line);
        assert_eq!(program.wait_for_next("Host"), "    Host: localhost");
    }
}

#[test]
fn what_follows_the_head_is_not_shown() {
    let (mut program, address) = start();
    let mut client = connect(address);
    client.write_all(b"POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nsecret").unwrap();
    program.wait_for("POST / HTTP/1.1");
    assert_goes_on(&mut program, address);
    assert!(!program.lines().iter().any(|line| line.contains("secret")));
}

#[test]
fn a_head_of_8_kib_is_received_and_one_byte_more_is_too_much_however_they_are_cut() {
    let (mut program, address) = start();
    for (length, logged) in [(MAX_HEAD, "Request received"), (MAX_HEAD + 1, "No request")] {
        for first in [1, 1000, MAX_HEAD - 1] {
            let mut client = connect(address);
            let head = head_of(length);
            client.write_all(&head[..first]).unwrap();
            // The pace of this client: the server has time to read the first piece by itself.
            client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            client.read(&mut [0; 1]).expect_err("no answer yet");
            client.write_all(&head[first..]).unwrap();
            let line = program.wait_for_next(" from 127.0.0.1:");
            let line =
                if line.contains("Connection") { program.wait_for_next(" from ") } else { line };
            assert!(line.contains(logged), "{line}");
            assert!(length == MAX_HEAD || line.ends_with("sent a head of more than 8192 bytes"));
        }
    }
    assert_goes_on(&mut program, address);
}

#[test]
fn blank_lines_without_end_are_too_much_as_well() {
    let (mut program, address) = start();
    let mut client = connect(address);
    let _ = client.write_all(&b"\r\n".repeat(MAX_HEAD / 2));
    program.wait_for("the client sent a head of more than 8192 bytes");
    assert_goes_on(&mut program, address);
}

#[test]
fn a_client_that_leaves_costs_one_line() {
    let (mut program, address) = start();
    for part in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\n"] {
        let mut client = connect(address);
        client.write_all(part).unwrap();
        drop(client);
        let line = program.wait_for_next("No request");
        assert!(line.ends_with("the client left before its request was complete"), "{line}");
    }
    assert_goes_on(&mut program, address);
}

#[test]
fn a_client_that_closes_its_sending_half_too_early_costs_one_line() {
    let (mut program, address) = start();
    let mut client = connect(address);
    client.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    send_no_more(&client);
    assert_eq!(read_all(&mut client), b"");
    program.wait_for("the client left before its request was complete");
    assert_goes_on(&mut program, address);
}

#[test]
fn a_client_that_resets_the_connection_costs_one_line() {
    let (mut program, address) = start();
    let mut client = connect(address);
    client.write_all(b"GET / HT").unwrap();
    program.wait_for("has been established!");
    reset(client);
    let line = program.wait_for_next("No request");
    // Wine, on which the tests for Windows can be run, now and then takes a reset for a close.
    let as_closed =
        cfg!(windows) && line.ends_with("the client left before its request was complete");
    assert!(as_closed || line.contains("the connection broke: "), "{line}");
    assert_goes_on(&mut program, address);
}

#[test]
fn a_client_cannot_write_a_row_of_the_log() {
    let (mut program, address) = start();
    let fake = "[step5-respond] Response sent to 10.9.8.7:666: 200 OK, 611 bytes";
    connect(address).write_all(format!("GET / HTTP/1.1\n{fake}\n\n").as_bytes()).unwrap();
    assert_eq!(program.wait_for("10.9.8.7"), format!("    {fake}"));
}

#[test]
fn a_head_is_shown_as_it_came() {
    let (mut program, address) = start();
    connect(address).write_all(b"\t GET / HTTP/1.1\r\nX: y\r\r\n \r\n\r\n").unwrap();
    let line = program.wait_for("Request received");
    assert!(line.ends_with(r": \t GET / HTTP/1.1"), "{line}");
    assert_eq!(program.wait_for_next(""), r"    X: y\r");
    assert_eq!(program.wait_for_next(""), "     ");
}

#[test]
fn what_a_client_pads_to_the_width_of_the_terminal_is_cut_and_wraps_into_no_row_of_its_own() {
    let (mut program, address) = start();
    let fake = "[step5-respond] Response sent to 10.9.8.7:666: 200 OK, 611 bytes";
    for columns in [60, 80, 100, 132] {
        let path = format!("GET /{}{fake} HTTP/1.1", "-".repeat(columns - 5));
        let field = format!("X: {}{fake}", "\u{7}".repeat(columns / 4));
        connect(address).write_all(format!("{path}\n{field}\n\n").as_bytes()).unwrap();
        assert!(
            program.wait_for_next("Request received").ends_with(':'),
            "the path has its own row"
        );
        for shown in [program.wait_for_next(""), program.wait_for_next("")] {
            assert!(shown.starts_with("    ") && shown.len() <= 80, "{shown}");
        }
    }
    connect(address).write_all(&[b"GET /", &[b'x'; 8000][..], b"\n\n"].concat()).unwrap();
    let row = program.wait_for_next("GET /");
    assert!(row.ends_with("x... and 7,953 more bytes"), "{row}");
}

#[test]
fn a_request_line_that_is_short_enough_stands_in_the_row_of_its_message() {
    let (mut program, address) = start();
    let mut client = connect(address);
    let words = format!("[step4-accept] Request received from {}: ", client.local_addr().unwrap());
    let request_line = format!("GET /{}", "x".repeat(80 - words.len() - "GET /".len()));
    client.write_all(format!("{request_line}\n\n").as_bytes()).unwrap();
    assert_eq!(program.wait_for_next("Request received"), format!("{words}{request_line}"));
}

#[test]
fn a_client_with_many_fields_does_not_push_the_others_off_the_screen() {
    let (mut program, address) = start();
    for (count, rows, last) in
        [(20, 20, "X: 1"), (21, 20, "... and 2 more lines"), (1500, 20, "... and 1,481 more lines")]
    {
        let head = format!("GET /many HTTP/1.1\n{}\n", "X: 1\n".repeat(count - 1));
        connect(address).write_all(head.as_bytes()).unwrap();
        program.wait_for_next("GET /many");
        let rows: Vec<_> = (1..rows).map(|_| program.wait_for_next("")).collect();
        assert_eq!(rows.last().unwrap(), &format!("    {last}"));
    }
    assert_goes_on(&mut program, address);
    assert!(program.wait_for("Connection from").starts_with('['));
}

#[test]
fn bytes_that_are_not_utf8_are_shown_and_the_loop_goes_on() {
    let (mut program, address) = start();
    connect(address).write_all(b"\xff\xfe\r\n\r\n").unwrap();
    let line = program.wait_for("Request received");
    assert!(line.ends_with(r": \xff\xfe"), "{line}");
    assert_goes_on(&mut program, address);
}

#[test]
fn a_terminal_escape_sequence_is_shown_and_not_obeyed() {
    let (mut program, address) = start();
    connect(address).write_all(b"GET /\x1b[2J\x1b]0;title\x07 HTTP/1.1\r\n\r\n").unwrap();
    let line = program.wait_for("GET /");
    assert_eq!(line, r"    GET /\x1b[2J\x1b]0;title\x07 HTTP/1.1");
}

#[test]
fn a_client_that_sends_no_request_is_sent_away_after_5_seconds() {
    let start_clock = Instant::now();
    // Only blank lines are no request either. Both servers wait side by side.
    let visits = [&b""[..], b"\r\n\r\n"].map(|sent| {
        let (program, address) = start();
        let mut client = connect(address);
        client.write_all(sent).unwrap();
        (program, address, client)
    });
    for (mut program, address, mut client) in visits {
        assert_eq!(read_all(&mut client), b"");
        assert!(start_clock.elapsed() >= REQUEST_TIMEOUT, "after {:?}", start_clock.elapsed());
        assert!(start_clock.elapsed() < REQUEST_TIMEOUT * 2, "after {:?}", start_clock.elapsed());
        program.wait_for("the client sent no request in 5s");
        assert_goes_on(&mut program, address);
    }
}

#[test]
fn a_client_that_sends_a_byte_at_a_time_has_5_seconds_in_all() {
    let (mut program, address) = start();
    let start = Instant::now();
    let mut client = connect(address);
    // The pace of this client: it waits half a second for an answer, then sends the next byte.
    client.set_read_timeout(Some(REQUEST_TIMEOUT / 10)).unwrap();
    while start.elapsed() < REQUEST_TIMEOUT * 2 {
        if client.write_all(b"G").is_err() {
            break;
        }
        match client.read(&mut [0; 1]) {
            // No answer, or a machine that was paused in between.
            Err(error) if [WouldBlock, TimedOut, Interrupted].contains(&error.kind()) => {}
            _ => break, // The server has closed the connection.
        }
    }
    assert!(start.elapsed() >= REQUEST_TIMEOUT, "after {:?}", start.elapsed());
    assert!(start.elapsed() < REQUEST_TIMEOUT * 2, "after {:?}", start.elapsed());
    program.wait_for("the client sent no complete request in 5s");
    assert_goes_on(&mut program, address);
}

#[test]
fn a_request_that_is_complete_before_its_time_is_up_is_received() {
    let (mut program, address) = start();
    let mut client = connect(address);
    let (first, rest) = REQUEST.split_at(10);
    client.write_all(first).unwrap();
    // The pace of this client: it waits three of the five seconds before it goes on.
    client.set_read_timeout(Some(REQUEST_TIMEOUT * 3 / 5)).unwrap();
    client.read(&mut [0; 1]).expect_err("no answer yet");
    client.write_all(rest).unwrap();
    program.wait_for("Request received");
}

#[test]
fn a_deadline_is_kept_to_the_last_nanosecond() {
    // Less than what the system can count must not become "no limit", which is what 0 means.
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = connect(listener.local_addr().unwrap());
        for nanoseconds in (100..3000).step_by(10) {
            let deadline = Instant::now() + Duration::from_nanos(nanoseconds);
            let error = read_before(deadline, &mut silent.try_clone().unwrap().into(), &mut [0]);
            assert_eq!(error.unwrap_err().kind(), TimedOut);
        }
        done.send(()).unwrap();
    });
    is_done.recv_timeout(TIMEOUT).expect("every read ends");
}

#[test]
fn a_client_that_sends_more_than_a_head_is_known_to() {
    let listener = listen("127.0.0.1:0".parse().unwrap(), BACKLOG).unwrap();
    let address = local_address(&listener).unwrap();
    for (more, has_more) in [(&b""[..], false), (b"x", true), (REQUEST, true)] {
        let mut from_client = connect(address);
        from_client.write_all(&[REQUEST, more].concat()).unwrap();
        let mut client = accept(&listener);
        assert_eq!(receive(&mut client).unwrap(), REQUEST);
        assert_eq!(client.has_more, has_more);
    }
}

#[test]
fn what_came_before_the_deadline_is_judged_as_what_it_is() {
    // As if the program had been paused for longer than its client has: the deadline is over
    // before the first read, and the complete head is there.
    let listener = listen("127.0.0.1:0".parse().unwrap(), BACKLOG).unwrap();
    let address = local_address(&listener).unwrap();
    for (sent, is_complete) in [(head_of(5000), true), (head_of(5000)[..4999].to_vec(), false)] {
        let mut from_client = connect(address);
        from_client.write_all(&sent).unwrap();
        let mut client = accept(&listener);
        client.socket.peek(&mut [std::mem::MaybeUninit::uninit()]).expect("it is there");
        client.timeout = Duration::ZERO;
        match receive(&mut client) {
            Ok(head) => assert!(is_complete && head == sent),
            Err(error) => {
                assert!(!is_complete && matches!(error, ReceiveError::Late(..)), "{error}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_program_that_was_paused_goes_on_with_the_same_client() {
    let signal = |program: &Program, name: &str| {
        let kill = format!("kill {name} {}", program.id());
        let shell = std::process::Command::new("sh").args(["-c", &kill]).status();
        assert!(shell.expect("sh runs").success());
    };
    let (mut program, address) = start();
    let mut client = connect(address);
    client.write_all(b"GET / ").unwrap();
    program.wait_for("has been established!");
    signal(&program, "-STOP");
    signal(&program, "-CONT");
    client.write_all(b"HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    program.wait_for("Request received");
}

/// strace(1) lets the first accept(2) fail as it does when a client has left the queue.
#[cfg(target_os = "linux")]
#[test]
fn a_client_that_left_the_queue_costs_nothing() {
    if !has("strace") {
        return;
    }
    let mut strace = std::process::Command::new("strace");
    strace.args(["-D", "-qq", "-e", "trace=accept4"]); // -D: the program stays our child.
    strace.args(["-e", "inject=accept4:error=ECONNABORTED:when=1"]);
    let mut program = Program::run(strace.args([STEP, "127.0.0.1:0"]));
    let address = program.listening();
    assert_goes_on(&mut program, address);
    assert!(program.stderr_line().contains("ECONNABORTED"), "strace did it");
    assert!(!program.lines().iter().any(|line| line.contains("Cannot accept")));
}

#[test]
fn a_closed_standard_output_does_not_stop_it() {
    let (mut program, address) = start();
    program.close_output();
    for _ in 0..3 {
        let mut client = connect(address);
        client.write_all(REQUEST).unwrap();
        assert_eq!(read_all(&mut client), b"");
    }
    assert!(program.is_running());
}

#[cfg(target_os = "linux")]
#[test]
fn without_descriptors_it_says_so_and_serves_again_when_there_are_some() {
    if !has("prlimit") {
        return;
    }
    let (mut program, address) = start();
    // From here on the system grants no new descriptor. If accept waits already, it has one, and
    // the first of these clients still gets in.
    limit_descriptors(&program, 3);
    let mut clients = [connect(address), connect(address)];
    // It asks, so that the step need not wait for that before it accepts the second one.
    clients[0].write_all(REQUEST).unwrap();
    let line = program.wait_for_next("Cannot accept a client");
    assert!(line.ends_with("Too many open files (os error 24). Trying again."), "{line}");

    drop(clients);
    limit_descriptors(&program, 64);
    assert_goes_on(&mut program, address);
}
