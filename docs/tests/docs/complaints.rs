//! Each rule complains about what is wrong, and names the right line: small wrong pages and
//! repositories show it.

use crate::rules::{
    Page, code, commands, examples, fences, links, pages, pictures, spelling, workspace,
};
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
        (".cargo/config.toml", "[alias]\njudge = \"run -p observer --\"\n"),
        ("step1-a/Cargo.toml", "name = \"step1-a\"\n"),
        ("step1-a/src/lib.rs", CRATE),
        ("step1-a/examples/answer.rs", "fn main() {}\n"),
        ("step1-a/examples/my-try.rs", "fn main() {}\n"), // Of a student: on no page.
        ("step1-a/hello.py", "while True:\n    print(1)\n    print(2)\n"),
        ("step1-a/proxy.cfg", "bind :80\n"),
        ("docs/images/step1-a.svg", "<svg>backlog 5</svg>"),
        ("step1-a/page.html", "<p>\n  Hello\n</p>\n"),
        ("step1-a/style.css", "p {\n  color: red;\n}\n"),
        (
            "docs/src/page.rs",
            "const ROAD: [&str; 2] = [\"docs/README.md\", \"docs/step1-a.md\"];\n",
        ),
        ("docs/README.md", "# Walkthroughs\n\nNext: [a](step1-a.md)\n"),
        ("docs/my cat.html", ""),
        // Nobody's business: hidden, ignored by git, or no file at all.
        (".venv/README.md", "[gone](gone.md)"),
        ("target/doc/README.md", "[gone](gone.md)"),
        (".gitignore", "target"),
        ("docs/folder.md/.keep", ""),
        ("step-notes/plan.txt", ""),
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
pub fn assert_one(complaints: &[String], start: &str, end: &str) {
    let [complaint] = complaints else { panic!("not one complaint: {complaints:#?}") };
    assert!(complaint.starts_with(start) && complaint.ends_with(end), "{complaint}");
}

#[test]
fn what_is_true_gets_no_complaint() {
    let text = "# Page\n\n[up](#page), [there](other.md#what-can-go-wrong), [far](ssh://example.com), [a cat](my%20cat.html)\n\n\
                ![A picture](images/step1-a.svg)\n\n```sh\n# Copy it\n\ncargo run -p step1-a && cp docs/other.md \
                step1-a/examples/my-page\necho one \\\n  two\n```\n";
    for rule in [code::complaints, links::complaints, commands::complaints] {
        assert_eq!(check(rule, text), Vec::<String>::new());
    }
    let root = repository();
    for page in pages(root.path()) {
        assert_eq!(links::complaints(&page, root.path()), Vec::<String>::new());
    }
    assert_eq!(workspace::complaints(&pages(root.path()), root.path()), Vec::<String>::new());
    assert_eq!(examples::complaints(&pages(root.path()), root.path()), Vec::<String>::new());
    for text in ["[it](../step1-a/examples/answer.rs)", "<!-- my-server: answer -->\n--run my-try"]
    {
        let complaints = examples::complaints(&[page("docs/page.md", text)], root.path());
        assert_eq!(complaints, Vec::<String>::new());
    }
    assert_eq!(fences::complaints(&page("docs/page.md", text)), Vec::<String>::new());
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
        ("toml", "Cargo.toml", "name = \"step1-a\""),
        ("html", "page.html", "<p>\n<!-- ... -->\n</p>"),
        ("css", "style.css", "p {\n/* ... */\n}"),
    ] {
        let text = format!("[The file](../step1-a/{file}):\n\n```{kind}\n{quote}\n```\n");
        assert_eq!(check(code::complaints, &text), Vec::<String>::new());
    }
}

#[test]
fn a_quote_may_be_of_a_file_that_is_named_further_up() {
    let text = "[This](../step1-a/src/lib.rs), not [that](../step1-a/examples/answer.rs).\n\n\
                More words.\n\n```rust\nfn two() {\n```\n";
    assert_eq!(check(code::complaints, text), Vec::<String>::new());
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
        ("toml", "Cargo.toml", "name = \"step1\"", 4, "name = \"step1\""),
        ("html", "page.html", "<p>\nHello", 5, "Hello"),
        ("css", "style.css", "p {\n  color: blue;", 5, "  color: blue;"),
    ] {
        let text = format!("[The file](../step1-a/{file}):\n\n```{kind}\n{quote}\n```\n");
        let end = format!("this is not in ../step1-a/{file}: {strange}");
        assert_one(&check(code::complaints, &text), &format!("docs/page.md:{line}: "), &end);
    }
}

#[test]
fn a_quote_without_its_file_is_found() {
    let text = "[The file](../step1-a/src/lib.rs).\n\n## More\n\n```rust\nfn one() {\n```\n";
    let end = "link its file above it, below the same heading";
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
    for swallowed in ["```rust\nfn main() {}\n```", "See [this](gone.md).", "Run `it` now."] {
        let text = format!("<details>\n<summary>Solution</summary>\n{swallowed}\n</details>\n");
        let complaints = check(|page, _| fences::complaints(page), &text);
        assert_one(&complaints, "docs/page.md:1: ", "leave a blank line after the tag");
    }
}

#[test]
fn links_and_images_that_are_wrong_are_found() {
    for (text, end) in [
        ("See [this](nowhere.md).", "this link leads nowhere: nowhere.md"),
        ("[root](../../../../../etc/hostname)", "hostname"),
        ("[x](#pages)", "#pages"),
        ("[x]()", "this link leads nowhere: "),
        ("[x](my%20dog.html)", "my%20dog.html"),
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
            "'strange-tool' is not in TOOLS, in docs/tests/docs/rules/commands.rs",
        ),
        ("echo well && strange-tool", "docs/tests/docs/rules/commands.rs"),
        ("echo well | strange-tool", "docs/tests/docs/rules/commands.rs"),
    ] {
        for shell in ["sh", "bash"] {
            let text = format!("```{shell}\necho well\n{command}\n```\n");
            assert_one(&check(commands::complaints, &text), "docs/page.md:3: ", end);
        }
    }
    for text in ["# Page\n\nRun `cargo jduge` now.\n", "# Page\n```sh\ncargo jduge\n```\n"] {
        assert_one(&check(commands::complaints, text), "docs/page.md:3: cargo cannot jduge", "");
    }
    assert_eq!(check(commands::complaints, "`cargo judge`").len(), 0, "it is an alias");
    let complaints = check(commands::complaints, "```console\n$ strange-tool\nprints/this\n```\n");
    assert_one(&complaints, "docs/page.md:2: 'strange-tool' is not in TOOLS", "");
}

#[test]
fn examples_and_their_pages_belong_together() {
    for (text, start, end) in [
        ("Nothing.", "step1-a/examples/answer.rs:1: ", "no page names this example"),
        (
            "cargo run -p step1-a --example answer\ncargo judge --run question",
            "a.md:2: ",
            "no example is named question",
        ),
        (
            "cargo run -p step1-a --example answer\n<!-- my-server: question -->",
            "a.md:2: ",
            "no example is named question",
        ),
        (
            "cargo run -p step1-a --example answer\ncargo run -p step1-a --example question",
            "a.md:2: ",
            "step1-a/examples/question.rs",
        ),
        (
            "cargo run -p step1-a --example answer\ncargo run -p step9-z",
            "a.md:2: ",
            "there is no step9-z",
        ),
        (
            "cargo run -p step1-a --example answer\ncargo run --example answer -p step1-a",
            "a.md:2: ",
            "--example EXAMPLE",
        ),
        (
            "cargo run -p step1-a --example answer\ncargo run -p step1-a --example=answer",
            "a.md:2: ",
            "--example EXAMPLE",
        ),
    ] {
        assert_one(&examples::complaints(&[page("a.md", text)], repository().path()), start, end);
    }
    // An example can be a folder.
    let root = repository();
    write(&root, "step1-a/examples/large/main.rs", "fn main() {}\n");
    let both = "cargo run -p step1-a --example answer\ncargo run -p step1-a --example large";
    assert_eq!(examples::complaints(&[page("a.md", both)], root.path()), Vec::<String>::new());
    let one = &both[..both.find('\n').unwrap()];
    let complaints = examples::complaints(&[page("a.md", one)], root.path());
    assert_one(&complaints, "step1-a/examples/large:1: ", "no page names this example");
    // Not every -p is of cargo.
    let other = format!("{one}\n`mkdir -p site/images`");
    let complaints = examples::complaints(&[page("a.md", &other)], repository().path());
    assert_eq!(complaints, Vec::<String>::new());
}

#[test]
fn a_number_in_a_picture_that_is_not_in_the_code_is_found() {
    for name in ["step1-a.svg", "queue.svg"] {
        let root = repository();
        write(&root, &format!("docs/images/{name}"), "<svg>\nbacklog of 6</svg>");
        let start = format!("docs/images/{name}:2: 'backlog of 6'");
        assert_one(&pictures::complaints(root.path()), &start, "[\"5\"]");
    }
    for name in ["step1-a.svg", "route.svg"] {
        for shown in ["port 8081: nobody", "127.0.0.1:8081"] {
            let root = repository();
            write(&root, "step1-a/src/main.rs", "const ADDRESS: &str = \"127.0.0.1:8080\";");
            write(&root, &format!("docs/images/{name}"), &format!("<svg>{shown} :53124</svg>"));
            assert_one(
                &pictures::complaints(root.path()),
                &format!("docs/images/{name}:1: "),
                "[\"8080\"]",
            );
        }
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
        "docs/src/page.rs: ROAD lacks docs/step2-b.md",
    ];
    assert_eq!(workspace::complaints(&pages(root.path()), root.path()), missing);
}

#[test]
fn a_page_that_nothing_links_is_found() {
    let root = repository();
    write(&root, "README.md", &README.replace("docs/other.md", "docs/README.md"));
    write(&root, "docs/other.md", "A link [to itself](other.md) does not count.\n");
    let complaints = workspace::complaints(&pages(root.path()), root.path());
    assert_one(&complaints, "docs: every other page lacks a link to docs/other.md", "");
}

#[test]
fn a_page_that_does_not_lead_to_the_next_is_found() {
    let root = repository();
    write(&root, "docs/README.md", "The route: [a](step1-a.md)\n");
    let complaints = workspace::complaints(&pages(root.path()), root.path());
    assert_one(&complaints, "docs/README.md lacks a line Next: [...](step1-a.md)", "");
}

#[test]
fn a_test_command_that_is_not_run_is_found() {
    let page = "Run this:\n\n```sh\ncargo test --workspace\n```\n";
    let check =
        |run, ci| workspace::complaints_about_test_command(page, &[("run", run), ("ci", ci)]);
    let (run, ci) =
        ("cargo fmt\ncargo test --workspace\n", "      - run: cargo test --workspace\r\n");
    assert_eq!(check(run, ci), Vec::<String>::new());
    assert_eq!(check("cargo test\n", ci), ["run lacks: cargo test --workspace"]);
    assert_eq!(check(run, "# cargo test --workspace\n"), ["ci lacks: cargo test --workspace"]);
}

#[test]
fn a_version_of_rust_that_nobody_promises_is_found() {
    let page = page("a.md", "It needs Rust 1.85 or newer.\nThe tests need Rust 1.84 or newer.\n");
    let complaints = workspace::complaints_about_rust(&page, &["1.85", "1.88"]);
    assert_one(&complaints, "a.md:2: 'Rust 1.84 or newer', but ", " is promised");
}

#[test]
fn a_windows_sys_that_needs_a_tool_is_found() {
    let lock =
        |version: &&str| format!("[[package]]\nname = \"windows-sys\"\nversion = \"{version}\"\n");
    let check = |versions: &[&str]| {
        let lock: String = versions.iter().map(lock).collect();
        workspace::complaints_about_windows_sys(&lock)
    };
    assert_eq!(check(&["0.59.0", "0.60.2"]), Vec::<String>::new());
    assert_one(
        &check(&["0.59.0", "0.61.2"]),
        "Cargo.lock: go back",
        "windows-sys@0.61.2 --precise 0.60.2",
    );
    assert_one(&check(&["1.0.0"]), "Cargo.lock: go back", "windows-sys@1.0.0 --precise 0.60.2");
    assert_one(&check(&[]), "Cargo.lock lacks windows-sys", "");
}

#[test]
fn a_word_that_does_not_exist_is_found() {
    if !spelling::can_be_checked() {
        return;
    }
    let text = "# Client\n\nIt \"ends foreveryone.\" Not `codde`, <http://exampel.org>.\n\nA clien.\n\nA clien.\n";
    let complaints = check(|page, _| spelling::complaints(page), text);
    let words = [(3, "foreveryone"), (5, "clien"), (7, "clien")];
    let expected = words.map(|(line, word)| format!("docs/page.md:{line}: no such word: {word}"));
    assert_eq!(complaints, expected);
}
