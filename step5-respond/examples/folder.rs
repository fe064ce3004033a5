//! Solution: a site that is made of the files of a folder, and of nothing outside of it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use step1_socket::terminal;
use step3_listen::listen;
use step5_respond::{BACKLOG, request::Request, response::Response, serve};

/// Seen from where the program is started.
const FOLDER: &str = "docs";

/// What a path gets that ends with a slash.
const START_PAGE: &str = "README.md";

fn main() {
    let address = terminal::address_argument();
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));

    serve(&listener, files)
}

fn files(request: &Request) -> Response {
    match read_file(&request.path) {
        Ok(response) => response,
        Err(_) => Response::sentence("404 Not Found", "There is no file at this path."),
    }
}

fn read_file(path: &str) -> io::Result<Response> {
    let start_page = if path.ends_with('/') { START_PAGE } else { "" };
    // Without the slashes at its beginning, the path can't be that of a file outside.
    let name = format!("{}{start_page}", path.trim_start_matches('/'));

    // This follows every `..` and every link, and says where the file really is.
    let folder = fs::canonicalize(FOLDER)?;
    let file = fs::canonicalize(folder.join(name))?;
    if !file.starts_with(&folder) || !file.is_file() {
        return Err(ErrorKind::NotFound.into());
    }
    Ok(Response::new("200 OK", content_type(&file), fs::read(&file)?))
}

fn content_type(file: &Path) -> &'static str {
    let ending = file.extension().and_then(|ending| ending.to_str());
    match ending {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("ico") => "image/x-icon",
        _ => "application/octet-stream", // Bytes of a kind that we do not know.
    }
}
