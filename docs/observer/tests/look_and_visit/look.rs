//! What `look` draws is what the system has.
//!
//! Linux alone tells all of it. On other systems `look` shows their own tables, which no test knows.

use observer::port::{Port, System};
use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};
use step2_bind::{bind, local_address};
use step3_listen::listen;
use step4_accept::REQUEST_TIMEOUT;
use test_support::{Program, TIMEOUT, assert_log, connect, example, output, program, reset};

const LOOK: &str = env!("CARGO_BIN_EXE_look");
const VISIT: &str = env!("CARGO_BIN_EXE_visit");

/// One picture of a port.
fn look(address: SocketAddr) -> String {
    let (status, picture, complaint) = output(LOOK, &["--once", &address.port().to_string()]);
    assert_eq!(status, 0, "{complaint}");
    picture
}

/// Looks until a picture has these words. What a client does may take a moment to arrive.
fn look_for(address: SocketAddr, words: &str) -> String {
    let start = Instant::now();
    loop {
        let picture = look(address);
        if picture.contains(words) {
            return picture;
        }
        assert!(start.elapsed() < TIMEOUT, "no '{words}' in:\n{picture}");
    }
}

/// A socket of this test that listens.
fn listener(address: &str, backlog: i32) -> (TcpListener, SocketAddr) {
    let socket = listen(address.parse().unwrap(), backlog).expect("a free port");
    let address = local_address(&socket).unwrap();
    (socket.into(), address)
}

fn step(name: &str) -> Program {
    Program::start(&program(name, name), &["127.0.0.1:0"])
}

#[test]
fn the_socket_of_step_1_is_there_and_has_no_address() {
    let mut step1 = Program::start(&program("step1-socket", "step1-socket"), &[]);
    step1.wait_for("Socket created");
    // Nobody has port 1 of a machine where tests run.
    let picture = look("127.0.0.1:1".parse().unwrap());
    assert!(picture.starts_with("[free] No socket has port 1\n"), "{picture}");
    // Which descriptor it is depends on what the shell has left open.
    let socket = picture.split("[socket] step1-socket, descriptor ").nth(1).unwrap_or_default();
    assert!(socket.contains(": it has no address\n"), "{picture}");
}

#[test]
fn the_socket_of_step_2_is_bound_and_does_not_listen() {
    let mut step2 = step("step2-bind");
    let address = step2.address();
    let pattern = format!("[bound] {address}: step2-bind, descriptor [..]");
    assert_log(&look(address), &[&pattern, "    It does not listen, so clients are refused"]);
}

#[test]
fn six_clients_wait_in_a_queue_with_a_backlog_of_5_and_the_seventh_is_outside() {
    let mut step3 = step("step3-listen");
    let address = step3.listening();
    let mut visit = Program::start(VISIT, &["silent", "7", &address.to_string()]);
    visit.wait_for("Client 6 connected");
    // The seventh comes a tenth of a second later at the most.
    let mut look = Program::start(LOOK, &[&address.port().to_string()]);
    look.wait_for("[no answer] ");
    let picture = look.lines().split(String::is_empty).next_back().unwrap().join("\n");
    let waiting = "    ■ 127.0.0.1:[..]: nothing has come";
    assert_log(
        &picture,
        &[
            &format!("[listens] {address}: step3-listen, descriptor [..]"),
            "[queue] 6 of 6 places taken (backlog 5, and one more)",
            waiting,
            waiting,
            waiting,
            waiting,
            waiting,
            waiting,
            "[no answer] 127.0.0.1:[..]: its SYN has no answer",
        ],
    );
}

/// The example ends half a second after its seventh client came.
#[test]
fn the_queue_of_the_exercise_is_seen_to_be_full() {
    let fill_queue = example("step3-listen", "fill-queue");
    let mut system = System::default();
    for _ in 0..20 {
        let mut exercise = Program::start(&fill_queue, &[]);
        let number = exercise.listening().port();
        while exercise.is_running() {
            let Some(port) = system.look(number).expect("the system tells") else { continue };
            let Some(queue) = port.listeners.first() else { continue };
            if !port.unanswered.is_empty() {
                assert_eq!((queue.taken, queue.waiting.len(), queue.places()), (6, 6, 6));
                assert_eq!(port.unanswered.len(), 1);
                return;
            }
        }
    }
    panic!("the seventh client was never seen");
}

#[test]
fn of_three_silent_clients_step_4_has_accepted_one_and_two_wait() {
    loop {
        let mut step4 = step("step4-accept");
        let address = step4.listening();
        let start = Instant::now();
        let mut visit = Program::start(VISIT, &["silent", "3", &address.to_string()]);
        visit.wait_for("Client 3 connected");
        let line = step4.wait_for("Connection from ");
        let client = line.split(' ').find(|word| word.starts_with("127.")).expect("an address");
        let picture = look(address);
        if start.elapsed() > REQUEST_TIMEOUT {
            continue; // On a machine that is that busy, step 4 may have taken the next one.
        }
        return assert_log(
            &picture,
            &[
                &format!("[listens] {address}: step4-accept, descriptor [..]"),
                "[queue] 2 of 6 places taken (backlog 5, and one more)",
                "    ■ 127.0.0.1:[..]: nothing has come",
                "    ■ 127.0.0.1:[..]: nothing has come",
                "    □ □ □ □",
                &format!("[accepted] {client}: descriptor [..], nothing unread"),
            ],
        );
    }
}

#[test]
fn a_client_that_has_left_keeps_its_place_and_what_it_sent() {
    let (_listener, address) = listener("127.0.0.1:0", 5);
    let mut talker = connect(address);
    let name = talker.local_addr().unwrap();
    talker.write_all(b"Hello?").unwrap();
    look_for(address, &format!("    ■ {name}: 6 bytes have come\n"));
    drop(talker);
    look_for(address, &format!("    ■ {name}: 6 bytes have come, and it has left\n"));
}

#[test]
fn a_client_that_has_broken_off_keeps_its_place_without_a_name() {
    let (_listener, address) = listener("127.0.0.1:0", 5);
    let _quiet = connect(address);
    reset(connect(address));
    let picture = look_for(address, "    ■ a client that cut its connection\n");
    assert!(picture.contains("[queue] 2 of 6 places taken"), "{picture}");
}

#[test]
fn an_accepted_client_has_a_descriptor_and_what_is_unread_is_counted() {
    let (listener, address) = listener("127.0.0.1:0", 5);
    let mut client = connect(address);
    let name = client.local_addr().unwrap();
    let (mut accepted, _) = listener.accept().unwrap();
    client.write_all(b"Hello?").unwrap();
    accepted.read_exact(&mut [0; 2]).unwrap();
    let picture = look_for(address, ", 4 bytes unread\n");
    assert!(picture.contains(&format!("[accepted] {name}: descriptor ")), "{picture}");
    drop(client);
    look_for(address, ", 4 bytes unread, it has left\n");
}

#[test]
fn what_is_over_is_counted() {
    let (listener, address) = listener("127.0.0.1:0", 5);
    for _ in 0..3 {
        let client = connect(address);
        drop(listener.accept().unwrap());
        drop(client);
    }
    look_for(address, "[left over] 3 connections in TIME_WAIT\n");

    let client = connect(address);
    drop(listener.accept().unwrap());
    let name = client.local_addr().unwrap();
    look_for(address, &format!("[closed] {name}: it has not closed yet\n"));
}

#[test]
fn a_socket_on_all_addresses_has_the_clients_of_each() {
    for (all, one) in [("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "127.0.0.1"), ("[::1]:0", "::1")] {
        if all.contains("::") && std::net::TcpListener::bind("[::1]:0").is_err() {
            continue; // This machine has no IPv6.
        }
        let (_listener, address) = listener(all, 5);
        let client = connect(SocketAddr::new(one.parse().unwrap(), address.port()));
        let name = client.local_addr().unwrap();
        let picture = look(address);
        assert!(picture.starts_with(&format!("[listens] {address}: ")), "{picture}");
        assert!(picture.contains(&format!("    ■ {name}: nothing has come\n")), "{picture}");
    }
}

#[test]
fn in_a_pipe_there_is_a_picture_for_each_change() {
    let socket = bind("127.0.0.1:0".parse().unwrap()).expect("a free port");
    let address = local_address(&socket).unwrap();
    let mut look = Program::start(LOOK, &[&address.port().to_string()]);
    look.wait_for("It does not listen");
    socket.listen(5).unwrap();
    look.wait_for("[queue] 0 of 6");
    let clients = [connect(address), connect(address)];
    look.wait_for("[queue] 2 of 6");
    drop(clients);
    look.wait_for("it has left");
    let pictures: Vec<_> = look.lines().split(String::is_empty).collect();
    assert!(pictures.windows(2).all(|pair| pair[0] != pair[1]), "{pictures:#?}");
    assert!(look.lines().iter().all(|line| !line.contains('\x1b')), "no color, no movement");
}

/// Each client is in one place, and no queue has more clients than places.
fn assert_no_contradiction(port: &Port) {
    let in_queues = port.listeners.iter().flat_map(|listener| &listener.waiting);
    let connections = in_queues.chain(&port.accepted).map(|connection| connection.client);
    let others = [&port.unanswered, &port.half_in, &port.closing].into_iter().flatten().copied();
    let mut seen = HashSet::new();
    for client in connections.chain(others) {
        assert!(seen.insert(client), "{client} is there twice: {port:#?}");
    }
    for listener in &port.listeners {
        assert!(listener.waiting.len() <= listener.taken, "{port:#?}");
        assert!(listener.taken <= listener.places(), "{port:#?}");
    }
}

/// Visits a server for as long as the test has its `test`. The client closes first, so that little is left over.
fn visit_often(address: SocketAddr, test: &Weak<()>) {
    while test.strong_count() > 0 {
        // Some find the queue full. In the pause the others, and the test, get the processor.
        thread::sleep(Duration::from_millis(1));
        let Ok(mut client) = TcpStream::connect(address) else { continue };
        let _ = client.write_all(b"Hello?");
        let _ = client.read(&mut [0; 100]);
    }
}

fn serve_without_end(listener: &TcpListener) {
    while let Ok((mut client, _)) = listener.accept() {
        let _ = client.read(&mut [0; 100]);
        let _ = client.write_all(b"Hello!");
        let _ = client.read(&mut [0; 100]);
    }
}

#[test]
fn a_thousand_pictures_under_load_do_not_contradict_themselves() {
    let (listener, address) = listener("127.0.0.1:0", 2);
    thread::spawn(move || serve_without_end(&listener));
    let test = Arc::new(());
    for _ in 0..5 {
        let test = Arc::downgrade(&test);
        thread::spawn(move || visit_often(address, &test));
    }
    let mut system = System::default();
    let mut pictures = Vec::new();
    let mut lengths = HashSet::new();
    let start = Instant::now();
    // While the queue is always of one length, there is no load.
    while pictures.len() < 1000 || lengths.len() < 2 && start.elapsed() < TIMEOUT {
        let picture = system.look(address.port()).expect("the system tells");
        lengths.extend(picture.iter().map(|port| port.listeners[0].taken));
        pictures.extend(picture);
    }
    pictures.iter().for_each(assert_no_contradiction);
    assert!(lengths.len() > 1, "the queue was always as long: {lengths:?}");
}

#[test]
fn wrong_arguments_are_named() {
    for argument in ["port", "0", "65536", "-1", "--twice"] {
        let (status, _, complaint) = output(LOOK, &[argument]);
        assert!(complaint.starts_with(&format!("'{argument}' is not a port.\nUsage: ")));
        assert_eq!(status, 2);
    }
    let (status, usage, _) = output(LOOK, &["--help"]);
    assert!(usage.starts_with("Usage: cargo look [--once] [PORT]\n"), "{usage}");
    assert_eq!(status, 0);
}
