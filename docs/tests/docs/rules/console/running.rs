//! A command that runs, and what it has printed.

use super::super::regex;
use super::command::{self, StandIn};
use snapbox::IntoData;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use tempfile::TempDir;
use test_support::free_address;

/// How long a command may take until it ends. The judge of a bad server takes longest.
const TIMEOUT: Duration = Duration::from_secs(90);

/// A command that runs.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    /// What stands for port 8080.
    pub port: u16,
    stand_ins: Vec<StandIn>,
    /// Lines that were not shown on the page yet.
    unseen: String,
}

impl Running {
    /// Starts a command that goes on, on a free port.
    pub fn server(page: &str, root: &Path, stand_ins: &[StandIn]) -> Running {
        let port = free_address().port();
        Running::start(&command::server(page, port, stand_ins), root, port, stand_ins)
    }

    /// Starts a command against the port of a server.
    pub fn client(page: &str, root: &Path, port: u16, stand_ins: &[StandIn]) -> Running {
        // The judge that starts a server itself needs a port of its own.
        let port = if page.contains("--run ") { free_address().port() } else { port };
        Running::start(&command::client(page, port, stand_ins), root, port, stand_ins)
    }

    fn start(command: &str, root: &Path, port: u16, stand_ins: &[StandIn]) -> Running {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1\n{command}")]).current_dir(root);
        shell.env("PATH", path_with_cargo()).env("CARGO_TERM_QUIET", "true");
        shell.env("CURL_HOME", curl_settings()).env("PYTHONUNBUFFERED", "1");
        shell.env("LC_ALL", "C.UTF-8").env("TERM", "dumb").env_remove("RUST_BACKTRACE");
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
        Running { child, lines, port, stand_ins: stand_ins.to_vec(), unseen: String::new() }
    }

    /// Takes one more line. `false` when no more comes, or none comes in this time.
    fn read_line(&mut self, timeout: Duration) -> bool {
        let Ok(line) = self.lines.recv_timeout(timeout) else { return false };
        self.unseen += line.trim_end(); // Nobody sees blanks at the end of a line.
        self.unseen.push('\n');
        true
    }

    /// Waits until a server that says so has its port. It has to be there still.
    pub fn has_started(&mut self, timeout: Duration) -> Result<(), String> {
        let (start, address) = (Instant::now(), format!(":{}", self.port));
        while !self.unseen.contains(&address) {
            if !self.read_line(timeout.saturating_sub(start.elapsed())) {
                let has_ended = self.lines.try_recv() == Err(TryRecvError::Disconnected);
                return if has_ended { Err(format!("ends:\n{}", self.shown())) } else { Ok(()) };
            }
        }
        Ok(())
    }

    /// Waits until what was printed looks as `expected`.
    pub fn prints(&mut self, expected: &str, timeout: Duration) -> Result<(), String> {
        if expected.is_empty() {
            return Ok(()); // The page does not show it here, but may do so further down.
        }
        let start = Instant::now();
        loop {
            let result = compare(&self.shown(), expected);
            let hopeless = self.unseen.lines().count() >= expected.lines().count()
                && !expected.lines().any(|line| line == "...");
            if result.is_ok()
                || hopeless
                || !self.read_line(timeout.saturating_sub(start.elapsed()))
            {
                self.unseen.clear();
                return result;
            }
        }
    }

    /// Waits until the command ends, and compares all that it printed.
    pub fn ends_with(&mut self, expected: &str) -> Result<(), String> {
        drop(self.child.stdin.take()); // It gets no input.
        let start = Instant::now();
        while self.read_line(TIMEOUT.saturating_sub(start.elapsed())) {}
        // Its output is at an end when nobody is left who could print.
        if self.lines.try_recv() != Err(TryRecvError::Disconnected) {
            return Err(format!("does not end in {TIMEOUT:?}"));
        }
        compare(&self.shown(), expected)
    }

    /// What was printed, with the port that the page says, and the names of the reader's files.
    fn shown(&self) -> String {
        let port = regex(&format!(r"\b{}\b", self.port));
        let printed = port.replace_all(&self.unseen, "8080").into_owned();
        self.stand_ins.iter().fold(printed, |printed, it| it.take_out_of(&printed))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = format!("kill -KILL -{}", self.child.id());
        let _ = Command::new("sh").args(["-c", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
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

/// Where the shell looks for programs, and at last the cargo that runs these tests.
fn path_with_cargo() -> std::ffi::OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let cargo = Path::new(env!("CARGO")).parent().expect("it is in a folder");
    let folders = env::split_paths(&path).chain([cargo.to_path_buf()]);
    env::join_paths(folders).expect("they were joined before")
}

fn compare(actual: &str, expected: &str) -> Result<(), String> {
    if expected.is_empty() && !actual.is_empty() {
        return Err(format!("prints something:\n{actual}"));
    }
    let examples = regex(r"(:|port )5\d{4}\b|(descriptor |raw: |curl/)[\d.]+");
    // Each line ends, the last one too, or a `...` below it would not see that it is there.
    let actual = format!("{}\n", actual.trim_end()).into_data();
    let expected =
        format!("{}\n", examples.replace_all(expected.trim_end(), "$1$2[..]")).into_data();
    let assert = snapbox::Assert::new().palette(snapbox::report::Palette::plain());
    // A backslash is a backslash, and no part of a path.
    let assert = assert.action(snapbox::assert::Action::Verify).normalize_paths(false);
    assert
        .try_eq(None, actual, expected)
        .map_err(|difference| format!("prints something else:{difference}"))
}
