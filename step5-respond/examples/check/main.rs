//! Judges a web server, in any language, as the clients do that a server really meets.

mod checks;
mod client;
mod malformed;
mod stages;

use checks::Outcome::{self, Failed, NotChecked, Passed, PassedSlowly};
use checks::{Check, Group, Pace, wrong};
use client::{FIRST_PATIENCE, Server, connect};
use colored::Colorize;
use socket2::Socket;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::{env, thread};
use step1_socket::terminal;

const USAGE: &str = "\
Usage: cargo run -p step5-respond --example check -- [--step N] [HOST:PORT]

  --step N      judge a server that has come as far as step 2, 3, 4 or 5
                without it: all that a good server does
  HOST:PORT     where it listens; 127.0.0.1:8080 if you pass nothing
";

const HERE: &str = "127.0.0.1:8080";

/// No check begins later, so that all is said in 20 seconds.
const LAST_START: Duration = Duration::from_secs(16);

/// No check that takes up to 7 seconds begins later.
const LAST_SLOW_START: Duration = Duration::from_secs(11);

/// What came of a check.
type Verdict<'a> = (&'a Group, &'a Check, Outcome);

/// Prints a line. Whoever reads may have gone, and then the checker goes on in silence.
macro_rules! say {
    ($($text:tt)*) => {
        { let _ = writeln!(std::io::stdout(), $($text)*); }
    };
}
use say;

fn main() -> ExitCode {
    #[cfg(windows)] // Older consoles show colors only when asked to.
    let _ = colored::control::set_virtual_terminal(true);

    let arguments = env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let arguments: Vec<String> = arguments.collect();
    let (step, place) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["-h" | "--help"] => {
            let _ = io::stdout().write_all(USAGE.as_bytes());
            return ExitCode::SUCCESS;
        }
        [] => ("", HERE),
        ["--step", step] => (step, HERE),
        ["--step", step, place] | [place, "--step", step] => (step, place),
        [place] if !place.starts_with('-') => ("", place),
        _ => ("unknown", HERE),
    };
    let port = place.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let step = if port.is_none() { "unknown" } else { step };
    let is_good = match step.parse() {
        Ok(step @ 2..=5) => stages::judge(step, &terminal::addresses(place)),
        _ if step.is_empty() => everything(place, &terminal::addresses(place)),
        _ => {
            let _ = io::stderr().write_all(USAGE.as_bytes());
            return ExitCode::from(2);
        }
    };
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Judges all that a good server does.
fn everything(place: &str, addresses: &[SocketAddr]) -> bool {
    let (address, client) = knock(addresses);
    if let Err(error) = &client {
        terminal::fail(&format!("connect to {place}"), error);
    }
    say!("Checking the server at {address}");
    let server = Server::meet(address, client, FIRST_PATIENCE);
    let groups = checks::all();
    let results = run(&groups, &server, server.trouble());
    let unfit = results.iter().find(|(.., outcome)| !has_passed(outcome));
    let is_ready = unfit.is_none_or(|(group, ..)| group.heading == "Reject what is not HTTP");
    conclude(&results, if is_ready { "This server is ready for a class.\n" } else { "" })
}

/// Connects to the first of the addresses where somebody listens.
fn knock(addresses: &[SocketAddr]) -> (SocketAddr, io::Result<Socket>) {
    let mut tried = addresses.iter().map(|&address| (address, connect(address)));
    let found = tried.find(|(_, client)| client.is_ok());
    found.unwrap_or_else(|| (addresses[0], connect(addresses[0])))
}

/// Runs the checks in their order, and prints what comes of each. `stop` says why none is done.
fn run<'a>(groups: &'a [Group], server: &Server, mut stop: Option<&str>) -> Vec<Verdict<'a>> {
    let mut results = Vec::new();
    for group in groups {
        say!("\n{}", group.heading.bold());
        // Slow clients wait side by side, where the server serves more than one at a time.
        let is_one_by_one = server.is_one_by_one.load(Ordering::Relaxed);
        for part in group.checks.chunk_by(|_, next| next.pace == Pace::Slow && !is_one_by_one) {
            let obstacle = obstacle(part[0].pace, server, stop, &results);
            let is_tried = obstacle.is_none() && part[0].pace != Pace::Known;
            let mut outcomes: Vec<Outcome> = match obstacle {
                Some(reason) => vec![NotChecked(reason); part.len()],
                None => thread::scope(|scope| {
                    let start = |check: &'a Check| scope.spawn(|| (check.run)(server));
                    let running: Vec<_> = part.iter().map(start).collect();
                    running.into_iter().filter_map(|thread| thread.join().ok()).collect()
                }),
            };
            if is_tried {
                stop = server.is_gone();
                match (stop, outcomes.last_mut()) {
                    (Some(reason), Some(Failed { got, .. })) => {
                        *got = format!("{got}. After that, {reason}");
                    }
                    (Some(reason), Some(last)) => {
                        *last = wrong(format!("no answer for the next client: {reason}"), None);
                    }
                    _ => {}
                }
            }
            for (check, outcome) in part.iter().zip(outcomes) {
                let (mark, note) = match &outcome {
                    Passed => ("ok  ".green(), String::new()),
                    PassedSlowly(note) => ("ok  ".green(), format!(" ({note})")),
                    Failed { .. } => ("FAIL".red(), String::new()),
                    NotChecked(reason) => ("?   ".yellow(), format!(" ({reason})")),
                };
                say!("  {mark} {}{}", check.name, note.yellow());
                results.push((group, check, outcome));
            }
        }
    }
    results
}

fn has_passed(outcome: &Outcome) -> bool {
    matches!(outcome, Passed | PassedSlowly(_))
}

/// Why a check can't be done now.
fn obstacle(pace: Pace, server: &Server, stop: Option<&str>, before: &[Verdict]) -> Option<String> {
    let has_failed = |v: &Verdict| v.1.pace == pace && matches!(v.2, Failed { .. });
    let has_one_failed = before.iter().any(has_failed);
    let last_start = if pace == Pace::Slow { LAST_SLOW_START } else { LAST_START };
    match stop {
        _ if pace == Pace::Known => (has_one_failed && server.first.status().is_none())
            .then(|| "there is no status line and no head".into()),
        Some(reason) => Some(reason.into()),
        None if pace == Pace::Slow && has_one_failed => {
            Some("it serves one at a time, and each of these takes 7 seconds".into())
        }
        None if server.start.elapsed() < last_start => None,
        None if server.pace < Duration::from_millis(20) => {
            Some("no time left: checks before it waited long".into())
        }
        None => Some(format!("no time left: each answer takes {:.1?}", server.pace)),
    }
}

/// Explains the failures, counts, and says what to do next. Returns whether all passed.
fn conclude(results: &[Verdict], praise: &str) -> bool {
    let mut failed = Vec::new();
    for (Group { page, .. }, check, outcome) in results {
        if let Failed { got, sent, why } = outcome {
            failed.push(format!("{} ({page})", check.name));
            say!("\n{} {}", "FAIL".red(), check.name.bold());
            say!("  sent:     {}", sent.as_ref().unwrap_or(&check.sent));
            say!("  expected: {}", check.expected);
            say!("  got:      {got}");
            say!("  why:      {}", why.unwrap_or(check.why));
            say!("  read:     {page}");
        }
    }
    let passed = results.iter().filter(|(.., outcome)| has_passed(outcome)).count();
    let others = match results.len() - passed - failed.len() {
        0 => String::new(),
        count => format!(", {count} not checked"),
    };
    say!("\n{}{passed} passed, {} failed{others}", praise.green(), failed.len());
    if let Some(first) = failed.first() {
        say!("{}", format!("Fix first: {first}").bold());
    }
    passed == results.len()
}
