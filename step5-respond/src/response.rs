//! Writes the response to a request.

use crate::request::Request;
use indoc::formatdoc;
use std::panic::{AssertUnwindSafe, catch_unwind};
use step4_accept::ReceiveError::{self, Broken, Closed, Late, Silent, TooLarge};

/// What a client gets: a status, header fields and a body.
pub struct Response {
    /// The status code with its reason phrase (RFC 9110 section 15), such as `200 OK`.
    pub status: &'static str,
    /// Header fields: name and value. A site pushes its own here, such as `Cache-Control`.
    pub fields: Vec<(&'static str, String)>,
    /// The bytes after the head.
    pub body: Vec<u8>,
    /// Why a request was refused, or nothing. The log says it.
    pub(crate) reason: &'static str,
    /// The method and the path that this answers, for the log.
    pub(crate) request: Vec<u8>,
    head_only: bool,
}

impl Response {
    /// A response with a body of any type, such as `text/html; charset=utf-8`.
    pub fn new(status: &'static str, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        let fields = vec![("Content-Type", content_type.into()), ("Connection", "close".into())];
        let body = body.into();
        Response { status, fields, body, reason: "", request: Vec::new(), head_only: false }
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
        Response::new(status, "text/html; charset=utf-8", page)
    }

    /// The response to what was received. `None` if nobody waits for one.
    pub fn to(
        received: &Result<Vec<u8>, ReceiveError>,
        site: impl Fn(&Request) -> Response,
    ) -> Option<Response> {
        let (head, response) = match received {
            Ok(head) => (head, Response::answer(head, site)),
            Err(Late(head, _)) => (head, refuse("408 Request Timeout", "it took too long")),
            // Not even the first line was complete (RFC 9112 section 3).
            Err(TooLarge(head)) if !head.is_empty() && !head.contains(&b'\n') => {
                (head, refuse("414 URI Too Long", "it is too long"))
            }
            // RFC 6585 section 5.
            Err(TooLarge(head)) => {
                (head, refuse("431 Request Header Fields Too Large", "its head is too large"))
            }
            Err(Silent(_) | Closed | Broken(_)) => return None,
        };
        let request_line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let words = request_line.trim_ascii_end().split(|byte| *byte == b' ');
        let request = words.take(2).collect::<Vec<_>>().join(&b' ');
        let head_only = head.starts_with(b"HEAD ");
        Some(Response { request, head_only, ..response })
    }

    /// The response to a complete head: what HTTP demands, or else what the `site` says.
    fn answer(head: &[u8], site: impl Fn(&Request) -> Response) -> Response {
        let request = match Request::parse(head) {
            Ok(request) => request,
            Err(reason) => return refuse("400 Bad Request", reason),
        };
        match request.method.as_str() {
            // A site that panics can spoil its own data, and no data of ours.
            "GET" | "HEAD" => {
                catch_unwind(AssertUnwindSafe(|| site(&request))).unwrap_or_else(|_| {
                    Response::sentence("500 Internal Server Error", "The site has a mistake.")
                })
            }
            // The other methods of RFC 9110 section 9.3, and PATCH of RFC 5789.
            "POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH" => {
                let mut refusal = refuse("405 Method Not Allowed", "only GET and HEAD are allowed");
                refusal.fields.push(("Allow", "GET, HEAD".into())); // RFC 9110 section 15.5.6
                refusal
            }
            // RFC 9110 section 9.1.
            _ => refuse("501 Not Implemented", "no such method is known here"),
        }
    }

    /// The bytes of the head: status line, header fields, blank line.
    pub fn head(&self) -> Vec<u8> {
        let mut lines = vec![format!("HTTP/1.1 {}\r\n", self.status)];
        for (name, value) in &self.fields {
            lines.push(format!("{name}: {value}\r\n"));
        }
        // After HEAD a site may know the length without the body, and push it itself.
        let mut names = self.fields.iter().map(|field| field.0);
        let has_length = names.any(|name| name.eq_ignore_ascii_case("Content-Length"));
        if !has_length && !self.is_bodiless() {
            lines.push(format!("Content-Length: {}\r\n", self.body.len()));
        }
        lines.push("\r\n".to_string());
        lines.concat().into_bytes()
    }

    /// The bytes that follow the head. There are none after HEAD.
    pub fn body_to_send(&self) -> &[u8] {
        if self.head_only || self.is_bodiless() { &[] } else { &self.body }
    }

    /// All bytes to send, in one piece.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.head(), self.body_to_send()].concat()
    }

    /// These two have neither a body nor its length (RFC 9110 sections 6.4.1 and 8.6).
    fn is_bodiless(&self) -> bool {
        self.status.starts_with("204") || self.status.starts_with("304")
    }
}

fn refuse(status: &'static str, reason: &'static str) -> Response {
    let page = Response::sentence(status, &format!("Your request was refused: {reason}."));
    Response { reason, ..page }
}
