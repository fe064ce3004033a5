//! Step 1: create a socket. The walkthrough is `docs/step1-socket.md`.
//!
//! [`create`] asks the system for a TCP socket, which has no address yet. Two small modules are
//! what all steps share for talking to the person at the terminal: [`log`](mod@log) and
//! [`terminal`].

use socket2::{Domain, Protocol, Socket, Type};
use std::io;

pub mod log;
pub mod terminal;

/// Creates a TCP socket that has no address yet, with [socket(2)].
/// The `domain` is the kind of address that it will have: [`Domain::IPV4`] or [`Domain::IPV6`].
/// The socket is closed, with [close(2)], when the returned value is dropped.
///
/// # Errors
/// What socket(2) reports: no descriptor is left, or the system has no such domain.
///
/// [socket(2)]: https://man7.org/linux/man-pages/man2/socket.2.html
/// [close(2)]: https://man7.org/linux/man-pages/man2/close.2.html
pub fn create(domain: Domain) -> io::Result<Socket> {
    // STREAM: a connection that delivers bytes in order. TCP: the protocol that does so.
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;

    // The number by which this program and the system speak of the socket.
    #[cfg(unix)]
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&socket);
    #[cfg(windows)]
    let descriptor = std::os::windows::io::AsRawSocket::as_raw_socket(&socket);
    let version = if domain == Domain::IPV6 { "IPv6" } else { "IPv4" };
    log!("Socket created: {version}, TCP, descriptor {descriptor}");
    Ok(socket)
}
