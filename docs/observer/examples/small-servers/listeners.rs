//! Servers that accept in a wrong way.

use crate::right::{PAGE, PATIENCE, answer, clients, receive, send};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{process, thread};

/// Waits until somebody ends this program.
pub fn wait() -> ! {
    loop {
        thread::park();
    }
}

/// Runs the server of this name. Returns false if there is none.
pub fn run(name: &str, listener: TcpListener) -> bool {
    let serve_one = |mut client: TcpStream, patience| {
        if let Some(head) = receive(&mut client, patience) {
            send(&mut client, &answer(&head));
        }
    };
    match name {
        "does-not-accept" => wait(),
        "ends-after-listen" => thread::sleep(std::time::Duration::from_millis(200)),
        "serves-one-client" => {
            serve_one(clients(&listener).next().expect("a client comes"), PATIENCE);
            drop(listener);
            process::exit(0);
        }
        "serves-one-and-stays" => {
            serve_one(clients(&listener).next().expect("a client comes"), PATIENCE);
            drop(listener);
            wait();
        }
        "one-by-one" => clients(&listener).for_each(|client| serve_one(client, PATIENCE)),
        "one-by-one-forever" => {
            clients(&listener).for_each(|client| serve_one(client, 30 * PATIENCE));
        }
        "ends-when-it-cannot-send" => {
            for mut client in clients(&listener) {
                let Some(head) = receive(&mut client, PATIENCE) else { continue };
                if let Err(error) = client.write_all(&answer(&head)) {
                    eprintln!("Error: {error}");
                    process::exit(1);
                }
                send(&mut client, b"");
            }
        }
        "stops-after-30" => {
            clients(&listener).take(30).for_each(|client| serve_one(client, PATIENCE));
            wait();
        }
        "closes-at-the-next" => {
            let mut last = None;
            for mut client in clients(&listener) {
                let start = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{PAGE}");
                receive(&mut client, PATIENCE);
                let _ = client.write_all(start.as_bytes());
                last.replace(client);
            }
        }
        "step-4-one-client" => {
            receive(&mut clients(&listener).next().expect("a client comes"), PATIENCE);
            process::exit(1);
        }
        "ends-at-the-first-client" => {
            let mut client = clients(&listener).next().expect("a client comes");
            receive(&mut client, PATIENCE);
            eprintln!("thread 'main' panicked at src/main.rs:20:9:\nno answer is ready");
            process::exit(101);
        }
        "upsets-the-next" => {
            let is_upset = AtomicUsize::new(0);
            for mut client in clients(&listener) {
                let _ = client.set_read_timeout(Some(PATIENCE));
                let is_gone = client.peek(&mut [0]).is_ok_and(|count| count == 0);
                match receive(&mut client, PATIENCE) {
                    _ if is_gone => is_upset.store(1, Ordering::Relaxed),
                    Some(_) if is_upset.swap(0, Ordering::Relaxed) > 0 => {
                        send(
                            &mut client,
                            b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
                        );
                    }
                    Some(head) => send(&mut client, &answer(&head)),
                    None => {}
                }
            }
        }
        "short-queue" => {
            let listener = step3_listen_queue(listener);
            for client in clients(&listener) {
                thread::sleep(PATIENCE / 1000); // It starts a thread, on a busy machine.
                thread::spawn(move || serve_one(client, PATIENCE));
            }
        }
        "thirty-threads" => {
            for _ in 0..30 {
                let listener = listener.try_clone().expect("a second descriptor");
                thread::spawn(move || {
                    clients(&listener).for_each(|client| serve_one(client, 2 * PATIENCE));
                });
            }
            wait();
        }
        _ => return false,
    }
    true
}

/// The same listener, with room for five clients.
fn step3_listen_queue(listener: TcpListener) -> TcpListener {
    let socket = socket2::Socket::from(listener);
    socket.listen(5).expect("it listens already");
    socket.into()
}
