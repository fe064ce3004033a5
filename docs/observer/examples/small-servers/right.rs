//! What a right server receives, answers, and closes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use step5_respond::request::Request;

/// How long a client may take: long enough for a busy machine, and short enough for many tests.
pub const PATIENCE: Duration = Duration::from_secs(2);

pub const PAGE: &str = "Grüße!";

/// The clients, one after the other. If accept(2) fails, for example because no descriptor is free, this waits a moment
/// and tries again.
pub fn clients(listener: &TcpListener) -> impl Iterator<Item = TcpStream> {
    listener.incoming().filter_map(|client| {
        if client.is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        client.ok()
    })
}

/// Receives a head up to its blank line, and what has come of the body.
pub fn receive(client: &mut TcpStream, patience: Duration) -> Option<Vec<u8>> {
    let (start, mut head) = (Instant::now(), Vec::new());
    loop {
        let time_left = patience.checked_sub(start.elapsed()).filter(|left| !left.is_zero())?;
        client.set_read_timeout(Some(time_left)).ok()?;
        let mut piece = [0; 1024];
        let count =
            client.read(&mut piece).ok().filter(|count| *count > 0 && head.len() < 16_000)?;
        head.extend_from_slice(&piece[..count]);
        let has = |end: &[u8]| head.windows(end.len()).any(|part| part == end);
        if (has(b"\r\n\r\n") && head != b"\r\n\r\n") || has(b"\n\n") {
            return Some(head);
        }
    }
}

/// The right answer to a head.
pub fn answer(head: &[u8]) -> Vec<u8> {
    let end = head.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or(head.len());
    let (status, page) = match Request::parse(&head[..end]) {
        Err(_) => ("400 Bad Request", "no HTTP"),
        Ok(request) => match (request.method.as_str(), request.path.as_str()) {
            ("GET" | "HEAD", "/") => ("200 OK", PAGE),
            ("GET" | "HEAD", _) => ("404 Not Found", "no page"),
            _ => ("405 Method Not Allowed\r\nAllow: GET, HEAD", "only GET and HEAD"),
        },
    };
    let fields = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
    let length = page.len();
    let page = if head.starts_with(b"HEAD") { "" } else { page };
    format!("HTTP/1.1 {status}\r\n{fields}\r\nContent-Length: {length}\r\n\r\n{page}").into_bytes()
}

/// Sends an answer, and closes so that it arrives.
pub fn send(client: &mut TcpStream, bytes: &[u8]) {
    let _ = client.write_all(bytes);
    let _ = client.shutdown(Shutdown::Write);
    let start = Instant::now();
    while let Some(left) = PATIENCE.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
        let _ = client.set_read_timeout(Some(left));
        if !client.read(&mut [0; 16 * 1024]).is_ok_and(|count| count > 0) {
            return;
        }
    }
}
