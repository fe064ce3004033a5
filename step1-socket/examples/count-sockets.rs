//! Solution: open sockets until the system refuses, and say how many it granted.

use socket2::{Domain, Protocol, Socket, Type};

fn main() {
    let mut sockets: Vec<Socket> = Vec::new();
    // A stop for a system that never refuses.
    while sockets.len() < 100_000 {
        match Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)) {
            Ok(socket) => sockets.push(socket),
            Err(error) => {
                println!("The system refused: {error}");
                break;
            }
        }
    }
    println!("{} sockets were open at once.", sockets.len());
}
