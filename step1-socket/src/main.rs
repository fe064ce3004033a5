//! Creates a socket and keeps it open until Enter.

use socket2::Domain;
use step1_socket::{create, terminal};

fn main() {
    terminal::arguments(0);
    let socket = create(Domain::IPV4).unwrap_or_else(|e| terminal::fail("create a socket", &e));

    terminal::wait_for_enter();
    drop(socket); // close(2)
}
