//! Nothing from outside can hurt step 5: whatever a client does, everyone else is served.

#[cfg(target_os = "linux")]
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use step2_bind::local_address;
use step3_listen::listen;
use step4_accept::{REQUEST_TIMEOUT, RETRY_DELAY, accept};
use step5_respond::{BACKLOG, CLOSE_TIMEOUT, WORKERS, respond, response::Response};
use test_support::{
    Program, REQUEST, TIMEOUT, ask, connect, output, read_all, read_response, reset, send_no_more,
};
#[cfg(target_os = "linux")]
use test_support::{has, limit_descriptors};

const STEP: &str = env!("CARGO_BIN_EXE_step5-respond");

fn start() -> (Program, SocketAddr) {
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    let address = program.listening();
    (program, address)
}

/// A plain request is answered, before any client that is in the way runs out of its time.
fn assert_serves(address: SocketAddr) {
    let start = Instant::now();
    assert_eq!(ask(address, REQUEST).status, 200);
    assert!(start.elapsed() < REQUEST_TIMEOUT, "after {:?}", start.elapsed());
}

fn silent_clients(count: usize, address: SocketAddr) -> Vec<TcpStream> {
    (0..count).map(|_| connect(address)).collect()
}

#[test]
fn twelve_silent_clients_hold_nobody_up() {
    let (_program, address) = start();
    let mut silent = silent_clients(12, address);
    assert_serves(address);
    for client in &mut silent {
        assert_eq!(read_all(client), b"", "they are closed without a word");
    }
}

#[test]
fn one_client_less_than_there_are_workers_may_be_silent() {
    let (_program, address) = start();
    // A class of thirty, with two silent connections each, makes sixty. This is the last that fits.
    let start = Instant::now();
    let _silent = silent_clients(WORKERS - 1, address);
    assert_serves(address);
    assert!(start.elapsed() < REQUEST_TIMEOUT, "after {:?}", start.elapsed());
}

#[test]
fn as_many_silent_clients_as_workers_delay_the_next_one_until_their_time_is_up() {
    let (_program, address) = start();
    let start = Instant::now();
    let _silent = silent_clients(WORKERS, address);
    assert_eq!(ask(address, REQUEST).status, 200);
    assert!(start.elapsed() >= REQUEST_TIMEOUT, "after {:?}", start.elapsed());
}

#[test]
fn clients_that_send_a_byte_at_a_time_hold_nobody_up_and_get_408() {
    let (mut program, address) = start();
    let mut slow = silent_clients(12, address);
    let start = Instant::now();
    for client in &mut slow {
        client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    }
    // Each sends a byte about four times a second, until the server has lost its patience.
    while start.elapsed() < REQUEST_TIMEOUT {
        for client in &mut slow {
            let _ = client.write_all(b"x");
            let _ = client.peek(&mut [0]);
        }
        assert_serves(address);
    }
    for client in &mut slow {
        client.set_read_timeout(Some(TIMEOUT)).unwrap();
        assert_eq!(read_response(client).status, 408);
    }
    program.wait_for("the client sent no blank line in 5s");
}

#[test]
fn a_client_that_says_nothing_is_closed_without_a_word_after_its_time() {
    let (mut program, address) = start();
    let start = Instant::now();
    let mut client = connect(address);
    assert_eq!(read_all(&mut client), b"");
    assert!(start.elapsed() >= REQUEST_TIMEOUT, "after {:?}", start.elapsed());
    program.wait_for("the client said nothing for 5s");
}

#[test]
fn a_client_that_closes_its_half_too_early_gets_no_answer() {
    let (_program, address) = start();
    let mut client = connect(address);
    client.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    send_no_more(&client);
    assert_eq!(read_all(&mut client), b"");
}

#[test]
fn a_client_that_leaves_or_resets_costs_nobody_else_anything() {
    let (_program, address) = start();
    for part in [&b""[..], b"GET / HT", b"\xff\xfe", b"\x16\x03\x01\x02\x00\x01"] {
        for leave in [drop, reset] {
            let mut client = connect(address);
            client.write_all(part).unwrap();
            leave(client);
            assert_serves(address);
        }
    }
}

#[test]
fn a_client_that_stays_connected_after_its_answer_holds_nobody_up() {
    let (_program, address) = start();
    let mut staying = silent_clients(WORKERS, address);
    for client in &mut staying {
        client.write_all(REQUEST).unwrap();
        assert_eq!(read_response(client).status, 200);
    }
    // All workers wait for these clients to close, for CLOSE_TIMEOUT, and not for REQUEST_TIMEOUT.
    assert_serves(address);
    assert!(CLOSE_TIMEOUT <= Duration::from_secs(1), "that long they may delay the next one");
}

#[test]
fn a_client_that_has_closed_is_not_waited_for() {
    let listener = listen("127.0.0.1:0".parse().unwrap(), BACKLOG).unwrap();
    drop(connect(local_address(&listener).unwrap()));
    let mut client = accept(&listener);
    let start = Instant::now();
    respond(&mut client, &Response::sentence("200 OK", "Too late"));
    assert!(start.elapsed() < CLOSE_TIMEOUT, "after {:?}", start.elapsed());
}

#[test]
fn hundreds_of_clients_that_ask_and_leave_before_the_answer_stop_no_worker() {
    let (_program, address) = start();
    for _ in 0..WORKERS * 4 {
        let mut client = connect(address);
        client.write_all(REQUEST).unwrap();
        reset(client);
    }
    // Were a worker lost to each of them, there would be none left.
    assert_serves(address);
}

#[test]
fn a_client_that_never_stops_sending_is_closed_after_a_while() {
    let (_program, address) = start();
    // A byte now and then, and as much as the connection takes: time is what ends both.
    for (piece, pace) in [(1, Duration::from_millis(100)), (64 * 1024, Duration::from_millis(1))] {
        let start = Instant::now();
        let mut client = connect(address);
        client
            .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            .unwrap();
        assert_eq!(read_response(&mut client).status, 405);
        client.set_read_timeout(Some(pace)).unwrap();
        client.set_write_timeout(Some(TIMEOUT)).unwrap();
        while client.write(&vec![b'x'; piece]).is_ok() {
            assert!(start.elapsed() < TIMEOUT, "the server still reads");
            let _ = client.read(&mut [0; 4096]); // The pace of this client.
        }
        assert!(start.elapsed() >= CLOSE_TIMEOUT, "after {:?}", start.elapsed());
        assert_serves(address);
    }
}

#[test]
fn thirty_two_clients_at_once_lose_no_request_and_mix_no_lines() {
    let (mut program, address) = start();
    thread::scope(|scope| {
        for client in 0..32 {
            scope.spawn(move || {
                for number in 0..10 {
                    let request = format!("GET /{client}/{number} HTTP/1.0\r\nX: {client}\r\n\r\n");
                    assert_eq!(ask(address, request.as_bytes()).status, 404);
                }
            });
        }
    });
    for _ in 0..320 {
        program.wait_for_next("Response sent to");
    }
    let lines = program.lines();
    for (line, next) in lines.iter().zip(&lines[1..]) {
        if line.contains("Request received from") {
            let client = line.split('/').nth(1).unwrap();
            assert!(line.ends_with(" HTTP/1.0"), "{line}");
            assert_eq!(next, &format!("    X: {client}"));
        }
        assert_eq!(line.matches("[step").count(), usize::from(line.starts_with('[')), "{line}");
    }
}

#[test]
fn a_closed_standard_output_does_not_stop_it() {
    let (mut program, address) = start();
    program.close_output();
    for _ in 0..3 {
        assert_serves(address);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_standard_output_does_not_stop_it() {
    // The story can't be read, so the port has to be known: one that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$1\" >/dev/full", STEP, &free.to_string()]);
    let mut program = Program::run(&mut command);
    let start = Instant::now();
    while TcpStream::connect(free).is_err() {
        assert!(program.is_running() && start.elapsed() < TIMEOUT, "it does not listen");
        thread::yield_now();
    }
    assert_serves(free);
}

#[test]
fn a_restart_at_once_on_the_same_port_works() {
    let (program, address) = start();
    // The server closes first, so its side of the connection stays in TIME_WAIT.
    assert_serves(address);
    drop(program);
    let mut again = Program::start(STEP, &[&address.to_string()]);
    assert_eq!(again.listening(), address);
    assert_serves(address);
}

#[test]
fn a_second_server_on_the_same_port_is_refused_with_one_clear_line() {
    let (_program, address) = start();
    let (status, _, stderr) = output(STEP, &[address.to_string()]);
    assert!(stderr.starts_with(&format!("Cannot listen on {address}: ")), "{stderr}");
    assert_eq!((stderr.lines().count(), status), (1, 1), "{stderr}");
    assert_serves(address);
}

/// Begins to connect, and does not wait until the server has room.
#[cfg(target_os = "linux")]
fn knock(address: SocketAddr) -> Socket {
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    client.set_nonblocking(true).unwrap();
    let _ = client.connect(&address.into());
    client
}

#[cfg(target_os = "linux")]
#[test]
fn without_descriptors_it_says_so_and_serves_again_when_there_are_some() {
    if !has("prlimit") {
        return;
    }
    let (mut program, address) = start();
    assert_serves(address);
    limit_descriptors(&program, 3);
    // A worker that waits has the descriptor for its next client in hand. These use them up.
    let clients: Vec<Socket> = (0..WORKERS).map(|_| knock(address)).collect();
    program.wait_for_next("Too many open files (os error 24). Trying again.");
    // All workers hear of it twice a second. One of them tells.
    let start = Instant::now();
    for _ in 0..3 {
        program.wait_for_next("Cannot accept a client");
    }
    assert!(start.elapsed() > RETRY_DELAY, "it tells without a pause, or many tell");

    drop(clients);
    limit_descriptors(&program, 1024);
    for _ in 0..WORKERS {
        assert_serves(address);
    }
}
