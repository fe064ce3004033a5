//! Solution: connect and never accept, until a connection no longer completes.

use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use step2_bind::local_address;
use step3_listen::listen;

fn main() -> io::Result<()> {
    let backlog = 5;
    let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), backlog)?;
    let address = local_address(&listener)?;

    let mut clients: Vec<Socket> = Vec::new();
    // A stop for a system whose queue has no end.
    while clients.len() < 1000 {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if let Err(error) = client.connect_timeout(&address.into(), Duration::from_millis(500)) {
            println!("Client {} did not get in: {error}", clients.len() + 1);
            break;
        }
        clients.push(client);
    }
    println!("With a backlog of {backlog}, {} clients fit into the queue.", clients.len());
    Ok(())
}
