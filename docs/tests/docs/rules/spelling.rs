//! The prose is spelled as an American dictionary has it. The words of the field, which it lacks,
//! stand in `words.txt`. Code, links and HTML are left out.

use super::{Kind, Page, root};
use std::fs;
use std::process::{Command, Stdio};

/// The dictionary, and the program that reads it.
fn hunspell() -> Command {
    let mut hunspell = Command::new("hunspell");
    hunspell.args(["-l", "-i", "UTF-8", "-d", "en_US"]);
    hunspell
}

/// Whether hunspell is installed, with its dictionary of American English.
pub fn can_be_checked() -> bool {
    if !test_support::has("hunspell") {
        return false;
    }
    let output = hunspell().stdin(Stdio::null()).output().expect("hunspell runs");
    if !output.status.success() {
        test_support::skip("hunspell's dictionary en_US");
    }
    output.status.success()
}

/// Names the words of a page that the dictionary lacks.
pub fn complaints(page: &Page) -> Vec<String> {
    let mut words = Vec::new();
    for part in &page.parts {
        let Kind::Prose(text) = &part.kind else { continue };
        // What has a slash, a dot or a digit in it is the name of something.
        let is_word = |word: &&str| !word.contains(|c: char| "/._@".contains(c) || c.is_numeric());
        let all = text
            .split_whitespace()
            .map(|word| word.trim_end_matches(|c: char| ".,:;?!)\"'".contains(c)));
        words.extend(all.filter(is_word).map(|word| (part.line, word)));
    }
    let text: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), text.join("\n")).expect("a file with the words");

    let known = root().join("docs/tests/words.txt");
    let output = hunspell().arg("-p").args([known.as_path(), file.path()]).output();
    let output = output.expect("hunspell runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let unknown = String::from_utf8(output.stdout).expect("it prints text");
    // They come in the order of the page.
    let mut rest = words.iter();
    let mut line = |unknown: &str| {
        let parts = |word: &str| {
            word.split(|c: char| !c.is_alphabetic() && c != '\'').any(|part| part == unknown)
        };
        rest.find(|word| parts(word.1)).map_or(1, |word| word.0)
    };
    unknown
        .lines()
        .map(|word| page.complain(line(word), &format!("no such word: {word}")))
        .collect()
}
