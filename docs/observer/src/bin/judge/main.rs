//! Judges a web server, in any language, by playing the clients that a server really meets.
//!
//! - `arguments` is what the person asks for, and `program` runs their server, if they want that.
//! - `server` holds what the first clients saw, and `system` what the system knows.
//! - `stages` says how far the server has come. `checks` are what a good server does, one file for each group.
//! - `judge` runs the checks one by one, and `report` says what came of them.

mod arguments;
mod checks;
mod course;
mod judge;
mod program;
mod report;
mod server;
mod stages;
mod system;

use arguments::{Arguments, DEFAULT_PLACE, USAGE, addresses};
use observer::client::connect;
use program::{Program, Started};
use report::{Style, complain, short_verdict};
use socket2::Socket;
use stages::{Case, NOT_JUDGED, WRONG_ARGUMENTS};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::{env, process::ExitCode};

fn main() -> ExitCode {
    #[cfg(windows)] // Older consoles show colors only when asked to.
    let _ = colored::control::set_virtual_terminal(true);

    let words = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let arguments = match Arguments::parse(words) {
        Ok(arguments) => arguments,
        Err(reason) => {
            complain(format!("{reason}\nHelp: cargo judge --help"));
            return ExitCode::from(WRONG_ARGUMENTS);
        }
    };
    if arguments.help {
        let _ = io::stdout().write_all(USAGE.as_bytes());
        return ExitCode::SUCCESS;
    }
    let style = Style {
        each_check: arguments.all || arguments.step.is_some(),
        each_failure: arguments.all,
        json: arguments.json,
    };
    match prepare(&arguments, style) {
        Ok(case) => match arguments.step {
            Some(step) => stages::one_step(step, case),
            None => stages::everything(case, arguments.folder.as_deref()),
        },
        Err(reason) => {
            short_verdict(style, "not judged", &[reason], arguments.step);
            ExitCode::from(NOT_JUDGED)
        }
    }
}

/// Starts the server, if the judge runs it, and connects the first client.
fn prepare(arguments: &Arguments, style: Style) -> Result<Case, String> {
    let (program, addresses, client) = match &arguments.run {
        Some(run) => {
            let mut program = Program::prepare(run, arguments.step, arguments.place.clone())?;
            let Started { addresses, client } = program.start(stages::goal(arguments.step))?;
            (Some(program), addresses, client)
        }
        None => (None, addresses(arguments.place.as_deref().unwrap_or(DEFAULT_PLACE))?, None),
    };
    let (address, client) = match client {
        Some((address, client)) => (address, Ok(client)),
        None => connect_first(&addresses),
    };
    Ok(Case { program, address, client, style })
}

/// Connects to the first of the addresses where somebody listens. If nobody does: to the one that is taken.
fn connect_first(addresses: &[SocketAddr]) -> (SocketAddr, io::Result<Socket>) {
    let mut tried = addresses.iter().map(|&address| (address, connect(address)));
    if let Some(found) = tried.find(|(_, client)| client.is_ok()) {
        return found;
    }
    let taken = addresses.iter().find(|address| system::is_taken(**address, false));
    match taken.or(addresses.first()) {
        Some(&address) => (address, connect(address)),
        None => (([127, 0, 0, 1], 8080).into(), Err(ErrorKind::AddrNotAvailable.into())),
    }
}
