//! What a new connection costs: connect, request, complete response, close.
//!
//! Step 5 is measured against the baseline, which is the least that a server can do. They take
//! turns, so that a slow moment of the machine hits them both, and the clients are threads that
//! are started once. Each server is a program of its own. What it logs, it writes, and the system
//! throws it away.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, thread};

const CLIENTS: [usize; 3] = [1, 32, 256];
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// How often the two servers take turns. The ratio that is printed is the one in the middle.
const ROUNDS: usize = 9;
/// How long a turn takes.
const TURN: Duration = Duration::from_millis(700);

/// How many requests each of 32 clients makes for the table of times.
const VISITS: usize = 100;

fn main() {
    // `cargo test --all-targets` starts this too, and wants no measurement.
    if !env::args().any(|argument| argument == "--bench") {
        return println!("This measures with: cargo bench -p benches");
    }
    build();
    let backlog = step5_respond::BACKLOG;
    let baseline = Server::baseline("baseline", backlog);
    let step5 = Server::start("step 5", Command::new(built("step5-respond")));

    println!("\nConnections that step 5 serves for each of the baseline, in the same time\n");
    for clients in CLIENTS {
        let [baseline, step5, ratio] = compare([baseline.address, step5.address], clients);
        let rates = format!("{step5:.0} and {baseline:.0} a second");
        println!("{clients:>3} at a time: {ratio:.2} ({rates})");
    }
    drop(baseline);

    println!("\nHow long each of {} requests took, made by 32 clients at a time", 32 * VISITS);
    let short_version =
        Server::start("short version", Command::new(built("examples/short-version")));
    let short_queue = Server::baseline("baseline with a backlog of 5", step3_listen::BACKLOG);
    for server in [short_version, short_queue, step5] {
        print_times(&server);
    }
}

/// Lets the clients visit the two servers in turns. Returns the connections in a second that each
/// of them served, and the ratio, all from the middle of the rounds.
fn compare(servers: [SocketAddr; 2], clients: usize) -> [f64; 3] {
    let gate = Barrier::new(clients + 1);
    let is_over = AtomicBool::new(false);
    let count = AtomicU32::new(0);
    let one_client = || {
        for server in servers.repeat(ROUNDS) {
            gate.wait();
            while !is_over.load(Relaxed) {
                connection(server);
                count.fetch_add(1, Relaxed);
            }
            gate.wait();
        }
    };
    // Starts and ends a turn for all clients.
    let one_turn = || {
        count.store(0, Relaxed);
        is_over.store(false, Relaxed);
        gate.wait();
        let start = Instant::now();
        thread::sleep(TURN);
        is_over.store(true, Relaxed);
        gate.wait();
        f64::from(count.load(Relaxed)) / start.elapsed().as_secs_f64()
    };
    let rounds: Vec<[f64; 2]> = thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(one_client);
        }
        (0..ROUNDS).map(|_| [one_turn(), one_turn()]).collect()
    });
    [
        middle(rounds.iter().map(|[first, _]| *first)),
        middle(rounds.iter().map(|[_, second]| *second)),
        middle(rounds.iter().map(|[first, second]| second / first)),
    ]
}

fn middle(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Connects, asks, reads the complete response until the server closes, and closes.
fn connection(server: SocketAddr) -> Duration {
    let start = Instant::now();
    let mut client = TcpStream::connect(server).expect("the server is there");
    client.write_all(REQUEST).expect("the server reads");
    let mut response = Vec::with_capacity(1024);
    client.read_to_end(&mut response).expect("the server closes");
    assert!(response.starts_with(b"HTTP/1.1 200 OK"), "every request is answered");
    drop(client);
    start.elapsed()
}

/// Prints how many of the requests took how long.
fn print_times(server: &Server) {
    const STEPS: [(u64, &str); 6] = [
        (1, "under 1 ms"),
        (10, "1 to 10 ms"),
        (100, "10 to 100 ms"),
        (900, "0.1 to 0.9 s"),
        (2000, "0.9 to 2 s"),
        (u64::MAX, "2 s and more"),
    ];
    let visits = || (0..VISITS).map(|_| connection(server.address)).collect::<Vec<_>>();
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let clients: Vec<_> = (0..32).map(|_| scope.spawn(visits)).collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    });
    times.sort();
    println!("\n{}: the slowest took {:.1?}\n", server.name, times[times.len() - 1]);
    let mut shorter = 0;
    for (limit, label) in STEPS {
        let up_to = times.partition_point(|time| *time < Duration::from_millis(limit));
        // One mark for every two percent, and one for the last few.
        let bar = "#".repeat(((up_to - shorter) * 50).div_ceil(times.len()));
        println!("{label:>14} {:>5} {bar}", up_to - shorter);
        shorter = up_to;
    }
}

/// A server that runs until its value is dropped.
struct Server {
    name: &'static str,
    address: SocketAddr,
    child: Child,
}

impl Server {
    /// The baseline, whose queue is as long as the `backlog` says.
    fn baseline(name: &'static str, backlog: i32) -> Server {
        let address = free_address();
        let mut command = Command::new(env!("CARGO_BIN_EXE_baseline"));
        command.args([address.to_string(), backlog.to_string()]);
        Server::run(name, address, command)
    }

    fn start(name: &'static str, mut command: Command) -> Server {
        let address = free_address();
        command.arg(address.to_string());
        Server::run(name, address, command)
    }

    fn run(name: &'static str, address: SocketAddr, mut command: Command) -> Server {
        let child = command.stdout(Stdio::null()).spawn().expect("the server starts");
        while TcpStream::connect(address).is_err() {
            thread::yield_now();
        }
        Server { name, address, child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound")
}

/// Builds the servers that belong to another package, as fast as the baseline.
fn build() {
    let arguments =
        ["build", "--release", "-p", "step5-respond", "--bins", "--example", "short-version"];
    let cargo = Command::new(env!("CARGO")).args(arguments).status();
    assert!(cargo.expect("cargo runs").success(), "the programs are built");
}

/// The file of a program that [`build`] has built, beside the baseline.
fn built(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_baseline")).parent().expect("it is in a folder");
    folder.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}
