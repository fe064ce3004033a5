//! A client that records everything that comes back, good or bad.

use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use step4_accept::read_before;

/// How long a client waits for a connection, and for the next bytes. A good server needs a thousandth of it.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// More than this of one answer is not received.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// How many connections this program has made.
static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

/// A well-formed request, as a browser or curl sends it to the server at this address. It asks for the end of the
/// connection, so that a client can wait for that.
pub fn plain_request(address: SocketAddr) -> String {
    request("GET / HTTP/1.1", address)
}

/// A well-formed request that begins with this line.
pub fn request(line: &str, address: SocketAddr) -> String {
    format!("{line}\r\nHost: {address}\r\nConnection: close\r\n\r\n")
}

/// Connects, or says why that is not possible.
///
/// # Errors
/// What connect(2) reports, or that it took longer than [`TIMEOUT`].
pub fn connect(address: SocketAddr) -> io::Result<Socket> {
    connect_within(address, TIMEOUT)
}

/// The same, for a client that waits this long.
///
/// # Errors
/// What connect(2) reports, or that it took too long.
pub fn connect_within(address: SocketAddr, timeout: Duration) -> io::Result<Socket> {
    let client = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    client.connect_timeout(&address.into(), timeout)?;
    client.set_tcp_nodelay(true)?; // Each piece is sent at once.
    client.set_write_timeout(Some(TIMEOUT))?;
    CONNECTIONS.fetch_add(1, Ordering::Relaxed);
    Ok(client)
}

/// How many connections this program has made until now.
pub fn connections_made() -> usize {
    CONNECTIONS.load(Ordering::Relaxed)
}

/// Bytes in quotes, on one line, and cut if they are long.
pub fn quoted(bytes: &[u8]) -> String {
    const LONGEST: usize = 160;
    let start = &bytes[..bytes.len().min(LONGEST)];
    let text = format!("{:?}", String::from_utf8_lossy(start));
    match bytes.len() - start.len() {
        _ if bytes.is_empty() => "nothing".into(),
        0 => text,
        rest => format!("{text} and {rest} more bytes"),
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// All that came back for one request.
#[derive(Clone, Debug)]
pub struct Response {
    /// Head and body, as they came.
    pub bytes: Vec<u8>,
    /// How the connection ended.
    pub end: End,
    /// When the last byte came, counted from when the client began to wait.
    pub took: Duration,
    /// What the head says, once it is complete.
    head: Option<Head>,
    /// Whether it is the response to HEAD, which has no body.
    is_for_head: bool,
}

/// The head of a response.
#[derive(Clone, Debug)]
struct Head {
    status: u16,
    fields: Vec<(String, String)>,
    /// Where the body begins.
    length: usize,
    /// Where the next chunk begins, and whether the last one has come. For a body in chunks only.
    next_chunk: usize,
    has_last_chunk: bool,
}

/// What a head says about the end of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body, whatever the fields say.
    NoBody,
    /// It has this many bytes.
    Length(usize),
    /// It comes in chunks, the last of which is empty.
    Chunks,
    /// It ends when the connection does.
    UntilTheEnd,
    /// The head contradicts itself, in this way.
    Unclear(String),
}

impl Response {
    /// A response of which nothing has come.
    pub fn none(end: End) -> Response {
        Response { bytes: Vec::new(), end, took: Duration::ZERO, head: None, is_for_head: false }
    }

    /// The status code, or `None` if no HTTP response came.
    pub fn status(&self) -> Option<u16> {
        self.head.as_ref().map(|head| head.status)
    }

    /// Whether the status is 200.
    pub fn is_ok(&self) -> bool {
        self.status() == Some(200)
    }

    /// The value of the first header field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.values(name).first().copied()
    }

    /// The values of all header fields of this name.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let fields = self.head.iter().flat_map(|head| &head.fields);
        fields
            .filter(|field| field.0.eq_ignore_ascii_case(name))
            .map(|field| field.1.as_str())
            .collect()
    }

    /// All bytes of the head, with its blank line: everything, if there is no complete head.
    pub fn head(&self) -> &[u8] {
        &self.bytes[..self.head.as_ref().map_or(self.bytes.len(), |head| head.length)]
    }

    /// All that came after the blank line, as it came: chunks with their sizes.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.head().len()..]
    }

    /// The body without the sizes of its chunks.
    pub fn content(&self) -> Vec<u8> {
        if self.framing() != Framing::Chunks {
            return self.body().to_vec();
        }
        let (mut rest, mut content) = (self.body(), Vec::new());
        while let Some((start, end)) = chunk(rest).filter(|(start, end)| end > start) {
            content.extend_from_slice(&rest[start..end]);
            rest = rest.get(end + 2..).unwrap_or_default();
        }
        content
    }

    /// What the head says about the end of the body.
    pub fn framing(&self) -> Framing {
        let Some(head) = &self.head else { return Framing::UntilTheEnd };
        let codings = self.values("transfer-encoding");
        let mut lengths = self.values("content-length");
        lengths.dedup();
        if self.is_for_head || [204, 304].contains(&head.status) {
            return Framing::NoBody;
        }
        match (codings[..].last(), &lengths[..]) {
            (Some(_), [_, ..]) => {
                Framing::Unclear("Content-Length beside Transfer-Encoding".into())
            }
            (Some(coding), []) if coding.to_ascii_lowercase().ends_with("chunked") => {
                Framing::Chunks
            }
            (_, []) => Framing::UntilTheEnd,
            (None, [length]) => match length.parse() {
                Ok(count) if !length.starts_with('+') => Framing::Length(count),
                _ => Framing::Unclear(format!("Content-Length: {length}")),
            },
            (None, [one, other, ..]) => {
                Framing::Unclear(format!("Content-Length: {one} and {other}"))
            }
        }
    }

    /// Whether the body is all that the head promises. `None` if it promises nothing.
    pub fn is_complete(&self) -> Option<bool> {
        let head = self.head.as_ref()?;
        match self.framing() {
            Framing::NoBody => Some(true),
            Framing::Length(length) => Some(self.body().len() == length),
            Framing::Chunks => Some(head.has_last_chunk),
            Framing::UntilTheEnd => None,
            Framing::Unclear(_) => Some(false),
        }
    }

    /// What a person reads about it.
    pub fn quoted(&self) -> String {
        let bytes = quoted(&self.bytes);
        match self.end {
            End::Closed => format!("{bytes}, then the server closed the connection"),
            End::Open => format!("{bytes}, and the connection stayed open"),
            End::Broken(kind) => format!("{bytes}, then the connection broke: {kind}"),
            End::NoConnection(kind) => format!("no connection: {kind}"),
        }
    }

    /// Adds what came next.
    fn push(&mut self, piece: &[u8]) {
        let looked_at = self.bytes.len().saturating_sub(3);
        self.bytes.extend_from_slice(piece);
        if self.head.is_none() && has_blank_line(&self.bytes[looked_at..]) {
            self.head = parse_head(&self.bytes);
        }
        let Some(head) = &mut self.head else { return };
        while !head.has_last_chunk {
            let rest = self.bytes.get(head.next_chunk..).unwrap_or_default();
            match chunk(rest) {
                Some((start, end)) if start == end => {
                    // Fields may follow the last chunk, and then a blank line.
                    let trailer = &rest[start..];
                    let is_at_end = trailer.starts_with(b"\r\n") || has_blank_line(trailer);
                    head.has_last_chunk = is_at_end;
                    return;
                }
                Some((_, end)) => head.next_chunk += end + 2,
                None => return,
            }
        }
    }
}

/// Where the content of the chunk at the start of these bytes begins and ends.
fn chunk(bytes: &[u8]) -> Option<(usize, usize)> {
    match httparse::parse_chunk_size(bytes) {
        Ok(httparse::Status::Complete((start, size))) => {
            let end = usize::try_from(size).ok()?.checked_add(start)?;
            (end <= bytes.len()).then_some((start, end))
        }
        _ => None,
    }
}

fn has_blank_line(bytes: &[u8]) -> bool {
    let has = |end: &[u8]| bytes.windows(end.len()).any(|part| part == end);
    has(b"\n\r\n") || has(b"\n\n")
}

/// Parses the head of the response, after those that only say that it will come (100 to 199).
fn parse_head(bytes: &[u8]) -> Option<Head> {
    let mut start = 0;
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 512];
        let mut response = httparse::Response::new(&mut fields);
        let Ok(httparse::Status::Complete(length)) = response.parse(&bytes[start..]) else {
            return None;
        };
        start += length;
        let status = response.code?;
        if !(100..=199).contains(&status) {
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            let fields =
                response.headers.iter().map(|f| (f.name.to_string(), text(f.value))).collect();
            return Some(Head {
                status,
                fields,
                length: start,
                next_chunk: start,
                has_last_chunk: false,
            });
        }
    }
}

/// Sends bytes in one piece, or none at all. Then receives until the server closes, the connection breaks, or the
/// deadline, which is one for all that comes. A client that has the complete response waits no longer than `closing`
/// for the end of the connection.
pub fn exchange(
    client: &mut Socket,
    bytes: &[u8],
    deadline: Instant,
    closing: Duration,
) -> Response {
    let (start, mut deadline) = (Instant::now(), deadline);
    let mut piece = [0; 16 * 1024];
    let mut response = Response::none(End::Open);
    response.is_for_head = bytes.starts_with(b"HEAD ");
    // A server that has answered may close before it has read everything. Its response counts.
    let sent = client.write_all(bytes);
    while response.bytes.len() < MAX_ANSWER {
        response.end = match read_before(deadline, client, &mut piece) {
            // A client that went on sending after the server closed gets a reset.
            Ok(0) => match sent.err().or(client.take_error().ok().flatten()) {
                Some(error) => End::Broken(error.kind()),
                None => End::Closed,
            },
            Ok(count) => {
                response.push(&piece[..count]);
                response.took = start.elapsed();
                if response.is_complete() == Some(true) {
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
