//! The course in a browser, as browsers and intruders see it.

use crate::rules::regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread;
use tempfile::TempDir;
use test_support::{Program, Response, ask, has, output};

/// The program, with the pages of this repository.
fn course() -> (Program, SocketAddr) {
    course_of(Path::new(env!("CARGO_MANIFEST_DIR")))
}

/// The program, with the pages of another one.
fn course_of(docs: &Path) -> (Program, SocketAddr) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docs"));
    command.arg("127.0.0.1:0").env("CARGO_MANIFEST_DIR", docs);
    let mut program = Program::run(&mut command);
    let address = program.listening();
    (program, address)
}

/// A repository with these files.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

fn get(address: SocketAddr, path: &str) -> Response {
    ask(address, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
}

/// The paths that a page names in its links and pictures, with the anchors.
fn links(page: &str) -> BTreeSet<String> {
    let link = regex(r#"(?:href|src)="(/[^"]*)""#);
    link.captures_iter(page).map(|link| link[1].to_string()).collect()
}

/// Opens the first page, and then all that can be reached from it by clicking.
fn click_everything(address: SocketAddr) -> BTreeMap<String, Response> {
    let mut seen = BTreeMap::new();
    let mut waiting = vec!["/".to_string()];
    while let Some(path) = waiting.pop() {
        if seen.contains_key(&path) {
            continue;
        }
        let response = get(address, &path);
        if response.field("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            let links = links(&response.text());
            waiting.extend(links.iter().map(|link| link.split('#').next().unwrap().to_string()));
        }
        seen.insert(path, response);
    }
    seen
}

#[test]
fn all_that_can_be_clicked_is_there() {
    let (_program, address) = course();
    let seen = click_everything(address);
    for path in ["/docs/step5-respond.md", "/step1-socket/src/lib.rs", "/step1-socket/examples"] {
        assert!(seen.contains_key(path), "{path} can be reached");
    }
    for (path, response) in &seen {
        assert_eq!(response.status, 200, "{path}");
        for link in links(&response.text()) {
            let Some((page, anchor)) = link.split_once('#') else { continue };
            let is_there = seen[page].text().contains(&format!("id=\"{anchor}\""));
            assert!(is_there, "{path} links {link}");
        }
    }
}

#[test]
fn it_says_where_to_open_it_and_who_it_is() {
    let (mut program, address) = course();
    program.wait_for(&format!("Open http://localhost:{} in a browser", address.port()));

    // The judge asks so, to know whether its links can be opened here.
    let response = ask(address, b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(response.status, 200);
    assert_eq!(response.field("server"), Some("classroom-course"));
    assert!(response.body.is_empty());
}

#[test]
fn what_no_page_links_is_not_shown() {
    let site = repository(&[
        ("README.md", "# Start\n\n[A page](docs/page.md), [code](step)"),
        ("docs/page.md", "# Page\n\n[Back](../README.md), [out](../../out.txt)"),
        ("docs/Cargo.toml", ""),
        ("docs/secret.md", "# Secret"),
        ("step/src/lib.rs", ""),
        ("step/examples/my-server.rs", ""),
        ("step/target/debug/step", ""),
        ("step/.env", ""),
        (".git/config", ""),
    ]);
    let (_program, address) = course_of(&site.path().join("docs"));
    for path in ["/", "/README.md", "/docs/page.md", "/step", "/step/", "/step/src/lib.rs"] {
        assert_eq!(get(address, path).status, 200, "{path}");
    }
    assert!(!get(address, "/step").text().contains("my-server"));
    for path in [
        "/docs",
        "/docs/Cargo.toml",
        "/docs/secret.md",
        "/step/examples/my-server.rs",
        "/step/target/debug/step",
        "/step/.env",
        "/.git/config",
        "/out.txt",
        "/readme.md",
    ] {
        assert_eq!(get(address, path).status, 404, "{path}");
    }
}

#[test]
fn nobody_gets_out_of_the_repository() {
    let outside = repository(&[("secret.txt", "secret"), ("more/secret.txt", "secret")]);
    let site = repository(&[
        ("README.md", "# Start\n\n[Code](step), [a link](link.txt), [out](../secret.txt)"),
        ("step/lib.rs", ""),
    ]);
    #[cfg(unix)]
    for (to, name) in
        [("secret.txt", "link.txt"), ("secret.txt", "step/a.txt"), ("more", "step/more")]
    {
        std::os::unix::fs::symlink(outside.path().join(to), site.path().join(name)).unwrap();
    }
    let (_program, address) = course_of(&site.path().join("docs"));
    assert_eq!(get(address, "/step/lib.rs").status, 200);
    let secret = outside.path().join("secret.txt");
    let absolute = format!("/{}", secret.to_str().unwrap().trim_start_matches('/'));
    for path in [
        &absolute,
        &absolute.replace('/', "%2f"),
        &absolute.replace('\\', "%5C"),
        "//etc/passwd",
        "/../etc/passwd",
        "/step/../../../../../../../etc/passwd",
        "/step/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/step/..%2f..%2f..%2f..%2fetc/passwd",
        "/..%5c..%5c..%5cWindows%5cwin.ini",
        "/C:/Windows/win.ini",
        "/c:%5cWindows%5cwin.ini",
        "/README.md::$DATA",
        "/README.md%00",
        "/step%5clib.rs",
        "/step/lib.rs.",
        "/step/LIB.RS",
        "/step/lib.rs%20",
        "/CON",
        "/link.txt",
        "/step/a.txt",
        "/step/more",
        "/step/more/secret.txt",
    ] {
        let response = get(address, path);
        assert!([400, 404].contains(&response.status), "{path} gets {}", response.status);
        assert_ne!(response.text(), "secret", "{path}");
    }
}

#[test]
fn a_page_that_is_changed_is_new_when_it_is_loaded_again() {
    let site = repository(&[("README.md", "# Before\n"), ("new.md", "# New\n")]);
    let (_program, address) = course_of(&site.path().join("docs"));
    assert!(get(address, "/").text().contains("Before"));
    assert_eq!(get(address, "/new.md").status, 404);

    fs::write(site.path().join("README.md"), "# After\n\n[New](new.md)\n").unwrap();
    let response = get(address, "/");
    assert!(response.text().contains("After"));
    assert_eq!(response.field("cache-control"), Some("no-cache"));
    assert_eq!(get(address, "/new.md").status, 200);
}

#[test]
fn a_picture_is_fetched_once_until_it_is_changed() {
    let site = repository(&[("README.md", "![A cat](cat.svg)"), ("cat.svg", "<svg></svg>")]);
    let (_program, address) = course_of(&site.path().join("docs"));
    let named = || links(&get(address, "/").text()).into_iter().find(|it| it.contains("cat"));

    let before = named().unwrap();
    let response = get(address, &before);
    assert_eq!(response.field("content-type"), Some("image/svg+xml"));
    assert_eq!(response.field("cache-control"), Some("max-age=31536000, immutable"));
    assert_eq!(named(), Some(before.clone()));

    let picture = fs::File::options().append(true).open(site.path().join("cat.svg")).unwrap();
    picture.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_ne!(named(), Some(before));
}

#[test]
fn a_page_is_made_as_github_makes_it() {
    let site = repository(&[(
        "README.md",
        r#"# The page & its parts

## Look: `accept()`, again

## Look: `accept()`, again

| a | b |
|---|---|
| 1 | [..] |

<details>
<summary>Answers</summary>

**Folded**, <https://example.com/a?b=c> and [elsewhere](https://example.com).

</details>

```console server
$ cargo run -p "step1-socket" \
  --example starter
[step1-socket] Socket <created>
```
"#,
    )]);
    let (_program, address) = course_of(&site.path().join("docs"));
    let page = get(address, "/").text();
    for part in [
        "<title>The page &amp; its parts</title>",
        "id=\"look-accept-again\"",
        "id=\"look-accept-again-1\"",
        "class=\"anchor\" tabindex=\"-1\" aria-hidden=\"true\"></a></h2>",
        "<td>[..]</td>",
        "<summary>Answers</summary>",
        "<strong>Folded</strong>",
        "href=\"https://example.com/a?b=c\"",
        "href=\"https://example.com\"",
        "<div class=\"block console server\">",
        "<kbd class=\"prompt\">cargo run -p &quot;step1-socket&quot; \\</kbd>\n<kbd>  --example starter</kbd><samp>\n[step1-socket] Socket &lt;created&gt;</samp>",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
}

#[test]
fn thirty_browsers_read_it_at_once() {
    let _crowd = test_support::crowd();
    let (_program, address) = course();
    thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| {
                let page = get(address, "/docs/step3-listen.md");
                for link in links(&page.text()).iter().filter(|link| link.contains(".svg")) {
                    let picture = get(address, link);
                    assert_eq!(picture.status, 200, "{link}");
                    assert!(picture.text().ends_with("</svg>\n"), "{link}");
                }
            });
        }
    });
}

#[test]
fn it_says_how_it_is_started() {
    let help = output(env!("CARGO_BIN_EXE_docs"), &["--help"]);
    assert_eq!(help.0, 0);
    assert!(help.1.contains("127.0.0.1:8000"), "{}", help.1);

    for wrong in [&["localhost"][..], &["localhost:x"], &["127.0.0.1:0", "more"]] {
        let (status, _, message) = output(env!("CARGO_BIN_EXE_docs"), wrong);
        let line = format!("'{}' is not HOST:PORT.\nUsage: cargo run -p docs", wrong.join(" "));
        assert_eq!(status, 2, "{message}");
        assert!(message.starts_with(&line), "{message}");
    }
}

#[test]
fn without_its_pages_it_says_so() {
    let nowhere = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_docs"));
    command.arg("127.0.0.1:0").env("CARGO_MANIFEST_DIR", nowhere.path().join("docs"));
    let mut program = Program::run(&mut command);
    let line = program.stderr_line();
    assert!(line.contains("Cannot find the course"), "{line}");
    assert_eq!(program.end().0.code(), Some(1));
}

/// What a browser says of each page, in a frame that is as wide as a phone, and in one as a laptop.
const LOOK: &str = r#"<script>
onload = () => {
  const seen = Array.from(frames).map(({ document, innerWidth: width, location }) => {
    const names = [
      [document.documentElement.scrollWidth > width, "is wider than its window"],
      [document.querySelector("nav details").open != width > 900, "has its road open or closed"],
      [[...document.images].some(image => !image.naturalWidth), "lacks a picture"],
      [!document.title || document.querySelectorAll("h1").length != 1, "has no title"],
      [document.body.innerText.includes("```"), "shows marks of Markdown"],
    ]
    return names.filter(([is_so]) => is_so).map(([, name]) => `${location} ${width} ${name};`)
  })
  document.body.textContent = `${seen.length} frames seen: ${seen.flat().join(" ")}`
}
</script>
"#;

#[test]
fn a_browser_shows_every_page_on_a_phone_and_on_a_laptop() {
    if !has("chromium") {
        return;
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = docs.parent().unwrap();
    let site = repository(&[("docs/images/none", "")]);
    let mut pages = vec!["README.md".to_string()];
    for folder in ["docs", "docs/images"] {
        for file in fs::read_dir(root.join(folder)).unwrap().flatten() {
            let name = format!("{folder}/{}", file.file_name().to_str().unwrap());
            if file.path().is_file() {
                fs::copy(file.path(), site.path().join(&name)).unwrap();
            }
            if file.path().extension().is_some_and(|ending| ending == "md") {
                pages.push(name);
            }
        }
    }
    // One more page has all the others in frames.
    let frames = pages.iter().flat_map(|page| {
        [390, 1280].map(|width| format!("<iframe width=\"{width}\" src=\"/{page}\"></iframe>\n"))
    });
    fs::write(site.path().join("docs/all.md"), frames.collect::<String>() + "\n" + LOOK).unwrap();
    let first = fs::read_to_string(root.join("README.md")).unwrap() + "\n[all](docs/all.md)\n";
    fs::write(site.path().join("README.md"), first).unwrap();

    let (_program, address) = course_of(&site.path().join("docs"));
    let profile = tempfile::tempdir().unwrap();
    let (status, shown, messages) = output(
        "chromium",
        &[
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
            "--timeout=20000",
            &format!("--user-data-dir={}", profile.path().display()),
            "--dump-dom",
            &format!("http://{address}/docs/all.md"),
        ],
    );
    assert_eq!(status, 0, "{messages}");
    // Chromium has pages of its own, which complain too.
    let is_ours = |line: &&str| line.contains("CONSOLE") && line.contains(&address.to_string());
    assert_eq!(messages.lines().find(is_ours), None);
    assert!(shown.contains(&format!(">{} frames seen: <", pages.len() * 2)), "{shown}");
}
