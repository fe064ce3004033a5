//! What a new connection costs: connect, request, complete response, close.
//!
//! Step 5 is measured against the baseline, which is the least that a server can do, in turns and
//! in one run. The last lines are the ratios, and how long each of many requests took. Each server
//! is a program of its own, and its story goes nowhere.

use criterion::{BenchmarkId, Criterion, Throughput};
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};
use step5_respond::response::Response;
use step5_respond::{BACKLOG, MAX_WORKERS};

const CLIENTS: [usize; 3] = [1, 32, 256];
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// How often the two servers take turns. The ratio that is printed is the one in the middle.
const ROUNDS: u32 = 5;

/// How many requests each of 32 clients makes for the plots.
const VISITS: usize = 100;

fn main() {
    // This program starts itself once more, as the baseline.
    if let (Ok(address), Ok(backlog)) = (env::var("BASELINE"), env::var("BACKLOG")) {
        let (address, backlog) = (address.parse().expect("an address"), backlog.parse());
        return baseline(address, backlog.expect("a number")).expect("the baseline serves");
    }
    build();
    let servers = [Server::baseline(BACKLOG), Server::step5()];
    let mut criterion = Criterion::default()
        .output_directory(&results())
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .nresamples(1000)
        .configure_from_args();
    for clients in CLIENTS {
        let mut group = criterion.benchmark_group(group_of(clients));
        group.throughput(Throughput::Elements(1)).sample_size(10);
        // The servers take turns, so that a slow moment of the machine hits them both.
        for round in 1..=ROUNDS {
            for server in &servers {
                group.bench_function(BenchmarkId::new(server.name, round), |bench| {
                    bench.iter_custom(|count| {
                        let each = count.div_ceil(clients as u64);
                        let start = Instant::now();
                        visit(server.address, clients, each);
                        // The clients share the work evenly, and so may do a little more.
                        let done = u32::try_from(each * clients as u64).expect("a few thousand");
                        start.elapsed() / done * u32::try_from(count).expect("a few thousand")
                    });
                });
            }
        }
        group.finish();
    }
    criterion.final_summary();

    // Started otherwise than by `cargo bench` alone, not everything was measured.
    if env::args().skip(1).eq(["--bench"]) {
        print_ratios();
        let [_, step5] = servers;
        let short_queue = Server::baseline(step3_listen::BACKLOG);
        for server in [Server::short_version(), short_queue, step5] {
            print_times(&server);
        }
    }
}

/// The least that a server can do, with as many threads as step 5 has.
fn baseline(address: SocketAddr, backlog: i32) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&address.into())?;
    listener.listen(backlog)?;

    // The same bytes that step 5 sends.
    let response = Response::sentence("200 OK", "Hello, World! This is a simple web server.");
    let response = response.to_bytes();
    thread::scope(|scope| {
        for _ in 0..MAX_WORKERS {
            scope.spawn(|| {
                while let Ok((mut client, _)) = listener.accept() {
                    let _ = client.read(&mut [0; 1024]);
                    let _ = client.write_all(&response);
                }
            });
        }
    });
    Ok(())
}

/// Builds the two programs that are measured, as fast as this one.
fn build() {
    let arguments = ["build", "--release", "-p", "step5-respond", "--bins", "--examples"];
    let cargo = Command::new(env!("CARGO")).args(arguments).status();
    assert!(cargo.expect("cargo runs").success(), "the programs are built");
}

/// A server that runs until its value is dropped.
struct Server {
    name: &'static str,
    address: SocketAddr,
    child: Child,
}

impl Server {
    fn baseline(backlog: i32) -> Server {
        let mut command = Command::new(env::current_exe().expect("this program has a file"));
        command.env("BACKLOG", backlog.to_string());
        let is_short = backlog == step3_listen::BACKLOG;
        Server::start(if is_short { "baseline with a backlog of 5" } else { "baseline" }, command)
    }

    fn step5() -> Server {
        Server::start("step5", Command::new(built("step5-respond")))
    }

    fn short_version() -> Server {
        Server::start("short version", Command::new(built("examples/short-version")))
    }

    fn start(name: &'static str, mut command: Command) -> Server {
        // A port that is free now. Its story goes nowhere, so the server can't tell its own.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        drop(listener);

        command.env("BASELINE", address.to_string()).arg(address.to_string());
        let child = command.stdout(Stdio::null()).spawn().expect("the server starts");
        while TcpStream::connect(address).is_err() {
            thread::yield_now();
        }
        Server { name, address, child }
    }
}

/// The file of a program. This one is target/release/deps/connection-….
fn built(name: &str) -> String {
    let bench = env::current_exe().expect("this program has a file");
    let folder = bench.parent().and_then(Path::parent).expect("it is in a folder of cargo");
    let file = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    file.to_str().expect("a path of text").to_string()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets each of some clients make some connections, and returns how long each of them took.
fn visit(server: SocketAddr, clients: usize, connections: u64) -> Vec<Duration> {
    let one_client = || (0..connections).map(|_| connection(server)).collect::<Vec<_>>();
    if clients == 1 {
        return one_client();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(one_client)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a client")).collect()
    })
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

/// Where criterion keeps its results.
fn results() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("criterion")
}

fn group_of(clients: usize) -> String {
    format!("a new connection, {clients} at a time")
}

/// Prints how many connections step 5 serves for each that the baseline serves in the same round.
fn print_ratios() {
    println!("\nConnections that step 5 serves for each of the baseline\n");
    for clients in CLIENTS {
        let median = |name: &str, round: u32| {
            let file = format!("{}/{name}/{round}/new/estimates.json", group_of(clients));
            let text = fs::read_to_string(results().join(file)).expect("criterion has written it");
            let estimates: Value = serde_json::from_str(&text).expect("it is JSON");
            estimates["median"]["point_estimate"].as_f64().expect("a number of nanoseconds")
        };
        let of_round = |round| median("baseline", round) / median("step5", round);
        let mut ratios: Vec<f64> = (1..=ROUNDS).map(of_round).collect();
        ratios.sort_by(f64::total_cmp);
        println!("{clients:>3} at a time: {:.2}", ratios[ratios.len() / 2]);
    }
}

/// Prints how many of the requests took how long, when 32 clients come at once.
fn print_times(server: &Server) {
    const STEPS: [(u64, &str); 6] = [
        (1, "under 1 ms"),
        (10, "under 10 ms"),
        (100, "under 100 ms"),
        (900, "under 0.9 s"),
        (2000, "under 2 s"),
        (u64::MAX, "2 s and more"),
    ];
    let mut times = visit(server.address, 32, VISITS as u64);
    times.sort();
    let (count, slowest) = (times.len(), times[times.len() - 1]);
    println!("\n{}: {count} requests of 32 clients, the slowest took {slowest:.1?}\n", server.name);
    let mut shorter = 0;
    for (limit, label) in STEPS {
        let up_to = times.partition_point(|time| *time < Duration::from_millis(limit));
        // One mark for every two percent, and one for the last few.
        let bar = "#".repeat(((up_to - shorter) * 50).div_ceil(count));
        println!("{label:>14} {:>5} {bar}", up_to - shorter);
        shorter = up_to;
    }
}
