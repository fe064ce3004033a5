//! The learner's server, when the judge runs it: how it is built, started, waited for, started again and ended.
//!
//! The judge runs one server at a time, and ends it with all that it started, on Ctrl+C too. On Unix that is its
//! process group, on Windows its job. On Linux even a process that left the group is found, by a variable in its
//! environment.

use crate::arguments::{self, DEFAULT_PLACE};
use crate::system;
use command_group::{CommandGroup, GroupChild};
use serde_json::Value;
use socket2::Socket;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, mem, process, thread};

/// How long a server may take to start. Cargo may have to compile it first.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// What is said of a server that ended by itself.
pub const ENDED_WELL: &str = "It ended without an error";

/// What such a server lacks.
pub const HAS_TO_WAIT: &str = "A server has to wait: for Enter, or for the next client.";

/// The name of the variable by which the processes of a server are known.
const MARK: &str = "STARTED_BY_THE_JUDGE";

/// The server that runs.
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

struct Running {
    child: GroupChild,
    /// Kept, so that a server that waits for Enter keeps waiting.
    _stdin: Option<ChildStdin>,
}

/// What is to be run, and where it then listens.
pub struct Program {
    /// The command in words, in which {port} and {address} may stand.
    words: Vec<String>,
    /// HOST:PORT, if it was passed.
    place: Option<String>,
    /// Whether it is an example, which was built before.
    is_example: bool,
    printed: Arc<Mutex<Printed>>,
}

/// How far a server has to come before it can be judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    Socket,
    Address,
    Listens,
}

/// A server that runs.
pub struct Started {
    pub addresses: Vec<SocketAddr>,
    /// The first client and its server's address, if a connection came about.
    pub client: Option<(SocketAddr, Socket)>,
}

/// What the server printed.
#[derive(Default)]
struct Printed {
    lines: VecDeque<Line>,
    /// How many older lines are not kept any more.
    dropped: usize,
    open_streams: usize,
}

struct Line {
    text: String,
    is_error: bool,
}

/// A server that prints without end does not fill the memory: only its last lines are kept.
const MAX_LINES: usize = 1000;

impl Printed {
    fn add(&mut self, line: Line) {
        self.lines.push_back(line);
        if self.lines.len() > MAX_LINES {
            self.lines.pop_front();
            self.dropped += 1;
        }
    }

    /// How many lines have been printed until now.
    fn count(&self) -> usize {
        self.dropped + self.lines.len()
    }

    /// The lines after so many, as far as they are kept.
    fn since(&self, count: usize) -> impl Iterator<Item = &Line> {
        self.lines.iter().skip(count.saturating_sub(self.dropped))
    }
}

impl Program {
    /// An example of this workspace is built at once. Or the reason why it cannot be run.
    pub fn prepare(
        run: &str,
        step: Option<usize>,
        place: Option<String>,
    ) -> Result<Program, String> {
        let is_name = run.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        let words = if is_name {
            let file = build(run)?;
            match step {
                Some(1) => vec![file], // It has no address yet.
                _ => vec![file, place.clone().unwrap_or(DEFAULT_PLACE.into())],
            }
        } else {
            split(run)?
        };
        end_on_ctrl_c();
        Ok(Program { words, place, is_example: is_name, printed: Arc::default() })
    }

    /// Starts the server, and waits until it has come as far as this, or comes no further.
    pub fn start(&mut self, goal: Goal) -> Result<Started, String> {
        // Another program may take a free port before the server does.
        for _ in 0..3 {
            match self.start_once(goal) {
                Err(reason) if self.chooses_the_address() && says_in_use(&reason) => {
                    end(&mut running());
                }
                result => return result,
            }
        }
        self.start_once(goal)
    }

    fn start_once(&mut self, goal: Goal) -> Result<Started, String> {
        let (words, addresses) = self.fill_in()?;
        if goal != Goal::Socket {
            wait_until_free(addresses[0], goal)?;
        }
        self.spawn(&words)?;
        let (start, mut last_change) = (Instant::now(), Instant::now());
        let patience = Duration::from_secs(if self.is_example { 3 } else { 5 });
        let (mut activity, mut has_waited) = (0, false);
        loop {
            if goal == Goal::Listens {
                if let Some(client) = connect_to_one(&addresses) {
                    return Ok(Started { addresses, client: Some(client) });
                }
            }
            if let Some(how) = self.how_it_ended() {
                let hint =
                    if how == ENDED_WELL { format!(" {HAS_TO_WAIT}") } else { String::new() };
                let printed = self.last_lines(0, 12);
                return Err(format!("{how} before it could be judged.{hint}{printed}"));
            }
            let ids = processes();
            let is_there = match goal {
                Goal::Socket => ids.iter().any(|id| !system::sockets_of(*id).is_empty()),
                Goal::Address => addresses.iter().any(|address| system::is_taken(*address, false)),
                Goal::Listens => false,
            };
            if is_there {
                return Ok(Started { addresses, client: None });
            }
            let now = activity_of(&ids) + self.printed().count() as u64;
            if now != activity {
                (activity, last_change) = (now, Instant::now());
            }
            let is_idle =
                last_change.elapsed() > patience && (self.is_example || system::can_be_asked());
            if is_idle || start.elapsed() > START_TIMEOUT {
                return came_no_further(addresses);
            }
            if !has_waited && start.elapsed() > Duration::from_secs(4) {
                note(&format!("Waiting for the server at {} ... Ctrl+C ends it.", addresses[0]));
                has_waited = true;
            }
            thread::sleep(Duration::from_millis(25));
        }
    }

    /// Starts the server again, after a check has ended it, and waits until it answers.
    pub fn start_again(&mut self) -> Result<SocketAddr, String> {
        end(&mut running());
        let started = self.start(Goal::Listens)?;
        let (address, mut client) = started.client.ok_or("it did not listen again")?;
        // A client that leaves without a request ends some servers, so this one asks.
        let request = observer::client::plain_request(address);
        let deadline = Instant::now() + 2 * observer::client::TIMEOUT;
        observer::client::exchange(&mut client, request.as_bytes(), deadline, Duration::ZERO);
        Ok(address)
    }

    /// How the server ended, if it ends at this moment: its sockets are closed shortly before.
    pub fn how_it_ends(&self) -> Option<String> {
        let start = Instant::now();
        loop {
            match self.how_it_ended() {
                None if start.elapsed() < Duration::from_millis(300) => {
                    thread::sleep(Duration::from_millis(5));
                }
                how => return how,
            }
        }
    }

    /// How the server ended; `None` while it runs.
    pub fn how_it_ended(&self) -> Option<String> {
        let status = running().as_mut()?.child.try_wait().ok()??;
        // Its last lines may still be on the way.
        let start = Instant::now();
        while self.printed().open_streams > 0 && start.elapsed() < Duration::from_millis(300) {
            thread::sleep(Duration::from_millis(5));
        }
        Some(name_of(status))
    }

    /// How many lines the server has printed.
    pub fn lines_printed(&self) -> usize {
        self.printed().count()
    }

    /// The lines that explain an error: those from a panic or a traceback on, or the last on standard error.
    pub fn error_lines(&self, since: usize) -> Vec<String> {
        const SIGNS: [&str; 5] = ["panicked at", "Traceback", "Error", "error", "Exception"];
        let printed = self.printed();
        let lines: Vec<&str> =
            printed.since(since).filter(|l| l.is_error).map(|l| l.text.as_str()).collect();
        let lines: Vec<&str> = lines
            .into_iter()
            .filter(|line| {
                !line.trim_matches([' ', '^', '~']).is_empty()
                    && !line.starts_with("note: run with")
            })
            .collect();
        if !lines.iter().any(|line| SIGNS.iter().any(|sign| line.contains(sign))) {
            return Vec::new();
        }
        let from = lines.iter().rposition(|line| line.contains("panicked at")).unwrap_or(0);
        let last = lines.len().saturating_sub(4).max(from);
        lines[last..].iter().map(|line| (*line).to_string()).collect()
    }

    /// The last lines that the server printed, whatever they say.
    pub fn last_printed(&self, since: usize, most: usize) -> Vec<String> {
        let printed = self.printed();
        let lines: Vec<&Line> =
            printed.since(since).filter(|line| !line.text.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(most)..].iter().map(|line| line.text.clone()).collect()
    }

    /// The same as one text, that can follow a sentence.
    fn last_lines(&self, since: usize, most: usize) -> String {
        match self.last_printed(since, most)[..] {
            [] => " It printed nothing.".into(),
            ref lines => format!(" It printed:\n    {}", lines.join("\n    ")),
        }
    }

    fn printed(&self) -> MutexGuard<'_, Printed> {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the server gets a free address.
    fn chooses_the_address(&self) -> bool {
        let has_place = |word: &String| word.contains("{port}") || word.contains("{address}");
        self.place.is_none() && self.words.iter().any(has_place)
    }

    /// The command with an address in it, and where the server will listen.
    fn fill_in(&self) -> Result<(Vec<String>, Vec<SocketAddr>), String> {
        let mut addresses = match &self.place {
            Some(place) => arguments::addresses(place)?,
            None if self.chooses_the_address() => {
                vec![
                    system::free_address()
                        .map_err(|error| format!("There is no free port: {error}."))?,
                ]
            }
            None => arguments::addresses(DEFAULT_PLACE)?,
        };
        let (address, port) = (addresses[0].to_string(), addresses[0].port());
        let fill = |word: &String| {
            word.replace("{port}", &port.to_string()).replace("{address}", &address)
        };
        if self.place.is_none() {
            addresses.push(SocketAddr::from((Ipv6Addr::LOCALHOST, port)));
        }
        Ok((self.words.iter().map(fill).collect(), addresses))
    }

    fn spawn(&mut self, words: &[String]) -> Result<(), String> {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command.env(MARK, process::id().to_string());
        command.env("PYTHONUNBUFFERED", "1"); // So that what it prints comes at once.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl+C can come at any time, and finds the server once the lock is free.
        let mut running = running();
        #[allow(unused_mut, reason = "it changes on Windows only")]
        let mut group = command.group();
        #[cfg(windows)]
        group.kill_on_drop(true); // Even if the judge itself is ended.
        let mut child = group.spawn().map_err(|error| cannot_start(&words[0], &error))?;
        self.printed().open_streams = 2;
        let streams = child.inner();
        read_lines(streams.stdout.take(), false, &self.printed);
        read_lines(streams.stderr.take(), true, &self.printed);
        let stdin = streams.stdin.take();
        *running = Some(Running { child, _stdin: stdin });
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        end(&mut running());
    }
}

/// How many descriptors the server has, on Linux.
pub fn descriptors() -> usize {
    processes().iter().map(|id| system::descriptors_of(*id)).max().unwrap_or(0)
}

/// Whether the server has a socket, on Linux.
pub fn has_a_socket() -> bool {
    processes().iter().any(|id| !system::sockets_of(*id).is_empty())
}

/// Whether a server says that another one has its address, in the words of some language.
fn says_in_use(printed: &str) -> bool {
    ["in use", "EADDRINUSE", "10048"].iter().any(|words| printed.contains(words))
}

/// Says what there is of a server that does not come as far as it should.
fn came_no_further(addresses: Vec<SocketAddr>) -> Result<Started, String> {
    let elsewhere = system::listening(&processes());
    match elsewhere.iter().find(|found| found.port() != addresses[0].port()).or(elsewhere.first()) {
        Some(found) => Err(format!(
            "The server runs, and listens at {found}, not at {}. Let it listen there, or pass {found} \
             to the judge.",
            addresses[0]
        )),
        None => Ok(Started { addresses, client: None }),
    }
}

fn running() -> MutexGuard<'static, Option<Running>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end(running: &mut Option<Running>) {
    if let Some(mut server) = running.take() {
        let _ = server.child.kill();
        end_processes();
        let _ = server.child.wait();
    }
}

/// Ends the processes that the server started and that left its group.
fn end_processes() {
    #[cfg(unix)]
    for _ in 0..10 {
        let left = processes();
        if left.is_empty() {
            return;
        }
        for id in left.into_iter().filter_map(|id| i32::try_from(id).ok()) {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(id),
                nix::sys::signal::Signal::SIGKILL,
            );
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Ends the server when the person presses Ctrl+C, closes the terminal, or ends the judge.
fn end_on_ctrl_c() {
    let _ = ctrlc::set_handler(|| {
        let mut running = running();
        end(&mut running);
        process::exit(130) // With the lock held, so that no other server starts now.
    });
}

/// The processes of the server, on Linux: those that have the mark.
fn processes() -> Vec<u32> {
    let mark = format!("{MARK}={}", process::id());
    let has_mark = |id: &u32| {
        let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    system::processes().filter(has_mark).collect()
}

/// A number that changes while these processes do something.
fn activity_of(ids: &[u32]) -> u64 {
    let sum: u64 = ids.iter().map(|id| u64::from(*id)).sum();
    sum + system::processor_time(ids)
}

fn read_lines(
    stream: Option<impl Read + Send + 'static>,
    is_error: bool,
    printed: &Arc<Mutex<Printed>>,
) {
    let Some(stream) = stream else { return };
    let printed = Arc::clone(printed);
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        // A line that never ends is cut, so that it does not fill the memory.
        while stream.by_ref().take(10_000).read_until(b'\n', &mut line).is_ok_and(|count| count > 0)
        {
            let text = String::from_utf8_lossy(&line).trim_end().to_string();
            let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
            printed.add(Line { text: printable(&text), is_error });
            line.clear();
        }
        printed.lock().unwrap_or_else(PoisonError::into_inner).open_streams -= 1;
    });
}

/// Text that can't move the cursor, or color the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// Says what takes a while, to a person who waits.
fn note(text: &str) {
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// Waits until the address is free. If another program listens there, names it.
fn wait_until_free(address: SocketAddr, goal: Goal) -> Result<(), String> {
    let start = Instant::now();
    let mut has_said = false;
    loop {
        if system::is_taken(address, true) || connect_to_one(&[address]).is_some() {
            let who = system::who_listens(address);
            let who = who.map_or(String::new(), |who| format!(": {who}"));
            return Err(format!(
                "Another program has the address {address}{who}. Stop it first, or pass another address."
            ));
        }
        // Servers that may follow one that has just ended need not wait. But whether the next one has an address
        // can be seen only when the system has forgotten the last one.
        if goal != Goal::Address || !system::is_taken(address, false) {
            return Ok(());
        }
        if !has_said {
            note(&format!(
                "A server at {address} has just ended. Waiting until the system forgets it, up to a minute."
            ));
            has_said = true;
        }
        if start.elapsed() > Duration::from_secs(70) {
            return Err(format!("Another program has the address {address}. Stop it first."));
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Connects to one of these addresses. On Windows a refusal takes two seconds, and a connection no time at all.
fn connect_to_one(addresses: &[SocketAddr]) -> Option<(SocketAddr, Socket)> {
    addresses.iter().find_map(|&address| {
        let client = observer::client::connect_within(address, Duration::from_millis(150));
        Some((address, client.ok()?))
    })
}

fn name_of(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name =
            nix::sys::signal::Signal::try_from(signal).map_or("a signal", |signal| signal.as_str());
        return format!("It was ended by {name}");
    }
    match status.code() {
        Some(code) if code != 0 => format!("It ended with exit status {code}"),
        _ => ENDED_WELL.into(),
    }
}

fn cannot_start(word: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("There is no program '{word}'. The command is not read by a shell.")
        }
        _ => format!("'{word}' does not start: {error}."),
    }
}

/// The words of a command.
fn split(run: &str) -> Result<Vec<String>, String> {
    // On Windows a backslash separates folders, and shlex would read it as an escape.
    let run = if cfg!(windows) { run.replace('\\', "\\\\") } else { run.to_string() };
    let words = shlex::split(&run).ok_or(format!("A quotation mark is missing in: {run}"))?;
    if words.is_empty() { Err("--run needs a command.".into()) } else { Ok(words) }
}

/// Builds an example of this workspace, or a program of one of its packages, and returns its file.
fn build(name: &str) -> Result<String, String> {
    let (package, kind) = find(name)?;
    note(&format!("Building {name} ..."));
    let mut command = cargo("build");
    command.args(["--quiet", "--message-format=json-render-diagnostics", "--package", &package]);
    command.args([format!("--{kind}").as_str(), name]);
    let output = output(command.stderr(Stdio::inherit()))?;
    let messages = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut files =
        messages.filter_map(|message| Some(message["executable"].as_str()?.to_string()));
    files.next_back().ok_or(format!("{name} does not compile. The compiler says why above."))
}

/// The package of an example or a program, and which of the two it is.
fn find(name: &str) -> Result<(String, &'static str), String> {
    let output = output(
        cargo("metadata").args(["--no-deps", "--format-version=1"]).stderr(Stdio::inherit()),
    )?;
    let metadata: Value =
        serde_json::from_str(&output).map_err(|_| "cargo metadata fails.".to_string())?;
    let mut examples = Vec::new();
    for kind in ["example", "bin"] {
        for package in metadata["packages"].as_array().into_iter().flatten() {
            for target in package["targets"].as_array().into_iter().flatten() {
                let (Some(found), Some(package)) =
                    (target["name"].as_str(), package["name"].as_str())
                else {
                    continue;
                };
                if target["kind"][0] != kind {
                    continue;
                }
                if found == name {
                    return Ok((package.to_string(), kind));
                }
                examples.push(found.to_string());
            }
        }
    }
    examples.retain(|example| example.contains(name) || name.contains(example.as_str()));
    let like_it = if examples.is_empty() {
        String::new()
    } else {
        format!(" Similar names: {}.", examples.join(", "))
    };
    Err(format!(
        "This workspace has no example {name}.{like_it} Is its file in a folder named examples? A command needs \
         its arguments, such as \"python3 {name}.py {{port}}\", or a path, such as \"./{name}\"."
    ))
}

/// A command of cargo, for the workspace that the judge belongs to.
fn cargo(command: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.arg(command);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    if manifest.exists() {
        cargo.arg("--manifest-path").arg(manifest);
    }
    cargo
}

/// Runs a command until it ends, and returns what it printed. Ctrl+C ends it too.
fn output(command: &mut Command) -> Result<String, String> {
    let mut child: Child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cargo does not start: {error}."))?;
    let mut text = String::new();
    if let Some(mut stdout) = mem::take(&mut child.stdout) {
        let _ = stdout.read_to_string(&mut text);
    }
    let _ = child.wait();
    Ok(text)
}
