//! Each command on a page begins with a tool on this list. One that is shown and not run names
//! files that exist.

use super::{Kind, Page, regex};
use std::fs;
use std::path::Path;

/// The tools that the commands on the pages use: what every shell has, what the console blocks
/// need, and what is only shown.
pub const TOOLS: &str = "cd cp do done echo export for kill printf test true ulimit \
    cargo curl ps python3 seq tail timeout brew git haproxy rustup strace sudo xcode-select";

/// What cargo can do by itself, as far as the pages use it.
const CARGO: &str =
    "add bench build check clippy clean doc fmt install new run test tree update vendor";

/// Reads the commands of a page.
pub fn complaints(page: &Page, root: &Path) -> Vec<String> {
    let aliases = fs::read_to_string(root.join(".cargo/config.toml")).unwrap_or_default();
    let is_known = |name: &str| {
        CARGO.split(' ').any(|known| known == name)
            || aliases.lines().any(|line| line.starts_with(&format!("{name} = ")))
    };
    let cargo = regex(r"\bcargo ([a-z][\w-]*)");
    let mut complaints = Vec::new();
    for part in &page.parts {
        let (Kind::Block { code, .. } | Kind::Code(code)) = &part.kind else { continue };
        for (number, line) in code.lines().enumerate() {
            for found in cargo.captures_iter(line).filter(|found| !is_known(&found[1])) {
                let line = part.line + number + usize::from(!matches!(part.kind, Kind::Code(_)));
                complaints.push(page.complain(line, &format!("cargo cannot {}", &found[1])));
            }
        }
        let Kind::Block { info, code, .. } = &part.kind else { continue };
        let (is_run, is_shown) = (info.starts_with("console"), info == "sh" || info == "bash");
        for (number, line) in code.lines().enumerate() {
            let command = if is_run { line.strip_prefix("$ ") } else { Some(line) };
            let Some(command) = command.filter(|_| is_run || is_shown) else { continue };
            let is_text = command.trim().is_empty() || command.trim_start().starts_with('#');
            // A backslash at the end of the line before makes one command of both.
            if is_text
                || number > 0
                    && code.lines().nth(number - 1).is_some_and(|line| line.ends_with('\\'))
            {
                continue;
            }
            let mut complain =
                |what: &str| complaints.push(page.complain(part.line + 1 + number, what));
            // Quotation marks may hold what separates commands elsewhere.
            let commands: Vec<&str> = if command.contains(['"', '\'']) {
                vec![command]
            } else {
                regex(r" (?:&&|\|\||\|) |; ").split(command).collect()
            };
            for command in commands {
                let tool = words(command).find(|word| !word.contains('=')).unwrap_or_default();
                if !TOOLS.split(' ').any(|known| known == tool) {
                    complain(&format!("'{tool}' is not in TOOLS, in {}", file!()));
                }
            }
            let mut words = words(command).filter(|word| !word.contains('='));
            let is_gone = |word: &&str| {
                let is_file =
                    word.contains('/') && !word.contains("://") && !is_of_the_reader(word);
                is_file
                    && !word.starts_with(['/', '~'])
                    && !word.starts_with("target/")
                    && !root.join(word).exists()
            };
            if let Some(word) = words.find(is_gone).filter(|_| is_shown) {
                complain(&format!("there is no {word}"));
            }
        }
    }
    complaints
}

/// Whether readers make this file or folder themselves.
fn is_of_the_reader(path: &str) -> bool {
    path.split(['/', '\\']).any(|name| name.starts_with("my-") || name.starts_with("my_"))
}

/// The words of a command, without what groups them.
pub fn words(command: &str) -> impl Iterator<Item = &str> {
    command.split([' ', '(', ')', ';', '"', '\'']).filter(|word| !word.is_empty())
}
