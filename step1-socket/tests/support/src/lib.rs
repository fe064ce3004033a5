//! What the tests of all steps share: a program under test, and clients that talk to it.
//!
//! Every wait in here is for an event. [`TIMEOUT`] only bounds how long a broken program can
//! hold up the tests.

#![allow(clippy::missing_panics_doc, reason = "a test that finds something wrong panics")]

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

/// How long a test waits for something that should happen at once.
///
/// Longer than any server of this course waits for a client, and with time to spare for a machine
/// that is busy with something else.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// The log of the steps up to `step`, as a pattern: `[..]` stands for what varies.
///
/// Each step's log begins with that of the step before it, because it is made from it here.
pub fn log(step: usize) -> Vec<&'static str> {
    let lines: [&[&str]; 5] = [
        &["[step1-socket] Socket created: IPv4, TCP, descriptor [..]"],
        &["[step2-bind] Socket bound to 127.0.0.1:[..]"],
        &["[step3-listen] Server is listening on http://127.0.0.1:[..]"],
        &[
            "[step4-accept] Connection from 127.0.0.1:[..] has been established!",
            "[step4-accept] Request received from 127.0.0.1:[..]: GET / HTTP/1.1",
            "    Host: localhost",
        ],
        &["[step5-respond] Response sent to 127.0.0.1:[..]: 200 OK, [..] bytes"],
    ];
    assert!(step <= lines.len(), "step {step} has no line here: give it one above");
    lines[..step].concat()
}

/// The request that [`log`] shows.
pub const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A running program, with its standard streams. Killed at the test's end.
pub struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    lines: Vec<String>,
}

impl Program {
    /// Starts a program with the given arguments and no color.
    pub fn start(program: &str, arguments: &[&str]) -> Program {
        Program::run(Command::new(program).args(arguments))
    }

    /// Starts a command, with its standard streams connected to the test.
    pub fn run(command: &mut Command) -> Program {
        without_settings(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        Program {
            stdin: child.stdin.take(),
            stdout: lines_of(child.stdout.take().expect("piped")),
            stderr: lines_of(child.stderr.take().expect("piped")),
            child,
            lines: Vec::new(),
        }
    }

    /// Waits for a line of the log that contains `text`, and returns it.
    pub fn wait_for(&mut self, text: &str) -> String {
        if let Some(line) = self.lines.iter().find(|line| line.contains(text)) {
            return line.clone();
        }
        self.wait_for_next(text)
    }

    /// Waits for a line that contains `text` and was not returned before, and returns it.
    pub fn wait_for_next(&mut self, text: &str) -> String {
        let start = Instant::now();
        while let Ok(line) = self.stdout.recv_timeout(TIMEOUT.saturating_sub(start.elapsed())) {
            self.lines.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
        panic!("no line with '{text}' came, but these did: {:#?}", self.lines);
    }

    /// Waits until the program has a port, and returns its address.
    pub fn address(&mut self) -> SocketAddr {
        let line = self.wait_for("Socket bound to ");
        let address = line.split("Socket bound to ").nth(1).expect("the line holds the words");
        address.parse().unwrap_or_else(|e| panic!("{line}: {e}"))
    }

    /// Waits until the program listens, and returns its address.
    pub fn listening(&mut self) -> SocketAddr {
        self.wait_for("Server is listening on ");
        self.address()
    }

    /// All lines of the log until now.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Waits for a line on standard error.
    pub fn stderr_line(&self) -> String {
        self.stderr.recv_timeout(TIMEOUT).expect("a line on standard error")
    }

    /// Presses Enter.
    pub fn press_enter(&mut self) {
        self.stdin.as_mut().expect("open").write_all(b"\n").expect("the program reads");
    }

    /// Ends standard input, as Ctrl+D does.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Closes the test's end of standard output, as a terminal window that is closed does.
    pub fn close_output(&mut self) {
        self.stdout = channel().1;
    }

    /// Whether the program still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the system knows its child").is_none()
    }

    /// The number by which the system knows the program.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program ends, and returns its status and all of its log.
    pub fn end(&mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        loop {
            // When a program ends, so does its standard output.
            match self.stdout.recv_timeout(TIMEOUT.saturating_sub(start.elapsed())) {
                Ok(line) => self.lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it goes on: {:#?}", self.lines),
            }
        }
        let status = self.child.wait().expect("the system knows its child");
        (status, self.lines.join("\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program until it ends, and returns its exit status, standard output and standard error.
pub fn output(program: &str, arguments: &[impl AsRef<OsStr>]) -> (i32, String, String) {
    let mut command = Command::new(program);
    without_settings(&mut command);
    let output = command.args(arguments).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = output.status.code().expect("it ends by itself");
    (status, text(&output.stdout), text(&output.stderr))
}

/// Sets how many descriptors a running program may have, with prlimit(1).
#[cfg(target_os = "linux")]
pub fn limit_descriptors(program: &Program, most: u32) {
    let (id, most) = (format!("--pid={}", program.id()), format!("--nofile={most}:"));
    let prlimit = Command::new("prlimit").args([&id, &most]).status();
    assert!(prlimit.expect("prlimit runs").success());
}

/// Removes settings for colors, proxies and the course from a command's environment.
///
/// Whoever runs the tests may have set some. What a test sets for its command itself stays.
pub fn without_settings(command: &mut Command) {
    let colors = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"];
    let proxies =
        ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
    for name in colors.into_iter().chain(proxies) {
        if !command.get_envs().any(|(set, _)| set == name) {
            command.env_remove(name);
        }
    }
    // While the course is open in a browser, the judge would print links to it.
    if !command.get_envs().any(|(set, _)| set == "COURSE_ADDRESS") {
        command.env("COURSE_ADDRESS", "");
    }
}

/// Whether a tool is installed. If it is not, [`skip`] says so.
pub fn has(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let file = format!("{tool}{}", env::consts::EXE_SUFFIX);
    let is_there = env::split_paths(&path).any(|folder| folder.join(&file).is_file());
    if !is_there {
        skip(tool);
    }
    is_there
}

/// Says in one line which test is skipped, and for want of what.
///
/// If `CI=true` is set, everything has to be there, and the test fails.
pub fn skip(needed: &str) {
    let thread = thread::current();
    let line = format!("skipped: {} needs {needed}\n", thread.name().unwrap_or("a test"));
    assert!(env::var_os("CI").is_none_or(|value| value != "true"), "{line}");
    // What print! writes is not shown when a test passes.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// An address that nobody has, with a port that the system gives to nobody who asks for port 0: those ports are higher.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + u16::try_from(std::process::id() % 200).expect("less than 200") * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Held by a test that opens so many connections that two such tests would not get along with the
/// 256 descriptors that macOS grants.
pub fn crowd() -> MutexGuard<'static, ()> {
    static CROWD: Mutex<()> = Mutex::new(());
    CROWD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return; // The stream is dropped here, so the program finds it closed.
            }
        }
    });
    receiver
}

/// Builds the program of another package, such as `step1-socket`, and returns its file.
pub fn program(package: &str, name: &str) -> String {
    file(&build(&["-p", package, "--bin", name]), name)
}

/// Builds an example of a package, and returns its file.
pub fn example(package: &str, name: &str) -> String {
    file(&build(&["-p", package, "--example", name]).join("examples"), name)
}

/// Builds what these arguments of `cargo build` name, as the test that calls this was built
/// itself: for the same system, with or without `--release`. Returns the folder of the programs.
pub fn build(arguments: &[&str]) -> PathBuf {
    // This test is target/debug/deps/test-..., or target/x86_64-pc-windows-gnu/release/deps/test-....
    let test = env::current_exe().expect("a test has a file");
    let folder = test.parent().and_then(Path::parent).expect("it is in a folder of cargo");
    let name = |folder: &Path| folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let profile = name(folder).expect("it has a name");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet"]).args(arguments);
    cargo.arg("--profile").arg(if profile == "debug" { "dev" } else { &profile });
    // In target itself is a file that a folder for one system does not have.
    let above = folder.parent().filter(|above| !above.join(".rustc_info.json").is_file());
    if let Some(system) = above.and_then(name) {
        cargo.arg("--target").arg(system);
    }
    // If cargo can't be started, as under Wine, everything was built before.
    if let Ok(status) = cargo.status() {
        assert!(status.success(), "{cargo:?} fails");
    }
    folder.to_path_buf()
}

/// The file of a program in the folder where cargo puts it.
pub fn file(folder: &Path, name: &str) -> String {
    let file = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    file.to_str().expect("a path of text").to_string()
}

/// A complete HTTP response, as a client sees it.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields, names in lowercase.
    pub fields: Vec<(String, String)>,
    /// All bytes of the head.
    pub head: Vec<u8>,
    /// All bytes after the head.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Connects a client that gives up reading after [`TIMEOUT`].
pub fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect_timeout(&address, TIMEOUT).expect("the server is there");
    client.set_read_timeout(Some(TIMEOUT)).expect("a time is set");
    client
}

/// Reads all that the server sends, until it closes the connection.
pub fn read_all(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).unwrap_or_else(|e| panic!("after {} bytes: {e}", bytes.len()));
    bytes
}

/// Whether the server stays silent for this time, and keeps the connection open.
pub fn is_silent(client: &mut TcpStream, time: Duration) -> bool {
    client.set_read_timeout(Some(time)).expect("connected");
    loop {
        match client.read(&mut [0]).map_err(|error| error.kind()) {
            // A machine that was paused, a laptop that slept, interrupts the wait. It begins again.
            Err(ErrorKind::Interrupted) => {}
            result => return matches!(result, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
        }
    }
}

/// Reads a response, and splits it.
pub fn read_response(client: &mut TcpStream) -> Response {
    let bytes = read_all(client);
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut fields);
    let Ok(httparse::Status::Complete(length)) = response.parse(&bytes) else {
        panic!("not an HTTP response: {shown:?}");
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    Response {
        status: response.code.expect("it is complete"),
        fields: response
            .headers
            .iter()
            .map(|field| (field.name.to_lowercase(), text(field.value)))
            .collect(),
        head: bytes[..length].to_vec(),
        body: bytes[length..].to_vec(),
    }
}

/// Sends a request in one piece and reads the response.
pub fn ask(address: SocketAddr, request: &[u8]) -> Response {
    let mut client = connect(address);
    client.write_all(request).expect("the server reads");
    read_response(&mut client)
}

/// Closes a connection with a reset, as a client that crashes does.
pub fn reset(client: TcpStream) {
    let socket = socket2::Socket::from(client);
    socket.set_linger(Some(Duration::ZERO)).expect("the option is set");
}

/// Says that this client sends no more.
pub fn send_no_more(client: &TcpStream) {
    client.shutdown(Shutdown::Write).expect("connected");
}

/// A head that is exactly `length` bytes long, made so by one long header field.
pub fn head_of(length: usize) -> Vec<u8> {
    let (start, end) = ("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ", "\r\n\r\n");
    let filler = "c".repeat(length - start.len() - end.len());
    [start, &filler, end].concat().into_bytes()
}

/// Runs `curl` against a port of this machine, for so many seconds at most, and returns its exit status.
pub fn curl(address: SocketAddr, seconds: u32) -> i32 {
    let url = format!("http://localhost:{}", address.port());
    output("curl", &["--silent", "-m", &seconds.to_string(), &url]).0
}

/// Compares a log with the lines that it should have. `[..]` matches anything.
#[track_caller]
pub fn assert_log(log: &str, expected: &[&str]) {
    let lines: Vec<&str> = log.lines().collect();
    let is_alike = lines.len() == expected.len()
        && lines.iter().zip(expected).all(|(line, pattern)| matches(line, pattern));
    assert!(is_alike, "this came:\n{log}\nand this is right:\n{}", expected.join("\n"));
}

/// Whether the pieces of a pattern between each `[..]` stand in a line, one after the other.
fn matches(line: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else { return line == pattern };
    let Some(line) = line.strip_prefix(start) else { return false };
    (0..=line.len()).filter_map(|left_out| line.get(left_out..)).any(|line| matches(line, rest))
}
