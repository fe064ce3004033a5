//! Accepts one client after the other, receives its request, and closes without an answer.

use step1_socket::terminal;
use step3_listen::{BACKLOG, listen};
use step4_accept::{accept, receive};

fn main() {
    let address = terminal::address_argument();
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));

    loop {
        let mut client = accept(&listener);
        let _ = receive(&mut client); // The log shows what came; this step does no more.
        // The client is dropped here: close(2).
    }
}
