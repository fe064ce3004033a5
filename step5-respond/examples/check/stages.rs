//! What an observer sees of a server that has come as far as one of the steps.

use crate::checks::{Check, Group, Pace, check, first_page, leaves, passed, wrong};
use crate::client::{End, FIRST_PATIENCE, PATIENCE, Server, request, shown};
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
    let patience = match step {
        3 => Duration::from_secs(1),
        5 => FIRST_PATIENCE,
        _ => PATIENCE,
    };
    let server = Server::meet(address, client, patience);
    let (seen, fact) = match server.first.end {
        _ if !server.first.bytes.is_empty() => (5, "It answers"),
        End::Closed | End::Broken(_) => (4, "It accepts a client, and closes without an answer"),
        End::Open => (3, "A connection completes, and nobody answers"),
        End::NoConnection(ErrorKind::TimedOut) => {
            (0, "Its queue is full, and nobody takes clients out of it. Start the server again.")
        }
        End::NoConnection(_) if is_taken(address) => {
            (2, "Its address is taken, and nobody listens")
        }
        End::NoConnection(_) => (0, "Nobody has this address. Start the server first."),
    };
    let page = [
        "docs/step2-bind.md#your-turn",
        "docs/step3-listen.md#your-turn",
        "docs/step4-accept.md#your-turn",
        "docs/step5-respond.md#your-turn",
    ][step - 2];
    if seen != step {
        // The system keeps an address for a minute that a server has just left.
        let or = if seen == 2 { ", or a server has ended a moment ago" } else { "" };
        match seen {
            0 => say!("{}", fact.red()),
            _ => say!("{}: that is step {seen}{or}. Judge it with --step {seen}.", fact.red()),
        }
        if seen < step {
            say!("How to get to step {step}: {page}");
        }
        return false;
    }
    let group = |heading, pace, checks| Group { heading, page, pace, checks };
    let groups = match step {
        2 => vec![group(
            "Bind",
            Pace::Known,
            seen_both("nobody else can take the address", "a connection is refused"),
        )],
        3 => vec![group(
            "Listen",
            Pace::Known,
            seen_both("a connection completes", "a request gets no answer within a second"),
        )],
        4 => vec![group("Accept and receive", Pace::Fast, vec![twelve(), leaves()])],
        _ => vec![
            group("Answer one request", Pace::Known, first_page()),
            group("Survive every client", Pace::Fast, vec![leaves()]),
        ],
    };
    let results = run(&groups, &server, if step == 5 { server.trouble() } else { None });
    let is_done = conclude(&results, "");
    if is_done {
        let next = match step {
            2 => "docs/step3-listen.md",
            3 => "docs/step4-accept.md",
            4 => "docs/step5-respond.md",
            _ => {
                say!(
                    "A browser gets its page. What is still to mend, the full check tells, without --step."
                );
                "docs/step5-respond.md#the-careful-crate"
            }
        };
        say!("{} Read on: {next}", format!("Step {step} is done.").green());
    }
    is_done
}

/// What the first client saw is all that these steps do.
fn seen_both(one: &str, other: &str) -> Vec<Check> {
    [one, other].map(|name| check(name, "", "", "", |_| passed())).into()
}

fn twelve() -> Check {
    let plain = request("GET", "/");
    check(
        "twelve clients, one after the other, are received and left without an answer",
        shown(&plain),
        "the end of the connection, and no answer",
        "Accept stands in a loop: each turn takes a client out of the queue, receives, and closes.",
        move |server| {
            for client in 1..=12 {
                let response = server.ask(&plain);
                let unread = matches!(response.end, End::Broken(_)).then_some(
                    "It closed with bytes unread, and the system broke the connection off. \
                     Receive what the client sent before you close.",
                );
                if response.end != End::Closed || !response.bytes.is_empty() {
                    return wrong(format!("client {client} got {}", response.shown()), unread);
                }
            }
            passed()
        },
    )
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
