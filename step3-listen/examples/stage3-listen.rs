//! My own web server.

use socket2::{Domain, Socket, Type};
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

    println!("Press Enter to end.");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
