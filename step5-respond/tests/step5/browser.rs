//! The page in a real browser. The screenshot is `target/browser/page.png`.

use std::path::{Path, PathBuf};
use std::process::Command;
use test_support::{Program, has};

/// Runs headless Chromium on a page, and returns what it prints.
fn chromium(option: &str, url: &str, folder: &Path) -> String {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let output = Command::new("timeout")
        .args(["60", "chromium"])
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--window-size=900,600", &profile, option, url])
        .output()
        .expect("chromium runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_browser_shows_the_sentence() {
    if !has("chromium") || !has("timeout") {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("browser");
    std::fs::create_dir_all(&folder).unwrap();
    let mut program = Program::start(env!("CARGO_BIN_EXE_step5-respond"), &["127.0.0.1:0"]);
    let url = format!("http://localhost:{}", program.listening().port());

    let page = chromium("--dump-dom", &url, &folder);
    assert!(page.contains("<h1>Hello, World! This is a simple web server.</h1>"), "{page}");

    let screenshot = folder.join("page.png");
    let _ = std::fs::remove_file(&screenshot);
    chromium(&format!("--screenshot={}", screenshot.display()), &url, &folder);
    let picture = std::fs::read(&screenshot).expect("a screenshot");
    assert!(picture.starts_with(b"\x89PNG"));
}
