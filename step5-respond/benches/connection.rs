//! What a new connection costs: connect, request, whole answer, close.
//!
//! Three servers are measured in one run, so that their figures can be compared: the floor,
//! step 5, and the article-in-one-file example. Each is a program of its own, and its story goes
//! nowhere. The last lines are the ratios, and how long the slowest requests took.

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
use step5_respond::{BACKLOG, WORKERS};

/// The servers that are compared with each other.
const SERVERS: [&str; 3] = ["floor", "step5", "article"];

/// The floor once more, with the backlog of step 3, for the plot of the slowest requests.
const SHORT_QUEUE: &str = "floor with a backlog of 5";

const CLIENTS: [usize; 2] = [1, 32];
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// How often floor and step 5 take turns. The ratio that is printed is the one in the middle.
const ROUNDS: u32 = 7;

/// How many requests each of 32 clients makes for the plot of the slowest.
const VISITS: usize = 100;

fn main() {
    // This program starts itself once more, as the floor.
    if let (Ok(address), Ok(backlog)) = (env::var("FLOOR"), env::var("BACKLOG")) {
        let (address, backlog) = (address.parse().expect("an address"), backlog.parse());
        return floor(address, backlog.expect("a number")).expect("the floor serves");
    }
    let servers = SERVERS.map(Server::start);
    let mut criterion = Criterion::default()
        .output_directory(&results())
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for clients in CLIENTS {
        let mut group = criterion.benchmark_group(group_of(clients));
        group.throughput(Throughput::Elements(1)).sample_size(20);
        // The servers take turns, so that a slow moment of the machine hits them all.
        for round in 1..=ROUNDS {
            for server in servers.iter().filter(|server| round <= rounds_of(server.name)) {
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
        print_slowest(&servers);
        print_slowest(&[Server::start(SHORT_QUEUE)]);
    }
}

/// The least that a server can do, with as many threads as step 5 has.
fn floor(address: SocketAddr, backlog: i32) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&address.into())?;
    listener.listen(backlog)?;

    // The same bytes that step 5 sends.
    let response = Response {
        status: "200 OK",
        sentence: "Hello, World! This is a simple web server.",
        with_page: true,
        more_to_come: false,
    };
    let response = response.to_bytes();
    thread::scope(|scope| {
        for _ in 0..WORKERS {
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

/// Builds the example as fast as the other two.
fn article() -> PathBuf {
    let example = ["-p", "step5-respond", "--example", "article"];
    let cargo =
        Command::new("cargo").args(["build", "--quiet", "--release"]).args(example).status();
    assert!(cargo.expect("cargo runs").success(), "the example is built");
    // This program is target/release/deps/connection-….
    let bench = env::current_exe().expect("this program has a file");
    let folder = bench.parent().and_then(Path::parent).expect("it is in a folder of cargo");
    folder.join("examples/article").with_extension(env::consts::EXE_EXTENSION)
}

struct Server {
    name: &'static str,
    address: SocketAddr,
    child: Child,
}

impl Server {
    fn start(name: &'static str) -> Server {
        // A port that is free now. Its story goes nowhere, so the server can't tell its own.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        drop(listener);

        let mut command = match name {
            "step5" => Command::new(env!("CARGO_BIN_EXE_step5-respond")),
            "article" => Command::new(article()),
            _ => Command::new(env::current_exe().expect("this program has a file")),
        };
        let backlog = if name == SHORT_QUEUE { step3_listen::BACKLOG } else { BACKLOG };
        command.env("FLOOR", address.to_string()).env("BACKLOG", backlog.to_string());
        command.arg(address.to_string()).stdout(Stdio::null());
        let child = command.spawn().expect("the server starts");
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

/// Connects, asks, reads the whole answer until the server closes, and closes.
fn connection(server: SocketAddr) -> Duration {
    let start = Instant::now();
    let mut client = TcpStream::connect(server).expect("the server is there");
    client.write_all(REQUEST).expect("the server reads");
    let mut answer = Vec::with_capacity(1024);
    client.read_to_end(&mut answer).expect("the server closes");
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "every request is answered");
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

/// The article is so slow with many clients that once has to be enough.
fn rounds_of(server: &str) -> u32 {
    if server == "article" { 1 } else { ROUNDS }
}

/// Prints what step 5 and the article cost, as multiples of the floor in the same round.
fn print_ratios() {
    println!("\nTime for a connection, as a multiple of the floor's\n");
    for clients in CLIENTS {
        let median = |name: &str, round: u32| {
            let file = format!("{}/{name}/{round}/new/estimates.json", group_of(clients));
            let text = fs::read_to_string(results().join(file)).expect("criterion has written it");
            let estimates: Value = serde_json::from_str(&text).expect("it is JSON");
            estimates["median"]["point_estimate"].as_f64().expect("a number of nanoseconds")
        };
        let ratio = |name| {
            let of_round = |round| median(name, round) / median("floor", round);
            let mut ratios: Vec<f64> = (1..=rounds_of(name)).map(of_round).collect();
            ratios.sort_by(f64::total_cmp);
            ratios[ratios.len() / 2]
        };
        let (step5, article) = (ratio("step5"), ratio("article"));
        println!("{clients:>2} at a time: step5 {step5:.2}, article {article:.2}");
    }
}

/// Prints how many of the requests took how long, when 32 clients come at once.
fn print_slowest(servers: &[Server]) {
    const STEPS: [(u64, &str); 6] = [
        (1, "under 1 ms"),
        (10, "under 10 ms"),
        (100, "under 100 ms"),
        (900, "under 0.9 s"),
        (2000, "under 2 s"),
        (u64::MAX, "2 s and more"),
    ];
    for server in servers {
        let mut times = visit(server.address, 32, VISITS as u64);
        times.sort();
        let slowest = times[times.len() - 1];
        println!(
            "\n{}: {} requests of 32 clients, the slowest took {slowest:.1?}\n",
            server.name,
            times.len()
        );
        let mut shorter = 0;
        for (limit, label) in STEPS {
            let up_to = times.partition_point(|time| *time < Duration::from_millis(limit));
            let count = up_to - shorter;
            shorter = up_to;
            // One mark for each percent, and one for the last few.
            let bar = "#".repeat((count * 50).div_ceil(times.len()));
            println!("{label:>14} {count:>5} {bar}");
        }
    }
}
