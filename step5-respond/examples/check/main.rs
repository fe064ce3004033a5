//! Checks a web server, in any language, as the clients do that a server really meets.

mod checks;
mod client;
mod malformed;

use checks::{Check, Failure, Finding, LONGEST_WAIT, Pace};
use colored::Colorize;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{io, thread};
use step1_socket::terminal;

/// How long the checks that are done at once may take. With the slow ones it is under 20 seconds.
const FAST_TIME: Duration = Duration::from_secs(6);

/// What came of a check.
enum Outcome {
    Passed,
    Failed(Failure),
    /// An earlier check ended the server.
    NotChecked,
}

/// Prints a line. Whoever reads may have gone, and then the checker goes on in silence.
macro_rules! say {
    ($($text:tt)*) => {
        let _ = writeln!(io::stdout(), $($text)*);
    };
}

fn main() -> ExitCode {
    let server = terminal::address_argument();
    if let Err(error) = meet(server) {
        terminal::fail(&format!("connect to {server}"), &error);
    }
    say!("Checking the server at {server}");

    let checks = checks::all();
    let (slow, fast): (Vec<_>, Vec<_>) = checks.iter().partition(|c| c.pace == Pace::Slow);
    let start = Instant::now();
    let mut group = "";
    let mut gone: Option<String> = None;
    let mut time_is_up = false;
    let mut results = Vec::new();
    for check in fast {
        time_is_up |= start.elapsed() > FAST_TIME;
        announce(&mut group, check);
        let can_run = gone.is_none() && !time_is_up;
        let outcome = if can_run { run(check, server, &mut gone) } else { Outcome::NotChecked };
        results.push(report(check, outcome));
    }
    if time_is_up && gone.is_none() {
        say!("\n{}", "The time is up: the checks that failed waited long for an answer.".yellow());
    }
    for (check, finding) in run_side_by_side(&slow, server, gone.is_some()) {
        announce(&mut group, check);
        results.push(report(check, finding.map_or(Outcome::NotChecked, outcome_of)));
    }

    explain(&results);
    if let Some(reason) = gone {
        say!("\n{}", reason.red());
        say!("What could not be checked for that reason is marked with a question mark.");
    }
    let count = |wanted: fn(&Outcome) -> bool| results.iter().filter(|r| wanted(&r.1)).count();
    let passed = count(|outcome| matches!(outcome, Outcome::Passed));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    say!("\n{passed} passed, {failed} failed");
    if passed == results.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The first client. It asks as a browser does, because an empty connection ends some servers.
fn meet(server: SocketAddr) -> io::Result<()> {
    let mut client = client::connect(server)?;
    let _ = client.write_all(&checks::request("GET", "/"));
    let _ = client::read_answer(&mut client, client::PATIENCE);
    Ok(())
}

/// Runs a check and, where it matters, finds out whether the server survived it.
///
/// Where it did not, `gone` says so.
fn run(check: &Check, server: SocketAddr, gone: &mut Option<String>) -> Outcome {
    let finding = (check.run)(server);
    if finding.is_ok() && check.pace != Pace::Hostile {
        return Outcome::Passed;
    }
    let plain = checks::request("GET", "/");
    let answer = client::ask(server, [&plain[..]]);
    if !answer.bytes.is_empty() {
        return outcome_of(finding);
    }
    *gone = Some(if client::connect(server).is_err() {
        format!("The check \"{}\" ended the server: nobody listens any more.", check.name)
    } else if check.pace == Pace::First {
        "The server takes clients and does not answer them.".to_string()
    } else {
        format!("The check \"{}\" stopped the server: it answers nobody any more.", check.name)
    });
    Outcome::Failed(finding.err().unwrap_or_else(|| Failure {
        sent: format!("a plain request after this check, {}", client::shown(&plain)),
        came: answer.shown(),
    }))
}

fn outcome_of(finding: Finding) -> Outcome {
    finding.map_or_else(Outcome::Failed, |()| Outcome::Passed)
}

/// Runs the checks that take seconds, all at the same time, and says that it waits.
fn run_side_by_side<'a>(
    checks: &[&'a Check],
    server: SocketAddr,
    gone: bool,
) -> Vec<(&'a Check, Option<Finding>)> {
    if gone {
        return checks.iter().map(|check| (*check, None)).collect();
    }
    let start = Instant::now();
    let (done, is_done) = channel::<()>();
    let on_terminal = io::stderr().is_terminal();
    thread::scope(|scope| {
        let running: Vec<_> = checks
            .iter()
            .map(|check| {
                let done = done.clone();
                let thread = scope.spawn(move || {
                    let finding = (check.run)(server);
                    drop(done);
                    finding
                });
                (*check, thread)
            })
            .collect();
        drop(done);
        let mut line =
            format!("Waiting for slow clients to be sent away, {LONGEST_WAIT:?} at most");
        if !on_terminal {
            line += "\n";
        }
        let _ = write!(io::stderr(), "{line}");
        // The channel is closed when the last of them is done.
        while is_done.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
            if on_terminal {
                let _ = write!(io::stderr(), "\r{line}: {:>2} s", start.elapsed().as_secs());
            }
        }
        if on_terminal {
            let _ = write!(io::stderr(), "\r{:width$}\r", "", width = line.len() + 6);
        }
        running.into_iter().map(|(check, thread)| (check, thread.join().ok())).collect()
    })
}

/// Prints the heading of a group ahead of its first check.
fn announce(group: &mut &str, check: &Check) {
    if *group != check.group {
        *group = check.group;
        say!("\n{}", group.bold());
    }
}

fn report(check: &Check, outcome: Outcome) -> (&Check, Outcome) {
    let mark = match outcome {
        Outcome::Passed => "ok  ".green(),
        Outcome::Failed(_) => "FAIL".red(),
        Outcome::NotChecked => "?   ".yellow(),
    };
    say!("  {mark} {}", check.name);
    (check, outcome)
}

/// Says of each failure what was sent, what came back, why it matters, and where to read on.
fn explain(results: &[(&Check, Outcome)]) {
    for (check, outcome) in results {
        if let Outcome::Failed(Failure { sent, came }) = outcome {
            say!("\n{} {}", "FAIL".red(), check.name.bold());
            say!("  sent: {sent}");
            say!("  came: {came}");
            say!("  why:  {}", check.why);
            say!("  read: {}", check.page);
        }
    }
}
