//! Solution: an echo server. It sends back what it receives, until the client leaves.

use std::io::{self, Read, Write};
use step1_socket::terminal;
use step3_listen::{BACKLOG, listen};
use step4_accept::{Client, accept};

fn main() -> io::Result<()> {
    let listener = listen(terminal::address_argument(), BACKLOG)?;
    loop {
        let client = accept(&listener);
        if let Err(error) = echo(client) {
            println!("The connection broke: {error}");
        }
    }
}

fn echo(mut client: Client) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let count = client.socket.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        client.socket.write_all(&buffer[..count])?;
    }
}
