//! Solution: the client's side. Create a socket, connect, send, receive.

use socket2::{Domain, Socket};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use step1_socket::{create, terminal};

fn main() {
    let address = terminal::address_argument();
    let response = ask(address)
        .unwrap_or_else(|error| terminal::fail(&format!("ask the server at {address}"), &error));
    println!("{}", terminal::visible(&response));
}

/// Sends one request, and returns all that the server sends back until it closes.
fn ask(address: SocketAddr) -> io::Result<Vec<u8>> {
    let mut socket: Socket = create(Domain::for_address(address))?;
    socket.connect(&address.into())?; // connect(2)

    let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?; // send(2)

    let mut response = Vec::new();
    socket.read_to_end(&mut response)?; // recv(2), until the server closes
    Ok(response)
}
