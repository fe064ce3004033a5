//! Every step is a member of the workspace, has a page, and is on the way that readers take. Every
//! page is linked from another one, and each page of the road leads to the next.

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
    let road = road(root);
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
        want("docs/src/page.rs: ROAD", &page, road.contains(&page));
    }
    // README.md is a page that all kinds of readers come to.
    for pair in road.windows(2).filter(|pair| pair[0] != "README.md") {
        let next = format!("({})", pair[1].trim_start_matches("docs/"));
        let leads_on = |page: &Page| {
            page.text.lines().any(|line| line.starts_with("Next: [") && line.ends_with(&next))
        };
        let is_there = pages.iter().any(|page| page.path == pair[0] && leads_on(page));
        want(&pair[0], &format!("a line Next: [...]{next}"), is_there);
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

/// The pages in the order in which they are read, as the course in a browser has them.
fn road(root: &Path) -> Vec<String> {
    let code = fs::read_to_string(root.join("docs/src/page.rs")).unwrap_or_default();
    let list = regex(r"const ROAD[^=]*= \[([^\]]*)\]");
    let pages = list.captures(&code).map_or(String::new(), |found| found[1].to_string());
    pages.split('"').skip(1).step_by(2).map(str::to_string).collect()
}

/// The folders of the steps.
fn steps(root: &Path) -> BTreeSet<String> {
    let folders = fs::read_dir(root).expect("the root can be read").flatten();
    let names = folders.filter(|folder| folder.path().join("Cargo.toml").is_file());
    let names = names.map(|folder| folder.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("step")).collect()
}
