//! The prose is spelled as an American dictionary has it. The words of the field, which it lacks,
//! stand in `words.txt`. Code, links and HTML are left out.

use super::{Kind, Page, root};
use std::io::Write;
use std::process::{Command, Stdio};

/// Names the words of a page that the dictionary lacks.
pub fn complaints(page: &Page) -> Vec<String> {
    let mut words = Vec::new();
    for part in &page.parts {
        let Kind::Prose(text) = &part.kind else { continue };
        // What has a slash, a dot or a digit in it is the name of something.
        let is_word = |word: &&str| !word.contains(|c: char| "/._@".contains(c) || c.is_numeric());
        let of_part =
            text.split_whitespace().map(|word| word.trim_end_matches(['.', ',', ':', '?', ')']));
        words.extend(of_part.filter(is_word).map(|word| (part.line, word)));
    }
    let text: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
    let unknown = unknown(text.join("\n"));
    let line =
        |unknown: &str| words.iter().find(|(_, word)| word.contains(unknown)).map_or(1, |w| w.0);
    unknown
        .lines()
        .map(|word| page.complain(line(word), &format!("no such word: {word}")))
        .collect()
}

/// The words that the dictionary lacks, one a line.
fn unknown(text: String) -> String {
    let mut hunspell = Command::new("hunspell");
    hunspell
        .args(["-l", "-i", "UTF-8", "-d", "en_US", "-p"])
        .arg(root().join("docs/tests/words.txt"));
    hunspell.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut hunspell = hunspell.spawn().expect("hunspell runs");
    let mut input = hunspell.stdin.take().expect("it is piped");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = hunspell.wait_with_output().expect("it ends");
    writer.join().expect("it ends too").expect("hunspell reads");
    assert!(output.status.success(), "hunspell has the dictionary en_US");
    String::from_utf8(output.stdout).expect("it prints text")
}
