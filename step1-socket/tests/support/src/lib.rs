//! What the tests of all steps share: a program under test, and clients that talk to it.
//!
//! Every wait in here is for an event. [`PATIENCE`] only bounds how long a broken program can
//! hold up the tests.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use wait_timeout::ChildExt;

/// How long a test waits for something that should happen at once.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The story of the steps up to `step`, as a pattern: `[..]` stands for what varies.
///
/// Each step's story begins with that of the step before it, because it is made from it here.
///
/// # Panics
///
/// When the step has no line here.
#[must_use]
pub fn story(step: usize) -> Vec<&'static str> {
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
    assert!(step <= lines.len(), "step {step} tells nothing here: give it a line above");
    lines[..step].concat()
}

/// The request that [`story`] shows.
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
    #[must_use]
    pub fn start(program: &str, arguments: &[&str]) -> Program {
        Program::run(Command::new(program).args(arguments))
    }

    /// Starts a command, with its standard streams connected to the test.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn run(command: &mut Command) -> Program {
        without_color_settings(command);
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

    /// Waits for a line of the story that contains `text`, and returns it.
    ///
    /// # Panics
    ///
    /// When the line does not come.
    pub fn wait_for(&mut self, text: &str) -> String {
        if let Some(line) = self.lines.iter().find(|line| line.contains(text)) {
            return line.clone();
        }
        self.wait_for_next(text)
    }

    /// Waits for a line that contains `text` and was not returned before, and returns it.
    ///
    /// # Panics
    ///
    /// When the line does not come.
    pub fn wait_for_next(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        while let Ok(line) = self.stdout.recv_timeout(deadline - Instant::now()) {
            self.lines.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
        panic!("no line with '{text}' came, but these did: {:#?}", self.lines);
    }

    /// Waits until the program has a port, and returns its address.
    ///
    /// # Panics
    ///
    /// When the line that names the address does not come.
    pub fn address(&mut self) -> SocketAddr {
        let line = self.wait_for("Socket bound to ");
        let address = line.split("Socket bound to ").nth(1).expect("the line holds the words");
        address.parse().unwrap_or_else(|e| panic!("{line}: {e}"))
    }

    /// Waits until the program listens, and returns its address.
    ///
    /// # Panics
    ///
    /// When the line that says so does not come.
    pub fn listening(&mut self) -> SocketAddr {
        self.wait_for("Server is listening on ");
        self.address()
    }

    /// All lines of the story until now.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Waits for a line on standard error.
    ///
    /// # Panics
    ///
    /// When no line comes.
    #[must_use]
    pub fn stderr_line(&self) -> String {
        self.stderr.recv_timeout(PATIENCE).expect("a line on standard error")
    }

    /// Presses Enter.
    ///
    /// # Panics
    ///
    /// When the program has gone.
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
    ///
    /// # Panics
    ///
    /// When the system does not say.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the system knows its child").is_none()
    }

    /// The number by which the system knows the program.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program ends, and returns its status and all it told.
    ///
    /// # Panics
    ///
    /// When it does not end.
    pub fn end(&mut self) -> (ExitStatus, String) {
        let status = self.child.wait_timeout(PATIENCE).expect("the system knows its child");
        let status = status.unwrap_or_else(|| panic!("it goes on: {:#?}", self.lines));
        self.lines.extend(self.stdout.iter());
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
///
/// # Panics
///
/// When it does not start, or is killed.
#[must_use]
pub fn output(program: &str, arguments: &[impl AsRef<OsStr>]) -> (i32, String, String) {
    let mut command = Command::new(program);
    without_color_settings(&mut command);
    let output = command.args(arguments).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = output.status.code().expect("it ends by itself");
    (status, text(&output.stdout), text(&output.stderr))
}

/// Sets how many descriptors a running program may have, with prlimit(1).
///
/// # Panics
///
/// When the system refuses.
#[cfg(target_os = "linux")]
pub fn limit_descriptors(program: &Program, most: u32) {
    let (id, most) = (format!("--pid={}", program.id()), format!("--nofile={most}:1024"));
    let prlimit = Command::new("prlimit").args([&id, &most]).status();
    assert!(prlimit.expect("prlimit runs").success());
}

/// The person who runs the tests may have set what colors they like. The tests say it themselves.
pub fn without_color_settings(command: &mut Command) {
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        if !command.get_envs().any(|(set, _)| set == name) {
            command.env_remove(name);
        }
    }
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

/// Builds all programs and examples of the workspace, and returns the folder they are in.
///
/// All at once, as `cargo test --workspace` does it: then nothing is built twice.
///
/// # Panics
///
/// When they can't be built.
#[must_use]
pub fn build_all() -> PathBuf {
    let arguments = ["build", "--quiet", "--workspace", "--bins", "--examples"];
    // Where cargo can't be started, as under Wine, everything was built before.
    if let Ok(cargo) = Command::new(env!("CARGO")).args(arguments).status() {
        assert!(cargo.success(), "everything is built");
    }
    // This test is target/debug/deps/test-…, a program target/debug/program.
    let test = std::env::current_exe().expect("a test has a file");
    test.parent().and_then(Path::parent).expect("it is in a folder of cargo").to_path_buf()
}

/// The file of a program, or of an example such as `examples/check`, in a folder of programs.
///
/// # Panics
///
/// When the folder has a name that is not text.
#[must_use]
pub fn program(folder: &Path, name: &str) -> String {
    let file = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
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
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Connects a client that gives up reading after [`PATIENCE`].
///
/// # Panics
///
/// When the connection does not come about.
#[must_use]
pub fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect_timeout(&address, PATIENCE).expect("the server is there");
    client.set_read_timeout(Some(PATIENCE)).expect("a time is set");
    client
}

/// Reads all that the server sends, until it closes the connection.
///
/// # Panics
///
/// When the connection breaks or stays open.
pub fn read_all(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).unwrap_or_else(|e| panic!("after {} bytes: {e}", bytes.len()));
    bytes
}

/// Reads a response, and splits it.
///
/// # Panics
///
/// When what comes is not an HTTP response.
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
///
/// # Panics
///
/// When no HTTP response comes.
#[must_use]
pub fn ask(address: SocketAddr, request: &[u8]) -> Response {
    let mut client = connect(address);
    client.write_all(request).expect("the server reads");
    read_response(&mut client)
}

/// Closes a connection with a reset, as a client that crashes does.
///
/// # Panics
///
/// When the system refuses the option that makes it so.
pub fn reset(client: TcpStream) {
    let socket = socket2::Socket::from(client);
    socket.set_linger(Some(Duration::ZERO)).expect("the option is set");
}

/// Says that this client sends no more.
///
/// # Panics
///
/// When the connection is broken.
pub fn send_no_more(client: &TcpStream) {
    client.shutdown(Shutdown::Write).expect("connected");
}

/// A head that is exactly `length` bytes long, made so by one long header field.
#[must_use]
pub fn head_of(length: usize) -> Vec<u8> {
    let (start, end) = ("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ", "\r\n\r\n");
    let filler = "c".repeat(length - start.len() - end.len());
    [start, &filler, end].concat().into_bytes()
}

/// Runs `curl -m 2` against a port of this machine, and returns its exit status.
///
/// # Panics
///
/// When curl is not installed.
#[must_use]
pub fn curl(address: SocketAddr) -> i32 {
    let url = format!("http://localhost:{}", address.port());
    let curl = Command::new("curl").args(["--silent", "-m", "2", &url]).output();
    curl.expect("curl is installed").status.code().expect("curl ends by itself")
}

/// Compares what a program told with the lines that it should tell. `[..]` matches anything.
///
/// # Panics
///
/// When they differ.
pub fn assert_story(told: &str, expected: &[&str]) {
    let expected = expected.join("\n");
    snapbox::assert_data_eq!(told.trim_end().to_string(), expected);
}
