//! A client that notes all that comes back, good or bad, and what the first clients saw.

use httparse::Status;
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use step4_accept::read_before;

/// How long a client waits for the next bytes. A good server needs a thousandth of it.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How long the first client waits, so that a slow server is called slow, and not silent.
pub const FIRST_PATIENCE: Duration = Duration::from_secs(6);

/// A request that is in order.
pub const PLAIN: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// All that came back for one request.
pub struct Response {
    /// Head and body, as they came.
    pub bytes: Vec<u8>,
    /// How the connection ended.
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
    /// It was reset, or broke in another way.
    Broken(ErrorKind),
    /// It did not come about.
    NoConnection(ErrorKind),
}

impl Response {
    fn none(end: End) -> Response {
        Response { bytes: Vec::new(), end, took: Duration::ZERO }
    }

    /// The status code, or `None` where no HTTP response came.
    pub fn status(&self) -> Option<u16> {
        self.parse(|response, _| response.code)
    }

    /// Whether the status is 200.
    pub fn is_ok(&self) -> bool {
        self.status() == Some(200)
    }

    /// The value of a header field.
    pub fn field(&self, name: &str) -> Option<String> {
        self.parse(|response, _| {
            let field = response.headers.iter().find(|f| f.name.eq_ignore_ascii_case(name))?;
            Some(String::from_utf8_lossy(field.value).into_owned())
        })
    }

    /// All that came after the blank line.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.parse(|_, length| Some(length)).unwrap_or_default()..]
    }

    /// Whether the page is all that the head promises. `None` where it promises nothing.
    pub fn is_all(&self) -> Option<bool> {
        let coding = self.field("transfer-encoding").unwrap_or_default();
        if !coding.eq_ignore_ascii_case("chunked") {
            return Some(self.field("content-length")? == self.body().len().to_string());
        }
        let mut rest = self.body();
        while let Ok(Status::Complete((start, size))) = httparse::parse_chunk_size(rest) {
            if size == 0 {
                return Some(rest.ends_with(b"\r\n\r\n"));
            }
            let end = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(start + 2);
            rest = rest.get(end..).unwrap_or_default();
        }
        Some(false)
    }

    /// What a person reads about it.
    pub fn shown(&self) -> String {
        let mut bytes = shown(&self.bytes);
        if self.bytes.starts_with(b"HTTP/1.") && self.status().is_none() {
            bytes += " (a line without a colon, or no blank line)";
        }
        match self.end {
            End::Closed => format!("{bytes}, then the server closed the connection"),
            End::Open => format!("{bytes}, and the connection stayed open"),
            End::Broken(kind) => format!("{bytes}, then the connection broke: {kind}"),
            End::NoConnection(kind) => format!("no connection: {kind}"),
        }
    }

    fn parse<T>(&self, read: impl Fn(&httparse::Response, usize) -> Option<T>) -> Option<T> {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut fields);
        let Ok(Status::Complete(length)) = response.parse(&self.bytes) else { return None };
        read(&response, length)
    }
}

/// Bytes in quotes, on one line, and cut where they are long.
pub fn shown(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(160)];
    let text = format!("{:?}", String::from_utf8_lossy(start));
    match bytes.len() - start.len() {
        _ if bytes.is_empty() => "nothing".into(),
        0 => text,
        rest => format!("{text} and {rest} more bytes"),
    }
}

/// Connects, or says why that is not possible.
///
/// # Errors
/// What connect(2) reports, or that it took longer than [`PATIENCE`].
pub fn connect(address: SocketAddr) -> io::Result<Socket> {
    let client = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    client.connect_timeout(&address.into(), PATIENCE)?;
    client.set_tcp_nodelay(true)?; // Each piece is sent at once.
    client.set_write_timeout(Some(PATIENCE))?;
    Ok(client)
}

/// Connects to the first of the addresses where somebody listens.
///
/// # Panics
/// Without an address.
pub fn knock(addresses: &[SocketAddr]) -> (SocketAddr, io::Result<Socket>) {
    let mut tried = addresses.iter().map(|&address| (address, connect(address)));
    let found = tried.find(|(_, client)| client.is_ok());
    found.unwrap_or_else(|| (addresses[0], connect(addresses[0])))
}

/// A server, and what its first clients saw.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// When the first client connected.
    pub start: Instant,
    /// Whether it answered a client that had said nothing, or sent it away.
    pub is_early: bool,
    /// What the first client got.
    pub first: Response,
    /// What the next clients got, one after the other, up to the first that got no page.
    pub next: Vec<Response>,
}

impl Server {
    /// Asks as the first clients. There was nobody before them: some servers take just one.
    pub fn meet(address: SocketAddr, client: io::Result<Socket>, patience: Duration) -> Server {
        let (start, first) = (Instant::now(), Response::none(End::Open));
        let mut server = Server { address, start, is_early: false, first, next: Vec::new() };
        match client {
            Err(error) => server.first.end = End::NoConnection(error.kind()),
            Ok(mut client) => {
                server.first = server.exchange(&mut client, b"", Duration::from_millis(500));
                server.is_early = server.first.end != End::Open || !server.first.bytes.is_empty();
                if !server.is_early {
                    server.first = server.exchange(&mut client, PLAIN, patience);
                }
            }
        }
        let begin = Instant::now();
        while server.trouble().is_none() && server.next.len() < 12 && begin.elapsed() < PATIENCE {
            server.next.push(server.ask_with(FIRST_PATIENCE, PLAIN));
        }
        server
    }

    /// How long the fastest response took.
    pub fn pace(&self) -> Duration {
        self.next.iter().map(|next| next.took).fold(self.first.took, Duration::min)
    }

    /// Why no other check would find out anything.
    pub fn trouble(&self) -> Option<&'static str> {
        match self.next.last().unwrap_or(&self.first) {
            _ if self.first.bytes.is_empty() => Some("it answers nobody"),
            last if last.bytes.is_empty() => Some("it answers no more clients"),
            last if !last.is_ok() => Some("not every client gets a page with status 200"),
            _ => None,
        }
    }

    /// What a plain client got, where it was not served as the first one was.
    pub fn harm(&self) -> Option<Response> {
        let next = self.ask_with(2 * (PATIENCE + self.pace()), PLAIN);
        let is_served = match self.first.bytes[..] {
            [] => matches!(next.end, End::Closed | End::Broken(_)), // As in step 4.
            _ => next.is_ok(),
        };
        (!is_served).then_some(next)
    }

    /// Why nobody is served any more.
    pub fn is_gone(&self) -> Option<&'static str> {
        Some(match self.harm()?.end {
            End::NoConnection(kind) if kind != ErrorKind::TimedOut => "the server has ended",
            _ => "the server serves nobody any more",
        })
    }

    /// Sends a request in one piece and reads the response.
    pub fn ask(&self, request: &[u8]) -> Response {
        self.ask_with(PATIENCE, request)
    }

    /// The same, for a client that waits as long as it is told.
    pub fn ask_with(&self, patience: Duration, request: &[u8]) -> Response {
        match connect(self.address) {
            Ok(mut client) => self.exchange(&mut client, request, patience),
            Err(error) => Response::none(End::NoConnection(error.kind())),
        }
    }

    /// Sends bytes in one piece, or none at all. Then reads until the server closes, the connection
    /// breaks, or the client's patience ends, which is one limit for all that comes.
    pub fn exchange(&self, client: &mut Socket, bytes: &[u8], patience: Duration) -> Response {
        // Some servers do not close the connection, and some of them tell no length either.
        let is_kept = self.first.end == End::Open && self.first.status().is_some();
        let has_no_length = is_kept && self.first.is_all().is_none();
        // How long a client that has it all waits for the end of the connection.
        let closing = Duration::from_millis(if is_kept { 5 } else { 300 });
        let (start, mut piece) = (Instant::now(), [0; 16 * 1024]);
        let (mut response, mut deadline) = (Response::none(End::Open), start + patience);
        // A server that has answered may close before it has read all. Its response counts.
        let sent = client.write_all(bytes);
        while response.bytes.len() < 16 * 1024 * 1024 {
            response.end = match read_before(deadline, client, &mut piece) {
                // Who sent more after the server had closed was told so with a reset.
                Ok(0) => match sent.err().or(client.take_error().ok().flatten()) {
                    Some(error) => End::Broken(error.kind()),
                    None => End::Closed,
                },
                Ok(count) => {
                    response.bytes.extend_from_slice(&piece[..count]);
                    response.took = start.elapsed();
                    if response.is_all().unwrap_or(has_no_length) {
                        deadline = deadline.min(Instant::now() + closing);
                    }
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => End::Open,
                Err(error) => End::Broken(error.kind()),
            };
            break;
        }
        response
    }
}
