//! Solution: a UDP socket beside a TCP socket. Two arguments of socket(2) differ.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;

fn main() -> io::Result<()> {
    let tcp = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    println!("{:?}", tcp.r#type()?);

    let udp = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    println!("{:?}", udp.r#type()?);
    Ok(())
}
