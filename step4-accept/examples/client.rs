//! Solution: the client's side. Create a socket, connect, send, receive.

use socket2::{Domain, Socket, Type};
use std::io::{self, Read, Write};
use step1_socket::terminal;

fn main() -> io::Result<()> {
    let address = terminal::address_argument();
    let mut socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;

    socket.connect(&address.into())?;
    socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;

    let mut response = Vec::new();
    socket.read_to_end(&mut response)?;
    println!("{}", String::from_utf8_lossy(&response));
    Ok(())
}
