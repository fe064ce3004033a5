//! Step 5: respond to a request, and serve everyone. The walkthrough is `docs/step5-respond.md`.

use socket2::Socket;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};
use step1_socket::tell;
use step4_accept::{Client, accept, read_before, receive};

pub mod request;
pub mod response;

use response::Response;

/// How many clients are served at the same time.
///
/// A browser opens a second connection ahead of need and says nothing on it. Thirty students
/// do so thirty times over: 60 connections, and a few threads to spare.
pub const WORKERS: usize = 64;

/// How many clients may wait in the queue: all that come before a worker wakes up.
///
/// With the 5 of step 3, some of 32 clients that come in the same moment find the queue full, and
/// each of those waits a second until TCP tries again.
pub const BACKLOG: i32 = 128;

/// How long a client that has its response may go on sending.
pub const CLOSE_TIME: Duration = Duration::from_secs(2);

/// How many bytes, 16 MiB, a client that has its response may go on sending.
pub const CLOSE_LIMIT: usize = 16 * 1024 * 1024;

/// Serves every client that comes to the listening socket. Never returns.
///
/// [`WORKERS`] threads all do the same: accept, receive, respond. Where the system grants fewer
/// threads, those that there are do the work.
pub fn serve(listener: &Socket) -> ! {
    thread::scope(|scope| {
        // The thread that called serve is a worker too, so one fewer is started.
        for count in 1..WORKERS {
            let worker = thread::Builder::new().spawn_scoped(scope, || work(listener));
            if let Err(error) = worker {
                tell!("Serving with {count} threads instead of {WORKERS}: {error}");
                break;
            }
        }
        work(listener)
    })
}

fn work(listener: &Socket) -> ! {
    loop {
        let client = accept(listener);
        if let Some(response) = Response::to(&receive(&client)) {
            respond(&client, &response);
        }
        // The client is dropped here: close(2).
    }
}

/// Sends a response with send(2), and closes so that it arrives whole.
///
/// A system that closes a socket with unread bytes resets the connection, and a reset can
/// destroy the response on its way (RFC 9112 section 9.6). So this says "no more from me" with
/// shutdown(2). Where a body was announced or more bytes have come than the request, they are read
/// away until the client closes too.
pub fn respond(client: &Client, response: &Response) {
    let (address, bytes) = (client.address, response.to_bytes());
    // So short a response fits into the system's own buffer: this waits for no client.
    let sent = (&client.socket).write_all(&bytes);
    match sent.and_then(|()| client.socket.shutdown(Shutdown::Write)) {
        Ok(()) => tell!("Response sent to {address}: {}, {} bytes", response.status, bytes.len()),
        Err(error) => return tell!("No response to {address}: {error}"),
    }
    if response.more_to_come || sends_more(&client.socket).unwrap_or(false) {
        read_away(&client.socket);
    }
}

/// Looks whether there are bytes to read, and does not wait for them.
fn sends_more(mut socket: &Socket) -> io::Result<bool> {
    socket.set_nonblocking(true)?;
    let count = socket.read(&mut [0; 1024]);
    socket.set_nonblocking(false)?;
    Ok(count? > 0) // An error is WouldBlock: there are none.
}

/// Reads what nobody asked for with recv(2), for at most [`CLOSE_TIME`] and [`CLOSE_LIMIT`].
fn read_away(socket: &Socket) {
    let deadline = Instant::now() + CLOSE_TIME;
    let mut unwanted = [0; 1024];
    let mut total = 0;
    while let Ok(count) = read_before(deadline, socket, &mut unwanted) {
        total += count;
        if count == 0 || total >= CLOSE_LIMIT {
            return;
        }
    }
}
