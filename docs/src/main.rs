//! The course in a browser: a site on the server that the course builds. It shows the pages and
//! the code as they are on disk now.

use percent_encoding::percent_decode_str;
use std::path::Path;
use std::time::UNIX_EPOCH;
use std::{env, fs, io};
use step1_socket::{log, terminal};
use step3_listen::listen;
use step5_respond::{BACKLOG, request::Request, response::Response, serve};

mod files;
mod page;

fn main() {
    if env::args().any(|argument| argument == "-h" || argument == "--help") {
        println!("Usage: cargo run -p docs -- [--brief] [HOST:PORT]");
        println!(
            "Shows the course in a browser. Without an address: 127.0.0.1:8000, this machine only."
        );
        println!("For a class, which opens this machine's address: 0.0.0.0:8000");
        return;
    }
    let argument = terminal::arguments(1).pop();
    let address = terminal::addresses(argument.as_deref().unwrap_or("127.0.0.1:8000"))[0];
    if let Err(error) = fs::metadata(files::on_disk("README.md")) {
        terminal::fail("find the course where this program was built", &error);
    }
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));
    let port = listener.local_addr().ok().and_then(|it| it.as_socket()).unwrap_or(address).port();
    log!("Open http://localhost:{port} in a browser");

    serve(&listener, course)
}

/// The site. A path is that of a file in the repository, and `/` is README.md.
fn course(request: &Request) -> Response {
    let path = percent_decode_str(&request.path).decode_utf8_lossy();
    let path = match path.trim_matches('/') {
        "" => "README.md",
        path => path,
    };
    // The path is only compared with those that are shown. What is not one of them is not looked
    // for on the disk, so no path leads out.
    let found = if files::shown().contains(path) {
        show(path)
    } else {
        Err(io::ErrorKind::NotFound.into())
    };
    let mut response = found.unwrap_or_else(|_| {
        let text = "# There is no page here\n\nNo page of the course links to this path. [Begin at the start](README.md).";
        html("404 Not Found", &page::from_markdown("", text))
    });
    // By this field the judge knows that its links can be opened here.
    response.fields.push(("Server", "classroom-course".into()));
    response
}

fn show(path: &str) -> io::Result<Response> {
    let file = files::on_disk(path);
    if file.is_dir() {
        return Ok(html("200 OK", &page::from_folder(path, &files::entries(path))));
    }
    let bytes = fs::read(&file)?;
    if let Some(kind) = picture(&file) {
        let mut response = Response::new("200 OK", kind, bytes);
        // A page names a picture with the time of its last change, so a changed one is fetched.
        response.fields.push(("Cache-Control", "max-age=31536000, immutable".into()));
        return Ok(response);
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) if files::is_page(path) => html("200 OK", &page::from_markdown(path, &text)),
        Ok(text) => html("200 OK", &page::from_code(path, &text)),
        Err(error) => Response::new("200 OK", "application/octet-stream", error.into_bytes()),
    })
}

fn html(status: &'static str, page: &str) -> Response {
    let mut response = Response::new(status, "text/html; charset=utf-8", page);
    response.fields.push(("Cache-Control", "no-cache".into()));
    response
}

fn picture(file: &Path) -> Option<&'static str> {
    match file.extension()?.to_str()? {
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "ico" => Some("image/x-icon"),
        _ => None,
    }
}

/// When a file was changed, in seconds since 1970.
fn changed(path: &str) -> u64 {
    let time = fs::metadata(files::on_disk(path)).and_then(|file| file.modified());
    time.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_secs())
}
