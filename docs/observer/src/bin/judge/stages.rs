//! What an observer sees of a server that has come as far as one of the steps.

use crate::report::{Judge, Outcome::Passed, say};
use colored::Colorize;
use observer::client::{End, FIRST_PATIENCE, Server, knock};
use socket2::{Domain, Socket, Type};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use step1_socket::terminal;

/// Judges all that a good server does.
pub fn everything(place: &str, addresses: &[SocketAddr]) -> bool {
    let (address, client) = knock(addresses);
    if let Err(error) = &client {
        terminal::fail(&format!("connect to {place}"), error);
    }
    say(format!("Checking the server at {address}"));
    let mut judge = Judge::new(Server::meet(address, client, FIRST_PATIENCE));
    judge.answer();
    judge.requests();
    judge.pieces();
    judge.survival();
    judge.crowds();
    judge.slow();
    let is_ready = judge.has_passed_all();
    judge.malformed_heads();
    judge.conclude(if is_ready { "This server is ready for a class.\n" } else { "" })
}

/// Judges a server that has come as far as this step, and no further.
pub fn judge(step: usize, addresses: &[SocketAddr]) -> bool {
    let (mut address, client) = knock(addresses);
    if client.is_err() {
        address = addresses.iter().copied().find(|a| is_taken(*a)).unwrap_or(address);
    }
    say(format!("Judging step {step} at {address}"));
    let patience = if step == 3 { Duration::from_secs(1) } else { FIRST_PATIENCE };
    let server = Server::meet(address, client, patience);
    let (seen, fact) = match server.first.end {
        _ if !server.first.bytes.is_empty() => (5, "It answers"),
        End::Closed | End::Broken(_) => (4, "It accepts a client, and closes without an answer"),
        End::Open => (3, "A connection completes, and nobody answers"),
        End::NoConnection(ErrorKind::TimedOut) => (0, "Its queue is full. Start the server again."),
        End::NoConnection(_) if is_taken(address) => {
            (2, "Its address is taken, and nobody listens (or a server has just ended)")
        }
        End::NoConnection(_) => (0, "Nobody has this address. Start the server first."),
    };
    let (heading, page, next) = match step {
        2 => ("Bind", "docs/step2-bind.md#your-turn", "docs/step3-listen.md"),
        3 => ("Listen", "docs/step3-listen.md#your-turn", "docs/step4-accept.md"),
        4 => ("Accept and receive", "docs/step4-accept.md#your-turn", "docs/step5-respond.md"),
        _ => (
            "Answer a browser",
            "docs/step5-respond.md#your-turn",
            "docs/step5-respond.md#mend-it-with-the-judge, and run the full check, without --step",
        ),
    };
    if seen != step {
        match seen {
            0 => say(fact.red()),
            _ => say(format!("{}: that is step {seen}. Judge it with --step {seen}.", fact.red())),
        }
        if (1..step).contains(&seen) {
            say(format!("How to get to step {step}: {page}"));
        }
        return false;
    }
    let mut judge = Judge::new(server);
    judge.group(heading, page);
    match step {
        // What the first client saw is all that steps 2 and 3 do.
        2 => {
            judge.check("nobody else can take the address").ends(Passed);
            judge.check("a connection is refused").ends(Passed);
        }
        3 => {
            judge.check("a connection completes").ends(Passed);
            judge.check("a request gets no answer within a second").ends(Passed);
        }
        4 => judge.twelve(),
        _ => judge.browser(),
    }
    if step >= 4 {
        judge.leaves();
    }
    if !judge.conclude("") {
        return false;
    }
    say(format!("{} Read on: {next}", format!("Step {step} is done.").green()));
    true
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
