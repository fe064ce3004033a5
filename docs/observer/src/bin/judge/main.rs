//! Judges a web server, in any language, as the clients do that a server really meets.

mod checks;
mod report;
mod stages;

use std::io::{self, Write};
use std::{env, process::ExitCode};
use step1_socket::terminal;

const USAGE: &str = "\
Usage: cargo judge [--step N] [HOST:PORT]

  --step N      judge a server that has come as far as step 2, 3, 4 or 5
                without it: all that a good server does
  HOST:PORT     where it listens; 127.0.0.1:8080 if you pass nothing";

fn main() -> ExitCode {
    #[cfg(windows)] // Older consoles show colors only when asked to.
    let _ = colored::control::set_virtual_terminal(true);

    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(|a| a.to_str().unwrap_or_default()).collect();
    let (step, place) = match arguments[..] {
        ["-h" | "--help"] => {
            report::say(USAGE);
            return ExitCode::SUCCESS;
        }
        [] => (None, "127.0.0.1:8080"),
        ["--step", step] => (Some(step), "127.0.0.1:8080"),
        ["--step", step, place] | [place, "--step", step] => (Some(step), place),
        [place] => (None, place),
        _ => (None, "neither host nor port"),
    };
    let port = place.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let is_good = match (step.map(str::parse), port) {
        (None, Some(_)) => stages::everything(place, &terminal::addresses(place)),
        (Some(Ok(step @ 2..=5)), Some(_)) => stages::judge(step, &terminal::addresses(place)),
        _ => {
            let _ = writeln!(io::stderr(), "{USAGE}");
            return ExitCode::from(2);
        }
    };
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
