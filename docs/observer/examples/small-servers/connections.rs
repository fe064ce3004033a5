//! Servers that deal with a connection in a wrong way, or in one of their own. Each client has a thread.

use crate::answers::Answer;
use crate::right::{PAGE, PATIENCE, answer, clients, receive, send};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{mem, process, thread};

type Serve = fn(TcpStream);

/// Serves each client on a thread of its own.
pub fn serve(listener: &TcpListener, serve: impl Fn(TcpStream) + Clone + Send + 'static) {
    for client in clients(listener) {
        let serve = serve.clone();
        thread::spawn(move || serve(client));
    }
}

/// Receives a request, answers it, and closes.
pub fn answer_politely(mut client: TcpStream, answer: Answer) {
    if let Some(head) = receive(&mut client, PATIENCE) {
        send(&mut client, &answer(&head));
    }
}

/// The server of this name.
#[allow(clippy::too_many_lines, reason = "it is a table")]
pub fn named(name: &str) -> Option<Serve> {
    Some(match name {
        // Right in ways of their own.
        "keeps-connections" => |mut client| {
            while let Some(head) = receive(&mut client, PATIENCE) {
                let kept = String::from_utf8(answer(&head)).unwrap();
                let asks = String::from_utf8_lossy(&head).contains("Connection: close");
                let is_bad = !kept.starts_with("HTTP/1.1 200");
                if asks || is_bad {
                    return send(&mut client, kept.as_bytes());
                }
                let _ = client.write_all(kept.replace("Connection: close\r\n", "").as_bytes());
            }
        },
        "waits-for-crlf" => |mut client| {
            let (mut head, mut byte) = (Vec::new(), [0]);
            let _ = client.set_read_timeout(Some(PATIENCE));
            let start = std::time::Instant::now();
            while !head.ends_with(b"\r\n\r\n") || head == b"\r\n\r\n" {
                if start.elapsed() > PATIENCE
                    || head.len() > 16_000
                    || !client.read(&mut byte).is_ok_and(|n| n > 0)
                {
                    return;
                }
                head.push(byte[0]);
            }
            send(&mut client, &answer(&head));
        },
        "slow-under-load" => |mut client| {
            static WORK: Mutex<()> = Mutex::new(());
            if let Some(head) = receive(&mut client, PATIENCE) {
                let one_after_the_other = WORK.lock();
                thread::sleep(Duration::from_millis(20)); // It works so hard.
                drop(one_after_the_other);
                send(&mut client, &answer(&head));
            }
        },
        // The first answer.
        "answers-before-it-reads" => {
            |mut client| send(&mut client, &answer(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        }
        "sends-away-at-once" => |mut client| {
            if let Some(head) = receive(&mut client, PATIENCE / 100) {
                send(&mut client, &answer(&head));
            }
        },
        "says-nothing" => |mut client| drop(client.read(&mut [0; 1024])),
        "reads-to-the-end" => |mut client| {
            let mut all = Vec::new();
            let _ = client.read_to_end(&mut all);
            let _ = client.write_all(&answer(&all));
        },
        "reads-1024-bytes" => |mut client| {
            let mut buffer = [0; 1024];
            if client.read_exact(&mut buffer).is_ok() {
                let _ = client.write_all(&answer(&buffer));
            }
        },
        "neither-length-nor-end" => |mut client| {
            receive(&mut client, PATIENCE);
            let _ = client.write_all(
                format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{PAGE}").as_bytes(),
            );
            let _ = client.set_read_timeout(None);
            while client.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {}
        },
        "404-without-end" => |mut client| {
            if let Some(head) = receive(&mut client, PATIENCE) {
                let answer = answer(&head);
                if !answer.starts_with(b"HTTP/1.1 404") {
                    return send(&mut client, &answer);
                }
                let _ = client.write_all(
                    b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\nno page",
                );
                thread::sleep(10 * PATIENCE);
            }
        },
        "never-ends-its-answer" => |mut client| {
            receive(&mut client, PATIENCE);
            let mut piece: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
            while client.write_all(piece).is_ok() {
                thread::sleep(PATIENCE / 5);
                piece = b".";
            }
        },
        "resets" => |mut client| {
            if let Some(head) = receive(&mut client, PATIENCE) {
                let _ = client.write_all(&answer(&head));
                test_support::reset(client);
            }
        },
        // Other clients.
        "ends-when-a-client-leaves" => |client| {
            let _ = client.set_read_timeout(Some(PATIENCE));
            if client.peek(&mut [0]).is_ok_and(|count| count == 0) {
                eprintln!("Error: the client has gone");
                process::exit(1);
            }
            answer_politely(client, answer);
        },
        "loses-one-in-a-hundred" => |mut client| {
            static BUSY: AtomicUsize = AtomicUsize::new(0);
            if let Some(head) = receive(&mut client, PATIENCE) {
                let busy = BUSY.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(5)); // It works so hard.
                BUSY.fetch_sub(1, Ordering::SeqCst);
                if busy < 24 {
                    send(&mut client, &answer(&head));
                }
            }
        },
        "keeps-descriptors" => |mut client| {
            if let Some(head) = receive(&mut client, PATIENCE) {
                send(&mut client, &answer(&head));
            }
            let _ = client.shutdown(Shutdown::Both);
            mem::forget(client);
        },
        // How it receives, closes, and waits.
        "receives-once" => |mut client| {
            let mut buffer = [0; 1024];
            let _ = client.set_read_timeout(Some(PATIENCE));
            if let Ok(count @ 1..) = client.read(&mut buffer) {
                send(&mut client, &answer(&[&buffer[..count], b"\r\n\r\n"].concat()));
            }
        },
        "leaves-bytes-unread" => |mut client| {
            if let Some(head) = receive(&mut client, PATIENCE) {
                let _ = client.write_all(&answer(&head));
            }
        },
        "cuts-off-the-answer-to-a-body" => |mut client| {
            if let Some(head) = receive(&mut client, PATIENCE) {
                let answer = answer(&head);
                let is_cut = head.starts_with(b"POST") && head.len() > 300;
                send(&mut client, &answer[..answer.len() - usize::from(is_cut)]);
            }
        },
        "waits-for-each-byte" => |mut client| {
            let (mut head, mut byte) = (Vec::new(), [0]);
            let _ = client.set_read_timeout(Some(PATIENCE));
            while !head.ends_with(b"\n\n") && (!head.ends_with(b"\n\r\n") || head == b"\r\n\r\n") {
                if head.len() > 16_000 || !client.read(&mut byte).is_ok_and(|count| count > 0) {
                    return;
                }
                head.push(byte[0]);
            }
            send(&mut client, &answer(&head));
        },
        "waits-for-each-byte-of-a-body" => |mut client| {
            if let Some(head) = receive(&mut client, PATIENCE) {
                let _ = client.write_all(&answer(&head));
                let _ = client.shutdown(Shutdown::Write);
                let _ = client.set_read_timeout(Some(PATIENCE));
                while client.read(&mut [0; 16 * 1024]).is_ok_and(|count| count > 0) {}
            }
        },
        "answers-a-silent-client-and-stays" => |mut client| {
            if let Some(head) = receive(&mut client, PATIENCE) {
                return send(&mut client, &answer(&head));
            }
            let _ = client.write_all(b"x");
            let _ = client.set_read_timeout(None);
            while client.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {}
        },
        "drops-a-large-head" | "closes-without-400" => |mut client| {
            if let Some(head) = receive(&mut client, PATIENCE) {
                let answer = answer(&head);
                if !answer.starts_with(b"HTTP/1.1 400") {
                    send(&mut client, &answer);
                }
            }
        },
        "keeps-a-large-head" => |mut client| {
            let mut head = Vec::new();
            let _ = client.set_read_timeout(Some(2 * PATIENCE));
            let start = std::time::Instant::now();
            let has_end = |head: &[u8]| {
                head.windows(4).any(|end| end == b"\r\n\r\n") && head != b"\r\n\r\n"
                    || head.windows(2).any(|end| end == b"\n\n")
            };
            while !has_end(&head[head.len().saturating_sub(20_000)..]) {
                let mut piece = [0; 16 * 1024];
                match client.read(&mut piece) {
                    Ok(count @ 1..) if start.elapsed() < 2 * PATIENCE => {
                        head.extend_from_slice(&piece[..count]);
                    }
                    _ => return,
                }
            }
            if head.len() > 1 << 20 {
                return send(&mut client, &answer(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
            }
            send(&mut client, &answer(&head));
        },
        // Step 4.
        "step-4" => |mut client| {
            receive(&mut client, PATIENCE);
        },
        "step-4-does-not-read" => drop,
        "step-4-does-not-close" => |mut client| {
            receive(&mut client, PATIENCE);
            mem::forget(client);
        },
        "step-4-ends-when-a-client-leaves" => |mut client| {
            if receive(&mut client, PATIENCE).is_none() {
                process::exit(1);
            }
        },
        _ => return None,
    })
}
