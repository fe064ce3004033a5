//! Each rule complains about what is wrong, and names the right line: small wrong pages and
//! repositories show it.

mod rules;

use rules::{Page, code, commands, examples, fences, links, pages, pictures, spelling, workspace};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const CRATE: &str = "fn one() {\n    1\n}\n\nfn two() {\n    2\n}\n\nconst BACKLOG: i32 = 5;\n";
const WORKSPACE: &str = "members = [\n    \"step1-a\",\n]\ndefault-members = [\"step1-a\"]\n\
                         step1-a = { path = \"step1-a\" }\n";
const README: &str = "[a](step1-a) [b](docs/step1-a.md) [c](docs/README.md) [d](docs/other.md)\n";

/// A small repository in which all is well.
fn repository() -> TempDir {
    let root = TempDir::new().unwrap();
    for (path, text) in [
        ("Cargo.toml", WORKSPACE),
        ("README.md", README),
        ("step1-a/Cargo.toml", "name = \"step1-a\"\n"),
        ("step1-a/src/lib.rs", CRATE),
        ("step1-a/examples/answer.rs", "fn main() {}\n"),
        ("step1-a/examples/my-try.rs", "fn main() {}\n"), // Of a student: on no page.
        ("step1-a/hello.py", "while True:\n    print(1)\n    print(2)\n"),
        ("step1-a/proxy.cfg", "bind :80\n"),
        ("docs/images/step1-a.svg", "<svg>backlog 5</svg>"),
        ("docs/README.md", "[a](step1-a.md)\n"),
        (
            "docs/step1-a.md",
            "# Step 1\n\n`cargo run -p step1-a --example answer`, or my-own:\n\n`cargo run -p step1-a --example my-own`\n",
        ),
        ("docs/other.md", "# Other page\n\n## What can go *wrong*?\n"),
    ] {
        write(&root, path, text);
    }
    root
}

fn write(root: &TempDir, path: &str, text: &str) {
    let path = root.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn page(path: &str, text: &str) -> Page {
    Page::parse(path, text)
}

/// What a rule says of a page in the `docs` folder of the small repository.
fn check(rule: fn(&Page, &Path) -> Vec<String>, text: &str) -> Vec<String> {
    rule(&page("docs/page.md", text), repository().path())
}

/// There is one complaint, and it begins and ends so.
#[track_caller]
fn assert_one(complaints: &[String], start: &str, end: &str) {
    let [complaint] = complaints else { panic!("not one complaint: {complaints:#?}") };
    assert!(complaint.starts_with(start) && complaint.ends_with(end), "{complaint}");
}

#[test]
fn what_is_true_gets_no_complaint() {
    let text = "# Page\n\n[up](#page), [there](other.md#what-can-go-wrong), [far](https://example.com)\n\n\
                ![A picture](images/step1-a.svg)\n\n```sh\ncargo run -p step1-a && cp docs/other.md \
                step1-a/examples/my-page\n```\n";
    for rule in [code::complaints, links::complaints, commands::complaints] {
        assert_eq!(check(rule, text), Vec::<String>::new());
    }
    let root = repository();
    assert_eq!(workspace::complaints(&pages(root.path()), root.path()), Vec::<String>::new());
    assert_eq!(examples::complaints(&pages(root.path()), root.path()), Vec::<String>::new());
    assert_eq!(pictures::complaints(root.path()), Vec::<String>::new());
    assert_eq!(links::complaints_about_code(root.path()), Vec::<String>::new());
}

#[test]
fn a_quote_may_leave_lines_out_and_be_indented_differently() {
    for (kind, file, quote) in [
        ("rust", "src/lib.rs", "fn two() {\n    2\n}"),
        ("rust", "src/lib.rs", "fn one() {\n// ...\nfn two() {\n    2"),
        ("rust", "src/lib.rs#L1", "1"),
        ("python", "hello.py", "while True:\n    # ...\n    print(2)"),
        ("python", "hello.py", "print(1)\nprint(2)"),
        ("haproxy", "proxy.cfg", "bind :80"),
    ] {
        let text = format!("[The file](../step1-a/{file}):\n\n```{kind}\n{quote}\n```\n");
        assert_eq!(check(code::complaints, &text), Vec::<String>::new());
    }
}

#[test]
fn a_quote_that_is_not_in_its_file_is_found() {
    for (kind, file, quote, line, strange) in [
        ("rust", "src/lib.rs", "fn two() {\n    3\n}", 5, "    3"),
        ("rust", "src/lib.rs", "fn one() {\n    2\n}", 5, "    2"),
        ("rust", "src/lib.rs", "fn one() {\n    1\n  }", 6, "  }"),
        ("rust", "src/lib.rs", "fn two() {\n...\nfn one() {", 6, "fn one() {"),
        ("rust", "src/lib.rs", "...", 4, "..."),
        ("python", "hello.py", "while True:\nprint(1)", 5, "print(1)"),
        ("haproxy", "proxy.cfg", "bind :81", 4, "bind :81"),
    ] {
        let text = format!("[The file](../step1-a/{file}):\n\n```{kind}\n{quote}\n```\n");
        let end = format!("this is not in ../step1-a/{file}: {strange}");
        assert_one(&check(code::complaints, &text), &format!("docs/page.md:{line}: "), &end);
    }
}

#[test]
fn a_quote_without_its_file_is_found() {
    let text = "[The file](../step1-a/src/lib.rs).\n\nMore words.\n\n```rust\nfn one() {\n```\n";
    let end = "link its file in the text right above it";
    assert_one(&check(code::complaints, text), "docs/page.md:5: ", end);
}

#[test]
fn a_block_in_a_list_or_with_tildes_or_in_details_is_read() {
    let link = "[The file](../step1-a/src/lib.rs):";
    for text in [
        format!("- {link}\n\n  ```rust\n  fn three() {{\n  ```\n"),
        format!("{link}\n\n~~~rust\nfn three() {{\n~~~\n"),
        format!("<details>\n\n{link}\n\n```rust\nfn three() {{\n```\n\n</details>\n"),
    ] {
        assert_eq!(check(code::complaints, &text).len(), 1, "{text}");
    }
}

#[test]
fn a_block_that_no_rule_reads_is_found() {
    for info in ["", "rs", "Rust", "text", "Console", "console,server", "shell-session"] {
        let complaints = check(|page, _| fences::complaints(page), &format!("```{info}\nx\n```\n"));
        let start = format!("docs/page.md:1: no rule reads a block marked '{info}'");
        assert_one(&complaints, &start, "");
    }
}

#[test]
fn markdown_that_html_swallows_is_found() {
    let text = "<details>\n<summary>Solution</summary>\n```rust\nfn main() {}\n```\n</details>\n";
    let complaints = check(|page, _| fences::complaints(page), text);
    assert_one(&complaints, "docs/page.md:1: ", "leave a blank line after the tag");
}

#[test]
fn links_and_images_that_are_wrong_are_found() {
    for (text, end) in [
        ("See [this](nowhere.md).", "this link leads nowhere: nowhere.md"),
        ("[root](../../../../../etc/hostname)", "hostname"),
        ("[x](#pages)", "#pages"),
        ("[x](other.md#what-can-go-right)", "other.md#what-can-go-right"),
        ("![A picture](images/gone.svg)", "this image is missing: images/gone.svg"),
        ("![](images/step1-a.svg)", "no alt text: images/step1-a.svg"),
        ("<img src=\"gone.svg\">", "these rules read it"),
        ("<details><summary><a href=\"x\">x</a></summary>", "these rules read it"),
        ("<IMG SRC=\"gone.svg\">", "these rules read it"),
        ("<p><A\nHREF=\"x\">x</A></p>", "these rules read it"),
    ] {
        let text = format!("# Page\n\n{text}\n");
        assert_one(&check(links::complaints, &text), "docs/page.md:3: ", end);
    }
    assert_eq!(check(links::complaints, "<abbr>IP</abbr>"), Vec::<String>::new());
}

#[test]
fn a_link_in_code_that_leads_nowhere_is_found() {
    for link in ["docs/gone.md", "docs/other.md#what-can-go-right"] {
        let root = repository();
        write(&root, "step1-a/src/lib.rs", &format!("\n// Read {link}.\n"));
        let complaints = links::complaints_about_code(root.path());
        assert_one(&complaints, "step1-a/src/lib.rs:2: this link leads nowhere", link);
    }
}

#[test]
fn a_command_that_names_what_does_not_exist_is_found() {
    for (command, end) in [
        ("haproxy -f docs/gone.cfg", "there is no docs/gone.cfg"),
        (
            "NAME=value strange-tool",
            "'strange-tool' is not in TOOLS, in docs/tests/rules/commands.rs",
        ),
    ] {
        let text = format!("```bash\necho well\n{command}\n```\n");
        assert_one(&check(commands::complaints, &text), "docs/page.md:3: ", end);
    }
    let complaints = check(commands::complaints, "```console\n$ strange-tool\nprints/this\n```\n");
    assert_one(&complaints, "docs/page.md:2: 'strange-tool' is not in TOOLS", "");
}

#[test]
fn examples_and_their_pages_belong_together() {
    for (text, start, end) in [
        ("Nothing.", "step1-a/examples/answer.rs:1: ", "no page names this example"),
        (
            " -p step1-a --example answer\n -p step1-a --example question",
            "a.md:2: ",
            "step1-a/examples/question.rs",
        ),
        (" -p step1-a --example answer\n -p step9-z", "a.md:2: ", "there is no step9-z"),
        (
            " -p step1-a --example answer\n --example answer -p step1-a",
            "a.md:2: ",
            "--example EXAMPLE",
        ),
        (
            " -p step1-a --example answer\n -p step1-a --example=answer",
            "a.md:2: ",
            "--example EXAMPLE",
        ),
    ] {
        assert_one(&examples::complaints(&[page("a.md", text)], repository().path()), start, end);
    }
}

#[test]
fn a_number_in_a_picture_that_is_not_in_the_code_is_found() {
    for name in ["step1-a.svg", "queue.svg"] {
        let root = repository();
        write(&root, &format!("docs/images/{name}"), "<svg>\nbacklog of 6</svg>");
        let start = format!("docs/images/{name}:2: 'backlog of 6'");
        assert_one(&pictures::complaints(root.path()), &start, "[\"5\"]");
    }
    // The second step has a number of its own.
    let root = repository();
    write(&root, "step2-b/src/lib.rs", "const BACKLOG: i32 = 128;");
    write(&root, "docs/images/step2-b.svg", "<svg>backlog 5</svg>");
    assert_one(&pictures::complaints(root.path()), "docs/images/step2-b.svg:1: ", "[\"128\"]");
}

#[test]
fn what_is_missing_of_a_new_step_is_named() {
    let root = repository();
    write(&root, "step2-b/Cargo.toml", "");
    let missing = [
        "Cargo.toml: members lacks step2-b",
        "Cargo.toml: default-members lacks step2-b",
        "Cargo.toml: [workspace.dependencies] lacks step2-b = { path = \"step2-b\" }",
        "docs lacks step2-b.md",
        "README.md: the table of steps lacks docs/step2-b.md",
        "README.md: the map lacks step2-b",
        "docs/README.md: the route lacks step2-b.md",
    ];
    assert_eq!(workspace::complaints(&pages(root.path()), root.path()), missing);
}

#[test]
fn a_page_that_nothing_links_is_found() {
    let root = repository();
    write(&root, "README.md", &README.replace("docs/other.md", "docs/README.md"));
    let complaints = workspace::complaints(&pages(root.path()), root.path());
    assert_one(&complaints, "docs: every other page lacks a link to docs/other.md", "");
}

#[test]
#[ignore = "needs hunspell, which not every system has; .ci/run installs it"]
fn a_word_that_does_not_exist_is_found() {
    let text = "# Page\n\nIt ends the server foreveryone. Not `codde`, <http://exampel.org>.\n";
    let complaints = check(|page, _| spelling::complaints(page), text);
    assert_one(&complaints, "docs/page.md:3: no such word: foreveryone", "");
}

#[cfg(target_os = "linux")]
mod console {
    use super::*;
    use rules::console::{Report, run};

    /// Runs a page from this repository's root, for `cargo` runs from there.
    fn try_page(text: &str) -> Report {
        run(&page("docs/page.md", text), &rules::root())
    }

    #[test]
    fn what_is_true_gets_no_complaint() {
        let report = try_page(
            "```console\n$ printf 'one\\ntwo 2\\nthree\\n'\none\ntwo [..]\nthree\n\
             $ seq 5; false\n1\n...\n5\n\
             $ echo descriptor 7, 127.0.0.1:61234, curl/8.14\ndescriptor 3, 127.0.0.1:53124, curl/8.5.0\n```\n",
        );
        assert_eq!((report.complaints, report.skipped), (vec![], vec![]));
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
    fn the_clients_of_a_server_that_is_skipped_meet_no_other_server() {
        let report = try_page(
            "```console server\n$ cargo run -p step3-listen\n```\n\n\
             ```console server\n$ xcode-select\n```\n\n```console\nmore of it\n```\n",
        );
        assert_eq!(report.skipped, ["docs/page.md:5: xcode-select is not installed"]);
        assert_one(&report.complaints, "docs/page.md:9: the server does not run", "");
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
             ```console\n$ printf 'GET / HTTP/1.0\\r\\n\\r\\n' | curl -s telnet://127.0.0.1:8080\n```\n\n\
             ```console\n[step4-accept] Connection from [..] has been established!\nsomething else\n```\n",
        );
        assert_one(&report.complaints, "docs/page.md:11: the server prints something else", "");
    }
}
