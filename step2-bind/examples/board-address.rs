//! Solution: which address to write on the board, so that others can reach this machine.

use socket2::{Domain, Socket, Type};
use std::io;
use std::net::SocketAddr;
use step2_bind::local_address;

fn main() -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // An address that belongs to nobody: it is kept free for examples (RFC 5737).
    let far_away = SocketAddr::from(([203, 0, 113, 7], 80));

    // For UDP, connect(2) sends nothing. It only chooses the way that a packet would take.
    match socket.connect(&far_away.into()) {
        Ok(()) => println!("For the board: http://{}:8080", local_address(&socket)?.ip()),
        Err(error) => println!("For the board: nothing, this machine is in no network: {error}"),
    }
    Ok(())
}
