//! What is checked, in the order in which a beginner would mend it.

use crate::client::{Answer, End, PATIENCE, ask, connect, read_answer, reset, shown};
use crate::malformed::MALFORMED;
use socket2::Socket;
use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

/// What a check finds: nothing, or what is wrong.
pub type Finding = Result<(), Failure>;

/// What was sent, and what came back instead of what should.
pub struct Failure {
    /// Bytes in quotes, or words.
    pub sent: String,
    /// Bytes in quotes, or words.
    pub came: String,
}

/// One thing that a good server does.
pub struct Check {
    /// The heading above it.
    pub group: &'static str,
    /// The page of the walkthroughs that treats it.
    pub page: &'static str,
    /// What the server does.
    pub name: String,
    /// Why that matters.
    pub why: &'static str,
    /// When and how it is run.
    pub pace: Pace,
    /// Finds out.
    pub run: Box<dyn Fn(SocketAddr) -> Finding + Send + Sync>,
}

/// When and how a check is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Ahead of all others. If it fails, they can't be done.
    First,
    /// At once.
    Fast,
    /// At once, and a plain request has to be answered afterwards.
    Hostile,
    /// It takes seconds, so all of these run side by side at the end.
    Slow,
}

/// The longest that a plain request may take, whoever else is connected.
const PROMPT: Duration = Duration::from_secs(1);

/// The longest that a server may wait for a request. Step 5 waits 5 seconds.
pub const LONGEST_WAIT: Duration = Duration::from_secs(7);

const GREETING: &str = "Hello, World! This is a simple web server.";

/// A request that is in order.
pub fn request(method: &str, path: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").into_bytes()
}

/// All checks.
pub fn all() -> Vec<Check> {
    let mut list = List { checks: Vec::new(), group: "", page: "" };
    first_answer(&mut list);
    requests(&mut list);
    pieces(&mut list);
    hostile_clients(&mut list);
    malformed_heads(&mut list);
    many_clients(&mut list);
    slow_clients(&mut list);
    list.checks
}

struct List {
    checks: Vec<Check>,
    group: &'static str,
    page: &'static str,
}

impl List {
    fn group(&mut self, group: &'static str, page: &'static str) {
        (self.group, self.page) = (group, page);
    }

    fn add(
        &mut self,
        pace: Pace,
        name: impl Into<String>,
        why: &'static str,
        run: impl Fn(SocketAddr) -> Finding + Send + Sync + 'static,
    ) {
        let (group, page, name) = (self.group, self.page, name.into());
        self.checks.push(Check { group, page, name, why, pace, run: Box::new(run) });
    }
}

/// Sends a request in one piece and says whether the answer is good.
fn expect(
    server: SocketAddr,
    request: impl AsRef<[u8]>,
    good: impl Fn(&Answer) -> bool,
) -> Finding {
    let request = request.as_ref();
    judge(shown(request), &ask(server, [request]), good)
}

/// Connects for a check that sends its request by hand.
fn begin(server: SocketAddr, sent: &str) -> Result<Socket, Failure> {
    connect(server).map_err(|error| Failure { sent: sent.to_string(), came: error.to_string() })
}

fn judge(sent: String, answer: &Answer, good: impl Fn(&Answer) -> bool) -> Finding {
    if good(answer) { Ok(()) } else { Err(Failure { sent, came: answer.shown() }) }
}

fn is_ok(answer: &Answer) -> bool {
    answer.status() == Some(200)
}

fn first_answer(list: &mut List) {
    list.group("Accept, and answer one request", "docs/step5-respond.md");
    list.add(
        Pace::First,
        "a client that asks for / gets an answer",
        "Without an answer the browser shows nothing. Accept the client, and send something.",
        |server| expect(server, request("GET", "/"), |answer| !answer.bytes.is_empty()),
    );
    list.add(
        Pace::Fast,
        "the answer begins with a status line, and the status is 200",
        "The first line tells the client how it went: HTTP/1.1 200 OK.",
        |server| expect(server, request("GET", "/"), is_ok),
    );
    list.add(
        Pace::Fast,
        "the page holds the greeting",
        "It is what the person at the browser came for.",
        |server| {
            expect(server, request("GET", "/"), |answer| {
                String::from_utf8_lossy(answer.body()).contains(GREETING)
            })
        },
    );
    list.add(
        Pace::Fast,
        "each line of the head ends with CRLF",
        "A strict client does not see where a line ends that has a line feed alone.",
        |server| {
            expect(server, request("GET", "/"), |answer| {
                let head = answer.head().map(String::from_utf8_lossy);
                head.is_some_and(|head| !head.replace("\r\n", "").contains(['\r', '\n']))
            })
        },
    );
    list.add(
        Pace::Fast,
        "Content-Type says what the page is",
        "Without it the browser has to guess what the bytes are.",
        |server| {
            expect(server, request("GET", "/"), |answer| {
                answer.field("content-type").is_some_and(|kind| kind.starts_with("text/"))
            })
        },
    );
    list.add(
        Pace::Fast,
        "Content-Length says how many bytes the page has",
        "Without it a page that was cut off looks whole.",
        |server| expect(server, request("GET", "/"), Answer::is_whole),
    );
    list.add(
        Pace::Fast,
        "the connection ends when the client asks for that",
        "The client sent Connection: close and waits for the end. Close the connection.",
        |server| expect(server, request("GET", "/"), |answer| answer.end == End::Closed),
    );
}

fn requests(list: &mut List) {
    list.group("Read the request", "docs/step5-respond.md");
    list.add(
        Pace::Fast,
        "HEAD gets the head, and no page",
        "A client that sends HEAD wants to know about the page, and does not read it.",
        |server| {
            expect(server, request("HEAD", "/"), |answer| is_ok(answer) && answer.body().is_empty())
        },
    );
    list.add(
        Pace::Fast,
        "an unknown path gets 404",
        "A browser also asks for /favicon.ico, and takes any 200 for the picture.",
        |server| expect(server, request("GET", "/nothing"), |answer| answer.status() == Some(404)),
    );
    list.add(
        Pace::Fast,
        "another method gets 405 with Allow, or 501",
        "A client that asks to delete the page must not be told that all went well. A 405 says in \
         Allow which methods there are.",
        |server| {
            expect(server, request("DELETE", "/"), |answer| match answer.status() {
                Some(405) => answer.field("allow").is_some(),
                status => status == Some(501),
            })
        },
    );
    list.add(
        Pace::Fast,
        "a request in HTTP/1.0 without a Host is answered",
        "Old and simple clients send it. Only HTTP/1.1 asks for a Host.",
        |server| expect(server, "GET / HTTP/1.0\r\n\r\n", is_ok),
    );
    list.add(
        Pace::Fast,
        "a query behind the path changes nothing",
        "What follows the question mark is not part of the path.",
        |server| expect(server, request("GET", "/?name=value"), is_ok),
    );
    list.add(
        Pace::Fast,
        "a request typed by hand, with bare line feeds, is answered",
        "People type requests into nc, and nc sends line feeds alone.",
        |server| expect(server, "GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n", is_ok),
    );
}

fn pieces(list: &mut List) {
    list.group("Receive all of the request", "docs/step4-accept.md");
    list.add(
        Pace::Hostile,
        "a request that comes in single bytes is answered",
        "TCP delivers bytes, not messages. Read until the blank line is there.",
        |server| {
            let whole = request("GET", "/");
            let answer = ask(server, whole.chunks(1));
            judge(format!("{} one byte at a time", shown(&whole)), &answer, is_ok)
        },
    );
    list.add(
        Pace::Hostile,
        "a request gets no answer before its blank line",
        "The rest of the head is still on its way, and may change the answer.",
        |server| {
            let whole = request("GET", "/");
            let (most, last) = whole.split_at(whole.len() - 1);
            let sent = format!("{} and, later, the last byte", shown(most));
            let mut client = begin(server, &sent)?;
            let _ = client.write_all(most);
            let answer = read_answer(&mut client, Duration::from_millis(300));
            if !matches!(answer.end, End::Open(_)) || !answer.bytes.is_empty() {
                let came = format!("before the last byte: {}", answer.shown());
                return Err(Failure { sent, came });
            }
            let _ = client.write_all(last);
            judge(sent, &read_answer(&mut client, PATIENCE), is_ok)
        },
    );
    list.add(
        Pace::Hostile,
        "a request with a cookie of 6 KB is answered",
        "Sites set such cookies. One read of 1024 bytes is not the whole request.",
        |server| {
            let cookie = format!("Cookie: {}\r\n\r\n", "c".repeat(6000));
            let head = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".to_string();
            expect(server, head + &cookie, is_ok)
        },
    );
}

fn malformed_heads(list: &mut List) {
    list.group("Reject what is not HTTP", "docs/step5-respond.md");
    let mut kinds: Vec<&str> = MALFORMED.iter().map(|(kind, ..)| *kind).collect();
    kinds.dedup();
    for kind in kinds {
        list.add(
            Pace::Hostile,
            format!("{kind} is rejected with 400"),
            "RFC 9112 calls it malformed. A server that repairs it reads it in its own way, and \
             two programs that read it differently can be played off against each other.",
            move |server| {
                let heads = MALFORMED.iter().filter(|(other, ..)| *other == kind);
                let (start, mut tried, mut failures) = (Instant::now(), 0, Vec::new());
                for (_, fault, head) in heads {
                    let answer = ask(server, [*head]);
                    tried += 1;
                    // Others reject it too: who sends 405, 501 or 505 looked at something else.
                    let rejects =
                        |answer: &Answer| matches!(answer.status(), Some(400 | 405 | 501 | 505));
                    failures.extend(
                        judge(format!("{} ({fault})", shown(head)), &answer, rejects).err(),
                    );
                    if start.elapsed() > PATIENCE {
                        break; // A slow server is not asked for all of them.
                    }
                }
                let count = failures.len();
                failures.into_iter().next().map_or(Ok(()), |first| {
                    let came =
                        format!("{} ({count} of {tried} such heads were not rejected)", first.came);
                    Err(Failure { came, ..first })
                })
            },
        );
    }
    list.add(
        Pace::Hostile,
        "a head of 64 KB gets 431, or 400, and the answer arrives whole",
        "A server that keeps all that a client sends runs out of memory. And one that closes \
         with bytes unread breaks the connection off, and the answer is lost.",
        |server| {
            let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(64 * 1024));
            expect(server, head + "\r\n\r\n", |answer| {
                answer.arrived() && matches!(answer.status(), Some(400 | 431))
            })
        },
    );
}

fn hostile_clients(list: &mut List) {
    list.group("Survive every client", "docs/step4-accept.md");
    list.add(
        Pace::Hostile,
        "bytes that are not UTF-8 do no harm",
        "Any client can send them. Show them some other way, and go on.",
        |server| {
            ask(server, [&b"\xff\xfe"[..], b"\r\n\r\n"]);
            Ok(())
        },
    );
    list.add(
        Pace::Hostile,
        "a browser that tries https:// does no harm",
        "A TLS hello is what it sends first. It is not text, and has no blank line.",
        |server| {
            if let Ok(mut client) = connect(server) {
                let _ = client.write_all(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\x9f\xc2\xa5");
            }
            Ok(())
        },
    );
    list.add(
        Pace::Hostile,
        "a client that connects and leaves does no harm",
        "Browsers and port scanners do it all the time. A read of 0 bytes is no error.",
        |server| {
            drop(connect(server));
            Ok(())
        },
    );
    for (what, bytes) in
        [("half a request", &b"GET / HT"[..]), ("a request", b"GET / HTTP/1.0\r\n\r\n")]
    {
        list.add(
            Pace::Hostile,
            format!("a client that sends {what} and resets the connection does no harm"),
            "Reading from it, or writing to it, is an error. It is that client's error alone.",
            move |server| {
                if let Ok(mut client) = connect(server) {
                    let _ = client.write_all(bytes);
                    reset(client);
                }
                Ok(())
            },
        );
    }
    list.add(
        Pace::Hostile,
        "a client that closes its sending half behind the request is answered",
        "It has said all it wants to say, and still listens.",
        |server| {
            let whole = request("GET", "/");
            let sent = format!("{}, then the end", shown(&whole));
            let mut client = begin(server, &sent)?;
            let _ = client.write_all(&whole);
            let _ = client.shutdown(Shutdown::Write);
            judge(sent, &read_answer(&mut client, PATIENCE), is_ok)
        },
    );
    list.add(
        Pace::Hostile,
        "a client that posts a large body gets its answer whole",
        "Closing with bytes unread breaks the connection off, and the answer can get lost. Close \
         the sending half first, and read away what comes.",
        |server| {
            let length = 256 * 1024;
            let head = format!(
                "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 Content-Length: {length}\r\n\r\n"
            );
            let answer = ask(server, [head.as_bytes(), &vec![b'x'; length]]);
            let sent = format!("{} and {length} bytes of body", shown(head.as_bytes()));
            judge(sent, &answer, |answer| answer.arrived() && answer.end == End::Closed)
        },
    );
}

fn many_clients(list: &mut List) {
    list.group("Serve everyone at once", "docs/step5-respond.md");
    list.add(
        Pace::Hostile,
        "a client that has its answer and stays connected holds nobody up",
        "The server said Connection: close, so it closes. It does not wait until the client does.",
        |server| {
            let client = connect(server).map(|mut client| {
                let _ = client.write_all(&request("GET", "/"));
                client
            });
            let finding = prompt_answer(server, "there was one client that had asked and stayed");
            drop(client);
            finding
        },
    );
    for count in [1, 12, 60] {
        let are = if count == 1 { "client holds" } else { "clients hold" };
        list.add(
            Pace::Hostile,
            format!("{count} silent {are} nobody up"),
            "Browsers open connections ahead of need and say nothing on them. In a class of \
             thirty that makes sixty.",
            move |server| {
                // When one does not get in, neither do those behind it.
                let silent: Vec<_> = (0..count).map_while(|_| connect(server).ok()).collect();
                let others = match silent.len() {
                    1 => "there was one client that said nothing".to_string(),
                    some if some < count => {
                        format!("{some} clients said nothing, and no more got in")
                    }
                    all => format!("{all} clients said nothing"),
                };
                prompt_answer(server, &others)
            },
        );
    }
    list.add(
        Pace::Hostile,
        "32 clients at once with 10 requests each all get their answer",
        "A server that loses one in a hundred looks fine when you try it alone.",
        |server| {
            let whole = request("GET", "/");
            let start = Instant::now();
            // A client that lost one answer asks no more, so that this does not take minutes.
            let one_client = || (0..10).take_while(|_| is_ok(&ask(server, [&whole[..]]))).count();
            let answered: usize = thread::scope(|scope| {
                let threads: Vec<_> = (0..32).map(|_| scope.spawn(one_client)).collect();
                threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
            });
            if answered == 320 {
                return Ok(());
            }
            let came = format!("{answered} answers with status 200 in {:.1?}", start.elapsed());
            Err(Failure { sent: "320 plain requests from 32 clients".to_string(), came })
        },
    );
}

/// A plain request is answered in time, while other clients are connected.
fn prompt_answer(server: SocketAddr, others: &str) -> Finding {
    let start = Instant::now();
    let whole = request("GET", "/");
    let sent = format!("{} while {others}", shown(&whole));
    let mut client = begin(server, &sent)?;
    let _ = client.write_all(&whole);
    // What comes later than PROMPT is not read, however long it took to connect.
    let answer = read_answer(&mut client, PROMPT.saturating_sub(start.elapsed()));
    judge(sent, &answer, |answer| !answer.bytes.is_empty())
}

fn slow_clients(list: &mut List) {
    list.group("Do not wait forever", "docs/step4-accept.md");
    list.add(
        Pace::Slow,
        "a client that says nothing is sent away within 7 seconds",
        "Each one holds a thread and a descriptor, and both run out. Step 5 waits 5 seconds.",
        |server| is_sent_away(server, b"", None),
    );
    list.add(
        Pace::Slow,
        "a client that stops in the middle of its request is sent away within 7 seconds",
        "The clock runs from when it was accepted, not from its last byte.",
        |server| is_sent_away(server, b"GET / HTTP/1.1\r\n", None),
    );
    list.add(
        Pace::Slow,
        "a client that sends a byte now and then is sent away within 7 seconds",
        "A new limit for each byte is no limit: one byte a second holds a thread for hours.",
        |server| is_sent_away(server, b"GET / HTTP/1.1\r\nX: ", Some(b"x")),
    );
}

/// The server closes the connection, however the client drags its feet.
fn is_sent_away(server: SocketAddr, start: &[u8], drip: Option<&[u8]>) -> Finding {
    let mut sent = if start.is_empty() { "nothing".to_string() } else { shown(start) };
    if drip.is_some() {
        sent += " and one byte more each half second";
    }
    let mut client = begin(server, &sent)?;
    let _ = client.write_all(start);
    let begin = Instant::now();
    while begin.elapsed() < LONGEST_WAIT {
        if drip.is_some_and(|byte| client.write_all(byte).is_err()) {
            return Ok(());
        }
        // An answer alone does not free the thread. The connection has to end.
        let answer = read_answer(&mut client, Duration::from_millis(500));
        if !matches!(answer.end, End::Open(_)) {
            return Ok(());
        }
    }
    Err(Failure { sent, came: format!("no end: it was still connected after {LONGEST_WAIT:?}") })
}
