//! A client that notes all that comes back, good or bad, and what the first clients saw.

use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use step4_accept::read_before;

/// How long a client waits for the next bytes. A good server needs a thousandth of it.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How long the first client waits, so that a slow server is called slow, and not silent.
pub const FIRST_PATIENCE: Duration = Duration::from_secs(6);

/// How long a client waits for the end of the connection when it has the complete response.
const CLOSING: Duration = Duration::from_millis(300);

/// How long the first client says nothing, to see whether the server waits for the request.
const SILENCE: Duration = Duration::from_millis(500);

/// The most bytes of a response that are read.
const MOST: usize = 16 * 1024 * 1024;

/// All that came back for one request.
pub struct Response {
    pub bytes: Vec<u8>,
    pub end: End,
    /// When the last byte came, counted from when the client began to wait.
    pub took: Duration,
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The server closed it.
    Closed,
    /// It was still open when the client had waited long enough.
    Open,
    /// It broke.
    Broken(ErrorKind),
    /// There was none.
    NoConnection(ErrorKind),
}

impl Response {
    /// What comes where there is no connection.
    fn none(error: ErrorKind) -> Response {
        let end = End::NoConnection(error);
        Response { bytes: Vec::new(), end, took: Duration::ZERO }
    }

    /// The status code, or `None` where no HTTP response came.
    pub fn status(&self) -> Option<u16> {
        self.parse(|response, _| response.code).flatten()
    }

    /// The value of a header field.
    pub fn field(&self, name: &str) -> Option<String> {
        self.parse(|response, _| {
            let field = response.headers.iter().find(|f| f.name.eq_ignore_ascii_case(name))?;
            Some(String::from_utf8_lossy(field.value).into_owned())
        })
        .flatten()
    }

    /// The status line and the header fields, and the blank line after them.
    pub fn head(&self) -> &[u8] {
        &self.bytes[..self.parse(|_, length| length).unwrap_or_default()]
    }

    /// All that came after the head.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.head().len()..]
    }

    /// Whether the page is all that the head promises. `None` where it promises nothing.
    pub fn is_all(&self) -> Option<bool> {
        let encoding = self.field("transfer-encoding").unwrap_or_default();
        if encoding.eq_ignore_ascii_case("chunked") {
            return Some(has_last_chunk(self.body()));
        }
        self.field("content-length").map(|length| length == self.body().len().to_string())
    }

    /// Whether it is HTTP, and was not cut off.
    pub fn is_complete(&self) -> bool {
        self.status().is_some() && self.is_all().unwrap_or(self.end == End::Closed)
    }

    /// What a person reads about it.
    pub fn shown(&self) -> String {
        let end = match self.end {
            End::Closed => "then the server closed the connection".to_string(),
            End::Open => "and the connection stayed open".to_string(),
            End::Broken(kind) => format!("then the connection broke: {kind}"),
            End::NoConnection(kind) => return format!("no connection: {kind}"),
        };
        let bytes = if self.bytes.is_empty() { "nothing".into() } else { shown(&self.bytes) };
        format!("{bytes}, {end}")
    }

    fn parse<T>(&self, read: impl Fn(&httparse::Response, usize) -> T) -> Option<T> {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut fields);
        match response.parse(&self.bytes) {
            Ok(httparse::Status::Complete(length)) => Some(read(&response, length)),
            _ => None,
        }
    }
}

/// Follows the chunks to the one of 0 bytes.
fn has_last_chunk(mut body: &[u8]) -> bool {
    while let Ok(httparse::Status::Complete((start, size))) = httparse::parse_chunk_size(body) {
        let next = usize::try_from(size).ok().and_then(|size| body.get(start + size + 2..));
        match next {
            Some(_) if size == 0 => return body.ends_with(b"\r\n\r\n"),
            Some(next) => body = next,
            None => return false,
        }
    }
    false
}

/// Bytes in quotes, on one line, and cut where they are long.
pub fn shown(bytes: &[u8]) -> String {
    const MOST_SHOWN: usize = 160;
    let start = &bytes[..bytes.len().min(MOST_SHOWN)];
    let text = format!("{:?}", String::from_utf8_lossy(start));
    match bytes.len() - start.len() {
        0 => text,
        rest => format!("{text} and {rest} more bytes"),
    }
}

/// A request that is in order.
pub fn request(method: &str, path: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").into_bytes()
}

/// Connects, or says why that is not possible.
pub fn connect(address: SocketAddr) -> io::Result<Socket> {
    let client = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    client.connect_timeout(&address.into(), PATIENCE)?;
    client.set_tcp_nodelay(true)?; // Each piece is sent at once.
    client.set_write_timeout(Some(PATIENCE))?;
    Ok(client)
}

/// Breaks the connection off, as a client that crashes does.
pub fn reset(client: Socket) {
    let _ = client.set_linger(Some(Duration::ZERO));
    drop(client);
}

/// A server, and what its first clients saw.
pub struct Server {
    pub address: SocketAddr,
    /// When the first client connected.
    pub start: Instant,
    /// Whether it answered a client that had said nothing.
    pub is_early: bool,
    /// What the first client got.
    pub first: Response,
    /// What the next clients got, one after the other, up to the first that got no page.
    pub next: Vec<Response>,
    /// How long the fastest response took.
    pub pace: Duration,
    /// Whether one client that says nothing holds everyone up.
    pub is_one_by_one: AtomicBool,
}

impl Server {
    /// Asks as the first clients. There was nobody before them: some servers take just one.
    pub fn meet(address: SocketAddr, client: io::Result<Socket>, patience: Duration) -> Server {
        let start = Instant::now();
        let mut server = Server {
            address,
            start,
            is_early: false,
            first: Response::none(ErrorKind::NotConnected),
            next: Vec::new(),
            pace: Duration::ZERO,
            is_one_by_one: AtomicBool::new(false),
        };
        match client {
            Ok(mut client) => {
                server.first = server.read(&mut client, SILENCE);
                server.is_early = !server.first.bytes.is_empty();
                if server.first.end == End::Open && !server.is_early {
                    server.first = server.send(&mut client, [&request("GET", "/")[..]], patience);
                }
            }
            Err(error) => server.first = Response::none(error.kind()),
        }
        server.pace = server.first.took;
        let begin = Instant::now();
        let mut last = server.first.status();
        while last == Some(200) && server.next.len() < 12 && begin.elapsed() < PATIENCE {
            let response = server.ask([&request("GET", "/")[..]]);
            last = response.status();
            server.pace = server.pace.min(response.took);
            server.next.push(response);
        }
        server
    }

    /// Why no other check would find out anything.
    pub fn trouble(&self) -> Option<&'static str> {
        if self.first.bytes.is_empty() {
            return Some("it answers nobody");
        }
        match self.next.last() {
            None => Some("it has no page with status 200"),
            Some(last) if last.status() != Some(200) => Some("it answers no more clients"),
            Some(_) => None,
        }
    }

    /// Why a plain client is no longer served as the first one was.
    pub fn is_gone(&self) -> Option<&'static str> {
        let response = self.ask_with(2 * self.patience(), [&request("GET", "/")[..]]);
        let is_served = if self.first.bytes.is_empty() {
            response.bytes.is_empty() && response.end == End::Closed // As in step 4.
        } else {
            !response.bytes.is_empty()
        };
        if is_served {
            return None;
        }
        match self.connect() {
            Err(error) if error.kind() != ErrorKind::TimedOut => Some("the server has ended"),
            _ => Some("the server serves nobody any more"),
        }
    }

    /// How long a client waits for this server.
    pub fn patience(&self) -> Duration {
        PATIENCE + 2 * self.pace
    }

    /// Connects, or says why that is not possible.
    pub fn connect(&self) -> io::Result<Socket> {
        connect(self.address)
    }

    /// Sends a request in the given pieces and reads the response.
    pub fn ask<'a>(&self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Response {
        self.ask_with(self.patience(), pieces)
    }

    /// The same, for a client that waits as long as it is told.
    pub fn ask_with<'a>(
        &self,
        patience: Duration,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Response {
        match self.connect() {
            Ok(mut client) => self.send(&mut client, pieces, patience),
            Err(error) => Response::none(error.kind()),
        }
    }

    /// The same, for a client that is connected.
    pub fn send<'a>(
        &self,
        client: &mut Socket,
        pieces: impl IntoIterator<Item = &'a [u8]>,
        patience: Duration,
    ) -> Response {
        // A server that has answered may close before it has read all. Its response counts.
        let sent = pieces.into_iter().try_for_each(|piece| client.write_all(piece));
        let mut response = self.read(client, patience);
        if let (Err(error), End::Closed) = (sent, response.end) {
            response.end = End::Broken(error.kind());
        }
        response
    }

    /// Reads until the server closes, the connection breaks, or the client's patience ends.
    pub fn read(&self, client: &mut Socket, patience: Duration) -> Response {
        // Some servers neither close the connection nor say where the page ends.
        let is_endless = self.first.end == End::Open && self.first.is_all().is_none();
        let start = Instant::now();
        let mut response = Response { bytes: Vec::new(), end: End::Open, took: Duration::ZERO };
        let (mut deadline, mut piece) = (start + patience, [0; 16 * 1024]);
        while response.bytes.len() < MOST {
            match read_before(deadline, client, &mut piece) {
                Ok(0) => {
                    // Who sent more after the server had closed was told so with a reset.
                    let error = client.take_error().ok().flatten();
                    response.end = error.map_or(End::Closed, |error| End::Broken(error.kind()));
                    break;
                }
                Ok(count) => {
                    response.bytes.extend_from_slice(&piece[..count]);
                    response.took = start.elapsed();
                    let wait = match response.is_all() {
                        Some(true) => CLOSING,
                        None if is_endless => CLOSING,
                        _ => patience.min(PATIENCE),
                    };
                    deadline = Instant::now() + wait;
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => break,
                Err(error) => {
                    response.end = End::Broken(error.kind());
                    break;
                }
            }
        }
        response
    }
}
