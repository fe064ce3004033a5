//! Listens for connections, accepts none, and keeps the socket open until Enter.

use step1_socket::terminal;
use step3_listen::{BACKLOG, listen};

fn main() {
    let address = terminal::address_argument();
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));

    terminal::wait_for_enter();
    drop(listener); // close(2)
}
