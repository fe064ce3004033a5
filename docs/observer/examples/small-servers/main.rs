//! Small servers, most of them with one fault: `cargo run -p observer --example small-servers -- NAME HOST:PORT`.
//!
//! The judge's tests run them, and say beside each name which checks it fails. A server has its fault in its answers, in
//! how it deals with a connection, or in how it accepts; everything else is right.

mod answers;
mod connections;
mod listeners;
mod right;

use std::env;
use std::net::TcpListener;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, address] = &arguments[..] else { panic!("NAME HOST:PORT") };
    if name == "does-not-bind" {
        listeners::wait();
    }
    let listener = TcpListener::bind(address).expect("a free address");
    println!("Server is listening on http://{}", listener.local_addr().expect("it is bound"));
    if let Some(answer) = answers::named(name) {
        connections::serve(&listener, move |client| connections::answer_politely(client, answer));
    } else if let Some(serve) = connections::named(name) {
        connections::serve(&listener, serve);
    } else if !listeners::run(name, listener) {
        panic!("there is no server {name}");
    }
}
