//! Nothing from outside can hurt step 5: whatever a client does, everyone else is served.

#[cfg(target_os = "linux")]
use socket2::{Domain, Socket, Type};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};
#[cfg(target_os = "linux")]
use step4_accept::RETRY_DELAY;
use step4_accept::{Client, REQUEST_TIMEOUT};
use step5_respond::{
    CLOSE_TIMEOUT, MAX_WORKERS, RESPONSE_TIMEOUT, respond, response::Response, send,
};
use test_support::{
    Program, REQUEST, TIMEOUT, ask, connect, crowd, free_address, output, read_all, read_response,
    reset, send_no_more,
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
fn a_class_of_silent_browsers_holds_nobody_up_and_is_closed_without_a_word() {
    let _crowd = crowd();
    let (mut program, address) = start();
    // Thirty of them, with two silent connections each.
    let mut silent = silent_clients(60, address);
    let start = Instant::now();
    assert_serves(address);
    assert!(start.elapsed() < REQUEST_TIMEOUT / 2, "after {:?}", start.elapsed());
    for client in &mut silent {
        assert_eq!(read_all(client), b"");
    }
    // The first has all the time there is, and the last, when fewer workers are free, less.
    program.wait_for("the client sent no request in 5s");
    program.wait_for("the client sent no request in 4.5s");
}

#[cfg(target_os = "linux")]
#[test]
fn when_no_worker_is_free_nobody_waits_long_for_one() {
    if !has("prlimit") {
        return;
    }
    // Without memory for their stacks the system starts no more than some twenty threads.
    let mut command = Command::new("prlimit");
    let mut program = Program::run(command.args(["--as=48000000", STEP, "127.0.0.1:0"]));
    let address = program.listening();
    let mut silent = Vec::new();
    while !program.lines().iter().any(|line| line.contains(" threads instead of 512: ")) {
        silent.extend(silent_clients(1, address));
        program.wait_for_next("has been established!");
    }
    silent.extend(silent_clients(3, address));
    let start = Instant::now();
    assert_serves(address);
    assert!(start.elapsed() < REQUEST_TIMEOUT / 2, "after {:?}", start.elapsed());
    // With the last worker a client gets the shortest time.
    program.wait_for("the client sent no request in 250ms");
}

/// One thread serves everyone, one after the other.
#[cfg(target_os = "linux")]
#[test]
fn where_the_system_grants_no_thread_there_is_still_one() {
    if !has("prlimit") {
        return;
    }
    let mut command = Command::new("prlimit");
    let mut program = Program::run(command.args(["--as=6000000", STEP, "127.0.0.1:0"]));
    let address = program.listening();
    program.wait_for("Serving with 1 thread instead of 512: ");
    for _ in 0..3 {
        assert_serves(address);
    }
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
    program.wait_for("the client sent no complete request in 5s");
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
    let _crowd = crowd();
    let mut staying = silent_clients(60, address);
    for client in &mut staying {
        client.write_all(REQUEST).unwrap();
        assert_eq!(read_response(client).status, 200);
    }
    assert_serves(address);
    assert!(CLOSE_TIMEOUT <= Duration::from_secs(1), "that long they may delay the next one");
}

/// Both ends of a connection: the client's, and the server's with so much patience.
fn connection(timeout: Duration) -> (TcpStream, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = connect(listener.local_addr().unwrap());
    let (socket, address) = listener.accept().unwrap();
    (client, Client { socket: socket.into(), address, timeout, has_more: false })
}

#[test]
fn a_client_that_has_closed_is_not_waited_for() {
    let (client, mut server_side) = connection(REQUEST_TIMEOUT);
    drop(client);
    let start = Instant::now();
    respond(&mut server_side, &Response::sentence("200 OK", "Too late"));
    assert!(start.elapsed() < CLOSE_TIMEOUT, "after {:?}", start.elapsed());
}

#[test]
fn a_slow_reader_gets_a_long_page_however_long_it_takes() {
    // For each piece it has two seconds here. All of them together take longer.
    let (mut client, mut server_side) = connection(Duration::from_secs(1));
    let start = Instant::now();
    let body = vec![b'x'; 32 * 1024 * 1024];
    let response = Response::new("200 OK", "text/plain", body);
    let sending = thread::spawn(move || send(&mut server_side, &response));
    let pace = UdpSocket::bind("127.0.0.1:0").unwrap();
    pace.set_read_timeout(Some(Duration::from_millis(80))).unwrap();
    let mut part = Vec::new();
    let mut total = 0;
    while (&mut client).take(1024 * 1024).read_to_end(&mut part).unwrap() > 0 {
        total += part.len();
        part.clear();
        pace.recv(&mut [0]).expect_err("nobody sends anything there");
    }
    assert!(start.elapsed() > Duration::from_secs(2), "after {:?}", start.elapsed());
    assert_eq!(sending.join().unwrap().unwrap(), total);
}

#[test]
fn a_client_that_does_not_read_a_long_page_is_given_up() {
    let (_client, mut server_side) = connection(Duration::from_millis(250));
    let response = Response::new("200 OK", "text/plain", vec![b'x'; 32 * 1024 * 1024]);
    let start = Instant::now();
    let error = send(&mut server_side, &response).expect_err("nobody reads it");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(start.elapsed() >= Duration::from_millis(500), "after {:?}", start.elapsed());
    assert!(start.elapsed() < RESPONSE_TIMEOUT, "after {:?}", start.elapsed());
}

#[test]
fn hundreds_of_clients_that_ask_and_leave_before_the_answer_stop_no_worker() {
    let (_program, address) = start();
    for _ in 0..=MAX_WORKERS / 50 {
        for _ in 0..50 {
            let mut client = connect(address);
            client.write_all(REQUEST).unwrap();
            reset(client);
        }
        // Were a worker lost to each of them, there would be none left in the end.
        assert_serves(address);
    }
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
    // The log can't be read, so the port has to be known.
    let free = free_address();
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
    let address = free_address();
    let mut program = Program::start(STEP, &[&address.to_string()]);
    assert_eq!(program.listening(), address);
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
fn without_descriptors_it_says_so_once_and_serves_again_when_there_are_some() {
    if !has("prlimit") {
        return;
    }
    let (mut program, address) = start();
    assert_serves(address);
    limit_descriptors(&program, 3);
    // A worker that waits may have the descriptor for its next client in hand. These use it up.
    let early = [knock(address), knock(address), knock(address)];
    let line = program.wait_for_next("Cannot accept a client");
    assert!(line.ends_with("Too many open files (os error 24). Trying again."), "{line}");

    // Nobody comes for a while, and so there is nothing new to say.
    let pace = UdpSocket::bind("127.0.0.1:0").unwrap();
    pace.set_read_timeout(Some(RETRY_DELAY * 5)).unwrap();
    pace.recv(&mut [0]).expect_err("nobody sends anything there");
    drop(early);
    limit_descriptors(&program, 200);
    assert_eq!(ask(address, b"GET /again HTTP/1.0\r\n\r\n").status, 404);
    program.wait_for("GET /again");
    let count = program.lines().iter().filter(|line| line.contains("Cannot accept")).count();
    assert!(count <= 3, "{:#?}", program.lines());

    // While they can't be accepted, clients wait in the queue, and each is served in the end.
    limit_descriptors(&program, 3);
    let clients: Vec<Socket> = (0..20).map(|_| knock(address)).collect();
    program.wait_for_next("Cannot accept a client");
    drop(clients);
    limit_descriptors(&program, 200);
    assert_serves(address);
}

#[test]
fn brief_is_one_row_of_60_columns_for_each_answer_and_nothing_else() {
    let mut program = Program::start(STEP, &["127.0.0.1:0", "--brief"]);
    let address = program.listening();
    let long = format!("GET /{}[step5-respond] HTTP/1.0", "x".repeat(1000));
    for (request_line, row) in [
        ("GET / HTTP/1.0", " GET / 200 OK"),
        ("GET /nothing?a=1 HTTP/1.0", " GET /nothing?a=1 404 Not Found"),
        ("HEAD / HTTP/1.0", " HEAD / 200 OK"),
        ("POST / HTTP/1.0", " POST / 405 only GET and HEAD are allowed"),
        ("GET / HTTP/1.1", " GET / 400 HTTP/1.1 needs a Host field"),
        ("hello", " hello 400 it is not METHOD /path VERSION"),
        ("\u{1b}[2J", r" \x1b[2J 400 it is not METHOD /path VERSION"),
        (&long, "bytes 404 Not Found"),
    ] {
        // One that leaves without a word has no row.
        drop(connect(address));
        let mut client = connect(address);
        let from = client.local_addr().unwrap();
        client.write_all(format!("{request_line}\nX: y\n\n").as_bytes()).unwrap();
        read_response(&mut client);
        let logged = program.wait_for_next("");
        assert!(logged.starts_with(&from.to_string()) && logged.ends_with(row), "{logged}");
        assert!(logged.len() <= 60 && !logged.contains("[step"), "{logged}");
    }
}

/// A program whose output nobody reads, until the test's end.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_that_nobody_reads_holds_nobody_up_and_says_later_what_is_missing() {
    // Nobody reads the port from the log, so it has to be known.
    let free = free_address();
    let mut command = Command::new(STEP);
    command.arg(free.to_string()).stdout(Stdio::piped());
    let mut server = Killed(command.spawn().unwrap());
    let start = Instant::now();
    while TcpStream::connect(free).is_err() {
        assert!(start.elapsed() < TIMEOUT, "it does not listen");
        thread::yield_now();
    }
    // A pipe and the queue take some hundred visits. Then messages are dropped.
    for _ in 0..700 {
        assert_serves(free);
    }
    let mut log = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let (found, is_found) = channel();
    thread::spawn(move || {
        let missing =
            log.find(|line| line.as_ref().is_ok_and(|line| line.contains("missing here")));
        found.send(missing.unwrap().unwrap()).unwrap();
        log.for_each(drop);
    });
    let line = loop {
        assert_serves(free);
        if let Ok(line) = is_found.try_recv() {
            break line;
        }
        assert!(start.elapsed() < TIMEOUT, "nothing is said to be missing");
    };
    let words = "[step1-socket] Nobody read the log in time. Messages missing here: ";
    let count = line.strip_prefix(words).unwrap_or_else(|| panic!("{line}"));
    assert!(count.parse::<u32>().is_ok_and(|count| count > 0), "{line}");
}
