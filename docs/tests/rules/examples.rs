//! Every example of a crate is on a page, and every example on a page exists.

use super::Page;
use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Compares the examples that the pages name with those that exist.
pub fn complaints(pages: &[Page], root: &Path) -> Vec<String> {
    let command = Regex::new(r"-p ([\w-]+) --example ([\w-]+)").expect("a regular expression");
    let mut named = BTreeSet::new();
    let mut complaints = Vec::new();
    for page in pages {
        for (number, line) in page.text.lines().enumerate() {
            if line.matches("--example").count() != command.captures_iter(line).count() {
                let what = "name an example like this: cargo run -p CRATE --example EXAMPLE";
                complaints.push(page.complain(number + 1, what));
            }
            for found in command.captures_iter(line).filter(|found| !found[2].starts_with("my-")) {
                let example = format!("{}/examples/{}", &found[1], &found[2]);
                let file = format!("{example}.rs");
                if root.join(&file).is_file() {
                    named.insert(file);
                } else if root.join(&example).join("main.rs").is_file() {
                    named.insert(example);
                } else {
                    complaints.push(page.complain(number + 1, &format!("there is no {file}")));
                }
            }
        }
    }
    let unnamed = existing(root).into_iter().filter(|file| !named.contains(file));
    complaints.extend(unnamed.map(|file| format!("{file}:1: no page names this example")));
    complaints
}

/// The examples of all crates, as paths from the root. An example is a file or a folder.
fn existing(root: &Path) -> Vec<String> {
    let crates = fs::read_dir(root).expect("the root can be read").flatten();
    let mut examples = Vec::new();
    for member in crates {
        let folder = member.path().join("examples");
        for file in fs::read_dir(folder).into_iter().flatten().flatten() {
            let names = (member.file_name(), file.file_name());
            // What students write begins with my-, and is on no page.
            if !names.1.to_string_lossy().starts_with("my-") {
                examples.push(format!("{}/examples/{}", names.0.display(), names.1.display()));
            }
        }
    }
    examples.sort();
    examples
}
