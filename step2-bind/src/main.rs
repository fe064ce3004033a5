//! Binds a socket to an address and keeps it open until Enter.

use step1_socket::terminal;
use step2_bind::bind;

fn main() {
    let address = terminal::address_argument();
    let socket =
        bind(address).unwrap_or_else(|error| terminal::fail(&format!("bind to {address}"), &error));

    terminal::wait_for_enter();
    drop(socket); // close(2)
}
