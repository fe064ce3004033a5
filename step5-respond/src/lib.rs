//! Step 5: respond to a request, and serve everyone. The walkthrough is `docs/step5-respond.md`.

use crate::{request::Request, response::Response};
use colored::Colorize;
use socket2::Socket;
use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
use std::io::{self, Write};
use std::time::{Duration, Instant};
use std::{net::Shutdown, panic, thread};
use step1_socket::log;
use step4_accept::{Client, accept, read_before, receive};

pub mod request;
pub mod response;

/// How many clients are served at the same time. A browser opens a second connection before it
/// needs one and says nothing on it. For a class of thirty that makes 60, and a few to spare.
pub const WORKERS: usize = 64;
/// How many clients may wait in the queue. With the 5 of step 3, some of 32 clients that come in
/// the same moment find it full, and each of those waits a second until TCP tries again.
pub const BACKLOG: i32 = 128;
/// The most time that a client may take for a response that is longer than the system's buffer.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client that has its response may stay connected. While 64 of them do, others wait.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves every client that comes to the listening socket, with [`WORKERS`] threads, or as many as
/// the system grants. Never returns. The `site` decides what to answer to GET and HEAD. Where it
/// panics, one client gets a 500, and the terminal is told where and why.
pub fn serve(listener: &Socket, site: impl Fn(&Request) -> Response + Sync) -> ! {
    panic::set_hook(Box::new(|panic| {
        log!("The site {}", log::visible(panic.to_string().as_bytes()).replace('\n', " "));
    }));
    let work = || loop {
        let mut client = accept(listener);
        if let Some(response) = Response::to(&receive(&mut client), &site) {
            respond(&mut client, &response);
        }
        // The client is dropped here: close(2).
    };
    thread::scope(|scope| {
        // The thread that called serve is a worker too, so one fewer is started.
        for count in 1..WORKERS {
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, work) {
                log!("Serving with {count} threads instead of {WORKERS}: {error}");
                break;
            }
        }
        work()
    })
}

/// Sends a response with send(2), and lets it arrive complete before the connection is closed.
///
/// A system that closes a socket with unread bytes resets the connection, and a reset can
/// destroy the response on its way (RFC 9112 section 9.6). So this says "no more from me" with
/// shutdown(2), and reads with recv(2) until the client closes too, for [`CLOSE_TIMEOUT`] at most.
pub fn respond(client: &mut Client, response: &Response) {
    let Client { socket, address, .. } = client;
    let bytes = response.to_bytes();
    let sent = send_before(Instant::now() + RESPONSE_TIMEOUT, socket, &bytes);
    let _ = socket.shutdown(Shutdown::Write); // A client that has left already needs none.
    let told = format!("{}{}", response.status, response.reason);
    let told = if response.status < "400" { told.normal() } else { told.red().bold() };
    match sent {
        Ok(()) => log!("Response sent to {address}: {told}, {} bytes", bytes.len()),
        Err(error) => log!("No complete response to {address}: {error}"),
    }
    drain(socket);
}

fn send_before(deadline: Instant, socket: &mut Socket, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let limit = deadline.checked_duration_since(Instant::now()).ok_or(TimedOut)?;
        socket.set_write_timeout(Some(limit.max(Duration::from_millis(1))))?;
        match socket.write(bytes) {
            // As in read_before: try again, until the deadline has passed.
            Err(error) if [WouldBlock, TimedOut, Interrupted].contains(&error.kind()) => {}
            count => bytes = &bytes[count?..],
        }
    }
    Ok(())
}

fn drain(socket: &mut Socket) {
    let (deadline, mut buffer) = (Instant::now() + CLOSE_TIMEOUT, [0; 16 * 1024]);
    while read_before(deadline, socket, &mut buffer).is_ok_and(|count| count > 0) {}
}
