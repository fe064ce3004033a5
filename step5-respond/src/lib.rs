//! Step 5: respond to a request, and serve everyone. The walkthrough is `docs/step5-respond.md`.

use socket2::Socket;
use std::io::Write;
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

/// How long a client may take to read its response and close.
pub const CLOSE_TIME: Duration = Duration::from_secs(2);

/// How many bytes that nobody asked for are read away while a client closes: 16 MiB.
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

/// Sends a response, with send(2), and sees that it arrives whole.
pub fn respond(client: &Client, response: &Response) {
    let address = client.address;
    let bytes = response.to_bytes();
    match (&client.socket).write_all(&bytes) {
        Ok(()) => tell!("Response sent to {address}: {}, {} bytes", response.status, bytes.len()),
        Err(error) => tell!("No response to {address}: {error}"),
    }
    finish(&client.socket);
}

/// Says "no more from me" with shutdown(2), then reads away what still comes, until the client
/// closes too.
///
/// A system that closes a socket with unread bytes resets the connection, and a reset can
/// destroy the response on its way (RFC 9112 section 9.6).
fn finish(socket: &Socket) {
    if socket.shutdown(Shutdown::Write).is_err() {
        return; // The client has gone already.
    }
    let deadline = Instant::now() + CLOSE_TIME;
    let mut unwanted = [0; 16 * 1024];
    let mut total = 0;
    while let Ok(count) = read_before(deadline, socket, &mut unwanted) {
        total += count;
        if count == 0 || total >= CLOSE_LIMIT {
            return;
        }
    }
}
