//! My own web server.

use socket2::{Domain, Socket, Type};

fn main() -> std::io::Result<()> {
    let server = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    println!("My socket: {server:?}");

    println!("Press Enter to end.");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
