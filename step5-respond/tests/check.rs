//! The checker tells good servers from bad ones, and bad ones from each other.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};
use test_support::{Program, build_all, program};

/// Where the examples are, built once for all tests in here.
static PROGRAMS: LazyLock<PathBuf> = LazyLock::new(build_all);

fn check() -> String {
    program(&PROGRAMS, "examples/check")
}

/// What the checker said about a server.
struct Verdict {
    said: String,
    succeeded: bool,
}

impl Verdict {
    /// Runs the checker against a server.
    fn on(server: SocketAddr) -> Verdict {
        let mut checker = Program::start(&check(), &[&server.to_string()]);
        let (status, said) = checker.end();
        Verdict { said, succeeded: status.success() }
    }

    /// The names of the checks with this mark.
    fn marked(&self, mark: &str) -> Vec<&str> {
        self.said.lines().filter_map(|line| line.strip_prefix(&format!("  {mark} "))).collect()
    }

    /// What it explains about a failed check: sent, came, why, read.
    fn explanation(&self, name: &str) -> Vec<&str> {
        let heading = format!("FAIL {name}");
        self.said.lines().skip_while(|line| *line != heading).skip(1).take(4).collect()
    }
}

/// A small server that answers each client as `answer` says, until that says `None`.
fn server(mut answer: impl FnMut(&[u8]) -> Option<Vec<u8>> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client: TcpStream = client.unwrap();
            let mut request = [0; 1024];
            let count = client.read(&mut request).unwrap_or(0);
            match answer(&request[..count]) {
                Some(bytes) => drop(client.write_all(&bytes)),
                None => return,
            }
        }
    });
    address
}

#[test]
fn step_5_passes_every_check() {
    let mut step5 = Program::start(env!("CARGO_BIN_EXE_step5-respond"), &["127.0.0.1:0"]);
    let verdict = Verdict::on(step5.listening());
    assert_eq!(verdict.marked("FAIL"), Vec::<&str>::new(), "{}", verdict.said);
    assert_eq!(verdict.marked("?   "), Vec::<&str>::new());
    let passed = verdict.marked("ok  ").len();
    assert!(passed > 30, "{}", verdict.said);
    assert!(verdict.said.ends_with(&format!("\n{passed} passed, 0 failed")), "{}", verdict.said);
    assert!(verdict.succeeded);
}

#[test]
fn the_short_program_fails_exactly_what_it_should() {
    let article = program(&PROGRAMS, "examples/short-version");
    let mut article = Program::start(&article, &["127.0.0.1:0"]);
    let line = article.wait_for("Server is listening on http://");
    let address = line.rsplit('/').next().unwrap().parse().unwrap();

    let verdict = Verdict::on(address);
    let failed = [
        "each line of the head ends with CRLF",
        "Content-Type says what the page is",
        "Content-Length says how many bytes the page has",
        "HEAD gets the head, and no page",
        "an unknown path gets 404",
        "another method gets 405 with Allow, or 501",
        "a request gets no answer before its blank line",
        "bytes that are not UTF-8 do no harm",
    ];
    assert_eq!(verdict.marked("FAIL"), failed);
    let end = "The check \"bytes that are not UTF-8 do no harm\" ended the server: nobody listens \
               any more.";
    assert!(verdict.said.contains(end), "{}", verdict.said);
    let unchecked = verdict.marked("?   ");
    assert_eq!(unchecked.first(), Some(&"a browser that tries https:// does no harm"));
    assert_eq!(
        unchecked.last(),
        Some(&"a client that sends a byte now and then is sent away within 7 seconds")
    );
    let passed = verdict.marked("ok  ").len();
    assert!(verdict.said.ends_with(&format!("\n{passed} passed, 8 failed")), "{}", verdict.said);
    assert!(!verdict.succeeded);
}

#[test]
fn each_failure_says_what_was_sent_what_came_why_it_matters_and_where_to_read() {
    let good = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi";
    let verdict = Verdict::on(server(|_| Some(good.as_bytes().to_vec())));
    assert_eq!(
        verdict.explanation("an unknown path gets 404"),
        [
            r#"  sent: "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n""#,
            r#"  came: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", then the server closed the connection"#,
            "  why:  A browser also asks for /favicon.ico, and takes any 200 for the picture.",
            "  read: docs/step5-respond.md",
        ]
    );
}

#[test]
fn a_server_that_answers_nothing_is_told_so() {
    // It takes every client and closes without a word.
    let verdict = Verdict::on(server(|_| Some(Vec::new())));
    assert_eq!(verdict.marked("FAIL"), ["a client that asks for / gets an answer"]);
    assert!(verdict.said.contains("The server takes clients and does not answer them."));
    assert!(verdict.marked("?   ").len() > 30, "{}", verdict.said);
    assert!(verdict.said.ends_with("\n0 passed, 1 failed"), "{}", verdict.said);
}

#[test]
fn a_server_that_answers_garbage_is_told_so() {
    let verdict = Verdict::on(server(|_| Some(b"\x00\xff not HTTP \x1b[2J".to_vec())));
    assert_eq!(verdict.marked("ok  ")[0], "a client that asks for / gets an answer");
    let name = "the answer begins with a status line, and the status is 200";
    assert_eq!(verdict.marked("FAIL")[0], name);
    let came = r#"  came: "\0� not HTTP \u{1b}[2J", then the server closed the connection"#;
    assert_eq!(verdict.explanation(name)[1], came);
}

#[test]
fn a_server_that_dies_is_told_which_check_it_was() {
    let verdict = Verdict::on(server(|request| {
        (!request.starts_with(b"HEAD")).then(|| b"HTTP/1.1 200 OK\r\n\r\n".to_vec())
    }));
    let end =
        "The check \"HEAD gets the head, and no page\" ended the server: nobody listens any more.";
    assert!(verdict.said.contains(end), "{}", verdict.said);
    assert_eq!(verdict.marked("FAIL").last(), Some(&"HEAD gets the head, and no page"));
    assert_eq!(verdict.marked("?   ")[0], "an unknown path gets 404");
}

#[test]
fn a_server_that_is_not_there_is_one_clear_line() {
    // A socket that is bound and does not listen keeps the port free of others.
    let socket = step2_bind::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = step2_bind::local_address(&socket).unwrap();
    let mut checker = Program::start(&check(), &[&address.to_string()]);
    let line = checker.stderr_line();
    assert!(line.starts_with(&format!("Cannot connect to {address}: ")), "{line}");
    assert!(line.ends_with("Start the server first, or pass its address."), "{line}");
    let (status, said) = checker.end();
    assert_eq!((status.code(), said.as_str()), (Some(1), ""));
}

/// A good answer, as far as a server of a few lines goes.
fn greeting() -> Vec<u8> {
    let page = "<h1>Hello, World! This is a simple web server.</h1>";
    let length = page.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ";
    format!("{head}{length}\r\n\r\n{page}").into_bytes()
}

#[test]
fn a_server_that_an_empty_connection_ends_is_checked_until_then() {
    let verdict = Verdict::on(server(|request| (!request.is_empty()).then(greeting)));
    let name = "a client that connects and leaves does no harm";
    assert_eq!(verdict.marked("FAIL").last(), Some(&name), "{}", verdict.said);
    assert!(verdict.said.contains(&format!("The check \"{name}\" ended the server")));
}

#[test]
fn a_server_that_stays_silent_after_some_requests_is_told_so_in_time() {
    let mut left = 20;
    let start = Instant::now();
    let verdict = Verdict::on(server(move |_| {
        left -= 1;
        if left < 0 {
            thread::park(); // Nobody wakes it.
        }
        Some(greeting())
    }));
    assert!(start.elapsed() < Duration::from_secs(20), "after {:?}", start.elapsed());
    assert!(verdict.said.contains("stopped the server: it answers nobody any more."));
    assert!(!verdict.succeeded);
}

#[test]
fn a_server_that_sends_a_byte_and_stays_has_not_sent_anyone_away() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            thread::spawn(move || {
                let mut client: TcpStream = client.unwrap();
                let mut request = [0; 8 * 1024];
                let count = client.read(&mut request).unwrap_or(0);
                let whole = request[..count].ends_with(b"\n\r\n");
                let _ = client.write_all(if whole { b"HTTP/1.1 200 OK\r\n\r\n" } else { b"x" });
                while !whole && client.read(&mut request).is_ok_and(|count| count > 0) {}
            });
        }
    });
    let verdict = Verdict::on(address);
    let name = "a client that stops in the middle of its request is sent away within 7 seconds";
    assert!(verdict.marked("FAIL").contains(&name), "{}", verdict.said);
}
