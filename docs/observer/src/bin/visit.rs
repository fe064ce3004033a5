//! Visits a server the way real clients do, and logs what each of them sees.

use indoc::indoc;
use observer::arguments;
use socket2::{Domain, Socket, Type};
use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, TimedOut};
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::{self, ExitCode};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};
use step1_socket::{
    log::{self, visible},
    terminal,
};
use step4_accept::read_before;

const USAGE: &str = indoc! {"
    Usage: cargo visit KIND [NUMBER] [HOST:PORT]

      silent [NUMBER]   connects, says nothing, and stays for up to 30 s
      leave [NUMBER]    connects, says nothing, and leaves after half a second
      halves            sends a request in two halves, a second apart
      drip              sends a byte each second, and never a whole request
      bytes             sends bytes that are not text
      reset             connects, and cuts the connection
      long              sends a request with a head of 3072 bytes
      post              sends a request with 100000 bytes after its head
      nonsense          sends what is not HTTP
      type              sends what you type, line by line

      NUMBER            how many clients come, from 1 to 1000; 1 if you pass nothing
      HOST:PORT         where they go; 127.0.0.1:8080 if you pass nothing
"};

/// How long a client tries to connect. Linux sends its SYN again after 1, 3 and 7 seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client stays that came to stay.
const STAY: Duration = Duration::from_secs(30);
/// How long a client that has sent a request waits for the server to say more, or to close.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many columns and rows of what came are shown.
const COLUMNS: usize = 76;
const MAX_ROWS: usize = 40;
const SECOND: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let (visit, count, addresses) = read_arguments();
    let start = Instant::now();
    let (is_in, progress) = channel();
    let mut clients = Vec::new();
    for number in 1..=count {
        let name = if count == 1 { "The client".into() } else { format!("Client {number}") };
        let (addresses, is_in) = (addresses.clone(), is_in.clone());
        clients.push(thread::spawn(move || {
            let Some(mut client) = Client::connect(&addresses, name, start) else { return false };
            let _ = is_in.send(());
            visit(&mut client);
            true
            // The client is dropped here: close(2).
        }));
        // The next client comes when this one is in, or seems to wait.
        let _ = progress.recv_timeout(SECOND / 10);
    }
    let ends: Vec<bool> =
        clients.into_iter().map(|client| client.join().unwrap_or(false)).collect();
    if ends.contains(&true) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn silent(client: &mut Client) {
    client.stay(STAY);
}

fn leave(client: &mut Client) {
    client.stay(SECOND / 2);
}

fn halves(client: &mut Client) {
    client.send(b"GET /news");
    if client.receive(SECOND) {
        client.send(b".html HTTP/1.1\r\nHost: localhost\r\n\r\n");
        client.stay(PATIENCE);
    } else {
        client.log("had sent only one half: the server took it for the whole request");
    }
}

fn drip(client: &mut Client) {
    let end = Instant::now() + STAY;
    // The last header field never ends.
    for byte in b"GET /news.html HTTP/1.1\r\nCookie: ".iter().chain(b"c".iter().cycle()) {
        client.send(&[*byte]);
        if !client.receive(SECOND) {
            return;
        }
        if Instant::now() > end {
            return client.log_that_it_leaves(STAY);
        }
    }
}

fn bytes(client: &mut Client) {
    client.send(b"\xff\xfe\r\n\r\n");
    client.stay(PATIENCE);
}

fn reset(client: &mut Client) {
    // With this option, close(2) sends a reset.
    match client.socket.set_linger(Some(Duration::ZERO)) {
        Ok(()) => client.log("cuts the connection"),
        Err(error) => client.log(&format!("cannot cut the connection: {error}")),
    }
}

fn long(client: &mut Client) {
    let head = "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ";
    let zeros = "0".repeat(3072 - head.len() - 4);
    client.send(format!("{head}{zeros}\r\n\r\n").as_bytes());
    client.stay(PATIENCE);
}

fn post(client: &mut Client) {
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n";
    let zeros = "0".repeat(100_000);
    client.send(format!("{head}{zeros}").as_bytes());
    client.stay(PATIENCE);
}

fn nonsense(client: &mut Client) {
    client.send(b"hello there\r\n\r\n");
    client.stay(PATIENCE);
}

/// One thread waits for what the person types, and this one for what the server sends.
/// So the end is seen at once.
fn type_lines(client: &mut Client) {
    client.log("sends each line that you type. A blank line ends a request");
    let Ok(mut typist) = client.try_clone() else { return };
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            typist.send(format!("{line}\r\n").as_bytes());
        }
        typist.log("sends no more: the input has ended");
        let _ = typist.socket.shutdown(Shutdown::Write);
        thread::sleep(PATIENCE);
        typist.log_that_it_leaves(PATIENCE);
        process::exit(0);
    });
    while client.receive(STAY) {}
}

/// A client that is connected. Its connection is closed, with close(2), when this is dropped.
struct Client {
    socket: Socket,
    name: String,
    /// When the visit began.
    start: Instant,
    /// How many bytes have come until now.
    received: usize,
}

impl Client {
    /// Connects with connect(2), and logs how long that took, or why it did not succeed.
    fn connect(addresses: &[SocketAddr], name: String, start: Instant) -> Option<Client> {
        let begin = Instant::now();
        let result = connect(addresses);
        let took = begin.elapsed();
        let log = |message: &str| log(start, &format!("{name} {message}"));
        match result {
            Ok(socket) => {
                let own = socket.local_addr().ok().and_then(|address| address.as_socket());
                let own = own.map_or_else(String::new, |address| format!(" from {address}"));
                let again = if took > SECOND * 9 / 10 { ": it sent its SYN again" } else { "" };
                log(&format!("connected{own} in {:.3} s{again}", took.as_secs_f32()));
                Some(Client { socket, name, start, received: 0 })
            }
            Err(error) => {
                let place = addresses[0];
                match error.kind() {
                    ConnectionRefused if cfg!(windows) => {
                        log(&format!(
                            "was refused: nobody listens on {place}, or its queue is full"
                        ));
                    }
                    ConnectionRefused => log(&format!("was refused: nobody listens on {place}")),
                    TimedOut => log(&format!("gives up: its SYN to {place} got no answer")),
                    _ => log(&format!("cannot connect to {place}: {error}")),
                }
                None
            }
        }
    }

    fn try_clone(&self) -> io::Result<Client> {
        let socket = self.socket.try_clone()?;
        Ok(Client { socket, name: self.name.clone(), start: self.start, received: 0 })
    }

    /// Logs the bytes, and sends them with send(2).
    fn send(&mut self, bytes: &[u8]) {
        let beginning = &bytes[..bytes.len().min(64)];
        let rest = if beginning.len() < bytes.len() { "..." } else { "" };
        let count = count_of(bytes.len());
        self.log(&format!("sends {count}: \"{}{rest}\"", beginning.escape_ascii()));
        if let Err(error) = self.socket.write_all(bytes) {
            self.log(&format!("could not send all of it: {error}"));
        }
    }

    /// Receives until the server closes the connection, or leaves when the time is up.
    fn stay(&mut self, limit: Duration) {
        if self.receive(limit) {
            self.log_that_it_leaves(limit);
        }
    }

    fn log_that_it_leaves(&self, limit: Duration) {
        self.log(&format!("leaves: the server let it stay for {} s", limit.as_secs_f32()));
    }

    /// Receives with recv(2) until the connection ends or the time is up. Logs what came.
    /// Returns whether the connection is still there.
    fn receive(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut buffer = [0; 16 * 1024];
        loop {
            let end = match read_before(deadline, &mut self.socket, &mut buffer) {
                Ok(0) if self.received == 0 => "sees the end: the server closed without a word",
                Ok(0) => "sees the end: the server closed the connection",
                Ok(count) => {
                    self.received += count;
                    let rows = rows(&buffer[..count]);
                    self.log(&format!("receives {}:{rows}", count_of(count)));
                    continue;
                }
                Err(error) if error.kind() == TimedOut => return true,
                Err(error) if [ConnectionReset, ConnectionAborted].contains(&error.kind()) => {
                    "sees a reset: the server ended, or left bytes unread"
                }
                Err(error) => &format!("sees the connection break: {error}"),
            };
            self.log(end);
            return false;
        }
    }

    fn log(&self, message: &str) {
        log(self.start, &format!("{} {message}", self.name));
    }
}

/// A name such as `localhost` can mean several addresses. Takes the first where somebody listens.
fn connect(addresses: &[SocketAddr]) -> io::Result<Socket> {
    let mut result = Err(ConnectionRefused.into());
    for address in addresses {
        let socket = Socket::new(Domain::for_address(*address), Type::STREAM, None)?;
        result = socket.connect_timeout(&(*address).into(), CONNECT_TIMEOUT).map(|()| socket);
        if result.as_ref().is_err_and(|error| error.kind() == ConnectionRefused) {
            continue;
        }
        break;
    }
    result
}

fn log(start: Instant, message: &str) {
    let seconds = start.elapsed().as_secs_f32();
    log::write("visit", format_args!("{seconds:.3} s {message}"));
}

/// Shows what came in rows that do not wrap around, so that none of them looks like the log. The first
/// one stands beside what is said of it, if it is short.
fn rows(bytes: &[u8]) -> String {
    let text = visible(bytes);
    let lines = text.lines().map(|line| line.chars().collect::<Vec<char>>());
    let rows = lines.flat_map(|line| match line[..] {
        [] => vec![String::new()],
        _ => line.chunks(COLUMNS).map(|row| row.iter().collect()).collect(),
    });
    let rows: Vec<String> = rows.collect();
    let start = if rows.first().is_some_and(|row| row.len() <= COLUMNS / 2) { " " } else { "\n" };
    match rows.len().saturating_sub(MAX_ROWS) {
        0 => format!("{start}{}", rows.join("\n")),
        more => format!("{start}{}\n... and {more} more rows", rows[..MAX_ROWS].join("\n")),
    }
}

fn count_of(bytes: usize) -> String {
    if bytes == 1 { "1 byte".into() } else { format!("{bytes} bytes") }
}

type Visit = fn(&mut Client);

/// Reads the kind of client, how many come, and where they go. Ends the program if one is wrong.
fn read_arguments() -> (Visit, usize, Vec<SocketAddr>) {
    let arguments = arguments::read(USAGE);
    let [kind, others @ ..] = &arguments[..] else { arguments::help(USAGE) };
    let visit: Visit = match kind.as_str() {
        "silent" => silent,
        "leave" => leave,
        "halves" => halves,
        "drip" => drip,
        "bytes" => bytes,
        "reset" => reset,
        "long" => long,
        "post" => post,
        "nonsense" => nonsense,
        "type" => type_lines,
        _ => wrong(&format!("'{kind}' is not a kind of client.")),
    };
    let mut count = 1;
    let mut place = "127.0.0.1:8080";
    for argument in others {
        match argument.parse() {
            Ok(_) if !["silent", "leave"].contains(&kind.as_str()) => {
                wrong(&format!("Only silent and leave take a number, and {kind} does not."))
            }
            Ok(number @ 1..=1000) => count = number,
            Ok(number) => wrong(&format!("From 1 to 1000 clients can come, and {number} cannot.")),
            Err(_) if argument.contains(':') => place = argument,
            Err(_) => wrong(&format!("'{argument}' is neither a number nor HOST:PORT.")),
        }
    }
    (visit, count, terminal::addresses(place))
}

fn wrong(what: &str) -> ! {
    arguments::wrong(what, USAGE)
}
