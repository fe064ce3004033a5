//! The pages of this repository are true: each rule reads them all.

mod rules;

#[cfg(target_os = "linux")]
use rules::console;
use rules::{
    Page, code, commands, examples, fences, links, pages, pictures, root, spelling, workspace,
};
use std::fs;
use std::path::Path;

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn on_each_page(rule: fn(&Page, &Path) -> Vec<String>) -> Vec<String> {
    let pages = pages(&root());
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
fn links_in_code_lead_to_headings() {
    assert_none(&links::complaints_about_code(&root()));
}

#[test]
fn commands_name_what_exists() {
    assert_none(&on_each_page(commands::complaints));
}

#[test]
fn numbers_in_pictures_are_those_of_the_code() {
    assert_none(&pictures::complaints(&root()));
}

#[test]
fn every_step_has_its_place_and_every_page_is_linked() {
    assert_none(&workspace::complaints(&pages(&root()), &root()));
}

#[test]
#[ignore = "needs hunspell, which not every system has; .ci/run installs it"]
fn the_prose_is_spelled_right() {
    assert_none(&on_each_page(|page, _| spelling::complaints(page)));
}

/// The test command stands as text in three files, and is the same in all of them.
#[test]
fn the_test_command_of_the_readme_is_what_is_run() {
    let read = |name: &str| fs::read_to_string(root().join(name)).expect("the file is there");
    let (readme, local, online) =
        (read("README.md"), read(".ci/run"), read(".github/workflows/ci.yml"));
    let command = readme.lines().find(|line| line.starts_with("cargo test ")).expect("a command");
    assert!(local.lines().any(|line| line == command), ".ci/run lacks: {command}");
    assert!(online.contains(&format!("- run: {command}\n")), "the workflow lacks: {command}");
}

/// From 0.61 on, windows-sys needs a dlltool, and the GNU toolchain of `troubleshooting.md` brings
/// none.
#[test]
fn the_gnu_toolchain_of_windows_can_build_what_is_locked() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("the file is there");
    let versions = lock.split("name = \"windows-sys\"\nversion = ").skip(1);
    assert!(versions.map(|version| &version[..6]).eq(["\"0.60."]), "see troubleshooting.md");
}

#[test]
fn every_example_is_on_a_page() {
    assert_none(&examples::complaints(&pages(&root()), &root()));
}

/// On Linux only. Where a program is not installed, its blocks are skipped and reported; a
/// machine that sets `CI=true` has to have them all.
#[cfg(target_os = "linux")]
#[test]
fn commands_print_what_the_pages_show() {
    use std::io::Write;

    // What the pages time is not to wait for a compiler.
    std::sync::LazyLock::force(&console::PROGRAMS);
    let reports: Vec<console::Report> = std::thread::scope(|scope| {
        let run = |page| move || console::run(&page, &root());
        let pages: Vec<_> = pages(&root()).into_iter().map(|page| scope.spawn(run(page))).collect();
        pages.into_iter().map(|page| page.join().expect("a report")).collect()
    });

    let skipped: Vec<String> = reports.iter().flat_map(|report| report.skipped.clone()).collect();
    // println! would be hidden, because this test passes without them.
    let _ = writeln!(std::io::stderr(), "skipped: {skipped:#?}");
    let complaints: Vec<String> =
        reports.into_iter().flat_map(|report| report.complaints).collect();
    assert_none(&complaints);
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        assert_none(&skipped);
    }
}
