//! A server, and what its first clients saw.

use crate::system;
use observer::client::{self, End, Response, TIMEOUT, connect, exchange, plain_request, quoted};
use socket2::Socket;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

/// How long the first clients wait, so that a slow server is not called silent.
pub const FIRST_TIMEOUT: Duration = Duration::from_secs(6);

/// How many clients come after the first one.
const NEXT_CLIENTS: usize = 12;

/// When all has been said, whatever the server does.
const ALL_IS_SAID: Duration = Duration::from_secs(19);

pub struct Server {
    pub address: SocketAddr,
    /// When the first client connected.
    pub start: Instant,
    /// Whether it answered a client that had sent nothing, or closed the connection.
    pub is_early: bool,
    /// What the first client got.
    pub first: Response,
    /// What the next clients got, one after the other, up to the first that got no page.
    pub next: Vec<Response>,
    /// What the system knows about a first client that was not answered.
    pub silence: Silence,
    /// How long a client that has its answer waits for the end of the connection.
    closing: Duration,
}

/// Why a client that is connected gets no answer.
#[derive(Default)]
pub struct Silence {
    /// Whether the server has accepted it, on Linux.
    pub is_accepted: Option<bool>,
    /// Another client that holds the server, on Linux.
    pub other_client: Option<SocketAddr>,
    /// The answer came only when the client sent no more.
    pub waits_for_the_end: bool,
    /// The answer came only after more bytes.
    pub waits_for_bytes: bool,
}

/// How a server is after a client has left.
pub enum Condition {
    Well,
    /// It runs, and the next client got this.
    Harmed(Response),
    /// It no longer serves anybody, and why.
    Gone(&'static str),
}

impl Server {
    /// Sends the requests of the first clients. Nobody came before them: some servers take just one.
    pub fn meet(address: SocketAddr, client: io::Result<Socket>, timeout: Duration) -> Server {
        let mut server = Server {
            address,
            start: Instant::now(),
            is_early: false,
            first: Response::none(End::Open),
            next: Vec::new(),
            silence: Silence::default(),
            closing: Duration::from_millis(300),
        };
        match client {
            Err(error) => server.first.end = End::NoConnection(error.kind()),
            Ok(client) => server.serve_first(client, timeout),
        }
        if server.first.end == End::Open && server.first.status().is_some() {
            server.closing = Duration::from_millis(5); // It keeps connections.
        }
        let begin = Instant::now();
        let is_answered = server.first.is_ok() && !server.leaves_clients_waiting();
        while is_answered && server.next.len() < NEXT_CLIENTS && begin.elapsed() < TIMEOUT {
            server.next.push(server.ask_within(FIRST_TIMEOUT, server.plain()));
            if !server.next.last().is_some_and(Response::is_ok) {
                break;
            }
        }
        server
    }

    fn serve_first(&mut self, mut client: Socket, timeout: Duration) {
        self.first = self.exchange(&mut client, b"", Duration::from_millis(500));
        self.is_early = self.first.end != End::Open || !self.first.bytes.is_empty();
        if self.is_early {
            return;
        }
        let plain = self.plain();
        self.first = self.exchange(&mut client, plain.as_bytes(), timeout);
        if self.first.end == End::Open && self.first.bytes.is_empty() {
            (self.silence.is_accepted, self.silence.other_client) = system::accepted(&client);
            if timeout == FIRST_TIMEOUT {
                let more = self.exchange(&mut client, &[b'x'; 4096], Duration::from_millis(300));
                self.silence.waits_for_bytes = !more.bytes.is_empty();
                let _ = client.shutdown(Shutdown::Write);
                let after = self.exchange(&mut client, b"", Duration::from_millis(500));
                self.silence.waits_for_the_end = more.bytes.is_empty() && !after.bytes.is_empty();
            }
        }
    }

    /// A well-formed request for `/`.
    pub fn plain(&self) -> String {
        plain_request(self.address)
    }

    /// A well-formed request that begins with this line.
    pub fn request(&self, line: &str) -> String {
        client::request(line, self.address)
    }

    /// How long the fastest response took.
    pub fn fastest(&self) -> Duration {
        self.next.iter().map(|next| next.took).fold(self.first.took, Duration::min)
    }

    /// Whether a client can't see where the page ends, and the connection stays open: it waits forever.
    pub fn leaves_clients_waiting(&self) -> bool {
        self.first.end == End::Open && self.first.is_complete() != Some(true)
    }

    /// Why no other check would find out anything.
    pub fn trouble(&self) -> Option<&'static str> {
        match self.next.last().unwrap_or(&self.first) {
            _ if self.first.bytes.is_empty() => Some("it answers nobody"),
            _ if self.leaves_clients_waiting() => Some("its clients wait forever"),
            last if last.bytes.is_empty() => Some("it answers no more clients"),
            last if !last.is_ok() => Some("not every client gets a page with status 200"),
            _ => None,
        }
    }

    /// How the server is after a client has left: another client looks, twice if need be.
    pub fn condition(&self) -> Condition {
        let Some(harm) = self.next_client_suffers() else { return Condition::Well };
        let Some(again) = self.next_client_suffers() else { return Condition::Harmed(harm) };
        match again.end {
            End::NoConnection(kind) if kind != ErrorKind::TimedOut => {
                Condition::Gone("the server has ended")
            }
            _ if !again.bytes.is_empty() => Condition::Harmed(again),
            _ => Condition::Gone("the server no longer serves anybody"),
        }
    }

    /// What a plain client got, if it was not served as the first one was.
    fn next_client_suffers(&self) -> Option<Response> {
        let next = self.ask_within(2 * (TIMEOUT + self.fastest()), self.plain());
        let is_served = match self.first.bytes[..] {
            [] => next.end == End::Closed, // As in step 4.
            _ => next.is_ok(),
        };
        (!is_served).then_some(next)
    }

    /// Sends a request in one piece and receives the response.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Response {
        self.ask_within(TIMEOUT + self.fastest(), request)
    }

    /// The same, for a client that waits this long.
    pub fn ask_within(&self, timeout: Duration, request: impl AsRef<[u8]>) -> Response {
        match connect(self.address) {
            Ok(mut client) => self.exchange(&mut client, request.as_ref(), timeout),
            Err(error) => Response::none(End::NoConnection(error.kind())),
        }
    }

    /// Sends bytes in one piece, or none at all, and receives what comes back within this time.
    pub fn exchange(&self, client: &mut Socket, bytes: &[u8], timeout: Duration) -> Response {
        let deadline = (Instant::now() + timeout).min(self.start + ALL_IS_SAID);
        exchange(client, bytes, deadline, self.closing)
    }

    /// Whether the judge has to come to an end.
    pub fn time_is_up(&self) -> bool {
        self.start.elapsed() > ALL_IS_SAID
    }

    /// What the first client sent. A server that answers too early leaves it nothing to send.
    pub fn first_request(&self) -> String {
        if self.is_early { "nothing".into() } else { quoted(self.plain().as_bytes()) }
    }
}
