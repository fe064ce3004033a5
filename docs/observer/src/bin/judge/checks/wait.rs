//! Wait for nobody forever: clients that drag on with a head or a body are sent away.

use crate::judge::Judge;
use crate::report::Failure;
use crate::report::Outcome::{self, NotChecked, Passed, PassedWith};
use crate::server::Server;
use observer::client::{End, connect};
use socket2::Socket;
use std::cell::RefCell;
use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant};

/// How long a server may take to send a client away. The pages advise 5 seconds; a machine may have other work to do.
const LIMIT: Duration = Duration::from_secs(7);

/// Until then a client that is sent away late is noted, and no failure.
const LATE: Duration = Duration::from_secs(8);

/// When the last of these clients is given up.
const NO_TIME_LEFT: Duration = Duration::from_secs(17);

/// A client that does not come to an end.
struct Slow {
    what: &'static str,
    start: String,
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
        slow("a client that said nothing", String::new(), false, false),
        slow("a client that stopped in the middle of its request", line.clone(), false, false),
        slow("a client that sent a byte now and then", line + "X: ", true, false),
        slow("a client that stopped after the head of its POST", post.clone(), false, true),
        slow("a client that sent a byte of its body now and then", post, true, true),
    ];
    let (begin, mut clients) = (Instant::now(), Vec::new());
    for kind in &kinds {
        let Ok(mut client) = connect(server.address) else {
            return [Failure::got("no connection").into(), Failure::got("no connection").into()];
        };
        let _ = client.write_all(kind.start.as_bytes());
        clients.push(client);
    }
    let is_one_by_one = server.ask(server.plain()).bytes.is_empty();
    let mut begin = begin;
    let mut outcomes = [Passed, Passed];
    for n in 0..kinds.len() {
        if matches!(outcomes[usize::from(kinds[n].has_head)], Outcome::Failed(_)) {
            continue; // One that stays is enough.
        }
        let outcome = wait_for_the_end(server, &kinds, &mut clients, n, begin);
        let of_its_kind = &mut outcomes[usize::from(kinds[n].has_head)];
        if matches!(of_its_kind, Passed) {
            *of_its_kind = outcome;
        }
        let _ = clients[n].shutdown(Shutdown::Both); // Its time is up. A server may have waited only for this one.
        if is_one_by_one {
            begin = Instant::now(); // Only now does it take the next one out of its queue.
        }
    }
    outcomes
}

fn slow(what: &'static str, start: String, drips: bool, has_head: bool) -> Slow {
    Slow { what, start, drips, has_head }
}

/// Waits until the server has sent this client away. All that drip go on dripping.
fn wait_for_the_end(
    server: &Server,
    kinds: &[Slow],
    clients: &mut [Socket],
    n: usize,
    begin: Instant,
) -> Outcome {
    loop {
        let end = server.exchange(&mut clients[n], b"", Duration::from_millis(100)).end;
        let mut is_gone = end != End::Open;
        for (other, kind) in kinds.iter().enumerate() {
            // A server that has said its last word may still wait for the client. Then it takes what comes.
            let is_refused = kind.drips && clients[other].write_all(b"x").is_err();
            if other == n && kind.drips {
                is_gone = is_refused;
            }
        }
        let (time, what) = (begin.elapsed(), kinds[n].what);
        match is_gone {
            true if time > LIMIT => return PassedWith(format!("{what} was there for {time:.1?}")),
            true => return Passed,
            false if time > LATE => {
                let advice = format!("{what} was still connected after {}s", LIMIT.as_secs());
                return Failure::got(advice).into();
            }
            false if server.start.elapsed() > NO_TIME_LEFT && time < LIMIT => {
                return NotChecked(format!("no time left for {what}"));
            }
            false => {}
        }
        if end != End::Open {
            std::thread::sleep(Duration::from_millis(100)); // The next byte comes in a while.
        }
    }
}
