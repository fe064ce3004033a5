//! Accepts one client after the other, receives its request, and closes without an answer.

use step1_socket::terminal;
use step3_listen::{BACKLOG, listen};
use step4_accept::{accept, pause_after, receive};

fn main() {
    let address = terminal::address_argument();
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));

    loop {
        match accept(&listener) {
            // receive tells what came. The client is dropped here: close(2).
            Ok(client) => drop(receive(&client)),
            Err(error) => pause_after(&error),
        }
    }
}
