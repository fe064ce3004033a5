//! A site that panics costs the one client that asked its page, and never a worker.

use step5_respond::WORKERS;
use test_support::{Program, REQUEST, ask, build_all, program};

#[test]
fn a_site_that_panics_costs_one_client_a_500_and_one_line() {
    let mut server = Program::start(&program(&build_all(), "examples/broken-site"), &[]);
    let address = server.listening();
    for _ in 0..=WORKERS {
        let response = ask(address, b"GET /broken HTTP/1.0\r\n\r\n");
        assert_eq!(response.status, 500);
        assert!(response.text().contains("<h1>The site has a mistake.</h1>"));
        let line = server.wait_for_next("The site");
        assert!(line.starts_with("[step5-respond] The site panicked at "), "{line}");
        let place = "/examples/broken-site.rs:";
        assert!(line.replace('\\', "/").contains(place), "it names the place: {line}");
        assert!(line.contains(r"two lines \u{1b}[2J: ParseIntError"), "it says why: {line}");
        assert!(server.wait_for_next("").contains("500 Internal Server Error"));
    }
    // Were a worker lost to each of them, there would be none left.
    assert_eq!(ask(address, REQUEST).status, 200);
}
