//! Solution: an echo server. It sends back what it receives, until the client leaves.

use std::io::{self, Read, Write};
use step1_socket::{tell, terminal};
use step3_listen::{BACKLOG, listen};
use step4_accept::{Client, accept};

fn main() {
    let address = terminal::address_argument();
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));

    loop {
        let mut client = accept(&listener);
        match echo(&mut client) {
            Ok(total) => tell!("Echoed {total} bytes to {}", client.address),
            Err(error) => tell!("Lost {}: {error}", client.address),
        }
    }
}

/// Returns the number of bytes sent back.
fn echo(client: &mut Client) -> io::Result<usize> {
    let socket = &mut client.socket;
    let mut buffer = [0; 1024];
    let mut total = 0;
    loop {
        let count = socket.read(&mut buffer)?;
        if count == 0 {
            return Ok(total);
        }
        socket.write_all(&buffer[..count])?;
        total += count;
    }
}
