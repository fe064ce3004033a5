//! Every step is a member of the workspace, has a page, and is on the way that readers take. Every
//! page is linked from another one.

use super::{Kind, Page, regex};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Names what is missing of a step, and pages that nobody can find.
pub fn complaints(pages: &[Page], root: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the workspace");
    let has = |list: &str, step: &str| {
        let list = regex(&format!(r"(?m)^{list} = \[([^\]]*)\]"));
        let names = list.captures(&manifest).map_or("", |found| found.get(1).unwrap().as_str());
        [step, "step*"].iter().any(|name| names.contains(&format!("\"{name}\"")))
    };
    let link = |page: &str, target: &str| {
        pages.iter().any(|p| p.path == page && links(p).any(|link| link == target))
    };
    let mut complaints = Vec::new();
    let mut want = |place: &str, what: &str, is_there: bool| {
        complaints.extend((!is_there).then(|| format!("{place} lacks {what}")));
    };
    for step in steps(root) {
        let (name, page) = (format!("{step}.md"), format!("docs/{step}.md"));
        let dependency = format!("{step} = {{ path = \"{step}\" }}");
        want("Cargo.toml: members", &step, has("members", &step));
        want("Cargo.toml: default-members", &step, has("default-members", &step));
        want("Cargo.toml: [workspace.dependencies]", &dependency, manifest.contains(&dependency));
        want("docs", &name, root.join(&page).is_file());
        want("README.md: the table of steps", &page, link("README.md", &page));
        want("README.md: the map", &step, link("README.md", &step));
        want("docs/README.md: the route", &name, link("docs/README.md", &name));
    }
    for Page { path, .. } in pages.iter().filter(|page| page.path.starts_with("docs/")) {
        let mut others = pages.iter().filter(|other| other.path != *path).flat_map(links);
        let is_linked = others.any(|link| link == path || format!("docs/{link}") == *path);
        want("docs: every other page", &format!("a link to {path}"), is_linked);
    }
    complaints
}

/// The files and folders that a page links.
fn links(page: &Page) -> impl Iterator<Item = &str> {
    page.parts.iter().filter_map(|part| match &part.kind {
        Kind::Link(url) => Some(url.split('#').next()?.trim_end_matches('/')),
        _ => None,
    })
}

/// The folders of the steps.
fn steps(root: &Path) -> BTreeSet<String> {
    let folders = fs::read_dir(root).expect("the root can be read").flatten();
    let names = folders.filter(|folder| folder.path().is_dir());
    let names = names.map(|folder| folder.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("step")).collect()
}
