//! Every block is of a kind that the other rules know, so that none escapes them.

use super::{Kind, Page};

/// The kinds of blocks. `text`, `sh` and `python` are shown and neither compared nor run.
const KNOWN: [&str; 7] = ["rust", "haproxy", "console", "console server", "text", "sh", "python"];

/// Looks for blocks that no rule reads.
pub fn complaints(page: &Page) -> Vec<String> {
    let complaints = page.parts.iter().filter_map(|part| match &part.kind {
        Kind::Block { info, .. } if !KNOWN.contains(&info.as_str()) => {
            let what = format!("no rule reads a block marked '{info}': use one of {KNOWN:?}");
            Some(page.complain(part.line, &what))
        }
        // Without a blank line behind <details>, what follows is not Markdown.
        Kind::Html(html) if html.contains("```") || html.contains("](") => {
            let what = "this is HTML and no Markdown: leave a blank line behind the tag";
            Some(page.complain(part.line, what))
        }
        _ => None,
    });
    complaints.collect()
}
