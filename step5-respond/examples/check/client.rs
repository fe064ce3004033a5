//! A client that notes all that comes back, good or bad.

use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use step4_accept::read_before;

/// How long a client of the checker waits for an answer.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How long a client waits for the end of the connection when it has the whole answer.
const CLOSING: Duration = Duration::from_millis(300);

/// The most bytes of an answer that are read.
const MOST: usize = 1024 * 1024;

/// All that came back for one request.
pub struct Answer {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// How it ended.
    pub end: End,
}

/// How an answer ended.
#[derive(PartialEq, Eq)]
pub enum End {
    /// The server closed the connection, as it should.
    Closed,
    /// The server was still connected when the client had waited so long.
    Open(Duration),
    /// The connection broke.
    Broken(ErrorKind),
}

impl Answer {
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

    /// The status line and the header fields, and the blank line behind them.
    pub fn head(&self) -> Option<&[u8]> {
        self.parse(|_, length| length).map(|length| &self.bytes[..length])
    }

    /// All that came behind the head.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.head().unwrap_or_default().len()..]
    }

    /// Whether all came that Content-Length promises.
    pub fn is_whole(&self) -> bool {
        let length = self.field("content-length");
        length.is_some_and(|length| length == self.body().len().to_string())
    }

    /// Whether it was not cut off: it has its promised length, or promised none and was closed.
    pub fn arrived(&self) -> bool {
        let closed_without_length =
            self.field("content-length").is_none() && self.end == End::Closed;
        self.status().is_some() && (self.is_whole() || closed_without_length)
    }

    /// What a person reads about it.
    pub fn shown(&self) -> String {
        let end = match self.end {
            End::Closed => "then the server closed the connection".to_string(),
            End::Open(waited) => format!("and the connection was still open after {waited:.1?}"),
            End::Broken(kind) => format!("then the connection broke: {kind}"),
        };
        if self.bytes.is_empty() {
            format!("nothing, {end}")
        } else {
            shown(&self.bytes) + ", " + &end
        }
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

/// Connects, or says why that is not possible.
pub fn connect(server: SocketAddr) -> io::Result<Socket> {
    let client = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
    client.connect_timeout(&server.into(), PATIENCE)?;
    client.set_tcp_nodelay(true)?; // Each piece is sent at once.
    client.set_write_timeout(Some(PATIENCE))?;
    Ok(client)
}

/// Sends a request in the given pieces and reads the answer.
pub fn ask<'a>(server: SocketAddr, pieces: impl IntoIterator<Item = &'a [u8]>) -> Answer {
    let mut client = match connect(server) {
        Ok(client) => client,
        Err(error) => return Answer { bytes: Vec::new(), end: End::Broken(error.kind()) },
    };
    for piece in pieces {
        // A server that has answered may close before it has read all. Its answer counts.
        if client.write_all(piece).is_err() {
            break;
        }
    }
    read_answer(&mut client, PATIENCE)
}

/// Reads until the server closes, the connection breaks, or the client's patience ends.
pub fn read_answer(client: &mut Socket, patience: Duration) -> Answer {
    let start = Instant::now();
    let mut answer = Answer { bytes: Vec::new(), end: End::Open(patience) };
    let mut deadline = start + patience;
    let mut piece = [0; 16 * 1024];
    while answer.bytes.len() < MOST {
        match read_before(deadline, client, &mut piece) {
            Ok(0) => {
                answer.end = End::Closed;
                break;
            }
            Ok(count) => answer.bytes.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                answer.end = End::Open(start.elapsed());
                break;
            }
            Err(error) => {
                answer.end = End::Broken(error.kind());
                break;
            }
        }
        if answer.is_whole() {
            deadline = deadline.min(Instant::now() + CLOSING);
        }
    }
    answer
}

/// Breaks the connection off, as a client that crashes does.
pub fn reset(client: Socket) {
    let _ = client.set_linger(Some(Duration::ZERO));
    drop(client);
}
