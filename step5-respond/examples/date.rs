//! Solution: each response says when it was made.

use std::time::SystemTime;
use step1_socket::terminal;
use step3_listen::listen;
use step5_respond::{BACKLOG, request::Request, response::Response, serve};

fn main() {
    let address = terminal::address_argument();
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));

    serve(&listener, with_date)
}

fn with_date(request: &Request) -> Response {
    let mut response = hello(request);
    let now = SystemTime::now();
    // A clock that was never set may be before 1970. Such a server sends no date.
    if now > SystemTime::UNIX_EPOCH {
        response.fields.push(("Date", httpdate::fmt_http_date(now)));
    }
    response
}

fn hello(request: &Request) -> Response {
    match request.path.as_str() {
        "/" => Response::sentence("200 OK", "Hello, World! This is a simple web server."),
        _ => Response::sentence("404 Not Found", "There is no page at this path."),
    }
}
