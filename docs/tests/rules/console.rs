//! A console block prints what the page shows.
//!
//! - A line that begins with `$ ` is a command. The lines below it are what it prints. `[..]`
//!   stands for anything within a line, a line of `...` for any number of lines.
//! - A block marked `console server` starts a program that goes on. The blocks below it are its
//!   clients.
//! - A block without a command is what that program has printed since it was last shown.
//!
//! The pages say port 8080. The server gets a free port instead, and so do its clients. Where they
//! say `cargo run`, all programs are built once, and started from where cargo puts them. A port of
//! a client, such as 53124, a descriptor and the version of curl are examples on a page: what is
//! printed may differ there.

use super::commands::{TOOLS, words};
use super::{Kind, Page};
use regex::{Captures, Regex};
use snapbox::IntoData;
use socket2::{Domain, Socket, Type};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{LazyLock, RwLock};
use std::time::{Duration, Instant};
use std::{fs, thread};
use tempfile::TempDir;

/// Where the programs of the workspace are, built once.
pub static PROGRAMS: LazyLock<PathBuf> =
    LazyLock::new(|| test_support::build(&["--workspace", "--bins", "--examples"]));

/// How long a program may take until it prints its next line. It may have to be built first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Held by each command that runs, and by one alone where that sends crowds, or shows a time.
static TURN: RwLock<()> = RwLock::new(());

/// What came of the console blocks of a page.
#[derive(Default)]
pub struct Report {
    /// What is wrong.
    pub complaints: Vec<String>,
    /// What could not be tried, and why.
    pub skipped: Vec<String>,
}

/// Runs the console blocks of a page in their order.
pub fn run(page: &Page, root: &Path) -> Report {
    let mut report = Report::default();
    let mut server: Option<Running> = None;
    // Nobody listens on this port, and nobody else gets it: it stands for 8080 without a server.
    let (_holder, unused_port) = hold_port();

    for part in &page.parts {
        let Kind::Block { info, code, .. } = &part.kind else { continue };
        if !info.starts_with("console") {
            continue;
        }
        let starts_server = info == "console server";
        if starts_server {
            server = None; // Its clients must not meet the server before it.
        }
        let commands = split(code);
        if let Some(missing) = missing_tool(&commands) {
            report.skipped.push(page.complain(part.line, &format!("{missing} is not installed")));
            continue;
        }
        for (command, expected) in commands {
            let port = server.as_ref().map_or(unused_port, |server| server.port);
            let result = match &mut server {
                _ if says_nothing(&expected) => Err("has to show at least one word".to_string()),
                _ if command.starts_with("cargo test") => {
                    Err("would run these tests themselves: show it in a block marked sh"
                        .to_string())
                }
                _ if starts_server => {
                    server.insert(Running::server(&command, root, unused_port)).prints(&expected)
                }
                Some(server) if command == GOES_ON => server.prints(&expected),
                None if command == GOES_ON => Err("does not run".to_string()),
                _ => {
                    let is_alone =
                        command.ends_with("--example check") || command.contains("%{time_");
                    let _alone = is_alone.then(|| TURN.write());
                    let _beside_others = (!is_alone).then(|| TURN.read());
                    Running::client(&command, root, port).ends_with(&expected)
                }
            };
            if let Err(what) = result {
                report.complaints.push(page.complain(part.line, &format!("{command} {what}")));
            }
        }
    }
    report
}

/// What stands for a command where a block shows more of what the server printed.
const GOES_ON: &str = "the server";

/// Splits a block into its commands, each with what it prints.
fn split(code: &str) -> Vec<(String, String)> {
    let text = format!("\n$ {GOES_ON}\n{code}");
    let parts = text.split("\n$ ").skip(1).map(|part| part.split_once('\n').unwrap_or((part, "")));
    let shown = parts.filter(|(command, output)| *command != GOES_ON || !output.is_empty());
    shown.map(|(command, output)| (command.to_string(), output.to_string())).collect()
}

/// Whether an output is made of wildcards alone.
fn says_nothing(output: &str) -> bool {
    let words = output.replace("[..]", "").replace("...", "");
    !output.is_empty() && !words.contains(char::is_alphanumeric)
}

/// The first tool in a block's commands that this machine does not have.
fn missing_tool(commands: &[(String, String)]) -> Option<String> {
    let words = commands.iter().flat_map(|(command, _)| words(command));
    let mut tools = words.filter(|word| TOOLS.split(' ').any(|tool| tool == *word));
    let is_missing = |tool: &&str| {
        let look = format!("command -v {tool} >/dev/null");
        !Command::new("sh").args(["-c", &look]).status().expect("sh runs").success()
    };
    tools.find(is_missing).map(str::to_string)
}

fn hold_port() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a free port");
    let address = socket.local_addr().expect("it is bound").as_socket().expect("to an address");
    (socket, address.port())
}

/// A folder with settings for curl. Where output is no terminal, curl shows its progress, and a
/// reader's curl does not.
fn curl_settings() -> &'static Path {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join(".curlrc"), "silent\nshow-error\n").expect("a file");
        folder
    });
    FOLDER.path()
}

/// The same command with the program itself in place of `cargo run`.
fn without_cargo(command: &str) -> String {
    let run = Regex::new(r"cargo run -p ([\w-]+)(?: --example ([\w-]+))?(?: --( |$))?");
    let program = |found: &Captures| {
        let example = found.get(2).map(|name| format!("examples/{}", name.as_str()));
        let name = example.unwrap_or_else(|| found[1].to_string());
        let space = found.get(3).map_or("", |space| space.as_str());
        format!("'{}'{space}", PROGRAMS.join(name).display())
    };
    run.expect("a regular expression").replace_all(command, program).into_owned()
}

/// The same command with an address for the program that it runs.
fn with_address(command: &str, port: u16) -> String {
    let dashes = if command.contains(" -- ") { "" } else { "-- " };
    format!("{command} {dashes}127.0.0.1:{port}")
}

/// A command that runs, and what it has printed.
struct Running {
    child: Child,
    lines: Receiver<String>,
    /// What stands for port 8080.
    port: u16,
    /// Lines that were not shown on the page yet.
    unseen: String,
}

impl Running {
    /// Starts a command that goes on, on a free port.
    fn server(command: &str, root: &Path, unused_port: u16) -> Running {
        let has_no_port =
            ["-p step1-socket", "--example starter"].iter().any(|c| command.contains(c));
        let on_free_port = match command {
            _ if has_no_port => command.to_string(),
            _ if command.contains("8080") => command.replace("8080", "0"),
            _ if command.starts_with("python3") => format!("{command} 0"),
            _ => with_address(command, 0),
        };
        let mut server = Running::start(&on_free_port, root, unused_port);
        // Which port it got, it tells with its first lines.
        let address = Regex::new(r"(?:bound to |http://)\S*:(\d+)").expect("a regular expression");
        while !has_no_port && server.port == unused_port && server.read_line() {
            if let Some(found) = address.captures(&server.unseen) {
                server.port = found[1].parse().expect("a port is a number");
            }
        }
        server
    }

    /// Starts a command that ends by itself, against a port.
    fn client(command: &str, root: &Path, port: u16) -> Running {
        let mut command = command.replace("8080", &port.to_string());
        // A program of this course takes port 8080 if it is told no other.
        let of_this_course = Regex::new(
            r"^cargo run -p step(?:[2-9]|\d\d)-\w+( --example (client|check))?( -- --(step \d|brief))?$",
        );
        if of_this_course.expect("a regular expression").is_match(&command) {
            command = with_address(&command, port);
        }
        Running::start(&command, root, port)
    }

    fn start(command: &str, root: &Path, port: u16) -> Running {
        let mut shell = Command::new("sh");
        let command = without_cargo(command);
        shell.args(["-c", &format!("exec 2>&1\n{command}")]).current_dir(root);
        shell
            .env("CURL_HOME", curl_settings())
            .env("CARGO_TERM_QUIET", "true")
            .env("PYTHONUNBUFFERED", "1")
            .env("LC_ALL", "C.UTF-8");
        shell.env_remove("RUST_BACKTRACE").env("TERM", "dumb");
        test_support::without_settings(&mut shell);
        // A group of its own, so that what the shell starts can be ended with it.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn().expect("sh runs");

        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        Running { child, lines, port, unseen: String::new() }
    }

    /// Takes one more line. `false` when none comes any more.
    fn read_line(&mut self) -> bool {
        let Ok(line) = self.lines.recv_timeout(PATIENCE) else { return false };
        self.unseen += line.trim_end(); // Nobody sees blanks at the end of a line.
        self.unseen.push('\n');
        true
    }

    /// Waits until what was printed looks as `expected`.
    fn prints(&mut self, expected: &str) -> Result<(), String> {
        if expected.is_empty() {
            return Ok(()); // The page does not show it here, but may do so further down.
        }
        loop {
            let result = compare(&self.shown(), expected);
            let hopeless = self.unseen.lines().count() >= expected.lines().count()
                && !expected.lines().any(|line| line == "...");
            if result.is_ok() || hopeless || !self.read_line() {
                self.unseen.clear();
                return result;
            }
        }
    }

    /// Waits until the command ends, and compares all that it printed.
    fn ends_with(&mut self, expected: &str) -> Result<(), String> {
        drop(self.child.stdin.take()); // It gets no input.
        let start = Instant::now();
        while start.elapsed() < PATIENCE && self.read_line() {}
        // Its output is at an end when nobody is left who could print.
        if self.lines.try_recv() != Err(TryRecvError::Disconnected) {
            return Err(format!("does not end in {PATIENCE:?}"));
        }
        compare(&self.shown(), expected)
    }

    /// What was printed, with the port that the page says.
    fn shown(&self) -> String {
        let port = Regex::new(&format!(r"\b{}\b", self.port)).expect("a regular expression");
        port.replace_all(&self.unseen, "8080").into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = format!("kill -KILL -{}", self.child.id());
        let _ = Command::new("sh").args(["-c", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

fn compare(actual: &str, expected: &str) -> Result<(), String> {
    if expected.is_empty() && !actual.is_empty() {
        return Err(format!("prints something:\n{actual}"));
    }
    let examples =
        Regex::new(r"\b5\d{4}\b|(descriptor |curl/)[\d.]+").expect("a regular expression");
    // Each line ends, the last one too, or a `...` below it would not see that it is there.
    let actual = format!("{}\n", actual.trim_end()).into_data();
    let expected = format!("{}\n", examples.replace_all(expected.trim_end(), "$1[..]")).into_data();
    let assert = snapbox::Assert::new().palette(snapbox::report::Palette::plain());
    // A backslash is a backslash, and no part of a path.
    let assert = assert.action(snapbox::assert::Action::Verify).normalize_paths(false);
    assert
        .try_eq(None, actual, expected)
        .map_err(|difference| format!("prints something else:{difference}"))
}
