//! Step 4: accept a client and receive its request. The walkthrough is `docs/step4-accept.md`.

use socket2::Socket;
use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, TimedOut, WouldBlock};
use std::io::{self, Read};
use std::time::{Duration, Instant};
use std::{error::Error, fmt, net::SocketAddr, sync::Mutex, thread};
use step1_socket::log;

/// The most bytes that a request's head may have. Browsers stay far below.
pub const MAX_HEAD: usize = 8 * 1024;
/// The most time that a client may take for its request, counted from when it was accepted.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait after accept(2) failed, so that other clients can leave first.
pub const RETRY_DELAY: Duration = Duration::from_millis(500);

/// One client. Its connection is closed, with close(2), when this is dropped.
pub struct Client {
    /// The connected socket.
    pub socket: Socket,
    /// The client's own address and port.
    pub address: SocketAddr,
    /// When its request has to be complete.
    pub deadline: Instant,
}

/// Takes the next client out of the queue, with accept(2). Waits until there is one.
/// Where accept(2) fails, as it does when no descriptor is left, this says so and tries again.
pub fn accept(listener: &Socket) -> Client {
    loop {
        match listener.accept() {
            Ok((socket, address)) => {
                let Some(address) = address.as_socket() else { continue };
                log!("Connection from {address} has been established!");
                return Client { socket, address, deadline: Instant::now() + REQUEST_TIMEOUT };
            }
            // A client left the queue early; Windows calls that a reset. The next one may wait.
            Err(error) if [ConnectionAborted, ConnectionReset].contains(&error.kind()) => {}
            Err(error) => pause_after(&error),
        }
    }
}

fn pause_after(error: &io::Error) {
    // When descriptors run out, all workers of step 5 hear of it. The one with the lock tells.
    static SPEAKER: Mutex<()> = Mutex::new(());
    let speaker = SPEAKER.try_lock();
    if speaker.is_ok() {
        log!("Cannot accept a client: {error}. Trying again.");
    }
    thread::sleep(RETRY_DELAY);
}

/// Receives the head of a request: all up to the blank line that ends it, with recv(2).
/// TCP delivers bytes, not messages. The head comes in any number of pieces, and each call of
/// recv(2) returns what is there, here at most 1024 bytes. What follows the head is not kept.
///
/// # Errors
/// Why there is no complete head. The terminal has been told.
pub fn receive(client: &mut Client) -> Result<Vec<u8>, ReceiveError> {
    let address = client.address;
    receive_head(client)
        .inspect(|head| log!("Request received from {address}: {}", log::visible(head)))
        .inspect_err(|error| log!("No request from {address}: {error}"))
}

fn receive_head(client: &mut Client) -> Result<Vec<u8>, ReceiveError> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let count = match read_before(client.deadline, &mut client.socket, &mut buffer) {
            Ok(0) => return Err(ReceiveError::Closed),
            Ok(count) => count,
            Err(e) if e.kind() != TimedOut => return Err(ReceiveError::Broken(e)),
            Err(_) if head.is_empty() => return Err(ReceiveError::Silent),
            Err(_) => return Err(ReceiveError::Late(head)),
        };
        for &byte in &buffer[..count] {
            head.push(byte);
            // Lines end with CRLF, or LF where a person types (RFC 9112 section 2.2).
            if head == b"\r\n" || head == b"\n" {
                head.clear(); // A blank line before the request does not count.
            } else if head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n") {
                return Ok(head);
            } else if head.len() == MAX_HEAD {
                return Err(ReceiveError::TooLarge(head));
            }
        }
    }
}

/// Reads with recv(2) what has come, and waits for the first byte until the `deadline`.
/// Returns the number of bytes. 0 means that the client sends no more.
///
/// # Errors
/// [`TimedOut`] at the deadline, or what recv(2) reports.
pub fn read_before(deadline: Instant, socket: &mut Socket, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        let limit = deadline.checked_duration_since(Instant::now()).ok_or(TimedOut)?;
        // A limit that is too short for the system to count is none. And macOS refuses a limit
        // once both sides have closed, but then no read waits.
        let _ = socket.set_read_timeout(Some(limit.max(Duration::from_millis(1))));
        match socket.read(buffer) {
            // The time is up: Unix says WouldBlock, Windows TimedOut. Or the program was paused.
            Err(error) if [WouldBlock, TimedOut, Interrupted].contains(&error.kind()) => {}
            result => return result,
        }
    }
}

/// Why there is no request.
#[derive(Debug)]
pub enum ReceiveError {
    /// No byte of a request came before the deadline.
    Silent,
    /// The head began, with these bytes, and was not complete at the deadline.
    Late(Vec<u8>),
    /// The head has more than [`MAX_HEAD`] bytes, and these are the first of them.
    TooLarge(Vec<u8>),
    /// The client closed its side before the head was complete.
    Closed,
    /// The connection broke.
    Broken(io::Error),
}

impl Error for ReceiveError {}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Silent => write!(f, "the client said nothing for {REQUEST_TIMEOUT:?}"),
            Self::Late(_) => write!(f, "the client sent no blank line in {REQUEST_TIMEOUT:?}"),
            Self::TooLarge(_) => write!(f, "the client sent a head of more than {MAX_HEAD} bytes"),
            Self::Closed => write!(f, "the client left before it was complete"),
            Self::Broken(error) => write!(f, "the connection broke: {error}"),
        }
    }
}
