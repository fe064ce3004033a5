//! Each command on a page begins with a tool on this list. One that is shown and not run names
//! files that exist.

use super::{Kind, Page};
use std::path::Path;

/// The tools that the commands on the pages use: what every shell has, what the console blocks
/// need, and what is only shown.
pub const TOOLS: &str = "cd cp echo export for kill printf true ulimit \
    cargo curl grep head nc ps python3 sed seq sleep ss tail timeout \
    brew git haproxy rustup strace sudo xcode-select";

/// Reads the commands of a page.
pub fn complaints(page: &Page, root: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    for part in &page.parts {
        let Kind::Block { info, code, .. } = &part.kind else { continue };
        let (is_run, is_shown) = (info.starts_with("console"), info == "sh" || info == "bash");
        for (number, line) in code.lines().enumerate() {
            let command = if is_run { line.strip_prefix("$ ") } else { Some(line) };
            let Some(command) = command.filter(|_| is_run || is_shown) else { continue };
            let mut complain =
                |what: &str| complaints.push(page.complain(part.line + 1 + number, what));
            let mut words = words(command).filter(|word| !word.contains('='));
            let tool = words.next().unwrap_or_default();
            if !TOOLS.split(' ').any(|known| known == tool) {
                complain(&format!("'{tool}' is not in TOOLS, in docs/tests/rules/commands.rs"));
            }
            let is_gone = |word: &&str| {
                let is_file = word.contains('/') && !word.contains("://") && !word.contains("/my-");
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

/// The words of a command, without what groups them.
pub fn words(command: &str) -> impl Iterator<Item = &str> {
    command.split([' ', '(', ')', ';']).filter(|word| !word.is_empty())
}
