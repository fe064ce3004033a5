//! What macOS and Windows say of a port, in their own tables.

use std::io;
use std::process::Command;

/// Shows the lines of the system's tables that speak of a port.
#[derive(Default)]
pub struct Artist;

impl Artist {
    /// Asks the system's own programs. Unlike Linux, these systems always have an answer.
    #[allow(clippy::unused_self)]
    pub fn draw(&mut self, number: u16) -> io::Result<Option<String>> {
        let picture = if cfg!(windows) {
            let sockets = lines("netstat", &["-ano", "-p", "TCP"], &format!(":{number} "))?;
            format!(
                "[netstat -ano] protocol, own address, other address, state, number of the program\n{sockets}"
            )
        } else {
            let queues = lines("netstat", &["-anL", "-p", "tcp"], &format!(".{number}"))?;
            let sockets = lines("lsof", &["-nP", &format!("-iTCP:{number}")], "TCP")?;
            format!(
                "[netstat -anL] clients that wait, clients half in, the backlog\n{queues}[lsof -i] program, its number, its user, descriptor\n{sockets}"
            )
        };
        Ok(Some(picture))
    }
}

fn lines(program: &str, arguments: &[&str], word: &str) -> io::Result<String> {
    let output = Command::new(program).args(arguments).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text
        .lines()
        .filter(|line| line.contains(word))
        .map(|line| format!("    {}\n", line.trim()))
        .collect())
}
