//! Solution: a second page with its own path.

use step1_socket::terminal;
use step3_listen::{BACKLOG, listen};
use step4_accept::{accept, receive};
use step5_respond::request::Request;
use step5_respond::{respond, response::Response};

fn main() {
    let address = terminal::address_argument();
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));

    loop {
        let client = accept(&listener);
        let received = receive(&client);
        let response = match &received {
            Ok(head) if asks_for_second_page(head) => Some(Response {
                status: "200 OK",
                sentence: "This is the second page.",
                with_page: true,
                more_to_come: false,
            }),
            _ => Response::to(&received),
        };
        if let Some(response) = response {
            respond(&client, &response);
        }
    }
}

fn asks_for_second_page(head: &[u8]) -> bool {
    Request::parse(head).is_some_and(|request| request.method == "GET" && request.path == "/second")
}
