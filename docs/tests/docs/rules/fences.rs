//! Every block is of a kind that the other rules know, so that none escapes them.

use super::code::QUOTES;
use super::{Kind, Page};

/// The kinds of blocks beside those that are quotes. Where a block shows what a program prints, it
/// is of kind `console`, and so it is run.
const KNOWN: [&str; 8] = [
    "console",
    "console server",
    "console client",
    "console macos",
    "console windows",
    "sh",
    "bash",
    "powershell",
];

/// Looks for blocks that no rule reads.
pub fn complaints(page: &Page) -> Vec<String> {
    let complaints = page.parts.iter().filter_map(|part| match &part.kind {
        Kind::Block { info, .. }
            if !KNOWN.contains(&info.as_str()) && !QUOTES.iter().any(|quote| quote.0 == info) =>
        {
            let quotes = QUOTES.map(|quote| quote.0);
            let what =
                format!("no rule reads a block marked '{info}': use {KNOWN:?} or {quotes:?}");
            Some(page.complain(part.line, &what))
        }
        // Without a blank line after <details>, what follows is not Markdown.
        Kind::Html(html) if html.lines().any(|line| !line.trim_start().starts_with('<')) => {
            let what = "this is HTML and no Markdown: leave a blank line after the tag";
            Some(page.complain(part.line, what))
        }
        _ => None,
    });
    complaints.collect()
}
