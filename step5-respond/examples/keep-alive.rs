//! Solution: keep a connection open for the next request, one client at a time.

use std::io::Write;
use std::time::Instant;
use step1_socket::{tell, terminal};
use step3_listen::{BACKLOG, listen};
use step4_accept::{Client, TIME_LIMIT, accept, receive};
use step5_respond::{request::Request, respond, response::Response};

fn main() {
    let address = terminal::address_argument();
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));

    loop {
        serve_one(accept(&listener));
    }
}

fn serve_one(mut client: Client) {
    loop {
        let received = receive(&client);
        let Some(response) = Response::to(&received) else {
            return; // The client said nothing more, or left.
        };
        if !received.is_ok_and(|head| can_stay(&head)) {
            return respond(&client, &response);
        }

        // The same response, except for what it says about the connection.
        let bytes = String::from_utf8_lossy(&response.to_bytes()).replacen(
            "Connection: close",
            "Connection: keep-alive",
            1,
        );
        if let Err(error) = (&client.socket).write_all(bytes.as_bytes()) {
            return tell!("No response to {}: {error}", client.address);
        }
        tell!("Response sent to {}: {}, it may stay", client.address, response.status);
        client.deadline = Instant::now() + TIME_LIMIT;
    }
}

/// In HTTP/1.1 a connection stays open unless one side says otherwise (RFC 9112 section 9.3).
///
/// A request with a body has to go: `receive` does not tell where the body ends.
fn can_stay(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).to_lowercase();
    let has = |name: &str| text.lines().any(|line| line.starts_with(name));
    Request::parse(head).is_some()
        && text.lines().any(|line| line.ends_with(" http/1.1"))
        && !text.lines().any(|line| line.starts_with("connection:") && line.contains("close"))
        && !has("content-length:")
        && !has("transfer-encoding:")
}
