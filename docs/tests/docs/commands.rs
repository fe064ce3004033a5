//! The commands on the pages print what the pages show.
//!
//! On Linux only. If a tool is not installed, its blocks are skipped and named; a machine that sets
//! `CI=true` has to have them all. `PAGE=step2 cargo test -p docs commands::` tries the pages
//! with that in their name, and no others.

use crate::complaints::assert_one;
use crate::rules::{Page, console, pages, root};
use std::io::Write;

#[test]
fn commands_print_what_the_pages_show() {
    let mut pages = pages(&root());
    if let Ok(name) = std::env::var("PAGE") {
        pages.retain(|page| page.path.contains(&name));
        assert!(!pages.is_empty(), "no page has {name} in its name");
    }
    let report = console::run(&pages, &root());

    for skipped in report.skipped.iter().chain(&report.elsewhere) {
        // println! would be hidden, because this test passes without them.
        let _ = writeln!(std::io::stderr(), "skipped: {skipped}");
    }
    assert!(report.complaints.is_empty(), "\n{}\n", report.complaints.join("\n"));
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        assert!(report.skipped.is_empty(), "CI has every tool");
    }
}

/// Runs a page from this repository's root, for `cargo` runs from there.
fn try_page(text: &str) -> console::Report {
    console::run(&[Page::parse("docs/page.md", text)], &root())
}

#[test]
fn what_is_true_gets_no_complaint() {
    let page = "```console\n$ printf 'one\\ntwo 2\\nthree\\n'\none\ntwo [..]\nthree\n\
                $ seq 5; false\n1\n...\n5\n\
                $ echo descriptor 7, 127.0.0.1:61234, curl/8.14\ndescriptor 3, 127.0.0.1:53124, curl/8.5.0\n```\n";
    for page in [page, &page.replace('\n', "\r\n")] {
        let report = try_page(page);
        assert_eq!((report.complaints, report.skipped), (vec![], vec![]));
    }
}

#[test]
fn a_command_that_prints_something_else_is_found() {
    for (command, output) in [
        ("echo one", "two\n"),
        ("seq 3", "1\n2\n"),
        ("echo oops >&2", ""),
        ("echo 127.0.0.1:8081", "127.0.0.1:8080\n"),
        ("printf '%s\\n' 'a\\b'", "a/b\n"),
    ] {
        let report = try_page(&format!("# Page\n\n```console\n$ {command}\n{output}```\n"));
        let start = format!("docs/page.md:3: {command} prints something");
        assert_one(&report.complaints, &start, "");
    }
    let report = try_page("```console\n$ printf '%s\\n' 'a\\b'\na\\b\n```\n");
    assert_eq!(report.complaints, Vec::<String>::new());
}

#[test]
fn an_output_that_is_made_of_wildcards_is_found() {
    for output in ["[..]", "...", "...\n[..] [..]"] {
        let report = try_page(&format!("```console\n$ echo anything\n{output}\n```\n"));
        assert_one(&report.complaints, "docs/page.md:1: echo anything has to show", "word");
    }
}

#[test]
fn a_tool_that_is_not_installed_is_skipped_and_reported() {
    let report = try_page("```console\n$ echo 'a|b' | xcode-select\nanything\n```\n");
    assert_eq!(report.complaints, Vec::<String>::new());
    assert_eq!(report.skipped, ["docs/page.md:1: xcode-select is not installed"]);
}

#[test]
fn the_clients_of_a_server_that_is_skipped_are_skipped_with_it() {
    let report = try_page(
        "```console server\n$ cargo run -p step3-listen\n```\n\n\
         ```console server\n$ xcode-select\n```\n\n```console\n$ echo client\nyes\n```\n\n\
         ```console\nmore of it\n```\n",
    );
    assert_eq!(report.complaints, Vec::<String>::new());
    let line = "docs/page.md:5: xcode-select is not installed; left out with it: 9, 14";
    assert_eq!(report.skipped, [line]);
}

#[test]
fn the_log_of_a_client_that_is_skipped_is_skipped_with_it() {
    let report = try_page(
        "```console server\n$ cargo run -p step4-accept\n...\n[step3-listen][..]\n```\n\n\
         ```console\n$ xcode-select http://localhost:8080\n```\n\n\
         ```console\n[step4-accept] Connection from [..] has been established!\n```\n\n\
         ```console server\n$ cargo run -p step1-socket\nSomething else\n```\n",
    );
    let line = "docs/page.md:7: xcode-select is not installed; left out with it: 11";
    assert_eq!(report.skipped, [line]);
    assert_one(&report.complaints, "docs/page.md:15: cargo run -p step1-socket prints", "");
}

#[test]
fn a_block_for_another_system_is_not_run() {
    let report = try_page("```console windows\n$ curl.exe http://localhost:8080\nanything\n```\n");
    assert_eq!(report.elsewhere, ["docs/page.md:1: this is for windows"]);
    assert_eq!((report.complaints, report.skipped), (vec![], vec![]));
}

#[test]
fn a_command_that_fails_once_on_a_busy_machine_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark").display().to_string();
    let page = |shown| {
        format!(
            "```console\n$ test -e '{mark}' && echo again || {{ : > '{mark}'; echo once; }}\n{shown}\n```\n"
        )
    };
    assert_eq!(try_page(&page("again")).complaints, Vec::<String>::new());
    assert_one(&try_page(&page("once")).complaints, "docs/page.md:1: test -e", "");
}

#[test]
fn what_the_reader_writes_needs_a_stand_in_and_has_its_own_name_in_what_is_shown() {
    let blocks = "```console server\n$ cargo run -p step1-socket --example my-server\n\
                  [..]My socket: [..]\nPress Enter[..]\n```\n\n\
                  ```console\n$ echo my-site/index.html --run my-server my_server.py\n\
                  my-site/index.html --run my-server my_server.py\n```\n";
    let report = try_page(blocks);
    let [server, client] = &report.complaints[..] else { panic!("{:#?}", report.complaints) };
    assert!(server.ends_with("as in <!-- my-server: stage3-listen -->"), "{server}");
    assert!(client.ends_with("as in <!-- my-site: stage3-listen -->"), "{client}");

    let stand_ins = "<!-- my-server: stage1-socket -->\n<!-- my-site: docs/images -->\n\
                     <!-- my_server.py: docs/simple_server.py -->\n\n";
    assert_eq!(try_page(&[stand_ins, blocks].concat()).complaints, Vec::<String>::new());
}

#[test]
fn a_client_that_goes_on_is_there_until_the_scene_ends() {
    let report = try_page(
        "```console client\n$ echo here; echo and there; read line\nhere\n```\n\n```console\n$ echo beside it\nbeside it\n```\n\n\
         ```console client\nsomething else\n```\n",
    );
    assert_one(&report.complaints, "docs/page.md:11: the server prints something else", "");
}

#[test]
fn a_server_that_does_not_run_is_found() {
    let report = try_page(
        "```console server\n$ cargo run -p step2-bond\n```\n\n```console\nmore of its log\n```\n",
    );
    let [server, log] = &report.complaints[..] else { panic!("{:#?}", report.complaints) };
    let start = "docs/page.md:1: cargo run -p step2-bond ends:\n";
    assert!(server.starts_with(start) && server.contains("not found"), "{server}");
    assert!(log.starts_with("docs/page.md:5: the server does not run"), "{log}");
    let report = try_page("```console client\nmore of what it prints\n```\n");
    assert_one(
        &report.complaints,
        "docs/page.md:1: the server is not there: no client goes on",
        "",
    );
}

#[test]
fn these_tests_do_not_run_themselves() {
    let report = try_page("```console\n$ cargo test --workspace\n```\n");
    assert_one(&report.complaints, "docs/page.md:1: cargo test --workspace would run", "");
}

#[test]
fn a_server_runs_on_a_free_port_that_the_page_calls_8080() {
    let report = try_page(
        "```console server\n$ cargo run -p step3-listen\n...\n\
         [step3-listen] Server is listening on http://127.0.0.1:8080\n```\n\
         ```console\n$ cargo run -p step3-listen\n...\nCannot listen on 127.0.0.1:8080: [..]\n```\n",
    );
    assert_eq!(report.complaints, Vec::<String>::new());
}

#[test]
fn a_server_that_prints_something_else_later_is_found() {
    let report = try_page(
        "```console server\n$ cargo run -p step4-accept\n...\n[step3-listen][..]\n```\n\n\
         ```console client\n$ cargo run -p step4-accept --example client\n```\n\n\
         ```console\n[step4-accept] Connection from [..] has been established!\nsomething else\n```\n",
    );
    assert_one(&report.complaints, "docs/page.md:11: the server prints something else", "");
}
