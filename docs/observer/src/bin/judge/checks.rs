//! What is checked, in the order in which a beginner mends it.

use crate::report::Outcome::{self, Failed, NotChecked, Passed, PassedSlowly};
use crate::report::{Judge, verdict};
use observer::client::{End, PATIENCE, PLAIN, Response, Server, connect, shown};
use observer::malformed::{MALFORMED, head};
use socket2::Socket;
use std::time::{Duration, Instant};
use std::{io::Write, net::Shutdown, thread::sleep};

/// What a response may take. A page of a few lines takes a thousandth of it.
const SLOW: Duration = Duration::from_millis(300);

/// A request that is in order.
fn request(line: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

/// A server that passes all but the last of these groups is ready for a class.
impl Judge {
    pub fn answer(&mut self) {
        self.group("Answer one request", "docs/step5-respond.md#your-turn");
        self.browser();
        self.check("each line of the head ends with \\r\\n")
            .expects("\\r\\n after each line, and \\r\\n alone as the blank line")
            .why("A strict client does not see where a line ends that has \\n alone.")
            .look(|server| {
                let head = server.first.bytes.strip_suffix(server.first.body()).unwrap_or_default();
                let rest = String::from_utf8_lossy(head).replace("\r\n", "");
                verdict(&server.first, |_| !rest.contains(['\r', '\n']))
            });
        self.check("Content-Type says what the page is")
            .expects("a field such as Content-Type: text/html; charset=utf-8")
            .why("Without it the browser has to guess what the bytes are.")
            .look(|server| {
                verdict(&server.first, |f| f.field("content-type").is_some_and(|t| t.contains('/')))
            });
        self.check("the client is told where the page ends")
            .expects("Content-Length with the number of bytes in the page, or chunks")
            .why("Without it a page that was cut off looks complete.")
            .look(|server| verdict(&server.first, |first| first.is_all().is_some()));
        self.check("the connection is closed when the client asks for that")
            .expects("the end of the connection, since the request says Connection: close")
            .why("The client waits for the end. Receive all, answer, and close the connection.")
            .look(|server| match (server.first.end, server.first.shown()) {
                (End::Closed, _) => Passed,
                (End::Broken(_), got) => {
                    Failed(format!("{got}. It closed too hard: bytes were unread, or linger was 0"))
                }
                (_, got) => Failed(got),
            });
        self.check("an answer takes less than 300 ms")
            .expects("an answer in less than 300 ms")
            .why("The browser waits so long for each file. Look for a sleep, or for repeated work.")
            .look(|server| match (1 + server.next.len(), server.pace()) {
                (_, pace) if pace < SLOW => Passed,
                (n, pace) => Failed(format!("the fastest of {n} answers took {pace:.1?}")),
            });
        self.stop = self.stop.or((self.server.pace() >= SLOW).then_some("it is too slow"));
    }

    /// What a browser needs.
    pub fn browser(&mut self) {
        self.check("the server waits for the request before it answers")
            .expects("nothing, and no end, in the first half second, in which nothing was sent")
            .why("It answers before it knows the question, or leaves. Receive the request first.")
            .look(|server| verdict(&server.first, |_| !server.is_early));
        self.check("a client that asks for / gets an answer")
            .expects("an answer: HTTP/1.1 200 OK, a blank line, and a page")
            .why("Without an answer the browser shows nothing. Send something before you close.")
            .look(|server| verdict(&server.first, |first| !first.bytes.is_empty()));
        self.check("the answer begins with a status line, and the status is 200")
            .expects("HTTP/1.1 200 OK in the first line")
            .why("The first line tells the browser how it went. It shows nothing that is not HTTP.")
            .look(|server| verdict(&server.first, Response::is_ok));
        self.check("the page arrives complete")
            .expects("a page of any content, such as: Hello, World! This is a simple web server.")
            .why("The page is what the person at the browser wants. It stands after a blank line.")
            .look(|server| match (server.first.field("content-length"), server.first.body().len()) {
                (Some(length), came) if came > 0 && length != came.to_string() => Failed(format!(
                    "Content-Length says {length}, and {came} bytes came. Count bytes, not letters"
                )),
                (_, came) => verdict(&server.first, |f| came > 0 && f.is_all() != Some(false)),
            });
        self.check("the next clients are answered too")
            .expects("status 200 for each of the twelve clients that come next")
            .why("Put accept, and all after it, into a loop. Keep nothing of the client before.")
            .look(|server| match server.next.iter().position(|response| !response.is_ok()) {
                Some(n) => Failed(format!("client {} got {}", n + 2, server.next[n].shown())),
                None if server.next.is_empty() => NotChecked("the first got no page".into()),
                None => Passed,
            });
        self.stop = self.server.trouble();
    }

    pub fn requests(&mut self) {
        const TYPED: &[u8] = b"GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n";
        self.group("Read the request", "docs/step5-respond.md#read-the-request");
        self.check("HEAD gets the head, and no page")
            .expects("status 200, the header fields of GET, and nothing after the blank line")
            .why("A client that sends HEAD wants to know about the page, such as its length.")
            .ask(request("HEAD /"), |head| {
                let is_counted = head.field("content-length").is_none_or(|length| length != "0");
                head.is_ok() && head.body().is_empty() && is_counted
            });
        self.check("an unknown path gets 404")
            .expects("status 404")
            .why("A browser also asks for /favicon.ico, and takes any 200 for the picture.")
            .ask(request("GET /no-such-page"), |response| response.status() == Some(404));
        self.check("another method gets 405 with Allow, or 501")
            .expects("status 405 and a field such as Allow: GET, HEAD, or status 501")
            .why("A client that asks to delete the page must not be told that all went well.")
            .ask(request("DELETE /"), |response| match response.status() {
                Some(405) => response.field("allow").is_some(),
                status => status == Some(501),
            });
        self.check("a request in HTTP/1.0 without a Host is answered")
            .why("Old and simple clients send it. Only HTTP/1.1 asks for a Host.")
            .ask("GET / HTTP/1.0\r\n\r\n", Response::is_ok);
        self.check("a query after the path changes nothing")
            .expects("status 200, as for / alone")
            .why("What follows the question mark is not part of the path.")
            .ask(request("GET /?name=value"), Response::is_ok);
        self.check("a request typed by hand, where lines end with \\n, gets an answer")
            .expects("status 200, or 400 from a strict server")
            .why("People type requests into nc. It sends \\n alone. Without an answer they wait.")
            .visit(&shown(TYPED), |server, client| {
                let response = server.exchange(client, TYPED, PATIENCE / 2);
                if response.bytes.is_empty() {
                    server.exchange(client, b"\r\n\r\n", PATIENCE); // What it waits for.
                }
                verdict(&response, |response| matches!(response.status(), Some(200 | 400)))
            });
    }

    pub fn pieces(&mut self) {
        let (start, end) = PLAIN.split_at(PLAIN.len() - 1);
        self.group("Receive all of it", "docs/step4-accept.md#receive-all-of-it");
        self.check("a request that comes byte by byte is answered, and not before its blank line")
            .expects("nothing before the last byte, and status 200 after it")
            .why("TCP delivers bytes, not messages. Receive until the blank line is there.")
            .visit("a plain request byte by byte, and, later, its last byte", |server, client| {
                let _ = start.chunks(1).try_for_each(|byte| client.write_all(byte));
                let early = server.exchange(client, b"", SLOW + server.pace());
                if early.end != End::Open || !early.bytes.is_empty() {
                    return Failed(format!("before the last byte: {}", early.shown()));
                }
                verdict(&server.exchange(client, end, PATIENCE), Response::is_ok)
            });
        let cookie = format!("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {}", "c".repeat(6000));
        self.check("a request with a cookie of 6 KB is answered")
            .why("Sites set such cookies. One read of 1024 bytes is not the complete request.")
            .ask(head(cookie.as_bytes()), Response::is_ok);
    }

    pub fn survival(&mut self) {
        self.group("Survive every client", "docs/step4-accept.md#survive-every-client");
        self.leaves();
        self.check("a browser that tries https:// does no harm")
            .why("It begins with bytes that are not text. Decode with errors=\"replace\", or from_utf8_lossy.")
            .harmless("the bytes 16 03 01 and so on, then the end", |_, client| {
                let _ = client.write_all(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\x9f\xc2\xa5");
            });
        self.check("bytes that are not UTF-8 do no harm")
            .why("Any client can send them. Decode with errors=\"replace\", or from_utf8_lossy in Rust.")
            .harmless("the bytes ff fe, and a blank line", |server, client| {
                server.exchange(client, b"\xff\xfe\r\n\r\n", PATIENCE);
            });
        self.check("a client that resets the connection in the middle of its request does no harm")
            .why("Receiving from it is an error. It is that client's error alone.")
            .harmless("\"GET / HT\", then a reset", |server, _| reset(server, b"GET / HT"));
        self.check("a client that resets the connection after its request does no harm")
            .why("Sending to it is an error. It is that client's error alone.")
            .harmless("a plain request, then a reset", |server, _| reset(server, PLAIN));
        self.check("a client that closes its sending half after the request is answered")
            .why("It has said all it wants to say, and still listens.")
            .visit("a plain request, then the end of the sending half", |server, client| {
                let _ = client.write_all(PLAIN);
                let _ = client.shutdown(Shutdown::Write);
                verdict(&server.exchange(client, b"", PATIENCE), Response::is_ok)
            });
    }

    pub fn leaves(&mut self) {
        self.check("a client that connects and leaves does no harm")
            .why("Browsers do it all the time. Receiving 0 bytes means that the client is gone. Go on.")
            .harmless("nothing, then the end", |_, _| {});
    }

    /// What step 4 does.
    pub fn twelve(&mut self) {
        self.check("twelve clients, one after the other, are received and left without an answer")
            .expects("the end of the connection, and no answer")
            .why("Accept in a loop. Receive before you close: unread bytes break the connection.")
            .attempt(&shown(PLAIN), |server| {
                let mut next = (2..=12).map(|n| (n, server.ask(PLAIN)));
                let odd = next.find(|(_, next)| next.end != End::Closed || !next.bytes.is_empty());
                odd.map_or(Passed, |(n, next)| Failed(format!("client {n} got {}", next.shown())))
            });
    }

    pub fn crowds(&mut self) {
        const POST: &[u8] = b"POST / HTTP/1.0\r\nContent-Length: 1048576\r\n\r\n";
        self.group("Serve everyone", "docs/step5-respond.md#serve-everyone");
        self.check("a client that has its answer and stays connected holds nobody up")
            .expects("an answer within 2 seconds")
            .why("The client asked for Connection: close, so close. Do not wait until it does.")
            .visit("a plain request, while a client that had asked stayed", |server, client| {
                let _ = client.write_all(PLAIN);
                verdict(&server.ask(PLAIN), |response| !response.bytes.is_empty())
            });
        self.check("silent clients hold nobody up: 1, 12, or 60")
            .expects("an answer within 2 seconds")
            .why("Browsers open spare connections, sixty in a class. Give each client a thread.")
            .attempt("a plain request, while other clients said nothing", silent_clients);
        self.check("32 clients that come at once, with 10 requests each, all get their answer")
            .expects("32 connections within half a second, and 320 times status 200")
            .why("A server that loses one in a hundred looks fine when you try it alone.")
            .attempt("32 connections in the same moment, and 32 plain requests, ten times", crowd);
        self.check("a client that posts a large body gets its answer complete")
            .expects("a complete answer of any status, then the end of the connection")
            .why("Unread bytes break a connection off. Close the sending half, then read them.")
            .visit(&format!("{} and 1048576 bytes of body", shown(POST)), |server, client| {
                let post = [POST, &b"x".repeat(1_048_576)].concat();
                let mut response = server.exchange(client, &post, PATIENCE);
                sleep(Duration::from_millis(200)); // A reset can come after the end.
                if let Ok(Some(error)) = client.take_error() {
                    response.end = End::Broken(error.kind());
                }
                let is_all = response.status().is_some() && response.is_all() != Some(false);
                verdict(&response, |response| is_all && response.end == End::Closed)
            });
    }

    pub fn slow(&mut self) {
        self.group("Wait for nobody forever", "docs/step4-accept.md#wait-for-nobody-forever");
        self.check("clients that say nothing, stop, or drip bytes are sent away within 7 seconds")
            .expects("the end of each connection within 7 seconds")
            .why("Each holds a thread. Allow 5 seconds in all: a limit for each byte is no limit.")
            .attempt("nothing; a line; a line, and a byte now and then", slow_clients);
    }

    pub fn malformed_heads(&mut self) {
        self.group("Reject what is not HTTP", "docs/step5-respond.md#reject-what-is-not-http");
        for kind in MALFORMED {
            self.check(kind.name)
                .expects("status 400")
                .why(kind.rule)
                .attempt("malformed heads", |server| all_rejected(server, kind.heads));
        }
        let endless = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(2 << 20));
        self.check("a head of 2 MB gets 431, or another status of 400 and up")
            .expects("status 431, or another of 400 and up")
            .why("A server that keeps all that a client sends runs out of memory.")
            .ask(head(endless.as_bytes()), |response| matches!(response.status(), Some(400..=599)));
    }
}

/// Breaks connections off, as clients that crash do: more than one, since the moment matters.
fn reset(server: &Server, bytes: &[u8]) {
    for mut client in (0..5).filter_map(|_| connect(server.address).ok()) {
        let _ = client.write_all(bytes);
        let _ = client.set_linger(Some(Duration::ZERO));
    }
}

fn silent_clients(server: &Server) -> Outcome {
    for count in [1, 12, 60] {
        let silent = (0..count).map_while(|_| {
            // They come one by one. How long the queue is, the next check finds out.
            sleep(Duration::from_millis(5));
            connect(server.address).ok()
        });
        let _silent: Vec<Socket> = silent.collect();
        let response = server.ask(PLAIN);
        if response.bytes.is_empty() {
            return Failed(format!("{} while {count} said nothing", response.shown()));
        }
    }
    Passed
}

/// Ten times, 32 clients come at once and ask at once. Slow is not lost.
fn crowd(server: &Server) -> Outcome {
    if server.pace() > SLOW / 4 {
        return NotChecked(format!("each answer takes {:.1?}", server.pace()));
    }
    let (start, mut count) = (Instant::now(), 0);
    while count < 320 && start.elapsed() < PATIENCE {
        let begin = Instant::now();
        // Who finds the queue full tries again a second later.
        let is_in_time = |_: &Socket| begin.elapsed() < Duration::from_millis(500);
        let clients = (0..32).map_while(|_| connect(server.address).ok().filter(is_in_time));
        let mut clients: Vec<Socket> = clients.collect();
        if clients.len() < 32 {
            let backlog = "The queue is short: give listen a larger backlog, such as 128";
            let arrived = clients.len();
            return Failed(format!("{arrived} connections within half a second. {backlog}"));
        }
        for client in &mut clients {
            let _ = client.write_all(PLAIN);
        }
        for mut client in clients {
            let response = server.exchange(&mut client, b"", PATIENCE + 32 * server.pace());
            if !response.is_ok() {
                let lost = response.shown();
                return Failed(format!("{count} answers with status 200, and {lost}"));
            }
            count += 1;
        }
    }
    let time = start.elapsed();
    match count {
        320 => Passed,
        _ => PassedSlowly(format!("slow: {count} answers in {time:.1?}, and none was lost")),
    }
}

/// Clients that drag their feet come at once. The server has 7 seconds for each of them.
fn slow_clients(server: &Server) -> Outcome {
    let kinds: [(&str, &[u8]); 3] = [
        ("a client that said nothing", b""),
        ("a client that stopped in the middle of its request", b"GET / HTTP/1.1\r\n"),
        ("a client that sent a byte now and then", b"GET / HTTP/1.1\r\nX: "),
    ];
    let (mut begin, mut clients) = (Instant::now(), Vec::new());
    for (_, start) in kinds {
        let Ok(mut client) = connect(server.address) else { return Failed("no connection".into()) };
        let _ = client.write_all(start);
        clients.push(client);
    }
    let is_one_by_one = server.ask(PLAIN).bytes.is_empty();
    for (n, (kind, _)) in kinds.iter().enumerate() {
        // An answer alone does not free the thread. The connection has to end.
        while server.exchange(&mut clients[n], b"", Duration::from_millis(250)).end == End::Open {
            let _ = clients[2].write_all(b"x");
            if begin.elapsed() > Duration::from_secs(7) {
                return Failed(format!("{kind} was still connected after 7s"));
            }
            if server.start.elapsed() > Duration::from_secs(14) {
                return NotChecked(format!("no time left for {kind}"));
            }
        }
        if is_one_by_one {
            begin = Instant::now(); // Only now it takes the next one out of its queue.
        }
    }
    Passed
}

fn all_rejected(server: &Server, heads: &[(&str, &[u8])]) -> Outcome {
    let (begin, mut got, mut faults) = (Instant::now(), String::new(), Vec::new());
    for (fault, lines) in heads {
        let response = server.ask(&head(lines));
        // Who sends another status of 400 and up looked at something else first.
        if !matches!(response.status(), Some(301 | 400..=499 | 501 | 505)) {
            if faults.is_empty() {
                got = format!("to {}: {}", shown(&head(lines)), response.shown());
            }
            faults.push(*fault);
        }
        if begin.elapsed() > PATIENCE {
            break; // Each of these takes a while.
        }
    }
    if faults.is_empty() {
        return Passed;
    }
    Failed(format!("{got}. Not rejected: {}", faults.join("; ")))
}
