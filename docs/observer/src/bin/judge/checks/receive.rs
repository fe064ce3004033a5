//! Receive until the blank line.

use super::SLOW;
use crate::judge::{Judge, verdict};
use crate::report::Failure;
use crate::report::Outcome::{self, Passed, PassedWith};
use crate::server::Server;
use observer::client::{End, Response, TIMEOUT, quoted};
use observer::malformed;
use socket2::Socket;
use std::io::Write;
use std::time::Instant;

pub fn checks(judge: &mut Judge) {
    judge.group("Receive until the blank line", "docs/everyone.md#receive-until-the-blank-line");
    judge
        .check("a request byte by byte is answered, and not before its blank line")
        .expects("nothing before the last byte, and status 200 after it")
        .why("TCP delivers bytes, not messages. Receive until the blank line is there.")
        .visit("a plain request byte by byte, and, later, its last byte", byte_by_byte);
    let typed = judge.server.plain().replace('\r', "");
    judge
        .check("a request typed by hand, where lines end with \\n, gets an answer")
        .expects("status 200, or 400 from a strict server")
        .why("People type requests, and their lines end with \\n. Without an answer they wait.")
        .visit(&quoted(typed.as_bytes()), |server, client| typed_by_hand(server, client, &typed));
    let cookie = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nCookie: c={}",
        judge.server.address,
        "c".repeat(6000)
    );
    let resets_always = matches!(judge.server.first.end, End::Broken(_));
    judge
        .check("a request with a cookie of 6 KB is answered")
        .why("Sites set such cookies. One call that receives 1024 bytes does not get the complete request.")
        .ask(malformed::head(cookie.as_bytes()), |response| match (response.status(), response.end) {
            (Some(200), End::Broken(_)) if !resets_always => Failure::got(response.quoted())
                .because("It reset the connection: it answered before it had received everything.")
                .into(),
            _ => verdict(response, Response::is_ok),
        });
}

fn byte_by_byte(server: &Server, client: &mut Socket) -> Outcome {
    let plain = server.plain();
    let (start, end) = plain.as_bytes().split_at(plain.len() - 1);
    let _ = start.chunks(1).try_for_each(|byte| client.write_all(byte));
    let early = server.exchange(client, b"", SLOW + server.fastest());
    if early.end != End::Open || !early.bytes.is_empty() {
        return Failure::got(format!("before the last byte: {}", early.quoted())).into();
    }
    verdict(&server.exchange(client, end, TIMEOUT + server.fastest()), Response::is_ok)
}

/// A server may wait for \r\n, as some do. Then the client sends that, so that it is not held up by its own visitor.
fn typed_by_hand(server: &Server, client: &mut Socket, typed: &str) -> Outcome {
    let begin = Instant::now();
    let response = server.exchange(client, typed.as_bytes(), TIMEOUT / 2 + server.fastest());
    let has_waited = response.bytes.is_empty() && begin.elapsed() > SLOW + server.fastest();
    match response.status() {
        Some(200 | 400) => Passed,
        None if has_waited => match server.exchange(client, b"\r\n\r\n", TIMEOUT).end {
            End::Open => Failure::got(response.quoted()).into(),
            _ => PassedWith("it waits for \\r\\n, as strict servers may".into()),
        },
        _ => Failure::got(response.quoted()).into(),
    }
}
