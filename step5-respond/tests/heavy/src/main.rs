//! A site for the tests: at `/broken` it panics, and at `/long` is a page that fits no buffer.

use std::net::{Ipv4Addr, SocketAddr};
use step3_listen::listen;
use step5_respond::{BACKLOG, request::Request, response::Response, serve};

fn main() {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    serve(&listen(address, BACKLOG).expect("a free port"), site)
}

fn site(request: &Request) -> Response {
    if request.path == "/long" {
        let mut response = Response::new("200 OK", "text/plain", vec![b'x'; 64 * 1024 * 1024]);
        response.status = "203 Non-Authoritative Information";
        return response;
    }
    let name = request.path.strip_prefix("/broken").map(str::parse::<u8>);
    let number = name.map(|number| number.expect("two\nlines \u{1b}[2J"));
    Response::sentence("200 OK", &format!("{number:?}"))
}
