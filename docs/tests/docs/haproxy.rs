//! The load balancer of `going-further.md` really runs: two copies of step 5 behind `HAProxy`.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use test_support::{Program, REQUEST, TIMEOUT, ask, free_address, has, program};

#[test]
fn two_copies_take_turns_and_one_of_them_is_enough() {
    if !has("haproxy") {
        return;
    }
    let step5 = program("step5-respond", "step5-respond");
    let mut copies: Vec<Program> =
        (0..2).map(|_| Program::start(&step5, &["127.0.0.1:0"])).collect();
    let ports: Vec<String> = copies.iter_mut().map(|copy| copy.listening().to_string()).collect();

    // The configuration of the page, on ports that are free.
    let site = free_address();
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("haproxy.cfg"));
    let configuration = page
        .unwrap()
        .replace("127.0.0.1:8080", &site.to_string())
        .replace("127.0.0.1:8081", &ports[0])
        .replace("127.0.0.1:8082", &ports[1]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("haproxy.cfg");
    fs::write(&file, configuration).unwrap();
    let mut haproxy = Program::run(Command::new("haproxy").arg("-db").arg("-f").arg(&file));

    let start = Instant::now();
    while std::net::TcpStream::connect(site).is_err() {
        assert!(haproxy.is_running(), "{}", haproxy.stderr_line());
        assert!(start.elapsed() < TIMEOUT, "HAProxy does not listen");
        std::thread::yield_now();
    }

    for _ in 0..4 {
        assert_served(site);
    }
    for copy in &mut copies {
        copy.wait_for("GET / HTTP/1.1");
        copy.wait_for_next("x-forwarded-for: 127.0.0.1");
        // HAProxy leaves with a reset. What was sent is told as sent all the same.
        copy.wait_for_next("Response sent to 127.0.0.1:");
        assert!(!copy.lines().iter().any(|line| line.contains("No response")));
    }

    drop(copies.remove(0));
    for _ in 0..4 {
        assert_served(site);
    }
}

fn assert_served(site: SocketAddr) {
    let response =
        ask(site, &[&REQUEST[..REQUEST.len() - 2], b"Connection: close\r\n\r\n"].concat());
    assert_eq!(response.status, 200);
    assert!(response.text().contains("Hello, World!"));
}
