//! Servers whose answers are wrong, or right in a way of their own.

use crate::right::answer;
use std::fs;
use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

pub type Answer = fn(&[u8]) -> Vec<u8>;

/// The server of this name.
#[allow(clippy::too_many_lines, reason = "it is a table")]
pub fn named(name: &str) -> Option<Answer> {
    Some(match name {
        "right" => answer,
        // Right in a way of their own.
        "chunks" => |head| {
            if head.starts_with(b"HEAD") {
                return edited(head, "Content-Length: 8", "Transfer-Encoding: chunked");
            }
            let chunked = edited(head, "Content-Length: 8", "Transfer-Encoding: chunked");
            replaced(&chunked, "Grüße!", "4\r\nGrü\r\n4;x=y\r\nße!\r\n0\r\nDate: now\r\n\r\n")
        },
        "interim" => |head| {
            [&b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"[..], &answer(head)].concat()
        },
        "redirects" => |head| edited(head, "400 Bad Request", "307 Temporary Redirect"),
        "not-implemented" => {
            |head| edited(head, "405 Method Not Allowed\r\nAllow: GET, HEAD", "501 Not Implemented")
        }
        "many-fields" => |head| {
            edited(
                head,
                "Connection: close",
                &format!("{}Connection: close", "X: y\r\n".repeat(100)),
            )
        },
        "only-its-own-name" => |head| {
            let is_own = ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"]
                .iter()
                .any(|own| has(head, &format!("Host: {own}")));
            let refused = answer(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
            if is_own || has(head, "HTTP/1.0") || !starts_right(head) {
                answer(head)
            } else {
                replaced(&refused, "404 Not Found", "403 Forbidden")
            }
        },
        "strict-lines" => |head| {
            if has(head, "\r\n") {
                answer(head)
            } else {
                replaced(&answer(head), "200 OK", "400 Bad Request")
            }
        },
        // The first answer.
        "garbage" => |_| b"\x00\xff not HTTP \x1b[2J".to_vec(),
        "empty-line-first" => |head| [b"\r\n", &answer(head)[..]].concat(),
        "no-blank-line" => |head| edited(head, "\r\n\r\n", "\r\n"),
        "indented-field" => |head| edited(head, "Content-Type", " Content-Type"),
        "space-before-colon" => |head| edited(head, "Content-Type:", "Content-Type :"),
        "equals-sign" => |head| edited(head, "Content-Type:", "Content-Type="),
        "no-page-at-slash" => |head| edited(head, "200 OK", "404 Not Found"),
        "redirect-at-slash" => |head| edited(head, "200 OK", "302 Found\r\nLocation: /index.html"),
        "bare-line-ends" => |head| edited(head, "\r\n", "\n"),
        "no-type" => |head| edited(head, "Content-Type: text/plain; charset=utf-8\r\n", ""),
        "no-length" => |head| {
            let answer = String::from_utf8(answer(head)).unwrap();
            let lines: Vec<&str> =
                answer.split("\r\n").filter(|line| !line.starts_with("Content-Length")).collect();
            lines.join("\r\n").into_bytes()
        },
        "two-lengths" => {
            |head| edited(head, "Content-Length: 8", "Content-Length: 8\r\nContent-Length: 9")
        }
        "length-beside-chunks" => |head| {
            let both = edited(
                head,
                "Content-Length: 8",
                "Content-Length: 8\r\nTransfer-Encoding: chunked",
            );
            replaced(&both, "Grüße!", "8\r\nGrüße!\r\n0\r\n\r\n")
        },
        "length-in-letters" => |head| edited(head, "Content-Length: 8", "Content-Length: 6"),
        "length-with-head" => |head| edited(head, "Content-Length: 8", "Content-Length: 108"),
        "partly-sent" => |head| replaced(&answer(head), "Grüße!", "Grüß"),
        "sent-twice" => |head| [answer(head), answer(head)].concat(),
        "says-no-close" => |head| edited(head, "Connection: close\r\n", ""),
        "gzip" => {
            |head| edited(head, "Connection: close", "Content-Encoding: gzip\r\nConnection: close")
        }
        "slow" => |head| {
            sleep(Duration::from_millis(600)); // It works so hard.
            answer(head)
        },
        // What is asked.
        "head-with-page" => |head| answer(&replaced(head, "HEAD", "GET")),
        "head-with-length-0" => |head| {
            if head.starts_with(b"HEAD") {
                edited(head, "Content-Length: 8", "Content-Length: 0")
            } else {
                answer(head)
            }
        },
        "no-404" => |head| edited(head, "404 Not Found", "200 OK"),
        "405-without-allow" => |head| edited(head, "\r\nAllow: GET, HEAD", ""),
        "deletes" => |head| edited(head, "405 Method Not Allowed\r\nAllow: GET, HEAD", "200 OK"),
        "gives-everything-away" => |head| {
            let text = String::from_utf8_lossy(head);
            let path = text.split(' ').nth(1).unwrap_or("/").replace("%2e", ".");
            match fs::read(format!("./{path}")).ok().filter(|_| starts_right(head)) {
                Some(bytes) => {
                    let start = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                        bytes.len()
                    );
                    [start.as_bytes(), &bytes].concat()
                }
                None => answer(head),
            }
        },
        // Documents, from the folder named site.
        "files" => |head| document(head, false, |name, bytes| (right_type(name), bytes)),
        "files-as-text" => |head| {
            document(head, false, |name, bytes| {
                (right_type(name), String::from_utf8_lossy(&bytes).into_owned().into_bytes())
            })
        },
        "files-as-html" => |head| document(head, false, |_, bytes| ("text/html", bytes)),
        "files-not-decoded" => |head| document(head, true, |name, bytes| (right_type(name), bytes)),
        // What is legal.
        "strict-host" => |head| {
            let host = field(head, "Host").unwrap_or_default();
            if host.contains(['_', '[']) { answer(b"GET") } else { answer(head) }
        },
        "strict-fields" => |head| {
            let text = String::from_utf8_lossy(head);
            let mut names = text.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0));
            if names.all(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')) {
                answer(head)
            } else {
                answer(b"GET")
            }
        },
        "no-blank-line-first" => {
            |head| if head.starts_with(b"\r\n") { answer(b"GET") } else { answer(head) }
        }
        "no-complete-address" => {
            |head| if head.starts_with(b"GET http") { answer(b"GET") } else { answer(head) }
        }
        "no-percent" => |head| if has(head, "%20") { answer(b"GET") } else { answer(head) },
        "no-http-1.0" => |head| if has(head, "HTTP/1.0") { answer(b"GET") } else { answer(head) },
        // What is not HTTP.
        "takes-everything" => |head| {
            let is_known =
                [&b"HEAD "[..], b"DELETE ", b"GET /no"].iter().any(|start| head.starts_with(start));
            if is_known { answer(head) } else { answer(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
        },
        "repairs" => |head| {
            let is_repaired = has(head, "\r\nAccept\r\n")
                || has(head, "\r\n: value")
                || has(head, "X(Y)")
                || head.starts_with(b"GET * ")
                || head.starts_with(b"GET /\xff");
            if is_repaired { answer(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") } else { answer(head) }
        },
        "ends-at-a-bad-host" => |head| {
            if has(head, "Host: ][") {
                eprintln!("thread 'main' panicked at src/main.rs:7:1:\nindex out of bounds");
                std::process::exit(101);
            }
            answer(head)
        },
        "ends-at-one-word" => |head| {
            let text = String::from_utf8_lossy(head);
            let words: Vec<&str> = text.split(' ').collect();
            if words.len() < 2 {
                let _ = std::io::stderr().write_all(b"IndexError: list index out of range\n");
                std::process::exit(1);
            }
            answer(head)
        },
        _ => return None,
    })
}

/// The file that is asked for, changed in some way.
fn document(
    head: &[u8],
    has_percent: bool,
    change: fn(&str, Vec<u8>) -> (&str, Vec<u8>),
) -> Vec<u8> {
    let text = String::from_utf8_lossy(head);
    let path = text.split(' ').nth(1).unwrap_or("/").split('?').next().unwrap_or("/");
    let name = if path == "/" { "/index.html" } else { path };
    let name = if has_percent { name.to_string() } else { name.replace("%20", " ") };
    if !starts_right(head) || name.contains("..") || name.contains("//") {
        return answer(head);
    }
    match fs::read(format!("site{name}")) {
        Ok(bytes) => {
            let (kind, bytes) = change(&name, bytes);
            let fields = format!(
                "Content-Type: {kind}\r\nConnection: close\r\nContent-Length: {}",
                bytes.len()
            );
            let start = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").into_bytes();
            if head.starts_with(b"HEAD") { start } else { [start, bytes].concat() }
        }
        Err(_) => answer(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"),
    }
}

fn right_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("png") => "image/png",
        _ => "text/plain",
    }
}

fn edited(head: &[u8], from: &str, to: &str) -> Vec<u8> {
    replaced(&answer(head), from, to)
}

fn replaced(text: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8_lossy(text).replace(from, to).into_bytes()
}

fn has(head: &[u8], part: &str) -> bool {
    head.windows(part.len()).any(|found| found == part.as_bytes())
}

/// Whether this is answered with status 200 or 404 if all is right.
fn starts_right(head: &[u8]) -> bool {
    answer(head).starts_with(b"HTTP/1.1 200") || answer(head).starts_with(b"HTTP/1.1 404")
}

fn field(head: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    text.lines().find_map(|line| Some(line.strip_prefix(&format!("{name}: "))?.to_string()))
}
