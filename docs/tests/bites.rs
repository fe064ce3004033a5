//! The rules bite: each gets a small wrong page and has to complain about the right line.

mod rules;

use rules::{Page, code, examples, fences, links};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A small repository with one crate, one example and one picture.
fn repository() -> TempDir {
    let root = TempDir::new().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("step/src/lib.rs", "fn one() {\n    1\n}\n\nfn two() {\n    2\n}\n");
    write("step/examples/answer.rs", "fn main() {}\n");
    write("docs/images/picture.svg", "<svg/>");
    write("docs/other.md", "# Other page\n\n## What can go *wrong*?\n");
    root
}

/// Reads a page that stands in the `docs` folder of the small repository.
fn check(rule: fn(&Page, &Path) -> Vec<String>, text: &str) -> Vec<String> {
    rule(&Page::parse("docs/page.md", text), repository().path())
}

/// There is one complaint, and it begins and ends so.
#[track_caller]
fn assert_one(complaints: &[String], start: &str, end: &str) {
    let [complaint] = complaints else { panic!("not one complaint: {complaints:#?}") };
    assert!(complaint.starts_with(start) && complaint.ends_with(end), "{complaint}");
}

#[test]
fn a_true_page_gets_no_complaint() {
    let page = "# Page\n\n[The file](../step/src/lib.rs):\n\n```rust\nfn two() {\n    2\n}\n```\n\n\
                [up](#page), [there](other.md#what-can-go-wrong), [far](https://example.com)\n\n\
                ![A picture](images/picture.svg)\n\n`cargo run -p step --example answer`\n";
    for rule in [code::complaints, links::complaints] {
        assert_eq!(check(rule, page), Vec::<String>::new());
    }
    let pages = [Page::parse("docs/page.md", page)];
    assert_eq!(examples::complaints(&pages, repository().path()), Vec::<String>::new());
}

#[test]
fn quoted_code_that_changed_is_found() {
    let page = "In [the file](../step/src/lib.rs):\n\n```rust\nfn two() {\n    3\n}\n```\n";
    let complaints = check(code::complaints, page);
    assert_one(&complaints, "docs/page.md:5: ", "this is not in ../step/src/lib.rs:     3");
}

#[test]
fn quoted_lines_that_are_not_together_in_the_file_are_found() {
    let page = "In [the file](../step/src/lib.rs):\n\n```rust\nfn one() {\n    2\n}\n```\n";
    assert_one(&check(code::complaints, page), "docs/page.md:5: ", "    2");
}

#[test]
fn quoted_code_without_its_file_is_found() {
    let page = "[The file](../step/src/lib.rs).\n\nMore words.\n\n```rust\nfn one() {\n```\n";
    let end = "link its file in the text right above it";
    assert_one(&check(code::complaints, page), "docs/page.md:5: ", end);
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = "# Page\n\nSee [this](nowhere.md).\n";
    let complaints = check(links::complaints, page);
    assert_one(&complaints, "docs/page.md:3: ", "this link leads nowhere: nowhere.md");
}

#[test]
fn a_link_out_of_the_repository_is_found() {
    let complaints = check(links::complaints, "[root](../../../../../etc/hostname)\n");
    assert_one(&complaints, "docs/page.md:1: this link leads nowhere", "hostname");
}

#[test]
fn an_anchor_that_leads_nowhere_is_found() {
    assert_one(&check(links::complaints, "# Page\n\n[x](#pages)\n"), "docs/page.md:3: ", "#pages");
    let complaints = check(links::complaints, "[x](other.md#what-can-go-right)\n");
    assert_one(&complaints, "docs/page.md:1: ", "other.md#what-can-go-right");
}

#[test]
fn a_missing_image_is_found() {
    let complaints = check(links::complaints, "![A picture](images/gone.svg)\n");
    assert_one(&complaints, "docs/page.md:1: ", "this image is missing: images/gone.svg");
}

#[test]
fn an_image_without_alt_text_is_found() {
    let complaints = check(links::complaints, "Text.\n\n![](images/picture.svg)\n");
    assert_one(&complaints, "docs/page.md:3: ", "no alt text: images/picture.svg");
}

#[test]
fn links_and_images_in_html_are_found() {
    for html in ["<img src=\"gone.svg\">", "<details><summary><a href=\"x\">x</a></summary>"] {
        assert_one(&check(links::complaints, html), "docs/page.md:1: ", "these rules read it");
    }
}

#[test]
fn links_in_html_are_found_however_they_are_written() {
    for html in ["<IMG SRC=\"gone.svg\">", "<p><A\nHREF=\"x\">x</A></p>"] {
        assert_one(&check(links::complaints, html), "docs/page.md:1: ", "these rules read it");
    }
    assert_eq!(check(links::complaints, "<abbr>IP</abbr>"), Vec::<String>::new());
}

#[test]
fn a_line_of_a_source_file_may_be_linked() {
    let page = "In [line 1](../step/src/lib.rs#L1):\n\n```rust\nfn one() {\n    2\n```\n";
    assert_eq!(check(links::complaints, page), Vec::<String>::new());
    assert_one(&check(code::complaints, page), "docs/page.md:5: ", "    2");
}

#[test]
fn a_block_in_a_list_or_with_tildes_or_in_details_is_read() {
    let link = "[The file](../step/src/lib.rs):";
    for page in [
        format!("- {link}\n\n  ```rust\n  fn three() {{\n  ```\n"),
        format!("{link}\n\n~~~rust\nfn three() {{\n~~~\n"),
        format!("<details>\n\n{link}\n\n```rust\nfn three() {{\n```\n\n</details>\n"),
    ] {
        assert_eq!(check(code::complaints, &page).len(), 1, "{page}");
    }
}

#[test]
fn a_quoted_configuration_that_changed_is_found() {
    let page = "In [the file](../step/proxy.cfg):\n\n```haproxy\nbind :81\n```\n";
    let root = repository();
    fs::write(root.path().join("step/proxy.cfg"), "bind :80\n").unwrap();
    let complaints = code::complaints(&Page::parse("docs/page.md", page), root.path());
    assert_one(&complaints, "docs/page.md:4: ", "bind :81");
}

#[test]
fn a_block_that_no_rule_reads_is_found() {
    for info in ["", "rs", "Rust", "Console", "console,server", "shell-session"] {
        let page = format!("Text.\n\n```{info}\nx\n```\n");
        let complaints = fences::complaints(&Page::parse("docs/page.md", &page));
        assert_one(
            &complaints,
            &format!("docs/page.md:3: no rule reads a block marked '{info}'"),
            "",
        );
    }
}

#[test]
fn markdown_that_html_swallows_is_found() {
    let page = "<details>\n<summary>Solution</summary>\n```rust\nfn main() {}\n```\n</details>\n";
    let complaints = fences::complaints(&Page::parse("docs/page.md", page));
    assert_one(&complaints, "docs/page.md:1: ", "leave a blank line behind the tag");
}

#[test]
fn an_example_that_is_named_in_another_way_is_found() {
    for text in ["cargo run --example answer -p step", "cargo run -p step --example=answer"] {
        let pages = [Page::parse("a.md", text), Page::parse("b.md", "-p step --example answer")];
        let complaints = examples::complaints(&pages, repository().path());
        assert_one(&complaints, "a.md:1: name an example like this", "");
    }
}

#[test]
fn what_students_write_needs_no_page() {
    let root = repository();
    fs::write(root.path().join("step/examples/my-try.rs"), "fn main() {}\n").unwrap();
    let pages = [Page::parse("a.md", "-p step --example answer, -p step --example my-own\n")];
    assert_eq!(examples::complaints(&pages, root.path()), Vec::<String>::new());
}

#[test]
fn an_example_on_no_page_is_found() {
    let pages = [Page::parse("docs/page.md", "No examples here.\n")];
    let complaints = examples::complaints(&pages, repository().path());
    assert_one(&complaints, "step/examples/answer.rs:1: ", "no page names this example");
}

#[test]
fn an_example_that_does_not_exist_is_found() {
    let text = "`cargo run -p step --example answer`\n`cargo run -p step --example question`\n";
    let complaints = examples::complaints(&[Page::parse("a.md", text)], repository().path());
    assert_one(&complaints, "a.md:2: ", "there is no step/examples/question.rs");
}

#[cfg(target_os = "linux")]
mod console {
    use super::*;
    use rules::console::{Report, run};

    fn try_page(text: &str) -> Report {
        run(&Page::parse("docs/page.md", text), repository().path())
    }

    /// A page whose server is a small shell script on the real root is not needed: `cargo` runs
    /// from there.
    fn try_page_with_server(text: &str) -> Report {
        run(&Page::parse("docs/page.md", text), &rules::root())
    }

    #[test]
    fn what_is_true_gets_no_complaint() {
        let report = try_page(
            "```console\n$ printf 'one\\ntwo 2\\nthree\\n'\none\ntwo [..]\nthree\n\
             $ seq 5; false\n1\n...\n5\n```\n",
        );
        assert_eq!((report.complaints, report.left_out), (vec![], vec![]));
    }

    #[test]
    fn a_command_that_prints_something_else_is_found() {
        let report = try_page("# Page\n\n```console\n$ echo one\ntwo\n```\n");
        assert_one(&report.complaints, "docs/page.md:3: echo one prints something else", "");
    }

    #[test]
    fn a_command_that_prints_more_is_found() {
        let report = try_page("```console\n$ seq 3\n1\n2\n```\n");
        assert_one(&report.complaints, "docs/page.md:1: seq 3 prints something else", "");
    }

    #[test]
    fn what_goes_to_standard_error_counts() {
        let report = try_page("```console\n$ echo oops >&2\n```\n");
        assert_one(&report.complaints, "docs/page.md:1: ", "");
    }

    #[test]
    fn an_output_that_is_made_of_wildcards_is_found() {
        for output in ["[..]", "...", "...\n[..] [..]"] {
            let report = try_page(&format!("```console\n$ echo anything\n{output}\n```\n"));
            assert_one(&report.complaints, "docs/page.md:1: this output says nothing", "");
        }
    }

    #[test]
    fn a_backslash_is_no_slash() {
        let report = try_page("```console\n$ printf '%s\\n' 'a\\b'\na/b\n```\n");
        assert_one(&report.complaints, "docs/page.md:1: ", "");
        let report = try_page("```console\n$ printf '%s\\n' 'a\\b'\na\\b\n```\n");
        assert_eq!(report.complaints, Vec::<String>::new());
    }

    #[test]
    fn the_clients_of_a_server_that_is_left_out_meet_no_other_server() {
        let report = try_page_with_server(
            "```console server\n$ cargo run -p step3-listen\n```\n\n\
             ```console server\n$ no-such-server\n```\n\n```console\nmore of it\n```\n",
        );
        assert_eq!(report.left_out, ["docs/page.md:5: no-such-server is not installed"]);
        assert_one(&report.complaints, "docs/page.md:9: ", "no server runs that could print this");
    }

    #[test]
    fn a_program_that_is_not_installed_is_left_out_and_reported() {
        let report = try_page("```console\n$ echo 'a|b' | no-such-program\nanything\n```\n");
        assert_eq!(report.complaints, Vec::<String>::new());
        assert_eq!(report.left_out, ["docs/page.md:1: no-such-program is not installed"]);
    }

    #[test]
    fn these_tests_do_not_run_themselves() {
        let report = try_page("```console\n$ cargo test --workspace\n```\n");
        assert_one(&report.complaints, "docs/page.md:1: show cargo test", "run themselves");
    }

    #[test]
    fn a_server_runs_on_a_free_port_that_the_page_calls_8080() {
        let report = try_page_with_server(
            "```console server\n$ cargo run -p step3-listen\n...\n\
             [step3-listen] Server is listening on http://127.0.0.1:8080\n```\n\
             ```console\n$ cargo run -p step3-listen\n...\nCannot listen on 127.0.0.1:8080: [..]\n```\n",
        );
        assert_eq!(report.complaints, Vec::<String>::new());
    }

    #[test]
    fn a_server_that_prints_something_else_is_found() {
        let report = try_page_with_server(
            "```console server\n$ cargo run -p step2-bind\n\
             [step1-socket] Socket created: IPv6, TCP, descriptor [..]\n```\n",
        );
        assert_one(&report.complaints, "docs/page.md:1: cargo run -p step2-bind prints", "");
    }

    #[test]
    fn a_server_that_prints_something_else_later_is_found() {
        let report = try_page_with_server(
            "```console server\n$ cargo run -p step4-accept\n...\n[step3-listen][..]\n```\n\n\
             ```console\n$ printf 'GET / HTTP/1.0\\r\\n\\r\\n' | curl -s telnet://127.0.0.1:8080\n```\n\n\
             ```console\n[step4-accept] Connection from [..] has been established!\nsomething else\n```\n",
        );
        assert_one(&report.complaints, "docs/page.md:11: the server prints something else", "");
    }

    #[test]
    fn more_of_a_server_without_a_server_is_found() {
        let report = try_page("```console\nsome output\n```\n");
        assert_one(&report.complaints, "docs/page.md:1: ", "no server runs that could print this");
    }
}
