//! A relative link or an anchor leads somewhere; an image is there and has alt text.

use super::{Kind, Page, files, regex};
use comrak::Anchorizer;
use percent_encoding::percent_decode_str;
use std::fs;
use std::path::Path;

/// Follows every link of a page, and looks at every image.
pub fn complaints(page: &Page, root: &Path) -> Vec<String> {
    let complaint = |line: usize, what: String| Some(page.complain(line, &what));
    let complaints = page.parts.iter().filter_map(|part| match &part.kind {
        Kind::Link(url) if leads_nowhere(page, root, url) => {
            complaint(part.line, format!("this link leads nowhere: {url}"))
        }
        Kind::Image(url, _) if leads_nowhere(page, root, url) => {
            complaint(part.line, format!("this image is missing: {url}"))
        }
        Kind::Image(url, alt) if alt.trim().is_empty() => {
            complaint(part.line, format!("this image has no alt text: {url}"))
        }
        Kind::Html(html) if has_link(html) => {
            complaint(part.line, "write links and images in Markdown: these rules read it".into())
        }
        _ => None,
    });
    complaints.collect()
}

/// Follows every `docs/NAME.md#anchor` that stands in a Rust file.
pub fn complaints_about_code(root: &Path) -> Vec<String> {
    let link = regex(r"docs/[\w-]+\.md(#[\w-]+)?");
    let mut complaints = Vec::new();
    let at_the_root = Page::parse("", "");
    // The tests of the rules themselves name pages that do not exist.
    for (file, text) in
        files(root, "rs").iter().filter(|(file, _)| !file.starts_with("docs/tests/"))
    {
        for (number, line) in text.lines().enumerate() {
            for link in link.find_iter(line).map(|link| link.as_str()) {
                if leads_nowhere(&at_the_root, root, link) {
                    complaints
                        .push(format!("{file}:{}: this link leads nowhere: {link}", number + 1));
                }
            }
        }
    }
    complaints
}

fn has_link(html: &str) -> bool {
    let html = html.to_lowercase();
    html.contains("<img")
        || html.split("<a").skip(1).any(|rest| rest.starts_with(char::is_whitespace))
}

fn leads_nowhere(page: &Page, root: &Path, url: &str) -> bool {
    // Addresses elsewhere are not asked: the tests need no network.
    if regex("^[a-z]+:").is_match(url) {
        return false;
    }
    let (file, anchor) = url.split_once('#').map_or((url, None), |(file, a)| (file, Some(a)));
    if file.is_empty() {
        return anchor.is_none_or(|anchor| !anchors(page).iter().any(|known| known == anchor));
    }
    let file = percent_decode_str(file).decode_utf8_lossy();
    let path = root.join(page.folder()).join(&*file);
    let outside = match (path.canonicalize(), root.canonicalize()) {
        (Ok(path), Ok(root)) => !path.starts_with(root),
        _ => true,
    };
    // In other files than pages an anchor is a line, such as #L3.
    let is_page = path.extension().is_some_and(|extension| extension == "md");
    let anchor_missing = is_page
        && anchor.is_some_and(|anchor| {
            let text = fs::read_to_string(&path).unwrap_or_default();
            !anchors(&Page::parse(&file, &text)).iter().any(|known| known == anchor)
        });
    outside || anchor_missing
}

/// The anchors that GitHub gives the headings of a page.
fn anchors(page: &Page) -> Vec<String> {
    let mut anchorizer = Anchorizer::new();
    let anchors = page.parts.iter().filter_map(|part| match &part.kind {
        Kind::Heading(words) => Some(anchorizer.anchorize(words)),
        _ => None,
    });
    anchors.collect()
}
