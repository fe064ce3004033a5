//! The pages of this repository are true: each rule reads them all.

mod rules;

#[cfg(target_os = "linux")]
use rules::console;
use rules::{Page, code, examples, fences, links, root};
use std::fs;
use std::path::{Path, PathBuf};

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Every Markdown file of the repository, except what git ignores.
fn all_pages() -> Vec<Page> {
    let mut walk = ignore::WalkBuilder::new(root());
    walk.hidden(false).filter_entry(|entry| entry.file_name() != ".git");
    let is_page = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "md" || extension == "markdown")
    };
    walk.sort_by_file_path(Path::cmp)
        .build()
        .map(|file| file.expect("the repository can be read").into_path())
        .filter(is_page)
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a page is text");
            let name = path.strip_prefix(root()).expect("it is in there");
            Page::parse(&name.to_string_lossy().replace('\\', "/"), &text)
        })
        .collect()
}

fn on_each_page(rule: fn(&Page, &Path) -> Vec<String>) -> Vec<String> {
    let pages = all_pages();
    assert!(pages.iter().any(|page| page.path == "README.md"), "the pages are found");
    pages.iter().flat_map(|page| rule(page, &root())).collect()
}

#[test]
fn quoted_code_is_in_the_file_that_is_linked_above_it() {
    assert_none(&on_each_page(code::complaints));
}

#[test]
fn every_block_is_of_a_kind_that_a_rule_knows() {
    assert_none(&on_each_page(|page, _| fences::complaints(page)));
}

#[test]
fn links_lead_somewhere_and_images_have_alt_text() {
    assert_none(&on_each_page(links::complaints));
}

#[test]
fn every_example_is_on_a_page() {
    assert_none(&examples::complaints(&all_pages(), &root()));
}

/// On Linux only. Where a program is not installed, its blocks are left out and reported; a
/// machine that sets `CI=true` has to have them all.
#[cfg(target_os = "linux")]
#[test]
fn commands_print_what_the_pages_show() {
    use std::io::Write;

    let reports: Vec<console::Report> = std::thread::scope(|scope| {
        let run = |page| move || console::run(&page, &root());
        let pages: Vec<_> = all_pages().into_iter().map(|page| scope.spawn(run(page))).collect();
        pages.into_iter().map(|page| page.join().expect("a report")).collect()
    });

    let left_out: Vec<String> = reports.iter().flat_map(|report| report.left_out.clone()).collect();
    // println! would be hidden, because this test passes without them.
    let _ = writeln!(std::io::stderr(), "left out: {left_out:#?}");
    let complaints: Vec<String> =
        reports.into_iter().flat_map(|report| report.complaints).collect();
    assert_none(&complaints);
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        assert_none(&left_out);
    }
}
