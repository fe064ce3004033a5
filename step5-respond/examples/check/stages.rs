//! What an observer sees of a server that has come as far as one of the steps.

use crate::checks::{Check, Group, Outcome, answer, check, leaves, wrong};
use crate::client::{End, FIRST_PATIENCE, PLAIN, Server, connect, shown};
use crate::{conclude, knock, run, say};
use colored::Colorize;
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::time::Duration;
use step1_socket::terminal;

/// Judges a server that has come as far as this step, and no further.
pub fn judge(step: usize, addresses: &[SocketAddr]) -> bool {
    let (mut address, client) = knock(addresses);
    if client.is_err() {
        address = addresses.iter().copied().find(|a| is_taken(*a)).unwrap_or(address);
    }
    say!("Judging step {step} at {address}");
    let patience = if step == 3 { Duration::from_secs(1) } else { FIRST_PATIENCE };
    let server = Server::meet(address, client, patience);
    let (seen, fact) = match server.first.end {
        _ if !server.first.bytes.is_empty() => (5, "It answers"),
        End::Closed | End::Broken(_) => (4, "It accepts a client, and closes without an answer"),
        End::Open => (3, "A connection completes, and nobody answers"),
        End::NoConnection(ErrorKind::TimedOut) => (
            0,
            "Its queue is full, by the judge too: nobody takes clients out. Start the server again.",
        ),
        End::NoConnection(_) if is_taken(address) => {
            (2, "Its address is taken, and nobody listens")
        }
        End::NoConnection(_) => (0, "Nobody has this address. Start the server first."),
    };
    let (page, next) = [
        ("docs/step2-bind.md#your-turn", "docs/step3-listen.md"),
        ("docs/step3-listen.md#your-turn", "docs/step4-accept.md"),
        ("docs/step4-accept.md#your-turn", "docs/step5-respond.md"),
        ("docs/step5-respond.md#your-turn", "docs/step5-respond.md#mend-it-with-the-judge"),
    ][step - 2];
    if seen != step {
        // The system keeps an address for a minute that a server has just left.
        let or = if seen == 2 { ", or a server has ended a moment ago" } else { "" };
        match seen {
            0 => say!("{}", fact.red()),
            _ => say!("{}: that is step {seen}{or}. Judge it with --step {seen}.", fact.red()),
        }
        if (1..step).contains(&seen) {
            say!("How to get to step {step}: {page}");
        }
        return false;
    }
    let heading = ["Bind", "Listen", "Accept and receive", "Answer a browser"][step - 2];
    let checks = match step {
        // What the first client saw is all that steps 2 and 3 do.
        2 => vec![check("nobody else can take the address"), check("a connection is refused")],
        3 => {
            vec![check("a connection completes"), check("a request gets no answer within a second")]
        }
        4 => vec![twelve(), leaves()],
        _ => answer().into_iter().take(5).chain([leaves()]).collect(),
    };
    let groups = [Group { heading, page, checks }];
    let results = run(&groups, &server, if step == 5 { server.trouble() } else { None });
    let is_done = conclude(&results, "");
    if is_done && step == 5 {
        say!(
            "A browser gets its page. The full check, without --step, tells what is still to mend."
        );
    }
    if is_done {
        say!("{} Read on: {next}", format!("Step {step} is done.").green());
    }
    is_done
}

fn twelve() -> Check {
    check("twelve clients, one after the other, are received and left without an answer")
        .expects("the end of the connection, and no answer")
        .why("Accept in a loop: each turn takes a client out of the queue, receives, and closes.")
        .attempt(shown(PLAIN), Box::new(are_received))
}

fn are_received(server: &Server) -> Outcome {
    for client in 2..=12 {
        let response = server.ask(PLAIN);
        if response.end != End::Closed || !response.bytes.is_empty() {
            // A server that has ended breaks off who waits in its queue.
            let is_there = connect(server.address).is_ok();
            let unread = (matches!(response.end, End::Broken(_)) && is_there).then_some(
                "It closed with bytes unread, and the system broke the connection off. Receive \
                 what the client sent before you close.",
            );
            return wrong(format!("client {client} got {}", response.shown()), unread);
        }
    }
    Outcome::Passed
}

/// Whether nobody else can bind the address.
fn is_taken(address: SocketAddr) -> bool {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None);
    match socket.and_then(|socket| socket.bind(&address.into())) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => true,
        Err(error) => terminal::fail(&format!("see whether {address} is taken"), &error),
        Ok(()) => false,
    }
}
