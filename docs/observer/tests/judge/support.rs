//! What the judge said about a server of `small-servers`.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, LazyLock, Mutex};
use std::time::{Duration, Instant};
use test_support::example;

pub const JUDGE: &str = env!("CARGO_BIN_EXE_judge");

/// The program with the small servers.
pub static SERVERS: LazyLock<String> = LazyLock::new(|| example("observer", "small-servers"));

/// How many may be judged at once, so that a small machine can do it.
static PLACES: (Mutex<usize>, Condvar) = (Mutex::new(44), Condvar::new());

/// A running server. It ends with the test, which keeps no pipe to it open: many run at once, and macOS grants 256
/// descriptors.
pub struct Server {
    pub address: SocketAddr,
    process: Child,
}

impl Server {
    pub fn start(name: &str) -> Server {
        Server::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), name)
    }

    /// Starts it at this address. A port that the system chose (port 0) may go to another program as soon as the server has
    /// ended.
    pub fn start_at(address: SocketAddr, name: &str) -> Server {
        let mut command = Command::new(&*SERVERS);
        command.args([name, &address.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the server starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("it says where it listens");
        let address = line.trim().rsplit('/').next().and_then(|address| address.parse().ok());
        Server { address: address.expect("an address"), process }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the judge printed, and its exit status.
pub struct Verdict {
    pub said: String,
    /// What it printed on standard error.
    pub complaint: String,
    pub status: i32,
}

impl Verdict {
    /// Runs the judge with these arguments.
    pub fn with(arguments: &[&str]) -> Verdict {
        Verdict::of(Command::new(JUDGE).args(arguments))
    }

    /// Runs the judge. It says everything in 20 seconds, however the server behaves, and a busy machine may need a few
    /// more to start and to end the programs.
    pub fn of(judge: &mut Command) -> Verdict {
        test_support::without_settings(judge);
        let start = Instant::now();
        let output = judge.stdin(Stdio::null()).output().expect("the judge starts");
        let verdict = Verdict {
            said: String::from_utf8_lossy(&output.stdout).into_owned(),
            complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
            status: output.status.code().expect("it ends by itself"),
        };
        let time = start.elapsed();
        assert!(time < Duration::from_secs(60), "{time:?}\n{}", verdict.said);
        verdict
    }

    /// What `--json` says about each check, and at the end.
    pub fn objects(&self) -> Vec<Value> {
        self.said
            .lines()
            .map(|line| serde_json::from_str(line).expect("one object a line"))
            .collect()
    }

    /// The names of the checks with this outcome.
    pub fn checks(&self, outcome: &str) -> Vec<String> {
        let objects = self.objects().into_iter().filter(|object| object["outcome"] == outcome);
        objects.map(|object| object["check"].as_str().expect("a name").to_string()).collect()
    }

    /// The failure to fix first: its name, and all that is said about it.
    pub fn first_to_fix(&self) -> String {
        let objects = self.objects();
        let name = &objects.last().expect("a verdict")["fix_first"];
        let first = objects.iter().find(|object| object["check"] == *name && !name.is_null());
        let words = ["check", "sent", "expected", "got", "why"]
            .map(|word| first.map_or("", |first| first[word].as_str().unwrap_or_default()));
        let printed = first.map_or(String::new(), |first| first["printed"].to_string());
        format!("{} {printed}", words.join(" | "))
    }
}

/// Judges a small server that the test starts.
pub fn judge(name: &str) -> Verdict {
    let _place = Place::take();
    let server = Server::start(name);
    Verdict::with(&["--json", &server.address.to_string()])
}

/// Judges a small server that the judge starts.
pub fn judge_with_run(name: &str) -> Verdict {
    let _place = Place::take();
    Verdict::with(&["--json", "--run", &format!("{:?} {name} {{address}}", *SERVERS)])
}

struct Place;

impl Place {
    fn take() -> Place {
        let places = PLACES.0.lock().expect("no test panics in here");
        let mut places =
            PLACES.1.wait_while(places, |places| *places == 0).expect("no test panics in here");
        *places -= 1;
        Place
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Ok(mut places) = PLACES.0.lock() {
            *places += 1;
        }
        PLACES.1.notify_one();
    }
}
