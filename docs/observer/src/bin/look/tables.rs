//! What macOS and Windows say of a port: lines of their own tables.

use std::io;
use std::process::Command;

/// How many lines of a table are shown.
const MOST: usize = 15;

/// Asks the system's own programs, again and again.
#[derive(Default)]
pub struct Artist;

impl Artist {
    /// Shows the lines that speak of a port. There is always a picture.
    #[allow(clippy::unused_self)] // Linux remembers what it has seen.
    pub fn draw(&mut self, number: u16) -> io::Result<Option<String>> {
        let picture = if cfg!(windows) {
            // Protocol, own address, the client's address, state, and the number of the program.
            let own = format!(":{number}");
            let sockets = table("netstat", &["-ano"], |words| {
                words.first() == Some(&"TCP")
                    && words.get(1).is_some_and(|address| address.ends_with(&own))
            })?;
            format!("[netstat -ano] own address, client, state, program; no queue\n{sockets}")
        } else {
            // In the queue / half in / the backlog, and the address: 127.0.0.1.8080.
            let own = format!(".{number}");
            let queues = table("netstat", &["-anL", "-p", "tcp"], |words| {
                words.last().is_some_and(|address| address.ends_with(&own))
            })?;
            let port = format!("-iTCP:{number}");
            let sockets = table("lsof", &["-nP", &port], |words| words.contains(&"TCP"))?;
            format!(
                "[netstat -anL] clients that wait/half in/backlog, address\n{queues}\
                 [lsof {port}] program, its number, user, descriptor, address\n{sockets}"
            )
        };
        Ok(Some(picture))
    }
}

/// The lines of what a program prints that are wanted. Their words differ from language to language.
fn table(
    program: &str,
    arguments: &[&str],
    is_wanted: impl Fn(&[&str]) -> bool,
) -> io::Result<String> {
    let output = Command::new(program).args(arguments).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let wanted: Vec<_> =
        lines.filter(|words| is_wanted(words)).map(|words| words.join(" ")).collect();
    let shown = wanted.iter().take(MOST).map(|line| format!("    {line}\n")).collect::<String>();
    Ok(match wanted.len() {
        0 => "    nothing\n".to_string(),
        count if count > MOST => format!("{shown}    and {} more\n", count - MOST),
        _ => shown,
    })
}
