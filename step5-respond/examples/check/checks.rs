//! What is checked, in the order in which a beginner mends it.

use crate::client::{End, PLAIN, Response, Server, connect, shown};
use crate::malformed::{MALFORMED, head};
use Outcome::{Failed, NotChecked, Passed, PassedSlowly};
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
    pub checks: Vec<Check>,
}

/// One thing that a good server does.
pub struct Check {
    pub name: String,
    pub sent: String,
    pub expected: &'static str,
    /// Why that matters, and what to do.
    pub why: &'static str,
    pub pace: Pace,
    pub run: Run,
}

type Run = Box<dyn Fn(&Server) -> Outcome + Send + Sync>;

/// How a check is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It judges what the first clients saw.
    Known,
    /// Alone, and after it a plain request has to be answered.
    Fast,
    /// It takes seconds, so others like it run beside it.
    Slow,
}

/// What came of a check.
#[derive(Clone)]
pub enum Outcome {
    Passed,
    /// It passed, and here is how slow it is.
    PassedSlowly(String),
    /// What came instead. A check can know better what it sent, and why that matters.
    Failed {
        got: String,
        sent: Option<String>,
        why: Option<&'static str>,
    },
    /// It was not done, and why not.
    NotChecked(String),
}

/// What a response may take. A page of a few lines takes a thousandth of it.
const SLOW: Duration = Duration::from_millis(300);

const SHORT_QUEUE: &str = "The queue is short. Who finds it full tries again a second later. Give \
                           listen a larger backlog, such as 128.";

/// All checks. A server that passes all but the last group is ready for a class.
pub fn all() -> Vec<Group> {
    [
        ("Answer one request", "docs/step5-respond.md#your-turn", answer()),
        ("Read the request", "docs/step5-respond.md#read-the-request", requests()),
        ("Receive all of it", "docs/step4-accept.md#receive-all-of-it", pieces()),
        ("Survive every client", "docs/step4-accept.md#survive-every-client", survival()),
        ("Serve everyone", "docs/step5-respond.md#serve-everyone", crowds()),
        ("Wait for nobody forever", "docs/step4-accept.md#wait-for-nobody-forever", slow()),
        ("Reject what is not HTTP", "docs/step5-respond.md#reject-what-is-not-http", heads()),
    ]
    .map(|(heading, page, checks)| Group { heading, page, checks })
    .into()
}

/// A check that looks at what the first clients saw, and finds it good.
pub fn check(name: impl Into<String>) -> Check {
    let (sent, run) = (shown(PLAIN), Box::new(|_: &Server| Passed));
    Check { name: name.into(), sent, expected: "status 200", why: "", pace: Pace::Known, run }
}

impl Check {
    fn sends(self, sent: &str) -> Check {
        Check { sent: sent.into(), ..self }
    }

    pub fn expects(self, expected: &'static str) -> Check {
        Check { expected, ..self }
    }

    pub fn why(self, why: &'static str) -> Check {
        Check { why, ..self }
    }

    /// Looks at what the first clients saw.
    fn look(self, run: fn(&Server) -> Outcome) -> Check {
        Check { run: Box::new(run), ..self }
    }

    /// Tries the server out.
    pub fn attempt(self, sent: impl Into<String>, run: Run) -> Check {
        Check { sent: sent.into(), pace: Pace::Fast, run, ..self }
    }

    /// Connects a client, which does as it is told.
    fn visit(self, sent: impl Into<String>, run: fn(&Server, &mut Socket) -> Outcome) -> Check {
        let visit = move |server: &Server| match connect(server.address) {
            Ok(mut client) => run(server, &mut client),
            Err(error) => wrong(format!("no connection: {error}"), None),
        };
        self.attempt(sent, Box::new(visit))
    }

    /// Connects a client. Its visit is good if the next client is served.
    fn harmless(self, sent: &str, act: fn(&Server, &mut Socket)) -> Check {
        let visit = move |server: &Server| {
            let _ = connect(server.address).map(|mut client| act(server, &mut client));
            Passed
        };
        let next = "the next client to be served as if nothing had happened";
        self.expects(next).attempt(sent, Box::new(visit))
    }

    /// Sends a request in one piece and looks at the response.
    fn ask(self, request: impl Into<Vec<u8>>, is_good: fn(&Response) -> bool) -> Check {
        let request = request.into();
        self.attempt(shown(&request), Box::new(move |s| judge(&s.ask(&request), is_good)))
    }
}

pub fn wrong(got: impl Into<String>, why: Option<&'static str>) -> Outcome {
    Failed { got: got.into(), sent: None, why }
}

fn judge(response: &Response, is_good: impl Fn(&Response) -> bool) -> Outcome {
    if is_good(response) { Passed } else { wrong(response.shown(), None) }
}

/// A request that is in order.
fn request(method: &str, path: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").into_bytes()
}

/// The first five are what a browser needs.
pub fn answer() -> Vec<Check> {
    vec![
        check("the server waits for the request before it answers")
            .sends("nothing, for half a second")
            .expects("nothing in the first half second, in which nothing was sent")
            .why("It answers before it knows the question. Receive the request first.")
            .look(|server| judge(&server.first, |_| !server.is_early)),
        check("a client that asks for / gets an answer")
            .expects("an answer: HTTP/1.1 200 OK, a blank line, and a page")
            .why("Without an answer the browser shows nothing. Send something before you close.")
            .look(|server| judge(&server.first, |first| !first.bytes.is_empty())),
        check("the answer begins with a status line, and the status is 200")
            .expects("HTTP/1.1 200 OK in the first line")
            .why("The first line tells the browser how it went. It shows nothing that is not HTTP.")
            .look(|server| judge(&server.first, Response::is_ok)),
        check("the page arrives complete")
            .expects("a page of any content, such as: Hello, World! This is a simple web server.")
            .why("The page is what the person at the browser wants. It stands after a blank line.")
            .look(|server| match (server.first.field("content-length"), server.first.body().len()) {
                (Some(length), came) if came > 0 && length != came.to_string() => wrong(
                    format!("Content-Length says {length}, and {came} bytes came"),
                    Some("Count bytes, not letters: ü has two. A browser cuts the page, or waits."),
                ),
                (_, came) => judge(&server.first, |f| came > 0 && f.is_all() != Some(false)),
            }),
        check("the next clients are answered too")
            .expects("status 200 for each of the twelve clients that come next")
            .why("It answers some clients and no more. Put accept, and all after it, into a loop.")
            .look(|server| match server.next.iter().position(|response| !response.is_ok()) {
                Some(n) => {
                    let differs = "It answers clients differently. What is left of the one before?";
                    let response = &server.next[n];
                    let why = (!response.bytes.is_empty()).then_some(differs);
                    wrong(format!("client {} got {}", n + 2, response.shown()), why)
                }
                None if server.next.is_empty() => NotChecked("the first got no page".into()),
                None => Passed,
            }),
        check("each line of the head ends with \\r\\n")
            .expects("\\r\\n after each line, and \\r\\n alone as the blank line")
            .why("A strict client does not see where a line ends that has \\n alone.")
            .look(|server| {
                let head = server.first.bytes.strip_suffix(server.first.body()).unwrap_or_default();
                let rest = String::from_utf8_lossy(head).replace("\r\n", "");
                judge(&server.first, |_| !rest.contains(['\r', '\n']))
            }),
        check("Content-Type says what the page is")
            .expects("a field such as Content-Type: text/html; charset=utf-8")
            .why("Without it the browser has to guess what the bytes are.")
            .look(|server| {
                judge(&server.first, |f| f.field("content-type").is_some_and(|t| t.contains('/')))
            }),
        check("the client is told where the page ends")
            .expects("Content-Length with the number of bytes in the page, or chunks")
            .why("Without it a page that was cut off looks complete.")
            .look(|server| judge(&server.first, |first| first.is_all().is_some())),
        check("the connection is closed when the client asks for that")
            .expects("the end of the connection, since the request says Connection: close")
            .why("The client waits for the end. Close the connection after the answer.")
            .look(|server| match server.first.end {
                End::Broken(_) => wrong(
                    server.first.shown(),
                    Some("It closed too hard: bytes were unread, or linger was 0. Read all first."),
                ),
                end => judge(&server.first, |_| end == End::Closed),
            }),
        check("an answer takes less than 300 ms")
            .expects("an answer in less than 300 ms")
            .why("The browser waits so long for each file. Look for a sleep, or for repeated work.")
            .look(|server| match (1 + server.next.len(), server.pace) {
                (_, pace) if pace < SLOW => Passed,
                (n, pace) => wrong(format!("the fastest of {n} answers took {pace:.1?}"), None),
            }),
    ]
}

fn requests() -> Vec<Check> {
    const TYPED: &[u8] = b"GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n";
    vec![
        check("HEAD gets the head, and no page")
            .expects("status 200, the header fields of GET, and nothing after the blank line")
            .why("A client that sends HEAD wants to know about the page, such as its length.")
            .ask(request("HEAD", "/"), |head| {
                let is_empty = head.field("content-length").is_some_and(|length| length == "0");
                head.is_ok() && head.body().is_empty() && !is_empty
            }),
        check("an unknown path gets 404")
            .expects("status 404")
            .why("A browser also asks for /favicon.ico, and takes any 200 for the picture.")
            .ask(request("GET", "/no-such-page"), |response| response.status() == Some(404)),
        check("another method gets 405 with Allow, or 501")
            .expects("status 405 and a field such as Allow: GET, HEAD, or status 501")
            .why("A client that asks to delete the page must not be told that all went well.")
            .ask(request("DELETE", "/"), |response| match response.status() {
                Some(405) => response.field("allow").is_some(),
                status => status == Some(501),
            }),
        check("a request in HTTP/1.0 without a Host is answered")
            .why("Old and simple clients send it. Only HTTP/1.1 asks for a Host.")
            .ask("GET / HTTP/1.0\r\n\r\n", Response::is_ok),
        check("a query after the path changes nothing")
            .expects("status 200, as for / alone")
            .why("What follows the question mark is not part of the path.")
            .ask(request("GET", "/?name=value"), Response::is_ok),
        check("a request typed by hand, where lines end with \\n, gets an answer")
            .expects("status 200, or 400 from a strict server")
            .why("People type requests into nc. It sends \\n alone. Without an answer they wait.")
            .visit(shown(TYPED), |server, client| {
                let response = server.send(client, TYPED, server.patience() / 2);
                if response.bytes.is_empty() {
                    // What such a server waits for. To leave now could hang it.
                    server.send(client, b"\r\n\r\n", server.patience());
                }
                judge(&response, |response| matches!(response.status(), Some(200 | 400)))
            }),
    ]
}

fn pieces() -> Vec<Check> {
    const START: &[u8] = PLAIN.split_at(PLAIN.len() - 1).0;
    let cookie = format!("Cookie: {}\r\n\r\n", "c".repeat(6000));
    vec![
        check("a request gets no answer before its blank line")
            .expects("nothing before the last byte, and status 200 after it")
            .why("The rest of the head is still on its way. Receive until the blank line is there.")
            .visit(format!("{} and, later, the last byte", shown(START)), |server, client| {
                let early = server.send(client, START, SLOW + server.pace);
                let _ = client.write_all(b"\n");
                if early.end != End::Open || !early.bytes.is_empty() {
                    return wrong(format!("before the last byte: {}", early.shown()), None);
                }
                judge(&server.read(client, server.patience()), Response::is_ok)
            }),
        check("a request that comes in single bytes is answered")
            .why("TCP delivers bytes, not messages. Receive until the blank line is there.")
            .visit(format!("{} one byte at a time", shown(PLAIN)), |server, client| {
                let _ = PLAIN.chunks(1).try_for_each(|byte| client.write_all(byte));
                judge(&server.read(client, server.patience()), Response::is_ok)
            }),
        check("a request with a cookie of 6 KB is answered")
            .why("Sites set such cookies. One read of 1024 bytes is not the complete request.")
            .ask([PLAIN.trim_ascii_end(), b"\r\n", cookie.as_bytes()].concat(), Response::is_ok),
    ]
}

/// The odd client that every server meets.
pub fn leaves() -> Check {
    check("a client that connects and leaves does no harm")
        .why("Browsers do it all the time. Receiving 0 bytes means that the client is gone. Go on.")
        .harmless("nothing, then the end", |_, _| {})
}

fn survival() -> Vec<Check> {
    let plain = shown(PLAIN);
    vec![
        leaves(),
        check("a browser that tries https:// does no harm")
            .why("It begins with bytes that are not text. Decode with errors=\"replace\", or from_utf8_lossy.")
            .harmless("the bytes 16 03 01 and so on, then the end", |_, client| {
                let _ = client.write_all(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\x9f\xc2\xa5");
            }),
        check("bytes that are not UTF-8 do no harm")
            .why("Any client can send them. Decode with errors=\"replace\", or from_utf8_lossy in Rust.")
            .harmless("the bytes ff fe, and a blank line", |server, client| {
                server.send(client, b"\xff\xfe\r\n\r\n", server.patience());
            }),
        check("a client that resets the connection in the middle of its request does no harm")
            .why("Receiving from it is an error. It is that client's error alone.")
            .harmless("\"GET / HT\", then a reset", |server, _| reset(server, b"GET / HT")),
        check("a client that resets the connection after its request does no harm")
            .why("Sending to it is an error. It is that client's error alone.")
            .harmless("\"GET / HTTP/1.0\\r\\n\\r\\n\", then a reset", |server, _| {
                reset(server, b"GET / HTTP/1.0\r\n\r\n");
            }),
        check("a client that closes its sending half after the request is answered")
            .why("It has said all it wants to say, and still listens.")
            .visit(format!("{plain}, then the end of the sending half"), |server, client| {
                let _ = client.write_all(PLAIN);
                let _ = client.shutdown(Shutdown::Write);
                judge(&server.read(client, server.patience()), Response::is_ok)
            }),
    ]
}

/// Breaks connections off, as clients that crash do: more than one, since the moment matters.
fn reset(server: &Server, bytes: &[u8]) {
    for mut client in (0..5).filter_map(|_| connect(server.address).ok()) {
        let _ = client.write_all(bytes);
        let _ = client.set_linger(Some(Duration::ZERO));
    }
}

fn crowds() -> Vec<Check> {
    const POST: &[u8] = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                          Content-Length: 1048576\r\n\r\n";
    let plain = shown(PLAIN);
    vec![
        check("a client that has its answer and stays connected holds nobody up")
            .expects("an answer within 2 seconds")
            .why("The client asked for Connection: close, so close. Do not wait until it does.")
            .visit(format!("{plain} while a client that had asked stayed"), |server, client| {
                let _ = client.write_all(PLAIN);
                judge(&server.ask(PLAIN), |response| !response.bytes.is_empty())
            }),
        check("silent clients hold nobody up: 1, 12, or 60")
            .expects("an answer within 2 seconds")
            .why(
                "Browsers open connections before they need them and say nothing on them. In a \
                 class of thirty that makes sixty. Serve each client on a thread of its own.",
            )
            .attempt(format!("{plain} while other clients said nothing"), Box::new(silent_clients)),
        check("32 clients that come at once, with 10 requests each, all get their answer")
            .expects("32 connections within half a second, and 320 times status 200")
            .why("A server that loses one in a hundred looks fine when you try it alone.")
            .attempt("32 connections in the same moment, then 320 plain requests", Box::new(crowd)),
        check("a client that posts a large body gets its answer complete")
            .expects("a complete answer of any status, then the end of the connection")
            .why(
                "A system breaks off a connection that is closed with bytes unread, and the answer \
                 can get lost. Close the sending half first, and read away what comes.",
            )
            .visit(format!("{} and 1048576 bytes of body", shown(POST)), |server, client| {
                let post = [POST, &[b'x'; 1_048_576]].concat();
                let mut response = server.send(client, &post, server.patience());
                sleep(Duration::from_millis(200)); // A reset can come after the end.
                if let Ok(Some(error)) = client.take_error() {
                    response.end = End::Broken(error.kind());
                }
                let is_all = response.status().is_some() && response.is_all() != Some(false);
                judge(&response, |response| is_all && response.end == End::Closed)
            }),
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
        let response = server.ask(PLAIN);
        let is_late = response.took > server.pace + Duration::from_millis(700);
        let is_held_up = count == 1 && (is_late || response.bytes.is_empty());
        server.is_one_by_one.fetch_or(is_held_up, Ordering::Relaxed);
        if response.bytes.is_empty() {
            let clients = if count == 1 { "client was" } else { "clients were" };
            return wrong(format!("{} while {count} {clients} silent", response.shown()), None);
        }
    }
    Passed
}

/// Many clients come at once, and ask at once. Slow is not lost.
fn crowd(server: &Server) -> Outcome {
    for _ in 0..3 {
        let arrived = burst(server);
        if arrived < 32 {
            return wrong(format!("{arrived} connections within half a second"), Some(SHORT_QUEUE));
        }
    }
    if server.pace > SLOW {
        return NotChecked(format!("each answer takes {:.1?}", server.pace));
    }
    let start = Instant::now();
    let one_client = || server.ask_again(10, server.patience() + 32 * server.pace);
    let responses: Vec<Response> = scope(|scope| {
        let clients: Vec<_> = (0..32).map(|_| scope.spawn(one_client)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap_or_default()).collect()
    });
    let (time, count) = (start.elapsed(), responses.iter().filter(|r| r.is_ok()).count());
    match responses.iter().find(|response| !response.is_ok()) {
        Some(lost) => wrong(format!("{count} answers with status 200, and {}", lost.shown()), None),
        None if count == 320 => Passed,
        None => PassedSlowly(format!("slow: {count} answers in {time:.1?}, and none was lost")),
    }
}

/// How many of 32 clients get in at once.
fn burst(server: &Server) -> usize {
    let domain = Domain::for_address(server.address);
    let clients = (0..32).filter_map(|_| Socket::new(domain, Type::STREAM, None).ok());
    let clients: Vec<_> = clients.filter(|client| client.set_nonblocking(true).is_ok()).collect();
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
        check("a client that says nothing is sent away within 7 seconds")
            .why("Each one holds a thread and a descriptor. Both run out. Step 5 waits 5 seconds.")
            .visit("nothing", |server, client| is_sent_away(server, client, b"", b"")),
        check("a client that stops in the middle of its request is sent away within 7 seconds")
            .why("The clock runs from when it was accepted, not from its last byte.")
            .visit(r#""GET / HTTP/1.1\r\n""#, |server, client| {
                is_sent_away(server, client, b"GET / HTTP/1.1\r\n", b"")
            }),
        check("a client that sends a byte now and then is sent away within 7 seconds")
            .why("A new limit for each byte is no limit. A byte a second holds a thread for hours.")
            .visit(
                r#""GET / HTTP/1.1\r\nX: " and one byte more each half second"#,
                |server, client| is_sent_away(server, client, b"GET / HTTP/1.1\r\nX: ", b"x"),
            ),
    ]
    .map(|check| check.expects("the end of the connection within 7 seconds"))
    .map(|check| Check { pace: Pace::Slow, ..check })
    .into()
}

/// The server closes the connection, however the client drags its feet.
fn is_sent_away(server: &Server, client: &mut Socket, start: &[u8], drip: &[u8]) -> Outcome {
    let begin = Instant::now();
    let _ = client.write_all(start);
    while begin.elapsed() < Duration::from_secs(7) {
        let is_over = !drip.is_empty() && client.write_all(drip).is_err();
        // An answer alone does not free the thread. The connection has to end.
        if is_over || server.read(client, Duration::from_millis(500)).end != End::Open {
            return Passed;
        }
    }
    wrong("no end: it was still connected after 7s", None)
}

fn heads() -> Vec<Check> {
    let kinds = MALFORMED.iter().map(|kind| {
        check(format!("{} is rejected", kind.name))
            .expects("status 400")
            .why(kind.rule)
            .attempt("malformed heads", Box::new(|server| all_rejected(server, kind.heads)))
    });
    let endless = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(2 << 20));
    let too_long = check("a head of 2 MB gets 431, or another status of 400 and up")
        .expects("status 431, or another of 400 and up")
        .why("A server that keeps all that a client sends runs out of memory.")
        .ask(head(endless.as_bytes()), |response| matches!(response.status(), Some(400..=499)));
    kinds.chain([too_long]).collect()
}

fn all_rejected(server: &Server, heads: &[(&str, &[u8])]) -> Outcome {
    let (mut others, mut failure) = (Vec::new(), None);
    for (fault, lines) in heads {
        let response = server.ask(&head(lines));
        match response.status() {
            // Who sends another status of 400 and up looked at something else first.
            Some(301 | 400..=499 | 501 | 505) => {}
            _ if failure.is_some() => others.push(*fault),
            _ => failure = Some((format!("{} ({fault})", shown(&head(lines))), response.shown())),
        }
        if response.bytes.is_empty() && response.end == End::Open {
            break; // Each of these takes a while.
        }
    }
    let also = if others.is_empty() { "" } else { ". Also not rejected: " };
    match failure {
        Some((sent, got)) => {
            Failed { got: got + also + &others.join("; "), sent: Some(sent), why: None }
        }
        None => Passed,
    }
}
