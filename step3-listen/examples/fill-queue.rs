//! Solution: connect and never accept, until a connection no longer completes.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use step2_bind::local_address;
use step3_listen::{BACKLOG, listen};

/// On one machine a connection completes in far less than a millisecond, or waits for a place.
const PATIENCE: Duration = Duration::from_millis(500);

/// A stop for a system whose queue has no end.
const MOST: usize = 1000;

fn main() -> io::Result<()> {
    let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), BACKLOG)?;
    let address = local_address(&listener)?;

    let mut clients = Vec::new();
    while clients.len() < MOST {
        let client = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        if let Err(error) = client.connect_timeout(&address.into(), PATIENCE) {
            println!("Client {} did not get in: {error}", clients.len() + 1);
            break;
        }
        clients.push(client);
    }
    println!("With a backlog of {BACKLOG}, {} clients fit into the queue.", clients.len());
    Ok(())
}
