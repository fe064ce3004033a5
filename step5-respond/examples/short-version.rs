//! Solution: the whole server in one file, as short as in the article, with all its flaws.

use socket2::{Domain, Socket, Type};
use std::io::{Read, Result, Write};

fn main() -> Result<()> {
    let address = step1_socket::terminal::address_argument();
    let server = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    server.bind(&address.into())?;
    server.listen(5)?;
    println!("Server is listening on http://{}", step2_bind::local_address(&server)?);

    loop {
        let (mut client, from) = server.accept()?;
        let from = from.as_socket().expect("clients have an IP address");
        println!("Connection from {from} has been established!");

        let mut buffer = [0; 1024];
        let count = client.read(&mut buffer)?;
        let request = std::str::from_utf8(&buffer[..count]).expect("a request is text");
        println!("Request received:\n{request}");

        client.write_all(b"HTTP/1.1 200 OK\n\nHello, World! This is a simple web server.")?;
    }
}
