//! Solution: a site that is made of the files of a folder, and of nothing outside of it.

use percent_encoding::percent_decode_str;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Component, Path};
use step1_socket::{log, terminal};
use step3_listen::listen;
use step5_respond::{BACKLOG, request::Request, response::Response, serve};

/// Seen from where the program is started.
const FOLDER: &str = "docs";

/// The file for a path that ends with a slash.
const START_PAGE: &str = "README.md";

fn main() {
    let address = terminal::address_argument();
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));

    serve(&listener, files)
}

fn files(request: &Request) -> Response {
    let error = match read_file(request) {
        Ok(response) => return response,
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::NotFound => {
            Response::sentence("404 Not Found", "There is no file at this path.")
        }
        ErrorKind::PermissionDenied => {
            Response::sentence("403 Forbidden", "This file is not for everyone.")
        }
        // It is the server's fault, such as too many open files.
        _ => {
            log!("Cannot read a file: {error}");
            Response::sentence("500 Internal Server Error", "The file can't be read now.")
        }
    }
}

fn read_file(request: &Request) -> io::Result<Response> {
    let path = percent_decode_str(&request.path).decode_utf8_lossy();
    let mut name = path.replacen('/', "", 1);
    if path.ends_with('/') {
        name += START_PAGE;
    }
    // Before the disk is touched: `..` leads out, and on Windows so do `C:` and `\\other-machine`,
    // to which the system would even log in.
    if !Path::new(&name).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(ErrorKind::NotFound.into());
    }
    let folder = fs::canonicalize(FOLDER)?;
    let place = folder.join(name);
    if !place.is_file() && !place.is_dir() {
        return Err(ErrorKind::NotFound.into());
    }
    // A link in the folder may lead out too. canonicalize follows it, and says where the file is.
    if !fs::canonicalize(&place)?.starts_with(folder) {
        return Err(ErrorKind::NotFound.into());
    }
    if place.is_dir() {
        // From here the links on the folder's page would lead to the wrong place.
        let mut response = Response::sentence("301 Moved Permanently", "It is in this folder.");
        response.fields.push(("Location", format!("{}/", request.path)));
        return Ok(response);
    }

    let mut file = File::open(&place)?;
    let mut bytes = Vec::new();
    file.by_ref().take(1024).read_to_end(&mut bytes)?;
    let content_type = content_type(&place, &bytes);
    if request.method == "HEAD" {
        // The head says how long the file is, and nobody has to read it.
        let mut response = Response::new("200 OK", &content_type, "");
        response.fields.push(("Content-Length", file.metadata()?.len().to_string()));
        return Ok(response);
    }
    file.read_to_end(&mut bytes)?;
    Ok(Response::new("200 OK", &content_type, bytes))
}

/// By the ending of the file's name. Text that browsers would only save is sent as plain text.
fn content_type(file: &Path, beginning: &[u8]) -> String {
    let is_text = match std::str::from_utf8(beginning) {
        Ok(text) => !text.contains('\0'),
        // If a letter is cut at the end, the error has no length.
        Err(error) => error.error_len().is_none(),
    };
    let guess = mime_guess::from_path(file).first_or_octet_stream();
    match guess.essence_str() {
        kind @ ("text/html" | "text/css" | "text/javascript") => format!("{kind}; charset=utf-8"),
        kind if kind == "application/pdf" || kind.starts_with("image/") => kind.to_string(),
        _ if is_text => "text/plain; charset=utf-8".to_string(),
        kind => kind.to_string(),
    }
}
