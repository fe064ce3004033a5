//! Solution: bind to port 0, and find out which port the system chose.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use step2_bind::{bind, local_address};

fn main() -> io::Result<()> {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let first = bind(any_port)?;
    println!("The first socket has port {}.", local_address(&first)?.port());

    let second = bind(any_port)?;
    println!("The second socket has port {}.", local_address(&second)?.port());
    Ok(())
}
