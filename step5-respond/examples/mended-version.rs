//! My own web server, mended with the judge.

use socket2::{Domain, Socket, Type};
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;

fn main() -> std::io::Result<()> {
    let server = Socket::new(Domain::IPV4, Type::STREAM, None)?;

    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".to_string());
    let address: SocketAddr = address.parse().expect("an address such as 127.0.0.1:8080");
    #[cfg(unix)]
    server.set_reuse_address(true)?;
    server.bind(&address.into())?;

    server.listen(128)?;
    println!("Server is listening on http://{}", server.local_addr()?.as_socket().unwrap());

    loop {
        let (client, address) = server.accept()?;
        println!("Connection from {} has been established!", address.as_socket().unwrap());

        std::thread::spawn(move || answer(client));
    }
}

fn answer(mut client: Socket) -> std::io::Result<()> {
    client.set_read_timeout(Some(std::time::Duration::from_secs(5)))?;

    let mut bytes = Vec::new();
    let mut request = String::new();
    while !request.contains("\r\n\r\n") && !request.contains("\n\n") {
        let mut buffer = [0; 1024];
        let count = client.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        bytes.extend(&buffer[..count]);
        request = String::from_utf8_lossy(&bytes).to_string();
    }
    println!("Request received:\n{request}");

    let words: Vec<&str> = request.split([' ', '?']).collect();
    let (status, page) = match words[..] {
        ["GET" | "HEAD", "/", ..] => ("200 OK", "<h1>Hello, World!</h1>"),
        ["GET" | "HEAD", ..] => ("404 Not Found", "<h1>There is no such page.</h1>"),
        _ => ("501 Not Implemented", "<h1>This server knows GET and HEAD.</h1>"),
    };
    let kind = "text/html; charset=utf-8";
    let fields = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", page.len());
    let page = if words[0] == "HEAD" { "" } else { page };
    let response = format!("HTTP/1.1 {status}\r\n{fields}\r\n{page}");
    client.write_all(response.as_bytes())?;

    client.shutdown(std::net::Shutdown::Write)?;
    while client.read(&mut [0; 1024])? > 0 {}
    Ok(())
}
