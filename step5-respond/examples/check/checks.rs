//! What is checked, in the order in which a beginner mends it.

use crate::client::{End, Response, Server, connect, request, shown};
use crate::malformed::{MALFORMED, head};
use Outcome::{Failed, NotChecked, Passed};
use Pace::{Fast, Known, Slow};
use socket2::{Domain, Socket, Type};
use std::io::Write;
use std::net::Shutdown;
use std::sync::atomic::Ordering;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

/// Checks of one kind.
pub struct Group {
    pub heading: &'static str,
    /// The page and its heading that explain it.
    pub page: &'static str,
    pub pace: Pace,
    pub checks: Vec<Check>,
}

/// How the checks of a group are run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// They judge what the first clients saw.
    Known,
    /// One after the other, and after each a plain request has to be answered.
    Fast,
    /// They take seconds, so they run side by side.
    Slow,
}

/// One thing that a good server does.
pub struct Check {
    pub name: String,
    pub sent: String,
    pub expected: &'static str,
    /// Why that matters, and what to do.
    pub why: &'static str,
    pub run: Box<dyn Fn(&Server) -> Outcome + Send + Sync>,
}

/// What came of a check.
pub enum Outcome {
    /// There may be something to say all the same.
    Passed(String),
    Failed(Failure),
    /// It was not done, and why not.
    NotChecked(String),
}

/// What came instead of what should. A check can know better what it sent, and why that matters.
#[derive(Default)]
pub struct Failure {
    pub got: String,
    pub sent: Option<String>,
    pub why: Option<&'static str>,
}

/// What a response may take. A page of a few lines takes a thousandth of it.
const SLOW: Duration = Duration::from_millis(300);

/// An answer that takes so much longer than before had to wait for another client.
const HELD_UP: Duration = Duration::from_millis(700);

/// The longest that a server may wait for a request. Step 5 waits 5 seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(7);

const SHORT_QUEUE: &str = "The queue is short. Who finds it full tries again a second later. Give \
                           listen a larger backlog, such as 128.";

/// All checks. A server that passes all but the last group is ready for a class.
pub fn all() -> Vec<Group> {
    [
        ("Answer one request", "docs/step5-respond.md#answer-one-request", Known, answer()),
        ("Read the request", "docs/step5-respond.md#read-the-request", Fast, requests()),
        ("Receive all of it", "docs/step4-accept.md#receive-all-of-it", Fast, pieces()),
        ("Survive every client", "docs/step4-accept.md#survive-every-client", Fast, survival()),
        ("Serve everyone", "docs/step5-respond.md#serve-everyone", Fast, crowds()),
        ("Wait for nobody forever", "docs/step4-accept.md#wait-for-nobody-forever", Slow, slow()),
        ("Reject what is not HTTP", "docs/step5-respond.md#reject-what-is-not-http", Fast, heads()),
    ]
    .map(|(heading, page, pace, checks)| Group { heading, page, pace, checks })
    .into()
}

pub fn check(
    name: impl Into<String>,
    sent: impl Into<String>,
    expected: &'static str,
    why: &'static str,
    run: impl Fn(&Server) -> Outcome + Send + Sync + 'static,
) -> Check {
    Check { name: name.into(), sent: sent.into(), expected, why, run: Box::new(run) }
}

/// Sends a request in one piece and looks at the response.
fn ask(
    name: &str,
    request: impl Into<Vec<u8>>,
    expected: &'static str,
    why: &'static str,
    is_good: impl Fn(&Response) -> bool + Send + Sync + 'static,
) -> Check {
    let request = request.into();
    let sent = shown(&request);
    check(name, sent, expected, why, move |server| judge(&server.ask(&request), &is_good))
}

/// Connects a client, which does as it is told.
fn visit(
    name: impl Into<String>,
    sent: impl Into<String>,
    expected: &'static str,
    why: &'static str,
    run: impl Fn(&Server, &mut Socket) -> Outcome + Send + Sync + 'static,
) -> Check {
    check(name, sent, expected, why, move |server| match connect(server.address) {
        Ok(mut client) => run(server, &mut client),
        Err(error) => wrong(format!("no connection: {error}"), None),
    })
}

/// Looks at what the first clients got.
fn look(
    name: &str,
    expected: &'static str,
    why: &'static str,
    look: impl Fn(&Server, &Response) -> Outcome + Send + Sync + 'static,
) -> Check {
    check(name, shown(&request("GET", "/")), expected, why, move |s| look(s, &s.first))
}

pub fn passed() -> Outcome {
    Passed(String::new())
}

pub fn wrong(got: impl Into<String>, why: Option<&'static str>) -> Outcome {
    Failed(Failure { got: got.into(), sent: None, why })
}

fn judge(response: &Response, is_good: impl Fn(&Response) -> bool) -> Outcome {
    if is_good(response) { passed() } else { wrong(response.shown(), None) }
}

fn is_ok(response: &Response) -> bool {
    response.status() == Some(200)
}

/// What a browser needs.
pub fn first_page() -> Vec<Check> {
    vec![
        look(
            "the server waits for the request before it answers",
            "nothing in the first half second, in which nothing was sent",
            "It answers before it knows the question. Receive the request first.",
            |server, first| if server.is_early { wrong(first.shown(), None) } else { passed() },
        ),
        look(
            "a client that asks for / gets an answer",
            "an answer: HTTP/1.1 200 OK, a blank line, and a page",
            "Without an answer the browser shows nothing. Send something before you close.",
            |_, first| judge(first, |first| !first.bytes.is_empty()),
        ),
        look(
            "the answer begins with a status line, and the status is 200",
            "HTTP/1.1 200 OK in the first line",
            "The first line tells the browser how it went. It shows nothing that is not HTTP.",
            |_, first| judge(first, is_ok),
        ),
        look(
            "the page arrives complete",
            "a page of any content, such as: Hello, World! This is a simple web server.",
            "The page is what the person at the browser came for. It stands after a blank line.",
            |_, first| match (first.field("content-length"), first.body().len()) {
                (Some(length), came) if came > 0 && length != came.to_string() => wrong(
                    format!("Content-Length says {length}, and {came} bytes came"),
                    Some("Count bytes, not letters: ü has two. A browser cuts the page, or waits."),
                ),
                (_, came) => judge(first, |first| came > 0 && first.is_all() != Some(false)),
            },
        ),
        look(
            "the next clients are answered too",
            "status 200 for each of the twelve clients that come next",
            "It answers some clients and no more. Put accept, and all after it, into a loop.",
            |server, _| match server.next.iter().position(|response| !is_ok(response)) {
                Some(n) => wrong(format!("client {} got {}", n + 2, server.next[n].shown()), None),
                None if server.next.is_empty() => NotChecked("the first got no page".into()),
                None => passed(),
            },
        ),
    ]
}

fn answer() -> Vec<Check> {
    let mut checks = first_page();
    checks.extend([
        look(
            "each line of the head ends with \\r\\n",
            "\\r\\n after each line, and \\r\\n alone as the blank line",
            "A strict client does not see where a line ends that has \\n alone.",
            |_, first| {
                let head = String::from_utf8_lossy(first.head_and_body().0);
                judge(first, |_| !head.replace("\r\n", "").contains(['\r', '\n']))
            },
        ),
        look(
            "Content-Type says what the page is",
            "a field such as Content-Type: text/html; charset=utf-8",
            "Without it the browser has to guess what the bytes are.",
            |_, first| judge(first, |f| f.field("content-type").is_some_and(|t| t.contains('/'))),
        ),
        look(
            "the client is told where the page ends",
            "Content-Length with the number of bytes in the page, or chunks",
            "Without it a page that was cut off looks complete.",
            |_, first| judge(first, |first| first.is_all().is_some()),
        ),
        look(
            "the connection is closed when the client asks for that",
            "the end of the connection, since the request says Connection: close",
            "The client waits for the end. Close the connection after the answer.",
            |_, first| match first.end {
                End::Broken(_) => wrong(
                    first.shown(),
                    Some("It closed too hard: bytes were unread, or linger was 0. Read all first."),
                ),
                _ => judge(first, |first| first.end == End::Closed),
            },
        ),
        look(
            "an answer takes less than 300 ms",
            "an answer in less than 300 ms",
            "The browser waits so long for each file. Look for a sleep, or for repeated work.",
            |server, _| match (1 + server.next.len(), server.pace) {
                (_, pace) if pace < SLOW => passed(),
                (n, pace) => wrong(format!("the fastest of {n} answers took {pace:.1?}"), None),
            },
        ),
    ]);
    checks
}

fn requests() -> Vec<Check> {
    let typed = b"GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n";
    vec![
        ask(
            "HEAD gets the head, and no page",
            request("HEAD", "/"),
            "status 200 and the header fields, and nothing after the blank line",
            "A client that sends HEAD wants to know about the page, and does not read it.",
            |response| is_ok(response) && response.body().is_empty(),
        ),
        ask(
            "an unknown path gets 404",
            request("GET", "/no-such-page"),
            "status 404",
            "A browser also asks for /favicon.ico, and takes any 200 for the picture.",
            |response| response.status() == Some(404),
        ),
        ask(
            "another method gets 405 with Allow, or 501",
            request("DELETE", "/"),
            "status 405 and a field such as Allow: GET, HEAD, or status 501",
            "A client that asks to delete the page must not be told that all went well.",
            |response| match response.status() {
                Some(405) => response.field("allow").is_some(),
                status => status == Some(501),
            },
        ),
        ask(
            "a request in HTTP/1.0 without a Host is answered",
            "GET / HTTP/1.0\r\n\r\n",
            "status 200",
            "Old and simple clients send it. Only HTTP/1.1 asks for a Host.",
            is_ok,
        ),
        ask(
            "a query after the path changes nothing",
            request("GET", "/?name=value"),
            "status 200, as for / alone",
            "What follows the question mark is not part of the path.",
            is_ok,
        ),
        visit(
            "a request typed by hand, where lines end with \\n, gets an answer",
            shown(typed),
            "status 200, or 400 from a strict server",
            "People type requests into nc, and nc sends \\n alone. Without an answer they wait.",
            |server, client| {
                let _ = client.write_all(typed);
                let response = server.read(client, server.patience() / 2);
                if response.bytes.is_empty() {
                    // What such a server waits for. To leave now could hang it.
                    let _ = client.write_all(b"\r\n\r\n");
                    server.read(client, server.patience());
                }
                judge(&response, |response| matches!(response.status(), Some(200 | 400)))
            },
        ),
    ]
}

fn pieces() -> Vec<Check> {
    let plain = || request("GET", "/");
    let cookie = format!("Cookie: {}\r\n\r\n", "c".repeat(6000));
    vec![
        visit(
            "a request gets no answer before its blank line",
            format!("{} and, later, the last byte", shown(&plain()[..plain().len() - 1])),
            "nothing before the last byte, and status 200 after it",
            "The rest of the head is still on its way. Receive until the blank line is there.",
            move |server, client| {
                let _ = client.write_all(&plain()[..plain().len() - 1]);
                let early = server.read(client, Duration::from_millis(300) + server.pace);
                let _ = client.write_all(b"\n");
                if early.end != End::Open || !early.bytes.is_empty() {
                    return wrong(format!("before the last byte: {}", early.shown()), None);
                }
                judge(&server.read(client, server.patience()), is_ok)
            },
        ),
        visit(
            "a request that comes in single bytes is answered",
            format!("{} one byte at a time", shown(&plain())),
            "status 200",
            "TCP delivers bytes, not messages. Receive until the blank line is there.",
            move |server, client| {
                let _ = plain().chunks(1).try_for_each(|byte| client.write_all(byte));
                judge(&server.read(client, server.patience()), is_ok)
            },
        ),
        ask(
            "a request with a cookie of 6 KB is answered",
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".to_string() + &cookie,
            "status 200",
            "Sites set such cookies. One read of 1024 bytes is not the complete request.",
            is_ok,
        ),
    ]
}

/// A client whose visit is good if the next client is served.
fn harmless(
    name: &str,
    sent: &str,
    why: &'static str,
    act: impl Fn(&Server, &mut Socket) + Send + Sync + 'static,
) -> Check {
    let expected = "the next client to be served as if nothing had happened";
    visit(name, sent, expected, why, move |server, client| {
        act(server, client);
        passed()
    })
}

/// The odd client that every server meets.
pub fn leaves() -> Check {
    harmless(
        "a client that connects and leaves does no harm",
        "nothing, then the end",
        "Browsers do it all the time. Receiving 0 bytes means that this client is gone. Go on.",
        |_, _| {},
    )
}

/// Breaks connections off, as clients that crash do: more than one, since the moment matters.
fn reset(server: &Server, bytes: &[u8]) {
    for mut client in (0..5).filter_map(|_| connect(server.address).ok()) {
        let _ = client.write_all(bytes);
        let _ = client.set_linger(Some(Duration::ZERO));
    }
}

fn survival() -> Vec<Check> {
    vec![
        leaves(),
        harmless(
            "a browser that tries https:// does no harm",
            "the bytes 16 03 01 and so on, then the end",
            "A TLS hello is what it sends first. It is not text, and has no blank line.",
            |_, client| {
                let _ = client.write_all(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\x9f\xc2\xa5");
            },
        ),
        harmless(
            "bytes that are not UTF-8 do no harm",
            "the bytes ff fe, and a blank line",
            "Any client can send them. Show them some other way, and go on.",
            |server, client| drop(server.send(client, b"\xff\xfe\r\n\r\n", server.patience())),
        ),
        harmless(
            "a client that resets the connection in the middle of its request does no harm",
            "\"GET / HT\", then a reset",
            "Receiving from it is an error. It is that client's error alone.",
            |server, _| reset(server, b"GET / HT"),
        ),
        harmless(
            "a client that resets the connection after its request does no harm",
            "\"GET / HTTP/1.0\\r\\n\\r\\n\", then a reset",
            "Sending to it is an error. It is that client's error alone.",
            |server, _| reset(server, b"GET / HTTP/1.0\r\n\r\n"),
        ),
        visit(
            "a client that closes its sending half after the request is answered",
            format!("{}, then the end of the sending half", shown(&request("GET", "/"))),
            "status 200",
            "It has said all it wants to say, and still listens.",
            |server, client| {
                let _ = client.write_all(&request("GET", "/"));
                let _ = client.shutdown(Shutdown::Write);
                judge(&server.read(client, server.patience()), is_ok)
            },
        ),
    ]
}

fn crowds() -> Vec<Check> {
    let length = 1024 * 1024;
    let post = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    let plain = shown(&request("GET", "/"));
    vec![
        visit(
            "a client that has its answer and stays connected holds nobody up",
            format!("{plain} while there was a client that had asked and stayed"),
            "an answer within 2 seconds",
            "The client asked for Connection: close, so close. Do not wait until the client does.",
            |server, client| {
                let _ = client.write_all(&request("GET", "/"));
                let response = server.ask(&request("GET", "/"));
                judge(&response, |response| !response.bytes.is_empty())
            },
        ),
        check(
            "silent clients hold nobody up: 1, 12, or 60",
            format!("{plain} while other clients were connected and said nothing"),
            "an answer within 2 seconds",
            "Browsers open connections ahead of need and say nothing on them. In a class of \
             thirty that makes sixty. Serve each client on a thread of its own.",
            silent_clients,
        ),
        check(
            "32 clients that come at once, with 10 requests each, all get their answer",
            "32 connections in the same moment, and then 320 plain requests",
            "32 connections within half a second, and 320 times status 200",
            "A server that loses one in a hundred looks fine when you try it alone.",
            crowd,
        ),
        visit(
            "a client that posts a large body gets its answer complete",
            format!("{} and {length} bytes of body", shown(post.as_bytes())),
            "a complete answer of any status, then the end of the connection",
            "A system breaks off a connection that is closed with bytes unread, and the answer \
             can get lost. Close the sending half first, and read away what comes.",
            move |server, client| {
                let post = [post.as_bytes(), &vec![b'x'; length]].concat();
                let mut response = server.send(client, &post, server.patience());
                sleep(Duration::from_millis(200)); // A reset can come after the end.
                if let Ok(Some(error)) = client.take_error() {
                    response.end = End::Broken(error.kind());
                }
                judge(&response, |r| {
                    r.status().is_some() && r.is_all() != Some(false) && r.end == End::Closed
                })
            },
        ),
    ]
}

fn silent_clients(server: &Server) -> Outcome {
    let mut silent = Vec::new();
    for count in [1, 12, 60] {
        while silent.len() < count {
            let Ok(client) = connect(server.address) else {
                return wrong(format!("only {} silent clients got in", silent.len()), None);
            };
            silent.push(client);
            // They come one by one. How long the queue is, the next check finds out.
            sleep(Duration::from_millis(5));
        }
        let response = server.ask(&request("GET", "/"));
        let is_held_up = response.bytes.is_empty() || response.took > server.pace + HELD_UP;
        if count == 1 && is_held_up {
            server.is_one_by_one.store(true, Ordering::Relaxed);
        }
        if response.bytes.is_empty() {
            let clients = if count == 1 { "client was" } else { "clients were" };
            return wrong(format!("{} while {count} {clients} silent", response.shown()), None);
        }
    }
    passed()
}

/// Many clients come at once, and ask at once. Slow is not lost.
fn crowd(server: &Server) -> Outcome {
    for _ in 0..3 {
        let arrived = burst(server);
        if arrived < 32 {
            return wrong(format!("{arrived} connections"), Some(SHORT_QUEUE));
        }
    }
    if server.pace > SLOW {
        return NotChecked(format!("each answer takes {:.1?}", server.pace));
    }
    let start = Instant::now();
    let patience = server.patience() + 32 * server.pace;
    let one_client = || {
        for answered in 0..10 {
            if start.elapsed() > Duration::from_secs(2) {
                return (answered, None);
            }
            let response = server.ask_with(patience, &request("GET", "/"));
            if !is_ok(&response) {
                return (answered, Some(response.shown()));
            }
        }
        (10, None)
    };
    let results: Vec<(usize, Option<String>)> = scope(|scope| {
        let clients: Vec<_> = (0..32).map(|_| scope.spawn(one_client)).collect();
        clients.into_iter().filter_map(|client| client.join().ok()).collect()
    });
    let (time, count): (_, usize) = (start.elapsed(), results.iter().map(|r| r.0).sum());
    match results.iter().find_map(|(_, lost)| lost.as_ref()) {
        Some(lost) => wrong(format!("{count} answers with status 200, and {lost}"), None),
        None if count == 320 => passed(),
        None => Passed(format!("slow: {count} answers in {time:.1?}, and none was lost")),
    }
}

/// How many of 32 clients get in at once.
fn burst(server: &Server) -> usize {
    let domain = Domain::for_address(server.address);
    let sockets = (0..32).filter_map(|_| Socket::new(domain, Type::STREAM, None).ok());
    let clients: Vec<_> = sockets.filter(|client| client.set_nonblocking(true).is_ok()).collect();
    for client in &clients {
        let _ = client.connect(&server.address.into()); // It goes on in the background.
    }
    let arrived = || clients.iter().filter(|client| client.peer_addr().is_ok()).count();
    let start = Instant::now();
    while arrived() < 32 && start.elapsed() < Duration::from_millis(500) {
        sleep(Duration::from_millis(10));
    }
    arrived()
}

fn slow() -> Vec<Check> {
    [
        (
            "says nothing",
            &b""[..],
            &b""[..],
            "Each one holds a thread and a descriptor, and both run out. Step 5 waits 5 seconds.",
        ),
        (
            "stops in the middle of its request",
            b"GET / HTTP/1.1\r\n",
            b"",
            "The clock runs from when it was accepted, not from its last byte.",
        ),
        (
            "sends a byte now and then",
            b"GET / HTTP/1.1\r\nX: ",
            b"x",
            "A new limit for each byte is no limit: one byte a second holds a thread for hours.",
        ),
    ]
    .map(|(who, start, drip, why)| {
        let sent = if start.is_empty() { "nothing".to_string() } else { shown(start) };
        let sent = sent + if drip.is_empty() { "" } else { " and one byte more each half second" };
        let name = format!("a client that {who} is sent away within 7 seconds");
        let expected = "the end of the connection within 7 seconds";
        visit(name, sent, expected, why, |server, client| is_sent_away(server, client, start, drip))
    })
    .into()
}

/// The server closes the connection, however the client drags its feet.
fn is_sent_away(server: &Server, client: &mut Socket, start: &[u8], drip: &[u8]) -> Outcome {
    let begin = Instant::now();
    let _ = client.write_all(start);
    while begin.elapsed() < LONGEST_WAIT {
        let is_over = !drip.is_empty() && client.write_all(drip).is_err();
        // An answer alone does not free the thread. The connection has to end.
        if is_over || server.read(client, Duration::from_millis(500)).end != End::Open {
            return passed();
        }
    }
    wrong(format!("no end: it was still connected after {LONGEST_WAIT:?}"), None)
}

fn heads() -> Vec<Check> {
    let endless = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(2 << 20));
    let too_long = ask(
        "a head of 2 MB gets 431, or another status of 400 and up",
        endless + "\r\nConnection: close\r\n\r\n",
        "status 431, or another of 400 and up",
        "A server that keeps all that a client sends runs out of memory.",
        |response| matches!(response.status(), Some(400..=499)),
    );
    let kinds = MALFORMED.iter().map(|kind| {
        let name = format!("{} is rejected", kind.name);
        check(name, "malformed heads", "status 400", kind.rule, |server| {
            let (mut failure, mut others) = (None, Vec::new());
            for (fault, lines) in kind.must {
                let response = server.ask(&head(lines));
                match response.status() {
                    // Who sends another status of 400 and up looked at something else first.
                    Some(301 | 400..=499 | 501 | 505) => {}
                    _ if failure.is_some() => others.push(*fault),
                    _ => {
                        let sent = format!("{} ({fault})", shown(&head(lines)));
                        failure = Some((sent, response.shown()));
                    }
                }
                if response.bytes.is_empty() && response.end == End::Open {
                    break; // Each of these takes a while.
                }
            }
            let Some((sent, mut got)) = failure else { return passed() };
            if !others.is_empty() {
                got = format!("{got}. Also not rejected: {}", others.join("; "));
            }
            Failed(Failure { got, sent: Some(sent), why: None })
        })
    });
    kinds.chain([too_long]).collect()
}
