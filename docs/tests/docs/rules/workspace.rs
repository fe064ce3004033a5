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

/// Looks for the test command of CONTRIBUTING.md in the files that run it.
pub fn complaints_about_test_command(page: &str, files: &[(&str, &str)]) -> Vec<String> {
    let Some(command) = page.lines().find(|line| line.starts_with("cargo test ")) else {
        return vec!["CONTRIBUTING.md lacks a test command".to_string()];
    };
    let runs_it = |line: &str| line.trim().trim_start_matches("- run: ") == command;
    let others = files.iter().filter(|(_, text)| !text.lines().any(runs_it));
    others.map(|(name, _)| format!("{name} lacks: {command}")).collect()
}

/// The version of Rust that a manifest promises.
pub fn rust_version(manifest: &Path) -> String {
    let text = fs::read_to_string(manifest).expect("the file is there");
    let version = regex(r#"rust-version = "([\d.]+)""#);
    version.captures(&text).map(|found| found[1].to_string()).expect("a version")
}

/// Compares each "Rust 1.85 or newer" with the versions that are promised.
pub fn complaints_about_rust(page: &Page, promised: &[&str]) -> Vec<String> {
    let said = regex(r"Rust ([\d.]+) or newer");
    let lines = page.text.lines().enumerate();
    let complaints = lines.filter_map(|(number, line)| {
        let found = said.captures(line).filter(|found| !promised.contains(&&found[1]))?;
        Some(page.complain(number + 1, &format!("'{}', but {promised:?} is promised", &found[0])))
    });
    complaints.collect()
}

/// Looks for a windows-sys in Cargo.lock that needs more than the GNU toolchain brings.
pub fn complaints_about_windows_sys(lock: &str) -> Vec<String> {
    let package = regex(r#"name = "windows-sys"\r?\nversion = "((\d+)\.(\d+)\.\d+)""#);
    let versions: Vec<_> = package.captures_iter(lock).collect();
    if versions.is_empty() {
        return vec!["Cargo.lock lacks windows-sys: this rule is not needed any more".to_string()];
    }
    let number = |text: &str| text.parse::<u32>().expect("digits");
    let too_new = versions.iter().filter(|it| (number(&it[2]), number(&it[3])) > (0, 60));
    let back = |version: &str| format!("cargo update -p windows-sys@{version} --precise 0.60.2");
    too_new.map(|it| format!("Cargo.lock: go back with: {}", back(&it[1]))).collect()
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
