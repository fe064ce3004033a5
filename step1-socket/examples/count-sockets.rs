//! Solution: open sockets until the system refuses, and say how many it granted.

use socket2::{Domain, Protocol, Socket, Type};

/// Enough to meet the limit of most systems, and a stop for one that has none.
const MOST: usize = 100_000;

fn main() {
    let mut sockets = Vec::new();
    while sockets.len() < MOST {
        match Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)) {
            // The vector keeps the socket open. Without it, the socket would be closed at once.
            Ok(socket) => sockets.push(socket),
            Err(error) => {
                println!("The system refused: {error}");
                break;
            }
        }
    }
    println!("{} sockets were open at once.", sockets.len());
}
