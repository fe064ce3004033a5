//! The pages of this repository are true: each rule reads them all.

use crate::rules::{
    Page, code, commands, examples, fences, links, pages, pictures, root, spelling, workspace,
};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// Every page of this repository.
static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| pages(&root()));

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn on_each_page(rule: fn(&Page, &Path) -> Vec<String>) -> Vec<String> {
    assert!(PAGES.iter().any(|page| page.path == "README.md"), "the pages are found");
    PAGES.iter().flat_map(|page| rule(page, &root())).collect()
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
    assert_none(&workspace::complaints(&PAGES, &root()));
}

#[test]
fn the_prose_is_spelled_right() {
    if !spelling::can_be_checked() {
        return;
    }
    assert_none(&on_each_page(|page, _| spelling::complaints(page)));
}

/// The test command stands as text in three files, and is the same in all of them.
#[test]
fn the_test_command_of_contributing_is_what_is_run() {
    let read = |name: &str| fs::read_to_string(root().join(name)).expect("the file is there");
    let (page, local, online) = ("CONTRIBUTING.md", ".ci/run", ".github/workflows/ci.yml");
    assert_none(&workspace::complaints_about_test_command(
        &read(page),
        &[(local, &read(local)), (online, &read(online))],
    ));
}

/// The pages say the versions of Rust that the packages promise.
#[test]
fn the_versions_of_rust_are_those_that_are_promised() {
    let oldest = workspace::rust_version(&root().join("Cargo.toml"));
    let tests = workspace::rust_version(&root().join("step5-respond/tests/heavy/Cargo.toml"));
    let check = |page: &Page| workspace::complaints_about_rust(page, &[&oldest, &tests]);
    assert_none(&PAGES.iter().flat_map(check).collect::<Vec<_>>());
}

/// From 0.61 on, windows-sys needs a dlltool, and the GNU toolchain of `troubleshooting.md` brings
/// none.
#[test]
fn the_gnu_toolchain_of_windows_can_build_what_is_locked() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("the file is there");
    assert_none(&workspace::complaints_about_windows_sys(&lock));
}

#[test]
fn every_example_is_on_a_page() {
    assert_none(&examples::complaints(&PAGES, &root()));
}
