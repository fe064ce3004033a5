//! What a server gets from each kind of client, and what the person at the terminal reads.

use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use test_support::{Program, assert_log, output, read_all};

const VISIT: &str = env!("CARGO_BIN_EXE_visit");

/// A server for one client.
fn server<T: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().unwrap().to_string();
    let thread = thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client comes");
        // macOS refuses that if the client has left already.
        let _ = client.set_read_timeout(Some(Duration::from_secs(60)));
        serve(client)
    });
    (address, thread)
}

/// Reads until so many bytes have come.
fn read(client: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    client.read_exact(&mut bytes).expect("so many bytes come");
    bytes
}

/// Visits a server that reads so many bytes and answers. Returns what it read, and what was told.
fn visit_answered(kind: &str, count: usize) -> (Vec<u8>, String) {
    let (address, server) = server(move |mut client| {
        let bytes = read(&mut client, count);
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\nHi").unwrap();
        bytes
    });
    let (status, told, _) = output(VISIT, &[kind, &address]);
    assert_eq!(status, 0, "{told}");
    (server.join().unwrap(), told)
}

#[test]
fn a_silent_client_tells_when_it_is_sent_away() {
    let (address, server) = server(drop);
    let (status, told, _) = output(VISIT, &["silent", &address]);
    server.join().unwrap();
    assert_log(
        &told,
        &[
            "[visit] [..] s The client connected from 127.0.0.1:[..] in [..] s",
            "[visit] [..] s The client sees the end: the server closed without a word",
        ],
    );
    assert_eq!(status, 0);
}

#[test]
fn silent_clients_are_numbered_and_each_tells_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut visit = Program::start(VISIT, &["silent", "3", &address_of(&listener)]);
    visit.wait_for("Client 3 connected");
    let clients = [(); 3].map(|()| listener.accept().expect("three clients come"));
    drop(clients);
    let (status, told) = visit.end();
    assert!(status.success());
    for number in 1..=3 {
        assert!(told.contains(&format!("s Client {number} sees the end: ")), "{told}");
    }
    assert_eq!(told.lines().count(), 6, "{told}");
}

fn address_of(listener: &TcpListener) -> String {
    listener.local_addr().unwrap().to_string()
}

#[test]
fn the_server_gets_the_second_half_a_second_after_the_first() {
    let (address, server) = server(|mut client| {
        let first = read(&mut client, 9);
        let start = Instant::now();
        let second = read(&mut client, 1);
        let pause = start.elapsed();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let rest = read(&mut client, 34);
        (pause, [first, second, rest].concat())
    });
    let (_, told, _) = output(VISIT, &["halves", &address]);
    let (pause, request) = server.join().unwrap();
    assert!(pause > Duration::from_millis(500), "{pause:?}");
    assert_eq!(request, b"GET /news.html HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let second = r#"The client sends 35 bytes: ".html HTTP/1.1\r\nHost: localhost\r\n\r\n""#;
    assert!(told.contains(second), "{told}");
    assert!(told.ends_with("sees the end: the server closed the connection\n"), "{told}");
}

#[test]
fn a_server_that_answers_the_first_half_is_told_so() {
    let (_, told) = visit_answered("halves", 9);
    let end = "had sent only one half: the server took it for the whole request\n";
    assert!(told.ends_with(end), "{told}");
}

#[test]
fn a_dripping_client_sends_one_byte_after_the_other() {
    let (address, server) = server(|mut client| {
        let start = Instant::now();
        (read(&mut client, 3), start.elapsed())
    });
    let (_, told, _) = output(VISIT, &["drip", &address]);
    let (bytes, took) = server.join().unwrap();
    assert_eq!(bytes, b"GET");
    assert!(took > Duration::from_millis(1500), "{took:?}");
    assert!(told.contains(r#"The client sends 1 byte: "T""#), "{told}");
    assert!(told.ends_with("sees the end: the server closed without a word\n"), "{told}");
}

#[test]
fn bytes_that_are_not_text_are_shown_as_numbers() {
    let (bytes, told) = visit_answered("bytes", 6);
    assert_eq!(bytes, b"\xff\xfe\r\n\r\n");
    assert!(told.contains(r#"The client sends 6 bytes: "\xff\xfe\r\n\r\n""#), "{told}");
}

#[test]
fn what_is_not_http_is_sent_with_a_blank_line() {
    let (bytes, told) = visit_answered("nonsense", 15);
    assert_eq!(bytes, b"hello there\r\n\r\n");
    assert!(
        told.contains("The client receives 21 bytes: HTTP/1.1 200 OK\n    \n    Hi\n"),
        "{told}"
    );
}

#[test]
fn a_long_head_has_2048_bytes_more_than_a_server_expects_that_reads_1024() {
    let (bytes, told) = visit_answered("long", 3072);
    assert!(bytes.starts_with(b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: 0"));
    assert!(bytes.ends_with(b"0\r\n\r\n"));
    assert!(told.contains("The client sends 3072 bytes: "), "{told}");
}

#[test]
fn a_body_is_as_long_as_its_head_says() {
    let head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n";
    let (bytes, _) = visit_answered("post", head.len() + 100_000);
    assert!(bytes.starts_with(head));
}

/// Wine shows a reset as a close, and some systems destroy the answer. What is told is what came.
#[cfg(unix)]
#[test]
fn a_server_that_leaves_bytes_unread_resets_the_connection() {
    let (_, told) = visit_answered("long", 1024);
    let end = "The client sees a reset: the server ended, or left bytes unread\n";
    assert!(told.ends_with(end), "{told}");
}

#[cfg(unix)]
#[test]
fn a_client_that_breaks_off_is_a_reset_to_the_server() {
    let (address, server) = server(|mut client| {
        let mut bytes = Vec::new();
        client.read_to_end(&mut bytes).map_err(|error| error.kind())
    });
    let (_, told, _) = output(VISIT, &["reset", &address]);
    assert_eq!(server.join().unwrap(), Err(std::io::ErrorKind::ConnectionReset));
    assert!(told.ends_with("The client cuts the connection\n"), "{told}");
}

#[test]
fn a_client_that_leaves_closes_and_has_said_nothing() {
    let (address, server) = server(|mut client| read_all(&mut client));
    let (_, told, _) = output(VISIT, &["leave", &address]);
    assert!(server.join().unwrap().is_empty());
    assert!(told.ends_with("The client leaves: the server let it stay for 0.5 s\n"), "{told}");
}

/// With a backlog of 1, Linux lets two wait. The third gets in when the first two have left.
#[cfg(target_os = "linux")]
#[test]
fn a_client_that_finds_the_queue_full_tells_how_long_it_waited() {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    listener.listen(1).unwrap();
    let listener = TcpListener::from(listener);
    let mut visit = Program::start(VISIT, &["leave", "3", &address_of(&listener)]);
    visit.wait_for("Client 1 leaves");
    visit.wait_for("Client 2 connected");
    let _clients = [(); 3].map(|()| listener.accept().expect("three clients come"));
    let line = visit.wait_for("Client 3 connected");
    let pattern = "[visit] [..] s Client 3 connected from [..] in [..] s: it sent its SYN again";
    assert_log(&line, &[pattern]);
}

#[test]
fn what_is_typed_is_sent_with_crlf_and_the_end_is_seen_while_it_waits_for_more() {
    let (address, server) = server(|mut client| read(&mut client, 2));
    let mut visit = Program::start(VISIT, &["type", &address]);
    visit.wait_for("sends each line that you type");
    visit.press_enter();
    visit.wait_for(r#"sends 2 bytes: "\r\n""#);
    assert_eq!(server.join().unwrap(), b"\r\n");
    // Its standard input is still open.
    let (status, told) = visit.end();
    assert!(told.ends_with("sees the end: the server closed without a word"), "{told}");
    assert!(status.success());
}

#[test]
fn where_the_input_ends_the_client_sends_no_more_and_reads_on() {
    let (address, server) = server(|mut client| {
        let bytes = read_all(&mut client);
        client.write_all(&bytes).unwrap();
    });
    let mut command = Command::new(VISIT);
    command.args(["type", &address]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut visit = command.spawn().unwrap();
    visit.stdin.take().unwrap().write_all(b"Hello?\n").unwrap();
    let told = visit.wait_with_output().unwrap().stdout;
    let told = String::from_utf8_lossy(&told);
    server.join().unwrap();
    assert!(told.contains("sends no more: the input has ended\n"), "{told}");
    assert!(told.contains("The client receives 8 bytes: Hello?\n"), "{told}");
}

#[test]
fn what_comes_cannot_move_the_cursor_or_look_like_the_log() {
    let (address, server) = server(|mut client| {
        let spaces = " ".repeat(76);
        let text = format!("\x1b[2J\n{spaces}[visit] The client won\n[visit] The client won twice");
        client.write_all(text.as_bytes()).unwrap();
    });
    let (_, told, _) = output(VISIT, &["silent", &address]);
    server.join().unwrap();
    assert!(told.contains(r": \x1b[2J"), "{told}");
    let own = told.lines().filter(|line| line.starts_with("[visit] ")).count();
    assert_eq!(own, 3, "{told}");
    assert!(
        told.contains("\n    [visit] The client won\n    [visit] The client won twice\n"),
        "{told}"
    );
}

#[test]
fn a_long_answer_does_not_flood_the_screen() {
    let (address, server) = server(|mut client| client.write_all(&[b'\n'; 1000]).unwrap());
    let (_, told, _) = output(VISIT, &["silent", &address]);
    server.join().unwrap();
    assert!(told.lines().count() < 60, "{told}");
    assert!(told.contains(" more rows\n"), "{told}");
}

#[test]
fn a_client_that_is_refused_says_so() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap().to_string();
    let (status, told, _) = output(VISIT, &["nonsense", &address]);
    let pattern = format!("[visit] [..] s The client was refused: nobody listens on {address}[..]");
    assert_log(&told, &[&pattern]);
    assert_eq!(status, 1);
}

#[test]
fn the_kinds_are_listed_and_wrong_arguments_are_named() {
    for arguments in [&[][..], &["--help"], &["silent", "-h"]] {
        let (status, told, _) = output(VISIT, arguments);
        assert!(told.contains("  silent [NUMBER]   connects, says nothing"), "{told}");
        assert_eq!(status, 0);
    }
    for (arguments, words) in [
        (&["silly"][..], "'silly' is not a kind of client."),
        (&["silent", "0"], "From 1 to 1000 clients can come, and 0 cannot."),
        (&["silent", "1001"], "From 1 to 1000 clients can come, and 1001 cannot."),
        (&["silent", "many"], "'many' is neither a number nor HOST:PORT."),
        (&["halves", "2"], "Only silent and leave take a number, and halves does not."),
        (&["silent", "a:b"], "'a:b' is not HOST:PORT."),
    ] {
        let (status, _, complaint) = output(VISIT, arguments);
        assert!(complaint.starts_with(words), "{complaint}");
        assert!(complaint.contains("Usage: "), "{complaint}");
        assert_eq!(status, 2);
    }
}
