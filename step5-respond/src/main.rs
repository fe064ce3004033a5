//! The web server: answers every client, many at the same time.

use step1_socket::terminal;
use step3_listen::listen;
use step5_respond::{BACKLOG, serve};

fn main() {
    let address = terminal::address_argument();
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));

    serve(&listener)
}
