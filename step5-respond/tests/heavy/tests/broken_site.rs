//! A site that panics, and one with a page that fits no buffer, cost one client at the most.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::time::{Duration, Instant};
use step5_respond::{RESPONSE_TIMEOUT, WORKERS};
use test_support::{Program, REQUEST, ask, connect};

const SITE: &str = env!("CARGO_BIN_EXE_broken-site");

#[test]
fn a_site_that_panics_costs_one_client_a_500_and_one_line() {
    let mut server = Program::start(SITE, &[]);
    let address = server.listening();
    for _ in 0..=WORKERS {
        let response = ask(address, b"GET /broken HTTP/1.0\r\n\r\n");
        assert_eq!(response.status, 500);
        assert!(response.text().contains("<h1>The site has a mistake.</h1>"));
        let line = server.wait_for_next("The site");
        assert!(line.starts_with("[step5-respond] The site panicked at "), "{line}");
        let place = "/heavy/src/main.rs:";
        assert!(line.replace('\\', "/").contains(place), "it names the place: {line}");
        assert!(line.contains(r"two lines \u{1b}[2J: ParseIntError"), "it says why: {line}");
        assert!(server.wait_for_next("").contains("500 Internal Server Error"));
    }
    // Were a worker lost to each of them, there would be none left.
    assert_eq!(ask(address, REQUEST).status, 200);
}

const LONG: &[u8] = b"GET /long HTTP/1.0\r\n\r\n";

#[test]
fn a_long_page_arrives_complete_and_is_logged_with_its_status() {
    let mut server = Program::start(SITE, &[]);
    let response = ask(server.listening(), LONG);
    assert_eq!((response.status, response.body.len()), (203, 64 * 1024 * 1024));
    assert!(server.wait_for("Response sent").contains(": 203 Non-Authoritative Information, "));
}

#[test]
fn a_client_that_reads_a_long_page_slowly_has_its_time_and_no_more() {
    let mut server = Program::start(SITE, &[]);
    let address = server.listening();
    let start = Instant::now();
    // One reads nothing, and the other a little ten times a second.
    let (mut silent, mut slow) = (connect(address), connect(address));
    silent.write_all(LONG).unwrap();
    slow.write_all(LONG).unwrap();
    let pace = UdpSocket::bind("127.0.0.1:0").unwrap();
    pace.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    while start.elapsed() < RESPONSE_TIMEOUT {
        let _ = slow.read(&mut [0; 16 * 1024]);
        assert_eq!(ask(address, REQUEST).status, 200, "everyone else is served");
        pace.recv(&mut [0]).expect_err("nobody sends anything there");
    }
    for _ in 0..2 {
        let line = server.wait_for_next("No complete response");
        assert!(line.ends_with(": timed out"), "{line}");
    }
    assert!(start.elapsed() < RESPONSE_TIMEOUT * 2, "after {:?}", start.elapsed());
}
