//! The rules that the pages keep. Each rule reads a page and returns its complaints.
//!
//! A complaint about a line begins with file and line, such as `docs/README.md:12: `.
#![cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "the commands are run on Linux only")
)]

pub mod code;
pub mod commands;
#[cfg(target_os = "linux")]
pub mod console;
pub mod examples;
pub mod fences;
pub mod links;
pub mod pictures;
pub mod spelling;
pub mod workspace;

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};
use regex::Regex;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// One Markdown file.
pub struct Page {
    /// Its path from the repository's root, with slashes.
    pub path: String,
    /// The parts of it that the rules look at, in their order.
    pub parts: Vec<Part>,
    /// Its complete text.
    pub text: String,
}

/// A part of a page, and the line on which it begins.
pub struct Part {
    /// Counted from 1.
    pub line: usize,
    /// What is there.
    pub kind: Kind,
}

/// What a part can be.
pub enum Kind {
    /// The words of a heading.
    Heading(String),
    /// Words between code, links and HTML.
    Prose(String),
    /// Code within a line.
    Code(String),
    /// Where a link leads.
    Link(String),
    /// An image: where it is, and its alt text.
    Image(String, String),
    /// HTML between the Markdown.
    Html(String),
    /// A code block.
    Block {
        /// What stands after the opening fence, such as `rust`.
        info: String,
        /// The lines between the fences.
        code: String,
        /// Where the links above the block lead, back to the last heading.
        above: Vec<String>,
    },
}

impl Page {
    /// Splits a page into its parts. `path` is only how the complaints call it.
    pub fn parse(path: &str, text: &str) -> Page {
        let arena = Arena::new();
        let mut options = Options::default();
        options.extension.table = true;
        options.extension.autolink = true;
        // Git for Windows may give each line the end that is usual there.
        let text = &text.replace("\r\n", "\n");
        let document = parse_document(&arena, text, &options);

        let mut above = Vec::new();
        let parts = document.descendants().filter_map(|node| {
            let line = node.data.borrow().sourcepos.start.line;
            let kind = match &node.data.borrow().value {
                NodeValue::Heading(_) => Kind::Heading(words(node)),
                NodeValue::Text(words) => Kind::Prose(words.to_string()),
                NodeValue::Link(target) => Kind::Link(target.url.clone()),
                NodeValue::Image(image) => Kind::Image(image.url.clone(), words(node)),
                NodeValue::HtmlBlock(html) => Kind::Html(html.literal.clone()),
                NodeValue::HtmlInline(html) => Kind::Html(html.clone()),
                NodeValue::CodeBlock(block) => Kind::Block {
                    info: block.info.clone(),
                    code: block.literal.clone(),
                    above: above.clone(),
                },
                NodeValue::Code(code) => Kind::Code(code.literal.clone()),
                _ => return None,
            };
            match &kind {
                Kind::Heading(_) => above.clear(),
                Kind::Link(url) => above.push(url.clone()),
                _ => {}
            }
            Some(Part { line, kind })
        });
        Page { path: path.to_string(), parts: parts.collect(), text: text.clone() }
    }

    /// The folder the page is in, from the repository's root.
    pub fn folder(&self) -> PathBuf {
        Path::new(&self.path).parent().map(Path::to_path_buf).unwrap_or_default()
    }

    /// A complaint about a line of this page.
    pub fn complain(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// The repository that these tests belong to.
pub fn root() -> PathBuf {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR"));
    docs.parent().expect("docs is a folder of the repository").to_path_buf()
}

/// The files whose names end so, as paths from the root with slashes, and their text. What is hidden
/// or ignored by git is left out.
pub fn files(root: &Path, ending: &str) -> Vec<(String, String)> {
    let mut walk = ignore::WalkBuilder::new(root);
    walk.require_git(false);
    let paths = walk.sort_by_file_path(Path::cmp).build().map(|file| file.expect("readable"));
    let paths = paths.map(ignore::DirEntry::into_path);
    let is_meant =
        |path: &PathBuf| path.is_file() && path.extension().is_some_and(|it| it == ending);
    let files = paths.filter(is_meant).map(|path| {
        let name = path.strip_prefix(root).expect("it is in there").to_string_lossy();
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name.replace('\\', "/"), text)
    });
    files.collect()
}

/// Every page of a repository.
pub fn pages(root: &Path) -> Vec<Page> {
    files(root, "md").iter().map(|(path, text)| Page::parse(path, text)).collect()
}

/// A regular expression. Each is compiled once, which takes longer than anything that is done with it.
pub fn regex(text: &str) -> Regex {
    static COMPILED: Mutex<BTreeMap<String, Regex>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let new = || Regex::new(text).expect("a regular expression");
    compiled.entry(text.to_string()).or_insert_with(new).clone()
}

fn words<'a>(node: &'a AstNode<'a>) -> String {
    let text = node.descendants().map(|part| match &part.data.borrow().value {
        NodeValue::Text(text) => text.to_string(),
        NodeValue::Code(code) => code.literal.clone(),
        _ => String::new(),
    });
    text.collect()
}
