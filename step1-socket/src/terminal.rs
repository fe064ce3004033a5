//! The command line of a step, and how it ends. There are no sockets here.

use colored::{Colorize, control};
use indoc::indoc;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::{env, process};

const USAGE: &str = indoc! {"
    Usage: cargo run -p STEP -- [--brief] [HOST:PORT]
      --brief           one short row for each answer
      127.0.0.1:8080    only this machine; used if you pass nothing
      0.0.0.0:8080      every network that this machine is on
      [::1]:8080        only this machine, with IPv6
      localhost:9000    a name, and another port
      127.0.0.1:0       the system chooses a free port
    step1-socket takes no address.
"};

/// Waits until the person presses Enter. Returns at once if standard input is at its end.
pub fn wait_for_enter() {
    // On standard error, so that standard output holds only the log.
    let _ = writeln!(io::stderr(), "Press Enter to close the socket.");
    let _ = io::stdin().lock().skip_until(b'\n');
}

/// Reads the address from the command line: 127.0.0.1:8080 if there is none. Answers `--help`.
pub fn address_argument() -> SocketAddr {
    addresses(arguments(1).pop().as_deref().unwrap_or("127.0.0.1:8080"))[0]
}

/// Looks up the addresses of `HOST:PORT`, IPv4 first. Ends the program if there is none.
pub fn addresses(argument: &str) -> Vec<SocketAddr> {
    let is_name = !argument.starts_with(':') && !argument.contains('/');
    match argument.to_socket_addrs() {
        Ok(found) if is_name && found.len() > 0 => {
            let (ipv4, ipv6): (Vec<_>, Vec<_>) = found.partition(SocketAddr::is_ipv4);
            [ipv4, ipv6].concat()
        }
        // Not an error of a socket, though Windows gives it a number like one.
        Err(error) if is_name && error.kind() != ErrorKind::InvalidInput => {
            fail(&format!("find the address of '{argument}'"), &io::Error::other(error))
        }
        _ => end(2, &format!("'{argument}' is not HOST:PORT."), USAGE),
    }
}

/// Reads the command line, with at most this many arguments. Answers `--help`.
pub fn arguments(most: usize) -> Vec<String> {
    // Older Windows consoles show colors only when asked to.
    #[cfg(windows)]
    let _ = control::set_virtual_terminal(true);

    // Unlike env::args, this takes arguments that are not UTF-8.
    let arguments = env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let arguments: Vec<_> = arguments.filter(|argument| argument != "--brief").collect();
    if arguments.iter().any(|argument| argument == "-h" || argument == "--help") {
        let _ = io::stdout().write_all(USAGE.as_bytes());
        process::exit(0)
    }
    if let Some(extra) = arguments.get(most) {
        end(2, &format!("'{extra}' is one argument too many."), USAGE)
    }
    arguments
}

/// Ends the program with status 1 and one red line: what could not be done, why, what to try.
pub fn fail(attempt: &str, error: &io::Error) -> ! {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => {
            "Another program has this port, or had it less than a minute ago: stop it, wait, or \
             pass another port, such as 127.0.0.1:9000."
        }
        ErrorKind::PermissionDenied => {
            "Ports below 1024 need special rights, and Windows reserves others: pass another one, \
             such as 127.0.0.1:9000."
        }
        ErrorKind::AddrNotAvailable => "It is not an address of this machine: try 127.0.0.1:8080.",
        ErrorKind::ConnectionRefused => "Start the server first, or pass its address.",
        _ if error.raw_os_error().is_none() => "Check the spelling, or pass 127.0.0.1:8080.",
        _ => "Try another address, or close programs that you do not need.",
    };
    end(1, &format!("Cannot {attempt}: {error}. {advice}"), "")
}

fn end(status: i32, red_line: &str, help: &str) -> ! {
    // colored asks whether standard output is a terminal, but this line goes to standard error.
    let forced = env::var("CLICOLOR_FORCE").is_ok_and(|value| value != "0");
    let refused = env::var_os("NO_COLOR").is_some() || env::var("CLICOLOR") == Ok("0".into());
    control::set_override(forced || (!refused && io::stderr().is_terminal()));
    let _ = io::stderr().write_all(format!("{}\n{help}", red_line.red()).as_bytes());
    process::exit(status)
}
