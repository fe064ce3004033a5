//! Solution: bind two sockets to one port, and read the error.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use step2_bind::local_address;

fn main() -> io::Result<()> {
    // Sockets straight from socket2: the step's own bind sets SO_REUSEADDR on Unix, and with it
    // Linux lets two sockets share a port until one of them listens.
    let first = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    let second = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;

    first.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let address = local_address(&first)?;
    println!("The first socket has {address}.");

    match second.bind(&address.into()) {
        Ok(()) => println!("The second socket has it too."),
        Err(error) => println!("The second socket can't have it: {error}"),
    }
    Ok(())
}
