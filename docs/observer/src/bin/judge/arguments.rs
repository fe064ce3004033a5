//! What the person at the terminal asks for.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

/// Where a server listens if nothing else is said.
pub const DEFAULT_PLACE: &str = "127.0.0.1:8080";

pub const USAGE: &str = "\
Judges a web server, in any language, by playing the clients that a server
really meets.

Usage: cargo judge [OPTIONS] [HOST:PORT]

  HOST:PORT          where the server listens; without it 127.0.0.1:8080
  --step N           judge a server that has come as far as step 1, 2, 3, 4 or
                     5; without it: all that a good server does
  --run NAME         build and start an example of this workspace, judge it,
                     and end it
  --run \"COMMAND\"    start any command, such as \"python3 my_server.py {port}\":
                     {port} and {address} stand for a free address
  --folder FOLDER    also compare each file that the server sends with this
                     folder, and try to get out of it
  --all              a line for each check, and each failure in detail
  --json             for programs: one object a line for each check, and one at
                     the end
  -h, --help         this text

Exit status: 0 good, 1 failed, 2 wrong arguments, 3 could not be judged.

While the course is open in a browser (cargo run -p docs), pages are named as
links to it. If it is not at 127.0.0.1:8000, set COURSE_ADDRESS to where it is.
";

/// What to judge, and how to say it.
#[derive(Default)]
pub struct Arguments {
    pub step: Option<usize>,
    /// The example or the command that is to be run.
    pub run: Option<String>,
    pub folder: Option<PathBuf>,
    pub all: bool,
    pub json: bool,
    pub help: bool,
    /// HOST:PORT, if it was passed.
    pub place: Option<String>,
}

impl Arguments {
    /// Reads the command line, or says what is wrong about it.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut arguments = Arguments::default();
        let mut words = words;
        while let Some(word) = words.next() {
            let (name, mut value) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_string())),
                _ => (word.as_str(), None),
            };
            let mut value_of = |what: &str| {
                let value = value.take().or_else(|| words.next());
                value.ok_or(format!("{name} needs {what} after it."))
            };
            match name {
                "-h" | "--help" => arguments.help = true,
                "--all" => arguments.all = true,
                "--json" => arguments.json = true,
                "--step" => arguments.step = Some(step(&value_of("the number of a step")?)?),
                "--run" => {
                    let run = value_of("the name of an example, or a command in quotes")?;
                    if run.trim().is_empty() {
                        return Err(
                            "--run needs the name of an example, or a command in quotes.".into()
                        );
                    }
                    arguments.run = Some(run);
                }
                "--folder" => arguments.folder = Some(folder(&value_of("a folder")?)?),
                option if option.starts_with('-') => {
                    return Err(format!("There is no option {option}."));
                }
                place if arguments.place.is_none() => arguments.place = Some(checked_place(place)?),
                extra => return Err(format!("'{extra}' is one argument too many.")),
            }
            if value.is_some() {
                return Err(format!("{name} takes no value."));
            }
        }
        if arguments.help {
            return Ok(arguments);
        }
        if arguments.step == Some(1) && arguments.run.is_none() {
            return Err("A server of step 1 has no address, so the judge has to start it: \
                        cargo judge --step 1 --run my-server"
                .into());
        }
        if arguments.step.is_some() && arguments.folder.is_some() {
            return Err("--folder belongs to the complete judge: leave --step out.".into());
        }
        Ok(arguments)
    }
}

fn step(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(step @ 1..=5) => Ok(step),
        _ => Err(format!("'{text}' is not a step: the steps are 1 to 5.")),
    }
}

fn folder(text: &str) -> Result<PathBuf, String> {
    let folder = PathBuf::from(text);
    if folder.is_dir() { Ok(folder) } else { Err(format!("There is no folder '{text}' here.")) }
}

/// The place as it was passed, if it is HOST:PORT.
fn checked_place(text: &str) -> Result<String, String> {
    let advice = match text.split_once("://") {
        Some((_, rest)) => {
            let place = rest.split('/').next().unwrap_or_default();
            let port = if place.contains(':') { "" } else { ":80" };
            format!("pass HOST:PORT without http:// and slashes, such as {place}{port}")
        }
        None if text.parse::<u16>().is_ok() => {
            format!("pass HOST:PORT, such as 127.0.0.1:{text}")
        }
        None => format!("pass HOST:PORT, such as {DEFAULT_PLACE}"),
    };
    let wrong = Err(format!("'{text}' is not HOST:PORT: {advice}."));
    match text.rsplit_once(':') {
        Some((host, port)) => match port.parse::<u16>() {
            Ok(0) => Err(format!("'{text}': a server can't be found at port 0.")),
            Ok(_) if host.is_empty() || host.contains('/') => wrong,
            Ok(_) => Ok(text.to_string()),
            Err(_) if port.parse::<u64>().is_ok() => {
                Err(format!("'{text}': {port} is not a port: the highest is 65535."))
            }
            Err(_) => wrong,
        },
        None => wrong,
    }
}

/// Looks up the addresses of HOST:PORT, IPv4 first.
pub fn addresses(place: &str) -> Result<Vec<SocketAddr>, String> {
    let mut found: Vec<SocketAddr> = match place.to_socket_addrs() {
        Ok(found) => found.collect(),
        Err(error) => {
            return Err(format!(
                "Cannot find the address of '{place}': {error}. Check the spelling."
            ));
        }
    };
    found.sort_by_key(SocketAddr::is_ipv6);
    match found.len() {
        0 => Err(format!("'{place}' has no address. Check the spelling.")),
        _ => Ok(found),
    }
}
