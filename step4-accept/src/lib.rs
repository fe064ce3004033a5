//! Step 4: accept a client and receive its request. The walkthrough is `docs/step4-accept.md`.
//!
//! [`accept`] takes a client out of the queue that step 3 opened, and [`receive`] reads its request
//! until the blank line, for as long as the server has patience.

use socket2::Socket;
use std::io::ErrorKind::{
    ConnectionAborted, ConnectionReset, Interrupted, NotConnected, TimedOut, WouldBlock,
};
use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{error::Error, fmt, net::SocketAddr, thread};
use step1_socket::{log, log_detail};

/// The most bytes that a request's head may have. Browsers stay far below, unless
/// `localhost` has collected many cookies.
pub const MAX_HEAD: usize = 8 * 1024;
/// The most time that a client may take for its request. Browsers take milliseconds.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait after accept(2) failed, so that other clients can leave first.
pub const RETRY_DELAY: Duration = Duration::from_millis(500);

/// One client. Its connection is closed, with [close(2)], when this is dropped.
///
/// [close(2)]: https://man7.org/linux/man-pages/man2/close.2.html
pub struct Client {
    /// The connected socket.
    pub socket: Socket,
    /// The client's own address and port.
    pub address: SocketAddr,
    /// How long it may take for a request: [`REQUEST_TIMEOUT`], unless the server is in a hurry.
    pub timeout: Duration,
    /// Whether more bytes came together with the head of its request. They are lost.
    pub has_more: bool,
}

/// Whether accept(2) fails, and the log says so.
static IN_TROUBLE: AtomicBool = AtomicBool::new(false);

/// Takes the next client out of the queue, with [accept(2)]. Waits until there is one.
/// If accept(2) fails, as it does when no descriptor is left, this says so and tries again.
///
/// [accept(2)]: https://man7.org/linux/man-pages/man2/accept.2.html
pub fn accept(listener: &Socket) -> Client {
    loop {
        match listener.accept() {
            Ok((socket, address)) => {
                IN_TROUBLE.store(false, Relaxed);
                let Some(address) = address.as_socket() else { continue };
                log_detail!("Connection from {address} has been established!");
                return Client { socket, address, timeout: REQUEST_TIMEOUT, has_more: false };
            }
            Err(error) => match error.kind() {
                // A client left the queue early; Windows calls that a reset, and Wine not connected.
                // Or another thread took it: Wine says so, and other systems let this one wait on.
                ConnectionAborted | ConnectionReset | NotConnected | WouldBlock => {}
                _ => pause_after(&error),
            },
        }
    }
}

fn pause_after(error: &io::Error) {
    // When descriptors run out, many workers of step 5 find out at once. The one that has the lock
    // says so, and only once until a client could be accepted again.
    static SPEAKER: Mutex<()> = Mutex::new(());
    let speaker = SPEAKER.try_lock();
    if speaker.is_ok() && !IN_TROUBLE.swap(true, Relaxed) {
        log!("Cannot accept a client: {error}. Trying again.");
    }
    thread::sleep(RETRY_DELAY);
}

/// Receives the head of a request: everything up to the blank line that ends it, with [recv(2)].
/// TCP delivers bytes, not messages. The head comes in any number of pieces, and each call of
/// recv(2) returns what is there, here at most 1024 bytes. What follows the head is not kept.
///
/// # Errors
/// Why there is no complete head. The log says it too.
///
/// [recv(2)]: https://man7.org/linux/man-pages/man2/recv.2.html
pub fn receive(client: &mut Client) -> Result<Vec<u8>, ReceiveError> {
    let address = client.address;
    receive_head(client)
        .inspect(|head| log_request(address, head))
        .inspect_err(|error| log_detail!("No request from {address}: {error}"))
}

fn receive_head(client: &mut Client) -> Result<Vec<u8>, ReceiveError> {
    let deadline = Instant::now() + client.timeout;
    let mut head = Vec::new();
    let mut total = 0;
    let mut buffer = [0; 1024];
    loop {
        let count = match read_before(deadline, &mut client.socket, &mut buffer) {
            Ok(0) => return Err(ReceiveError::Closed),
            Ok(count) => count,
            Err(e) if e.kind() == TimedOut => return Err(ReceiveError::late(head, client.timeout)),
            Err(e) => return Err(ReceiveError::Broken(e)),
        };
        for (index, &byte) in buffer[..count].iter().enumerate() {
            head.push(byte);
            total += 1;
            // Lines end with CRLF, or LF if a person types them (RFC 9112 section 2.2).
            if head == b"\r\n" || head == b"\n" {
                head.clear(); // A blank line before the request does not count.
            } else if head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n") {
                client.has_more = index + 1 < count;
                return Ok(head);
            }
            if total == MAX_HEAD {
                return Err(ReceiveError::TooLarge(head));
            }
        }
        // The time may be up although bytes came: a byte now and then does not buy more time.
        // But if the buffer is full, more may have come before the deadline.
        if count < buffer.len() && Instant::now() >= deadline {
            return Err(ReceiveError::late(head, client.timeout));
        }
    }
}

fn log_request(address: SocketAddr, head: &[u8]) {
    if log::is_brief() {
        return; // Step 5 writes one row about each client, when it has its answer.
    }
    let words = format!("Request received from {address}:");
    let request = log::quoted(head);
    let request_line = request.lines().next().unwrap_or_default();
    // A long request line gets a row of its own, so that it can't wrap around.
    let tag = "[step4-accept] ";
    let fits = tag.len() + words.len() + " ".len() + request_line.len() <= log::COLUMNS;
    log!("{words}{}{request}", if fits { " " } else { "\n" });
}

/// Reads with recv(2) what has come, and waits for the first byte until the `deadline`.
/// What is there already is read even after the deadline: this program may have been paused.
/// Returns the number of bytes. 0 means that the client sends no more.
///
/// # Errors
/// [`TimedOut`] if nothing has come by the deadline, or what recv(2) reports.
pub fn read_before(deadline: Instant, socket: &mut Socket, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // A limit of less than the system counts in would be no limit. And macOS refuses a limit
        // once both sides have closed, but then no read waits.
        let _ = socket.set_read_timeout(Some(left.max(Duration::from_millis(1))));
        match socket.read(buffer) {
            // Nothing came: Unix says WouldBlock, Windows TimedOut. Or the program was paused.
            Err(error) if [WouldBlock, TimedOut, Interrupted].contains(&error.kind()) => {
                if Instant::now() >= deadline {
                    return Err(TimedOut.into());
                }
            }
            result => return result,
        }
    }
}

/// Why there is no request.
#[derive(Debug)]
pub enum ReceiveError {
    /// No byte of a request came in this time.
    Silent(Duration),
    /// The head began, with these bytes, and was not complete after this time.
    Late(Vec<u8>, Duration),
    /// More than [`MAX_HEAD`] bytes came, and these are the first of the head.
    TooLarge(Vec<u8>),
    /// The client closed its side before the head was complete.
    Closed,
    /// The connection broke.
    Broken(io::Error),
}

impl ReceiveError {
    fn late(head: Vec<u8>, timeout: Duration) -> ReceiveError {
        if head.is_empty() { Self::Silent(timeout) } else { Self::Late(head, timeout) }
    }
}

impl Error for ReceiveError {}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Silent(timeout) => write!(f, "the client sent no request in {timeout:?}"),
            Self::Late(_, timeout) => {
                write!(f, "the client sent no complete request in {timeout:?}")
            }
            Self::TooLarge(_) => write!(f, "the client sent a head of more than {MAX_HEAD} bytes"),
            Self::Closed => write!(f, "the client left before its request was complete"),
            Self::Broken(error) => write!(f, "the connection broke: {error}"),
        }
    }
}
