//! My own web server.

use socket2::{Domain, Socket, Type};
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;

fn main() -> std::io::Result<()> {
    let server = Socket::new(Domain::IPV4, Type::STREAM, None)?;

    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into());
    let address: SocketAddr = address.parse().expect("an address such as 127.0.0.1:8080");
    #[cfg(unix)]
    server.set_reuse_address(true)?;
    server.bind(&address.into())?;

    server.listen(5)?;
    println!("Server is listening on http://{}", server.local_addr()?.as_socket().unwrap());

    loop {
        let (mut client, address) = server.accept()?;
        println!("Connection from {} has been established!", address.as_socket().unwrap());

        let mut buffer = [0; 1024];
        let count = client.read(&mut buffer)?;
        let request = String::from_utf8_lossy(&buffer[..count]);
        println!("Request received:\n{request}");

        let page = "<h1>Hello, World! This is a simple web server.</h1>";
        let mut response = String::from("HTTP/1.1 200 OK\r\n");
        response += "Content-Type: text/html; charset=utf-8\r\n";
        response += &format!("Content-Length: {}\r\n", page.len());
        response += "Connection: close\r\n";
        response += "\r\n";
        response += page;
        client.write_all(response.as_bytes())?;
    }
}
