//! Writes the response to a request.

use crate::request::Request;
use indoc::formatdoc;
use std::panic::{AssertUnwindSafe, catch_unwind};
use step4_accept::ReceiveError::{self, Late, TooLarge};

/// What a client gets: a status, header fields and a body.
pub struct Response {
    /// The status code with its reason phrase (RFC 9110 section 15), such as `200 OK`.
    pub status: &'static str,
    /// Header fields besides Content-Length: name and value.
    pub fields: Vec<(&'static str, String)>,
    /// The bytes after the head.
    pub body: Vec<u8>,
    pub(crate) reason: String,
    head_only: bool,
}

impl Response {
    /// A response with a body of any type, such as `text/html; charset=utf-8`.
    pub fn new(status: &'static str, content_type: &str, body: Vec<u8>) -> Response {
        let fields = vec![("Content-Type", content_type.into()), ("Connection", "close".into())];
        Response { status, fields, body, reason: String::new(), head_only: false }
    }

    /// A small page of HTML that says one sentence.
    pub fn sentence(status: &'static str, sentence: &str) -> Response {
        // In HTML these characters mean something else than themselves.
        let sentence = sentence.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
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
        Response::new(status, "text/html; charset=utf-8", page.into_bytes())
    }

    /// What HTTP demands, or else what the `site` says. `None` where nobody waits for a response.
    pub fn to(
        received: &Result<Vec<u8>, ReceiveError>,
        site: impl Fn(&Request) -> Response,
    ) -> Option<Response> {
        let (Ok(head) | Err(Late(head) | TooLarge(head))) = received else { return None };
        let response = match (received, Request::parse(head)) {
            (Err(Late(_)), _) => refuse("408 Request Timeout", "it took too long"),
            // RFC 9112 section 3, and for the header fields RFC 6585 section 5.
            (Err(_), _) if !head.contains(&b'\n') => refuse("414 URI Too Long", "it is too long"),
            (Err(_), _) => refuse("431 Request Header Fields Too Large", "its head is too large"),
            (Ok(_), Err(reason)) => refuse("400 Bad Request", reason),
            (Ok(_), Ok(request)) if ["GET", "HEAD"].contains(&request.method.as_str()) => {
                // A site that panics can spoil its own data, and no data of ours.
                catch_unwind(AssertUnwindSafe(|| site(&request))).unwrap_or_else(|_| {
                    Response::sentence("500 Internal Server Error", "The site has a mistake.")
                })
            }
            (Ok(_), Ok(_)) => {
                let mut refusal = refuse("405 Method Not Allowed", "only GET and HEAD are allowed");
                refusal.fields.push(("Allow", "GET, HEAD".into())); // RFC 9110 section 15.5.6
                refusal
            }
        };
        Some(Response { head_only: head.starts_with(b"HEAD "), ..response })
    }

    /// The bytes to send: status line, header fields, blank line, page.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {}\r\n", self.status).into_bytes();
        for (name, value) in &self.fields {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        bytes.extend(format!("Content-Length: {}\r\n\r\n", self.body.len()).bytes());
        if !self.head_only {
            bytes.extend(&self.body);
        }
        bytes
    }
}

fn refuse(status: &'static str, reason: &str) -> Response {
    let page = Response::sentence(status, &format!("Your request was refused: {reason}."));
    Response { reason: format!(" ({reason})"), ..page }
}
