//! Writes the response to a request.

use crate::request::Request;
use indoc::formatdoc;
use step4_accept::NoRequest;

/// A status, and a page that holds one sentence.
#[derive(Debug)]
pub struct Response {
    /// The status code with its reason (RFC 9110 section 15), such as `200 OK`.
    pub status: &'static str,
    /// What the page says.
    pub sentence: &'static str,
    /// `false` after HEAD: only the header fields are sent (RFC 9110 section 9.3.2).
    pub with_page: bool,
    /// Whether the client may still be sending: a body, or the rest of a head that was not read.
    pub more_to_come: bool,
}

impl Response {
    /// The response to what was received. `None` where nobody waits for one.
    #[must_use]
    pub fn to(received: &Result<Vec<u8>, NoRequest>) -> Option<Response> {
        let request = received.as_ref().map(|head| Request::parse(head));
        let (status, sentence) = match &request {
            Ok(Some(request)) => return Some(Response::to_request(request)),
            Ok(None) => ("400 Bad Request", "This server cannot read your request."),
            Err(NoRequest::Late) => ("408 Request Timeout", "Your request took too long."),
            Err(NoRequest::TooLarge) => {
                ("431 Request Header Fields Too Large", "Your request has too long a head.")
            }
            Err(NoRequest::Silent | NoRequest::Left | NoRequest::CutOff(_)) => return None,
        };
        let with_page = !received.as_ref().is_ok_and(|head| head.starts_with(b"HEAD "));
        Some(Response { status, sentence, with_page, more_to_come: true })
    }

    fn to_request(request: &Request) -> Response {
        let (status, sentence) = match (request.method.as_str(), request.path.as_str()) {
            ("GET" | "HEAD", "/") => ("200 OK", "Hello, World! This is a simple web server."),
            ("GET" | "HEAD", _) => ("404 Not Found", "There is no page at this path."),
            _ => ("405 Method Not Allowed", "This server answers GET and HEAD."),
        };
        let with_page = request.method != "HEAD";
        Response { status, sentence, with_page, more_to_come: request.has_body }
    }

    /// The bytes to send: status line, header fields, blank line, page.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Response { status, sentence, with_page, .. } = self;
        let page = formatdoc! {r#"
            <!DOCTYPE html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{status}</title>
            <style>
              body {{ margin: 20vh auto; max-width: 30em; padding: 0 1em; background: #eef3f6;
                     color: #1c2733; font: 1.25em/1.5 system-ui, sans-serif }}
              h1 {{ border-left: 0.25em solid #0a7d8c; padding-left: 0.75em; line-height: 1.3 }}
            </style>
            <h1>{sentence}</h1>
            <p>Status {status}, from a server built in five steps.</p>
            </html>
        "#};
        // A 405 says what is allowed instead (RFC 9110 section 15.5.6).
        let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {status}\r\n\
             Content-Type: text/html; charset=utf-8\r\n\
             Content-Length: {length}\r\n\
             Connection: close\r\n\
             {allow}\r\n",
            length = page.len()
        );
        let body = if *with_page { &page } else { "" };
        [head.as_bytes(), body.as_bytes()].concat()
    }
}
