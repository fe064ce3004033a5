//! Accept what is legal: requests that a real client may send, and that a strict server must not refuse.

use crate::judge::{Judge, verdict};
use crate::report::Failure;
use crate::report::Outcome::{self, Passed, PassedWith};
use crate::server::Server;
use observer::client::{Response, quoted};
use observer::malformed;

pub fn checks(judge: &mut Judge) {
    judge.group("Accept what is legal", "docs/everyone.md#accept-what-is-legal");
    let port = judge.server.address.port();
    let hosts = [
        "localhost".to_string(),
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        "my_host".into(),
        "LOCALHOST:".into(),
    ];
    judge
        .check("each legal Host is accepted")
        .expects("status 200: the host may be a name or an address, with a port or without")
        .why("A name has letters, digits, hyphens, dots and underscores, and an IPv6 address stands in brackets.")
        .attempt("a request for each kind of Host", |server| {
            each(server, hosts.iter().map(|host| format!("GET / HTTP/1.1\r\nHost: {host}")))
        });
    let host = judge.server.address;
    let fields = [
        "X_Y: z",
        "!#$%&'*+-.^_`|~9: z",
        "accept:text/html",
        "X:",
        "X: \t z \t",
        "x: caf\u{e9}",
        "X: a:b, \"c\"",
    ];
    judge
        .check("each legal header field is accepted")
        .expects("status 200")
        .why(
            "A field's name has letters, digits and !#$%&'*+-.^_`|~. A space after the colon may be missing, and the \
             value too.",
        )
        .attempt("a request with each kind of field", |server| {
            each(server, fields.iter().map(|field| format!("GET / HTTP/1.1\r\nHost: {host}\r\n{field}")))
        });
    let blank = format!("\r\n{}", judge.server.plain());
    judge
        .check("a blank line before the request is skipped")
        .why("Some clients send one after the body of the previous request. A server skips at least one.")
        .ask(blank, |response| verdict(response, Response::is_ok));
    let complete = judge.server.request(&format!("GET http://{host}/ HTTP/1.1"));
    judge
        .check("the complete address may be asked for")
        .why("That is how a client asks a proxy, and every server has to understand it: look at what follows the host.")
        .ask(complete, |response| verdict(response, Response::is_ok));
    let percent = judge.server.request("GET /no%20such%20page HTTP/1.1");
    judge
        .check("a percent sign in the path is accepted")
        .expects("status 404, since there is no such page")
        .why("A browser writes a space in a path as %20.")
        .ask(percent, |response| match response.status() {
            Some(200 | 301 | 302 | 303 | 307 | 308 | 404 | 403 | 410) => Passed,
            _ => Failure::got(response.quoted()).into(),
        });
    judge
        .check("a request in HTTP/1.0 without a Host is answered")
        .why("Old and simple clients send it. Only HTTP/1.1 asks for a Host.")
        .ask("GET / HTTP/1.0\r\n\r\n", |response| verdict(response, Response::is_ok));
}

/// Sends each head. A server that guards its own name may turn others away with 403 or 421, but not with 400.
fn each(server: &Server, heads: impl Iterator<Item = String>) -> Outcome {
    let mut note = None;
    for head in heads {
        let head = malformed::head(&latin1(&head));
        let mut response = server.ask(&head);
        if response.bytes.is_empty() {
            response = server.ask(&head); // A machine with other work to do may have been slow.
        }
        match response.status() {
            Some(200) => {}
            Some(status @ (301 | 302 | 303 | 307 | 308 | 403 | 404 | 421)) => {
                note = Some(format!("{status} for a host that is not its own"));
            }
            _ => return Failure::got(response.quoted()).to(quoted(&head)).into(),
        }
    }
    note.map_or(Passed, PassedWith)
}

/// The text with one byte for each letter.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
}
