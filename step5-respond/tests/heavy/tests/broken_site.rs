//! A site that panics, and one with a page that fits no buffer, cost no more than one client.

use step5_respond::MAX_WORKERS;
use test_support::{Program, REQUEST, ask};

const SITE: &str = env!("CARGO_BIN_EXE_broken-site");

#[test]
fn a_site_that_panics_costs_one_client_a_500_and_one_line() {
    let mut server = Program::start(SITE, &[]);
    let address = server.listening();
    for _ in 0..=MAX_WORKERS {
        let response = ask(address, b"GET /broken HTTP/1.0\r\n\r\n");
        assert_eq!(response.status, 500);
        assert!(response.text().contains("<h1>The site has a mistake.</h1>"));
        let line = server.wait_for_next("The site");
        assert!(line.starts_with("[step5-respond] The site panicked at "), "{line}");
        let place = "/heavy/src/main.rs:";
        assert!(line.replace('\\', "/").contains(place), "it names the place: {line}");
        // Why: in rows of their own, since a client may have caused the words.
        assert_eq!(server.wait_for_next(""), "    two");
        let why = server.wait_for_next("");
        assert!(why.starts_with(r"    lines \x1b[2J: ParseIntError"), "{why}");
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
