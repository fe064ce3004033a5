//! Reject what is not HTTP.

use crate::judge::Judge;
use crate::report::Failure;
use crate::report::Outcome::{self, NotChecked, Passed, PassedWith};
use crate::server::Server;
use observer::client::{End, TIMEOUT, quoted};
use observer::malformed::{Kind, MALFORMED, head};
use std::time::Instant;

pub const GROUP: &str = "Reject what is not HTTP";

pub fn checks(judge: &mut Judge) {
    judge.group(GROUP, "docs/everyone.md#reject-what-is-not-http");
    for kind in MALFORMED {
        judge
            .check(kind.name)
            .expects("status 400")
            .why(kind.rule)
            .attempt("malformed heads", |server| all_rejected(server, kind));
    }
    let endless =
        format!("GET / HTTP/1.1\r\nHost: {}\r\nX: {}", judge.server.address, "x".repeat(2 << 20));
    let endless = head(endless.as_bytes());
    judge
        .check("a head of 2 MB is refused")
        .expects("status 431, or another of 400 and up, or the end of the connection")
        .why("A server that keeps everything that a client sends runs out of memory. Allow 8 KB, say.")
        .ask(&endless, |response| match (response.status(), response.end) {
            (Some(400..=599), _) | (None, End::Closed | End::Broken(_)) => Passed,
            _ => Failure::got(response.quoted()).into(),
        });
}

/// Sends each head until one ends the server. What a server may repair, it may also answer.
fn all_rejected(server: &Server, kind: &Kind) -> Outcome {
    let begin = Instant::now();
    let (mut first, mut accepted, mut repaired) = (None, Vec::new(), Vec::new());
    let heads = kind.heads.iter().map(|head| (head, false));
    let heads = heads.chain(kind.repairable.iter().map(|head| (head, true)));
    for ((fault, lines), may_be_repaired) in heads {
        if begin.elapsed() > 2 * TIMEOUT {
            if first.is_none() {
                return NotChecked("each of these heads takes long".into());
            }
            break;
        }
        let sent = head(lines);
        let mut response = server.ask(&sent);
        if response.end == End::Open && response.bytes.is_empty() {
            response = server.ask(&sent); // A machine with other work to do may have been slow.
        }
        match response.status() {
            // Another status of 400 and up: the server objected to something else first.
            Some(301 | 302 | 303 | 307 | 308 | 400..=499 | 501 | 505) => {}
            Some(_) if may_be_repaired => repaired.push(*fault),
            status => {
                let failure =
                    Failure::got(response.quoted()).to(format!("{} ({fault})", quoted(&sent)));
                let failure = match (status, response.end) {
                    (Some(500..), _) => failure.because("500 means that the server is broken. Say 400 instead."),
                    (None, _) if !response.bytes.is_empty() => failure.because("The answer is not HTTP. Say 400 instead."),
                    (None, End::Open) => failure.because("There is no answer, and the client waits."),
                    (None, _) => failure
                        .because("There is no answer, so the client does not learn that it was wrong. Say 400 first."),
                    _ => failure,
                };
                accepted.push(*fault);
                let has_ended =
                    response.status().is_none() && server.ask(server.plain()).bytes.is_empty();
                if has_ended && first.is_some() {
                    return failure.into(); // It hides the others.
                }
                first.get_or_insert(failure);
                if has_ended {
                    break;
                }
            }
        }
    }
    match (first, &accepted[..], &repaired[..]) {
        (Some(failure), [_, others @ ..], _) if !others.is_empty() => {
            let others = others.join("; ");
            Failure { got: format!("{}. Not rejected either: {others}", failure.got), ..failure }
                .into()
        }
        (Some(failure), ..) => failure.into(),
        (None, _, []) => Passed,
        (None, _, repaired) => PassedWith(format!("repaired: {}", repaired.join("; "))),
    }
}
