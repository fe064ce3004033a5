//! Which files are shown: what a page links, and what is in the folders that a page links.

use percent_encoding::percent_decode_str;
use std::collections::BTreeSet;
use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf};
use std::{env, fs};

/// The file of a path such as `docs/words.md`, wherever the program was started. `cargo run` says
/// where this package is. Without cargo it is where it was built.
pub fn on_disk(path: &str) -> PathBuf {
    let docs = env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
    below(Path::new(&docs).parent().unwrap_or(Path::new(".")), path)
}

fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.replace('/', MAIN_SEPARATOR_STR))
}

/// All paths that are shown. It begins with README.md, and follows its links, and theirs.
pub fn shown() -> BTreeSet<String> {
    let root = fs::canonicalize(on_disk("")).unwrap_or_default();
    let mut shown = BTreeSet::new();
    let mut found = vec!["README.md".to_string()];
    while let Some(path) = found.pop() {
        // This follows links of the file system. With one of them on the way, or with another
        // spelling that the system takes too, it is not the same path.
        let is_there =
            fs::canonicalize(on_disk(&path)).is_ok_and(|file| file == below(&root, &path));
        if shown.contains(&path) || !is_there {
            continue;
        }
        if is_page(&path) {
            found.extend(links(&path));
        } else {
            let folder = entries(&path).into_iter();
            found.extend(folder.map(|name| format!("{path}/{}", name.trim_end_matches('/'))));
        }
        shown.insert(path);
    }
    shown
}

/// Whether it is a page of Markdown.
pub fn is_page(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "md")
}

/// What is in a folder, in order; the names of folders end with `/`. Not what git leaves out.
pub fn entries(path: &str) -> Vec<String> {
    let entries = fs::read_dir(on_disk(path)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let hidden = name.starts_with(['.', '~']) || name.starts_with("my-") || name == "target";
        let slash = if entry.file_type().ok()?.is_dir() { "/" } else { "" };
        (!hidden).then(|| format!("{name}{slash}"))
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// Where the links and the pictures of a page lead: what stands between `](` and `)`.
fn links(page: &str) -> Vec<String> {
    let text = fs::read_to_string(on_disk(page)).unwrap_or_default();
    let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    links.filter_map(|(link, _)| Some(target(page, link)?.0)).collect()
}

/// Where a link leads that stands on a page, as a path and what comes after it, such as `#anchor`.
/// `None` if it leads to another site.
pub fn target<'a>(page: &str, link: &'a str) -> Option<(String, &'a str)> {
    let (link, rest) = link.split_at(link.find(['#', '?']).unwrap_or(link.len()));
    if link.contains(':') || link.starts_with("//") {
        return None;
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    if link.starts_with('/') {
        parts.clear();
    } else if !link.is_empty() {
        parts.pop(); // The page itself: what is left is its folder.
    }
    let link = percent_decode_str(link).decode_utf8_lossy();
    for part in link.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    Some((parts.join("/"), rest))
}
