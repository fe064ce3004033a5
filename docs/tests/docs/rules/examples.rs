//! Every example of a crate is on a page, and every package and example on a page exists.
//!
//! A page names an example with the command that runs it, with a link to its file, or with the line
//! that says what stands for the reader's own file.

use super::{Page, files, regex};
use std::collections::BTreeSet;
use std::path::Path;

/// Compares the examples that the pages name with those that exist.
pub fn complaints(pages: &[Page], root: &Path) -> Vec<String> {
    let command = regex(r"cargo [^`|;&]*?-p ([a-z][\w-]*)(?: --example ([\w-]+))?");
    let file = regex(r"step[\w-]+/examples/[\w-]+\.rs");
    // A stand-in with a slash or a dot in its name is a file or a folder, and no example.
    let other = regex(r"<!-- my[-_][\w.-]+: ([a-z][\w-]*) -->|--run ([a-z][\w-]*)");
    let any_example = regex(r"--example\b");
    let manifests = files(root, "toml");
    let existing = existing(root);
    let mut named = BTreeSet::new();
    let mut complaints = Vec::new();
    for page in pages {
        for (number, line) in page.text.lines().enumerate() {
            let named_examples = any_example.find_iter(line).count();
            let examples = command.captures_iter(line).filter(|found| found.get(2).is_some());
            if named_examples != examples.count() {
                let what = "name an example like this: cargo run -p CRATE --example EXAMPLE";
                complaints.push(page.complain(number + 1, what));
            }
            named.extend(file.find_iter(line).map(|file| file.as_str().to_string()));
            for found in other.captures_iter(line) {
                let example = found.get(1).or(found.get(2)).map_or("", |name| name.as_str());
                let end = format!("/examples/{example}.rs");
                if let Some(file) = existing.iter().find(|file| file.ends_with(&end)) {
                    named.insert(file.clone());
                } else if !example.starts_with("my-") {
                    complaints
                        .push(page.complain(number + 1, &format!("no example is named {example}")));
                }
            }
            for found in command.captures_iter(line) {
                let package = &found[1];
                let example = found.get(2).map_or("", |name| name.as_str());
                let path = format!("{package}/examples/{example}");
                if !manifests
                    .iter()
                    .any(|(_, text)| text.contains(&format!("name = \"{package}\"")))
                {
                    complaints.push(page.complain(number + 1, &format!("there is no {package}")));
                } else if root.join(format!("{path}.rs")).is_file() {
                    named.insert(format!("{path}.rs"));
                } else if root.join(&path).join("main.rs").is_file() {
                    named.insert(path);
                } else if !example.is_empty() && !example.starts_with("my-") {
                    complaints.push(page.complain(number + 1, &format!("there is no {path}.rs")));
                }
            }
        }
    }
    let unnamed = existing.into_iter().filter(|file| !named.contains(file));
    complaints.extend(unnamed.map(|file| format!("{file}:1: no page names this example")));
    complaints
}

/// The examples of all crates, as paths from the root. An example is a file or a folder.
fn existing(root: &Path) -> Vec<String> {
    let example = regex(r"^([^/]+/examples/[^/]+)(/main)?\.rs$");
    let files = files(root, "rs").into_iter().map(|(file, _)| file);
    // What students write begins with my-, and is on no page.
    let files = files.filter(|file| example.is_match(file) && !file.contains("/my-"));
    files.map(|file| file.trim_end_matches("/main.rs").to_string()).collect()
}
