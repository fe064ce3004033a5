//! The pages of the course, and where a person can open them.

use observer::client::{connect_within, exchange};
use std::env;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Where `cargo run -p docs` shows the course: here, unless the environment variable
/// `COURSE_ADDRESS` names another address, such as 127.0.0.1:9000.
const COURSE: &str = "127.0.0.1:8000";

/// The beginning of the addresses of all pages, while the course is open in a browser.
static OPEN_AT: LazyLock<Option<String>> = LazyLock::new(open_at);

/// The name of a page, or, while the course is open in a browser, an address to click.
pub fn link(page: &str) -> String {
    match &*OPEN_AT {
        Some(course) if page.starts_with("docs/") => format!("{course}/{page}"),
        _ => page.into(),
    }
}

fn open_at() -> Option<String> {
    let address = env::var("COURSE_ADDRESS").unwrap_or(COURSE.into());
    let timeout = Duration::from_millis(200);
    let mut client = connect_within(address.parse::<SocketAddr>().ok()?, timeout).ok()?;
    let request = format!("HEAD / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let deadline = Instant::now() + timeout;
    let response = exchange(&mut client, request.as_bytes(), deadline, Duration::ZERO);
    let is_course = response.field("server") == Some("classroom-course");
    is_course.then(|| format!("http://{}", address.replace("127.0.0.1", "localhost")))
}
