//! Solution: keep a connection open for the next request, one client at a time.

use step1_socket::{log, terminal};
use step3_listen::{BACKLOG, listen};
use step4_accept::{Client, accept, receive};
use step5_respond::{request::Request, respond, response::Response, send};

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
        let received = receive(&mut client);
        let Some(mut response) = Response::to(&received, hello) else {
            return; // The client sent no other request, or left.
        };
        if !received.is_ok_and(|head| can_stay(&client, &head)) {
            return respond(&mut client, &response);
        }
        response.fields.retain(|(name, _)| *name != "Connection");
        response.fields.push(("Connection", "keep-alive".to_string()));
        if let Err(error) = send(&mut client, &response) {
            return log!("No response to {}: {error}", client.address);
        }
        log!("Response sent to {}: {}, it may stay", client.address, response.status);
    }
}

/// In HTTP/1.1 a connection stays open unless one side says otherwise (RFC 9112 section 9.3).
///
/// A client that sent more than the head has to go. Its body, or what is left of its next request,
/// would be read as a request.
fn can_stay(client: &Client, head: &[u8]) -> bool {
    let Ok(request) = Request::parse(head) else { return false };
    let wants_to_go = request.values("connection").join(",").to_lowercase().contains("close");
    request.version != "HTTP/1.0"
        && !wants_to_go
        && !client.has_more
        && request.values("content-length").is_empty()
        && request.values("transfer-encoding").is_empty()
}

fn hello(request: &Request) -> Response {
    Response::sentence("200 OK", &format!("This is {}.", request.path))
}
