//! A block that is a quote stands word for word in a file of its kind that is linked above it, below
//! the same heading.
//!
//! Its indentation may differ. Lines may be left out: a line of `...`, alone or in a comment,
//! stands for them.

use super::{Kind, Page};
use std::fs;
use std::path::Path;

/// The blocks that are quotes: what stands after their fence, and how the file's name ends.
pub const QUOTES: [(&str, &str); 6] = [
    ("rust", "rs"),
    ("python", "py"),
    ("toml", "toml"),
    ("haproxy", "cfg"),
    ("html", "html"),
    ("css", "css"),
];

/// The lines that stand for lines that are left out.
const LEFT_OUT: [&str; 5] = ["...", "// ...", "# ...", "<!-- ... -->", "/* ... */"];

/// Compares every quoted block of a page with the file it is quoted from.
pub fn complaints(page: &Page, root: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    for part in &page.parts {
        let Kind::Block { info, code, above } = &part.kind else { continue };
        let Some((_, ending)) = QUOTES.iter().find(|quote| quote.0 == info) else { continue };
        let files = above.iter().map(|link| link.split('#').next().unwrap_or_default());
        let is_source = |file: &&str| Path::new(file).extension().is_some_and(|e| e == *ending);
        let files: Vec<&str> = files.filter(is_source).collect();
        let Some(nearest) = files.last() else {
            let what =
                "this code is quoted from nowhere: link its file above it, below the same heading";
            complaints.push(page.complain(part.line, what));
            continue;
        };
        let strange_line = |link: &&str| {
            // A link that leads nowhere is the complaint of another rule.
            let file = fs::read_to_string(root.join(page.folder()).join(link)).ok()?;
            first_strange_line(&file, code)
        };
        if files.iter().any(|link| strange_line(link).is_none()) {
            continue;
        }
        if let Some(line) = strange_line(nearest) {
            let quoted = code.lines().nth(line).unwrap_or_default();
            let what = format!("this is not in {nearest}: {quoted}");
            complaints.push(page.complain(part.line + 1 + line, &what));
        }
    }
    complaints
}

/// The first line of the quote that stops it from being in the file, counted from 0.
///
/// `None` if the file has all its pieces, one after the other.
fn first_strange_line(file: &str, quote: &str) -> Option<usize> {
    let lines: Vec<&str> = file.lines().collect();
    let quote: Vec<&str> = quote.lines().collect();
    let (mut rest, mut read) = (&lines[..], 0);
    for piece in quote.split(|line| LEFT_OUT.contains(&line.trim())) {
        let alike = |start: &usize| {
            let pairs = outdented(&rest[*start..]).zip(outdented(piece));
            pairs.take_while(|(file, quote)| file == quote).count()
        };
        let Some(start) = (0..=rest.len()).find(|start| alike(start) == piece.len()) else {
            return Some(read + (0..rest.len()).map(|start| alike(&start)).max().unwrap_or(0));
        };
        rest = &rest[start + piece.len()..];
        read += piece.len() + 1;
    }
    // A quote of nothing says nothing.
    (rest.len() == lines.len()).then_some(0)
}

/// The lines without the indentation of the first one.
fn outdented<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let first = lines.first().copied().unwrap_or_default();
    let indentation = &first[..first.len() - first.trim_start().len()];
    lines.iter().map(move |line| line.strip_prefix(indentation).unwrap_or(line.trim_start()))
}
