//! Step 5: respond to a request, and serve everyone. The walkthrough is `docs/step5-respond.md`.
//!
//! [`respond`] sends a [`Response`] so that it arrives complete. [`serve`] does it for every client
//! that comes, many at the same time. What to answer is up to a *site*: a function from a
//! [`Request`] to a [`Response`].

use crate::{request::Request, response::Response};
use colored::Colorize;
use socket2::Socket;
use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};
use std::{iter, panic, thread};
use step1_socket::log;
use step4_accept::{Client, REQUEST_TIMEOUT, accept, read_before, receive};

pub mod request;
pub mod response;

/// How many clients can be served at the same time. A browser opens a second connection before it
/// needs one, and often sends nothing on it: a class of thirty makes 60. The rest is for a client that
/// opens hundreds. Each of these threads takes 24 KB of memory, 12 MB in all.
pub const MAX_WORKERS: u32 = 512;
/// How many clients may wait in the queue. Thirty browsers that open six connections each make 180
/// in one moment. A client that finds the queue full waits a second until TCP tries again.
pub const BACKLOG: i32 = 1024;
/// The most time that a client may take for each [`PIECE`] of a response. Even a phone that gets
/// 7 KB a second is quicker.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many bytes of a long response are handed to the system at a time.
pub const PIECE: usize = 64 * 1024;
/// How long a client that has its response may stay connected. Most leave within milliseconds.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves every client that comes to the listening socket. Never returns.
/// The `site` decides what to answer to GET and HEAD.
///
/// The workers are threads. In the beginning there is one, and the last free one asks for another
/// before it serves its client, until there are [`MAX_WORKERS`], or as many as the system grants.
/// The fewer workers can still be had, the less time a client gets.
///
/// If the site panics, one client gets a 500, and the log says where and why. The hook for that
/// belongs to the whole program: other threads that panic are in the log too.
///
/// # Example
/// ```no_run
/// use step5_respond::{BACKLOG, response::Response, serve};
///
/// # fn main() -> std::io::Result<()> {
/// let listener = step3_listen::listen(([127, 0, 0, 1], 8080).into(), BACKLOG)?;
/// serve(&listener, |request| Response::sentence("200 OK", &request.path))
/// # }
/// ```
pub fn serve(listener: &Socket, site: impl Fn(&Request) -> Response + Sync) -> ! {
    log::write_in_background();
    panic::set_hook(Box::new(|panic| {
        log!("The site {}", log::quoted(panic.to_string().as_bytes()));
    }));

    // Numbers that all threads can change. SeqCst: they all see the changes in the same order.
    let busy = AtomicU32::new(0); // How many workers have a client,
    let started = AtomicU32::new(0); // how many there are,
    let most = AtomicU32::new(MAX_WORKERS); // and how many there can be.
    let starter = thread::current();

    let work = || loop {
        let mut client = accept(listener);
        let now_busy = busy.fetch_add(1, SeqCst) + 1;
        if now_busy >= started.load(SeqCst) {
            // The last free worker has another one started before it serves.
            starter.unpark();
        }
        client.timeout = patience(now_busy, most.load(SeqCst));
        if let Some(response) = Response::to(&receive(&mut client), &site) {
            respond(&mut client, &response);
        }
        drop(client); // close(2)
        busy.fetch_sub(1, SeqCst);
    };

    thread::scope(|scope| {
        for count in 1..MAX_WORKERS {
            started.store(count, SeqCst);
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, work) {
                let threads = if count == 1 { "thread" } else { "threads" };
                log!("Serving with {count} {threads} instead of {MAX_WORKERS}: {error}");
                most.store(count, SeqCst);
                break;
            }
            while busy.load(SeqCst) < count {
                thread::park(); // Sleeps until the last free worker unparks it.
            }
        }
        // No other thread can be started. This one works too, instead of waiting for the others.
        started.store(most.load(SeqCst), SeqCst);
        work()
    })
}

/// How long a client may take for its request: of [`REQUEST_TIMEOUT`] the same share as there are
/// workers to be had. It is a number of quarter seconds, and at least one, which is enough for a
/// request that comes in one piece.
fn patience(busy: u32, most: u32) -> Duration {
    let free = most.saturating_sub(busy) + 1; // The client's own worker counts as one.
    let quarters = (20 * free).div_ceil(most).min(20);
    REQUEST_TIMEOUT / 20 * quarters
}

/// Sends a response, and lets it arrive complete before the connection is closed.
///
/// A system that closes a socket with unread bytes resets the connection, and a reset can
/// destroy the response on its way (RFC 9112 section 9.6). So this says "no more from me" with
/// [shutdown(2)], and reads with recv(2) until the client closes too, for [`CLOSE_TIMEOUT`] at most.
///
/// [shutdown(2)]: https://man7.org/linux/man-pages/man2/shutdown.2.html
pub fn respond(client: &mut Client, response: &Response) {
    let sent = send(client, response);
    let _ = client.socket.shutdown(Shutdown::Write); // A client that has left already needs none.
    log_response(client.address, response, &sent);
    drain(client);
}

/// Sends a response with [send(2)], and returns how many bytes it had. The connection stays open.
///
/// # Errors
/// What send(2) reports, or [`TimedOut`] if the client does not read.
///
/// [send(2)]: https://man7.org/linux/man-pages/man2/send.2.html
pub fn send(client: &mut Client, response: &Response) -> io::Result<usize> {
    // In a hurry, a client gets less time for the response too.
    let timeout = RESPONSE_TIMEOUT.min(client.timeout * 2);
    let (head, body) = (response.head(), response.body_to_send());
    // The head goes out together with the beginning of the body. The rest is sent from its place:
    // a long body is not copied, however many clients read it slowly.
    let (beginning, rest) = body.split_at(body.len().min(PIECE));
    let first = [&head, beginning].concat();
    for piece in iter::once(&first[..]).chain(rest.chunks(PIECE)) {
        send_before(Instant::now() + timeout, &mut client.socket, piece)?;
    }
    Ok(head.len() + body.len())
}

fn send_before(deadline: Instant, socket: &mut Socket, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let left = deadline.checked_duration_since(Instant::now()).ok_or(TimedOut)?;
        // As in read_before: a limit of less than the system counts in would be no limit.
        socket.set_write_timeout(Some(left.max(Duration::from_millis(1))))?;
        match socket.write(bytes) {
            // Nothing was taken, or the program was paused. Try again, until the deadline.
            Err(error) if [WouldBlock, TimedOut, Interrupted].contains(&error.kind()) => {}
            count => bytes = &bytes[count?..],
        }
    }
    Ok(())
}

fn log_response(address: SocketAddr, response: &Response, sent: &io::Result<usize>) {
    let Response { status, reason, request, .. } = response;
    // An error stands out.
    let color = |words: String| if *status < "400" { words.normal() } else { words.red().bold() };
    match sent {
        Ok(_) if log::is_brief() => {
            let code = status.split(' ').next().unwrap_or_default();
            let with_reason = format!("{code} {reason}");
            let outcome = if reason.is_empty() { status.to_string() } else { with_reason };
            log::write_brief(address, request, &color(outcome));
        }
        Ok(bytes) => {
            let with_reason = format!("{status} ({reason})");
            let outcome = if reason.is_empty() { status.to_string() } else { with_reason };
            log!("Response sent to {address}: {}, {bytes} bytes", color(outcome));
        }
        Err(error) if log::is_brief() => {
            log::write_brief(address, request, &format!("not complete: {error}").red().bold());
        }
        Err(error) => log!("No complete response to {address}: {error}"),
    }
}

/// Reads what the client still sends, until it closes its side.
fn drain(client: &mut Client) {
    let deadline = Instant::now() + CLOSE_TIMEOUT.min(client.timeout);
    let mut buffer = [0; 16 * 1024];
    while Instant::now() < deadline
        && read_before(deadline, &mut client.socket, &mut buffer).is_ok_and(|count| count > 0)
    {}
}
