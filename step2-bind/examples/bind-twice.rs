//! Solution: bind two sockets to one address, and read the error.

use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use step2_bind::local_address;

fn main() -> io::Result<()> {
    let first = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let second = Socket::new(Domain::IPV4, Type::STREAM, None)?;

    first.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let address = local_address(&first)?;
    println!("The first socket has {address}.");

    match second.bind(&address.into()) {
        Ok(()) => println!("The second socket has it too."),
        Err(error) => println!("The second socket can't have it: {error}"),
    }
    Ok(())
}
