//! Close politely: the answer arrives, whatever the client has sent.

use crate::judge::{Judge, verdict};
use crate::report::Failure;
use crate::report::Outcome::{self, Passed, PassedWith};
use crate::server::Server;
use observer::client::{End, Response, TIMEOUT, quoted};
use socket2::Socket;
use std::io::Write;
use std::net::Shutdown;
use std::thread::sleep;
use std::time::Duration;

pub fn checks(judge: &mut Judge) {
    judge.group("Close politely", "docs/everyone.md#close-politely");
    judge
        .check("a client that says it sends no more still gets its answer")
        .expects("status 200")
        .why("Receiving 0 bytes means that the client sends no more. It still listens: answer what it asked.")
        .visit("a plain request, and then that no more comes (shutdown of the client's sending side)", sends_no_more);
    let post = post(judge.server.address);
    judge
        .check("a client that posts a large body gets its answer complete")
        .expects("a complete answer of any status, then the end of the connection")
        .why("Unread bytes reset a connection. Shut down the sending side, and read what is left.")
        .visit(&format!("{} and 1048576 bytes of body", quoted(&post)), |server, client| {
            large_body(server, client, &post)
        });
}

fn post(address: std::net::SocketAddr) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 1048576\r\n\r\n"
    )
    .into_bytes()
}

/// Some servers take such a client for one that has gone, and may do so. Then it must not hold them.
fn sends_no_more(server: &Server, client: &mut Socket) -> Outcome {
    let _ = client.write_all(server.plain().as_bytes());
    let _ = client.shutdown(Shutdown::Write);
    let response = server.exchange(client, b"", TIMEOUT + server.fastest());
    match response.end {
        End::Closed | End::Broken(_) if response.bytes.is_empty() => {
            PassedWith("it treats the client as gone, as some servers do".into())
        }
        _ => verdict(&response, Response::is_ok),
    }
}

fn large_body(server: &Server, client: &mut Socket, post: &[u8]) -> Outcome {
    let request = [post, &b"x".repeat(1_048_576)].concat();
    let mut response = server.exchange(client, &request, TIMEOUT + server.fastest());
    sleep(Duration::from_millis(200)); // A reset can come after the end.
    if let Ok(Some(error)) = client.take_error() {
        response.end = End::Broken(error.kind());
    }
    let is_complete = response.status().is_some() && response.is_complete() != Some(false);
    let failure = Failure::got(response.quoted());
    match response.end {
        End::Closed if is_complete => Passed,
        End::Open if is_complete => {
            failure.because("The answer came, but the connection was not closed.").into()
        }
        End::Closed if response.status().is_some() => {
            failure.because("The answer was cut off.").into()
        }
        _ => failure.into(),
    }
}
