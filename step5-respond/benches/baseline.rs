//! The least that a server can do. It looks at nothing, logs nothing and checks nothing.
//!
//! `cargo bench -p benches` measures it beside step 5. It takes an address and a backlog.

use socket2::{Domain, Socket, Type};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::{env, thread};
use step5_respond::response::Response;

const THREADS: usize = 64;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().and_then(|text| text.parse::<SocketAddr>().ok());
    let backlog = arguments.next().and_then(|text| text.parse().ok());
    let (Some(address), Some(backlog)) = (address, backlog) else {
        return Err(io::Error::other("pass an address and a backlog"));
    };
    let listener = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    listener.bind(&address.into())?;
    listener.listen(backlog)?;

    // The same bytes that step 5 sends.
    let response = Response::sentence("200 OK", "Hello, World! This is a simple web server.");
    let response = response.to_bytes();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Ok((mut client, _)) = listener.accept() {
                    let _ = client.read(&mut [0; 1024]);
                    let _ = client.write_all(&response);
                }
            });
        }
    });
    Ok(())
}
