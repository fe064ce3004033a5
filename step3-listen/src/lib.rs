//! Step 3: listen for connections. The walkthrough is `docs/step3-listen.md`.
//!
//! [`listen`] binds the socket of step 2 and opens its queue. From then on clients can connect.

use socket2::Socket;
use std::{io, net::SocketAddr};
use step1_socket::log;
use step2_bind::{bind, local_address};

/// How many clients may wait in the queue. So few that a lesson can watch the queue fill.
pub const BACKLOG: i32 = 5;

/// Binds a TCP socket to `address` and opens its queue of `backlog` connections, with [listen(2)].
/// From here on the system itself completes connections and puts them in the queue. The
/// `backlog` is a hint: Linux lets one more wait, other systems round it in their own ways.
///
/// # Errors
/// What socket(2), bind(2) and listen(2) report. Among them: another socket listens on the port.
///
/// [listen(2)]: https://man7.org/linux/man-pages/man2/listen.2.html
pub fn listen(address: SocketAddr, backlog: i32) -> io::Result<Socket> {
    let socket = bind(address)?;
    socket.listen(backlog)?;
    log!("Server is listening on http://{}", local_address(&socket)?);
    Ok(socket)
}
