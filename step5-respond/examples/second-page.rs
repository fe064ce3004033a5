//! Solution: a second page with its own path.

use step1_socket::terminal;
use step3_listen::listen;
use step5_respond::{BACKLOG, request::Request, response::Response, serve};

fn main() {
    let address = terminal::address_argument();
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));

    serve(&listener, two_pages)
}

fn two_pages(request: &Request) -> Response {
    match request.path.as_str() {
        "/" => Response::sentence("200 OK", "Hello, World! This is a simple web server."),
        "/second" => Response::sentence("200 OK", "This is the second page."),
        _ => Response::sentence("404 Not Found", "There is no page at this path."),
    }
}
