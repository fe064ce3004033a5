//! Give each client a thread: no client ends the server, or takes it from the others.

use super::SLOW;
use crate::judge::Judge;
use crate::report::Failure;
use crate::report::Outcome::{self, NotChecked, Passed, PassedWith};
use crate::server::Server;
use observer::client::{End, TIMEOUT, connect, connect_within, quoted};
use socket2::Socket;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a client may wait for its connection when many come at once.
const HALF_A_SECOND: Duration = Duration::from_millis(500);

pub fn checks(judge: &mut Judge) {
    judge.group("Give each client a thread", "docs/everyone.md#give-each-client-a-thread");
    leaves(judge);
    judge
        .check("a browser that tries https:// does no harm")
        .why("It begins with bytes that are not text. Decode with errors=\"replace\", or from_utf8_lossy.")
        .harmless("the bytes 16 03 01 and so on, then the end", |server| {
            let Ok(mut client) = connect(server.address) else { return };
            let _ = client.write_all(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\x9f\xc2\xa5");
        });
    let bytes =
        [b"GET / HTTP/1.1\r\nHost: a\r\nX: ", &b"\xff\xfe\r\nConnection: close\r\n\r\n"[..]]
            .concat();
    judge
        .check("bytes that are not UTF-8 do no harm")
        .why(
            "Any client can send them. Decode with errors=\"replace\", or from_utf8_lossy in Rust.",
        )
        .harmless("a request with the bytes ff fe in a field", |server| {
            server.ask(&bytes);
        });
    judge
        .check("a first line of one word does no harm")
        .why("Look at how many words there are before you take the second one.")
        .harmless("\"hello\\r\\n\\r\\n\"", |server| {
            server.ask(b"hello\r\n\r\n");
        });
    judge
        .check("a reset in the middle of a request does no harm")
        .why("Receiving from it is an error. It is that client's error only: it must not end the server.")
        .harmless("\"GET / HT\", then a reset", |server| {
            reset_often(server, b"GET / HT");
            // The server waits for more already, or for the first byte.
            let a_moment = Duration::from_millis(20);
            reset(server, b"GET / HT", a_moment);
            reset(server, b"", a_moment);
        });
    let plain = judge.server.plain();
    judge
        .check("a reset after a request does no harm")
        .why("Sending to it is an error. It is that client's error only: it must not end the server.")
        .harmless("a plain request, then a reset", |server| reset_often(server, plain.as_bytes()));
    judge
        .check("a client that has its answer and stays connected holds nobody up")
        .expects("an answer within 2 seconds")
        .why("The client asked for Connection: close, so close. Do not wait for the client to close first.")
        .visit("a plain request, while a client that had its answer stayed connected", |server, client| {
            let _ = client.write_all(server.plain().as_bytes());
            answered_beside(server, "one client stayed connected")
        });
    judge
        .check("silent clients hold nobody up: 1, 12, or 60")
        .expects("an answer within 2 seconds")
        .why("Browsers open spare connections, sixty in a class. Give each client a thread.")
        .attempt("a plain request, while other clients said nothing", silent_clients);
    judge
        .check("32 clients that come at once, with 10 requests each, all get their answer")
        .expects("each connection within half a second, and 320 times status 200")
        .why("A server that loses one in a hundred looks fine when one person tries it.")
        .attempt("32 connections in the same moment, and 32 plain requests, ten times", |server| {
            match crowd(server) {
                // The machine may have been busy for a moment.
                Outcome::Failed(_) => crowd(server),
                outcome => outcome,
            }
        });
}

pub fn leaves(judge: &mut Judge) {
    judge
        .check("a client that connects and leaves does no harm")
        .why("Browsers do it all the time. Receiving 0 bytes means that the client sends no more. Go on with the next.")
        .harmless("nothing, then the end", |server| drop(connect(server.address)));
}

/// What step 4 does.
pub fn twelve(judge: &mut Judge) {
    let plain = judge.server.plain();
    judge
        .check("twelve clients, one after the other, are received and left without an answer")
        .expects("the end of the connection, and no answer")
        .why("Accept in a loop. Receive before you close: unread bytes reset the connection.")
        .attempt(&quoted(plain.as_bytes()), |server| {
            let mut clients = (2..=12).map(|n| (n, server.ask(&plain)));
            let odd = clients.find(|(_, got)| got.end != End::Closed || !got.bytes.is_empty());
            odd.map_or(Passed, |(n, got)| {
                Failure::got(format!("client {n} got {}", got.quoted())).into()
            })
        });
}

/// Sends bytes, and resets the connection after a while, as a client that crashes does.
fn reset(server: &Server, bytes: &[u8], after: Duration) {
    if let Ok(mut client) = connect(server.address) {
        let _ = client.write_all(bytes);
        sleep(after);
        let _ = client.set_linger(Some(Duration::ZERO));
    }
}

/// Many clients do so at once, since the moment matters.
fn reset_often(server: &Server, bytes: &[u8]) {
    // A server that serves one client at a time is busy with this one, and gets to the next ones when they have left.
    if let Ok(mut first) = connect(server.address) {
        sleep(Duration::from_millis(20));
        (0..3).for_each(|_| reset(server, bytes, Duration::ZERO));
        server.exchange(&mut first, server.plain().as_bytes(), TIMEOUT);
    }
    (0..20).for_each(|_| reset(server, bytes, Duration::ZERO));
}

/// Whether one more client gets an answer. On a busy machine it may take a while, so it is asked twice.
fn answered_beside(server: &Server, others: &str) -> Outcome {
    let response = server.ask(server.plain());
    let again = || server.ask_within(TIMEOUT / 2 + server.fastest(), server.plain());
    if !response.bytes.is_empty() || !again().bytes.is_empty() {
        return Passed;
    }
    Failure::got(format!("{} while {others}", response.quoted())).into()
}

fn silent_clients(server: &Server) -> Outcome {
    for count in [1, 12, 60] {
        let silent = (0..count).map_while(|_| {
            // They come one by one. How long the queue is, the next check finds out.
            sleep(Duration::from_millis(5));
            connect(server.address).ok()
        });
        let _silent: Vec<Socket> = silent.collect();
        let outcome = answered_beside(server, &format!("{count} said nothing"));
        if !matches!(outcome, Passed) {
            return outcome;
        }
    }
    Passed
}

/// Ten times, 32 clients come at once and ask at once. Slow is not lost.
fn crowd(server: &Server) -> Outcome {
    if server.fastest() > SLOW / 4 {
        return NotChecked(format!("each answer takes {:.1?}", server.fastest()));
    }
    let (start, mut count) = (Instant::now(), 0);
    while count < 320 && start.elapsed() < TIMEOUT {
        // A client that finds the queue full tries again a second later.
        let clients = (0..32).map_while(|_| connect_within(server.address, HALF_A_SECOND).ok());
        let mut clients: Vec<Socket> = clients.collect();
        if clients.len() < 32 {
            return Failure::got(format!(
                "{} connections, and the next one took longer than half a second",
                clients.len()
            ))
            .because("The queue is short: give listen a larger backlog, such as 128.")
            .into();
        }
        for client in &mut clients {
            let _ = client.write_all(server.plain().as_bytes());
        }
        for mut client in clients {
            let response = server.exchange(&mut client, b"", TIMEOUT + 32 * server.fastest());
            if !response.is_ok() {
                return Failure::got(format!(
                    "{count} answers with status 200, and {}",
                    response.quoted()
                ))
                .into();
            }
            count += 1;
        }
    }
    let time = start.elapsed();
    match count {
        320 => Passed,
        _ => PassedWith(format!("slow: {count} answers in {time:.1?}, and none was lost")),
    }
}
