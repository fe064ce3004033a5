//! Wait for nobody forever: clients that drag on with a head or a body are sent away.

use crate::judge::Judge;
use crate::report::Failure;
use crate::report::Outcome::{self, NotChecked, Passed, PassedWith};
use crate::server::Server;
use observer::client::{End, connect};
use socket2::Socket;
use std::cell::RefCell;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a server may take to send a client away. The pages advise 5 seconds; a machine may have other work to do.
const LIMIT: Duration = Duration::from_secs(7);

/// Until then a client that is sent away late is noted, and no failure.
const LATE: Duration = Duration::from_millis(7500);

/// When the last of these clients is given up.
const NO_TIME_LEFT: Duration = Duration::from_millis(17_500);

/// A client that does not come to an end.
struct Slow {
    what: &'static str,
    socket: Socket,
    /// Whether it goes on with a byte now and then.
    drips: bool,
    /// Whether its head is complete, and its body is not.
    has_head: bool,
}

/// All of them come at once, so that nobody has to wait for each: two checks look at what came of them.
pub fn checks(judge: &mut Judge) {
    judge.group("Wait for nobody forever", "docs/everyone.md#wait-for-nobody-forever");
    let bodies = RefCell::new(NotChecked("no slow client came".into()));
    judge
        .check("clients that are silent, stop, or drip are sent away within 7 seconds")
        .expects("the end of each connection within 7 seconds")
        .why("Each holds a thread. Allow 5 seconds in all: a limit for each byte is no limit.")
        .attempt("nothing; a line; a line, and a byte now and then", |server| {
            let [heads, of_bodies] = slow_clients(server);
            *bodies.borrow_mut() = of_bodies;
            heads
        });
    judge
        .check("clients that stop in a body, or drip it, are sent away too")
        .expects("the end of each connection within 7 seconds")
        .why(
            "Each holds a thread. The limit of 5 seconds holds for the body too, and for what you read after your \
             answer.",
        )
        .attempt("a POST whose body does not come, and one with a byte now and then", |_| bodies.into_inner());
}

/// What came of the clients that did not finish their heads, and of those that did not finish their bodies.
fn slow_clients(server: &Server) -> [Outcome; 2] {
    let post =
        format!("POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 100000\r\n\r\n", server.address);
    let line = "GET / HTTP/1.1\r\n".to_string();
    let kinds = [
        ("a client that said nothing", String::new(), false),
        ("a client that stopped in the middle of its request", line.clone(), false),
        ("a client that sent a byte now and then", line + "X: ", true),
        ("a client that stopped after the head of its POST", post.clone(), false),
        ("a client that sent a byte of its body now and then", post, true),
    ];
    let mut clients = Vec::new();
    let mut begin = Instant::now();
    for (n, (what, start, drips)) in kinds.into_iter().enumerate() {
        let Ok(mut socket) = connect(server.address) else {
            return [Failure::got("no connection").into(), Failure::got("no connection").into()];
        };
        let _ = socket.write_all(start.as_bytes());
        clients.push(Slow { what, socket, drips, has_head: n > 2 });
    }
    let is_one_by_one = server.ask(server.plain()).bytes.is_empty();
    let mut outcomes = [Passed, Passed];
    while !clients.is_empty() {
        let count = clients.len();
        clients.retain_mut(|client| !client.is_gone(server));
        let time = begin.elapsed();
        if clients.len() < count {
            if time > LIMIT {
                let note = format!("the last one was there for {time:.1?}");
                let of_its_kind =
                    &mut outcomes[usize::from(clients.iter().all(|client| client.has_head))];
                *of_its_kind = PassedWith(note);
            }
            if is_one_by_one {
                begin = Instant::now(); // Only now does it take the next one out of its queue.
            }
            continue;
        }
        let Some(first) =
            clients.first().filter(|_| time > LATE || server.start.elapsed() > NO_TIME_LEFT)
        else {
            continue;
        };
        let (has_head, what) = (first.has_head, first.what);
        outcomes[usize::from(has_head)] = if time > LATE {
            Failure::got(format!("{what} was still connected after {}s", LIMIT.as_secs())).into()
        } else {
            NotChecked(format!("no time left for {what}"))
        };
        // One that stays is enough. The others of its kind leave, and a server that waits for one goes on.
        clients.retain(|client| client.has_head != has_head);
        if is_one_by_one {
            begin = Instant::now();
        }
    }
    outcomes
}

impl Slow {
    /// Whether the server has sent this client away. If it drips, it drips.
    fn is_gone(&mut self, server: &Server) -> bool {
        let end = server.exchange(&mut self.socket, b"", Duration::from_millis(25)).end;
        if !self.drips {
            return end != End::Open;
        }
        if end != End::Open {
            sleep(Duration::from_millis(25)); // The next byte comes in a while.
        }
        // A server that has said its last word may still wait for the client. Then it takes what comes.
        self.socket.write_all(b"x").is_err()
    }
}
