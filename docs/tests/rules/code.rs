//! A block of Rust, or of a configuration, stands word for word in the file that the text right
//! above it links.

use super::{Kind, Page};
use std::fs;
use std::path::Path;

/// The blocks that are quotes: what stands behind their fence, and how the file's name ends.
const QUOTES: [(&str, &str); 2] = [("rust", "rs"), ("haproxy", "cfg")];

/// Compares every quoted block of a page with the file it is quoted from.
pub fn complaints(page: &Page, root: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    for part in &page.parts {
        let Kind::Block { info, code, above } = &part.kind else { continue };
        let language = info.split([' ', ',']).next().unwrap_or_default();
        let Some((_, ending)) = QUOTES.iter().find(|quote| quote.0 == language) else { continue };
        let mut files = above.iter().map(|link| link.split('#').next().unwrap_or_default());
        let is_source = |file: &str| Path::new(file).extension().is_some_and(|e| e == *ending);
        let Some(link) = files.rfind(|file| is_source(file)) else {
            complaints.push(page.complain(
                part.line,
                "this code is quoted from nowhere: link its file in the text right above it",
            ));
            continue;
        };
        // A link that leads nowhere is the complaint of another rule.
        let Ok(file) = fs::read_to_string(root.join(page.folder()).join(link)) else { continue };
        if let Some(line) = first_strange_line(&file, code) {
            complaints.push(page.complain(
                part.line + 1 + line,
                &format!("this is not in {link}: {}", code.lines().nth(line).unwrap_or_default()),
            ));
        }
    }
    complaints
}

/// The first line of the quote that stops it from being in the file, counted from 0.
///
/// `None` if all its lines are there, one after the other.
fn first_strange_line(file: &str, quote: &str) -> Option<usize> {
    let file: Vec<&str> = file.lines().collect();
    let quote: Vec<&str> = quote.lines().collect();
    let alike = |start: usize| file[start..].iter().zip(&quote).take_while(|(a, b)| a == b).count();
    let longest = (0..file.len()).map(alike).max().unwrap_or(0);
    (longest < quote.len()).then_some(longest)
}
