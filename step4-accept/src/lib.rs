//! Step 4: accept a client and receive its request. The walkthrough is `docs/step4-accept.md`.

use socket2::Socket;
use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{fmt, thread};
use step1_socket::{tell, terminal::visible};

/// The most bytes that a request's head may have. Browsers stay far below.
pub const HEAD_LIMIT: usize = 8 * 1024;

/// The most time that a client may take for its request, counted from when it was accepted.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The pause after accept(2) failed, so that other clients can leave first.
pub const PAUSE: Duration = Duration::from_millis(500);

/// One client. Its connection is closed, with close(2), when this is dropped.
#[derive(Debug)]
pub struct Client {
    /// The connected socket.
    pub socket: Socket,
    /// The client's own address and port.
    pub address: SocketAddr,
    /// When its request has to be whole.
    pub deadline: Instant,
}

/// Takes the next client out of the queue, with accept(2). Waits until there is one.
///
/// Where accept(2) fails, as it does when no descriptor is left, this says so and tries again.
#[must_use]
pub fn accept(listener: &Socket) -> Client {
    loop {
        match try_accept(listener) {
            Ok(client) => return client,
            // A client that left the queue early is no reason to keep the next one waiting.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => pause_after(&error),
        }
    }
}

fn try_accept(listener: &Socket) -> io::Result<Client> {
    let (socket, address) = listener.accept()?;
    let deadline = Instant::now() + TIME_LIMIT;
    let address = address.as_socket().ok_or(ErrorKind::ConnectionAborted)?;
    tell!("Connection from {address} has been established!");
    Ok(Client { socket, address, deadline })
}

/// Tells why accept(2) failed, and gives it time to go better.
fn pause_after(error: &io::Error) {
    static SPEAKER: Mutex<()> = Mutex::new(());
    // When descriptors run out, every thread hears of it. The one with the lock speaks for all.
    let speaker = SPEAKER.try_lock();
    if speaker.is_ok() {
        tell!("Cannot accept a client: {error}. Trying again.");
    }
    thread::sleep(PAUSE);
}

/// Receives the head of a request: all up to the blank line that ends it, with recv(2).
///
/// TCP delivers bytes, not messages. The head comes in any number of pieces, and each call of
/// recv(2) returns what is there, here at most 1024 bytes. What follows the head is not kept.
///
/// # Errors
///
/// Why there is no whole head. The terminal has been told.
pub fn receive(client: &Client) -> Result<Vec<u8>, NoRequest> {
    let (address, received) = (client.address, receive_head(client));
    match &received {
        Ok(head) => tell!("Request received from {address}:\n{}", visible(head.trim_ascii())),
        Err(reason) => tell!("No request from {address}: the client {reason}"),
    }
    received
}

fn receive_head(client: &Client) -> Result<Vec<u8>, NoRequest> {
    let mut head = Vec::new();
    loop {
        let mut piece = [0; 1024];
        let count = match read_before(client.deadline, &client.socket, &mut piece) {
            Ok(0) => return Err(NoRequest::Left),
            Ok(count) => count,
            Err(e) if e.kind() != ErrorKind::TimedOut => return Err(NoRequest::CutOff(e)),
            Err(_) if head.is_empty() => return Err(NoRequest::Silent),
            Err(_) => return Err(NoRequest::Late),
        };
        for &byte in &piece[..count] {
            head.push(byte);
            // Lines end with CRLF, or LF where a person types (RFC 9112 section 2.2).
            if head == b"\r\n" || head == b"\n" {
                head.clear(); // A blank line ahead of the request does not count.
            } else if head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n") {
                return Ok(head);
            } else if head.len() == HEAD_LIMIT {
                return Err(NoRequest::TooLarge);
            }
        }
    }
}

/// Reads with recv(2) what has come, and waits for the first byte until the `deadline`.
///
/// Returns the number of bytes. 0 means that the client sends no more.
///
/// # Errors
///
/// [`ErrorKind::TimedOut`] at the deadline, or what recv(2) reports.
pub fn read_before(deadline: Instant, mut socket: &Socket, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        let time_left = deadline.saturating_duration_since(Instant::now());
        if time_left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        // The system drops what is less than a millisecond, and takes 0 for no limit at all.
        socket.set_read_timeout(Some(time_left.max(Duration::from_millis(1))))?;
        match socket.read(buffer) {
            // Unix calls a read that timed out WouldBlock. Interrupted: the program was paused.
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            result => return result,
        }
    }
}

/// Why there is no request.
#[derive(Debug)]
pub enum NoRequest {
    /// No byte of a request came before the deadline.
    Silent,
    /// The head began and was not whole at the deadline.
    Late,
    /// The head has more than [`HEAD_LIMIT`] bytes.
    TooLarge,
    /// The client closed its side before the head was whole.
    Left,
    /// The connection broke.
    CutOff(io::Error),
}

impl fmt::Display for NoRequest {
    fn fmt(&self, line: &mut fmt::Formatter) -> fmt::Result {
        match self {
            NoRequest::Silent => write!(line, "said nothing for {TIME_LIMIT:?}"),
            NoRequest::Late => write!(line, "did not finish it in {TIME_LIMIT:?}"),
            NoRequest::TooLarge => write!(line, "sent a head of more than {HEAD_LIMIT} bytes"),
            NoRequest::Left => write!(line, "left before it was whole"),
            NoRequest::CutOff(error) => write!(line, "was cut off: {error}"),
        }
    }
}
