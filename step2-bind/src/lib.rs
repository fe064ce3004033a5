//! Step 2: bind the socket to an address. The walkthrough is `docs/step2-bind.md`.
//!
//! [`bind`] creates the socket of step 1 and gives it an address. [`local_address`] says which one
//! it has.

use socket2::{Domain, Socket};
use std::{io, net::SocketAddr};
use step1_socket::{create, log};

/// Creates a TCP socket and gives it `address`, with [bind(2)].
/// Port 0 asks the system to choose a free port; [`local_address`] says which one it chose.
///
/// # Errors
/// What socket(2) and bind(2) report. Among them: another socket has the address, the port
/// needs special rights, or this machine does not have the address.
///
/// [bind(2)]: https://man7.org/linux/man-pages/man2/bind.2.html
pub fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = create(Domain::for_address(address))?;

    // The system remembers connections that the server closed first, on Linux for a minute
    // (TIME_WAIT, RFC 9293 section 3.6.1). Without this option it holds the port meanwhile. On
    // Windows the option would let two programs share a port, and a restart works without it.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;

    socket.bind(&address.into())?;
    log!("Socket bound to {}", local_address(&socket)?);
    Ok(socket)
}

/// The address that the socket is bound to, with the real port, from [getsockname(2)].
///
/// # Errors
/// What getsockname(2) reports. On Windows that is an error for a socket that is not bound.
///
/// [getsockname(2)]: https://man7.org/linux/man-pages/man2/getsockname.2.html
pub fn local_address(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    address.ok_or_else(|| io::Error::other("the socket has no IP address"))
}
