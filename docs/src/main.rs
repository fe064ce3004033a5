//! The course in a browser: a site on the server that the course builds. It shows the pages and
//! the code as they are on disk now.

use colored::Colorize;
use indoc::indoc;
use percent_encoding::percent_decode_str;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::{env, fs, io, process};
use step1_socket::{log, terminal};
use step3_listen::listen;
use step5_respond::{BACKLOG, request::Request, response::Response, serve};

mod files;
mod page;

const USAGE: &str = indoc! {"
    Usage: cargo run -p docs -- [--brief] [HOST:PORT]
    Shows the course in a browser.
      127.0.0.1:8000    this machine only; used if you pass nothing
      0.0.0.0:8000      every network that this machine is on, for a class
"};

const NOT_FOUND: &str = indoc! {"
    # There is no page here

    No page of the course links to this path. [Begin at the start](README.md).
"};

fn main() {
    if env::args_os().any(|argument| argument == "-h" || argument == "--help") {
        print!("{USAGE}");
        return;
    }
    if let Err(error) = fs::metadata(files::on_disk("README.md")) {
        let line = format!("Cannot find the course: {error}. Is its folder still where it was?");
        eprintln!("{}", line.red());
        process::exit(1);
    }
    let arguments = terminal::arguments(usize::MAX);
    let address = match &arguments[..] {
        [] => SocketAddr::from(([127, 0, 0, 1], 8000)),
        [argument] if argument.to_socket_addrs().is_ok() => terminal::addresses(argument)[0],
        _ => {
            let line = format!("'{}' is not HOST:PORT.", arguments.join(" "));
            eprint!("{}\n{USAGE}", line.red());
            process::exit(2);
        }
    };
    let listener = listen(address, BACKLOG)
        .unwrap_or_else(|error| terminal::fail(&format!("listen on {address}"), &error));
    let address = listener.local_addr().ok().and_then(|it| it.as_socket()).unwrap_or(address);
    let (ip, port) = (address.ip(), address.port());
    if ip.is_loopback() || ip.is_unspecified() {
        log!("Open http://localhost:{port} in a browser");
    } else {
        log!("Open http://{address} in a browser");
    }
    if let (true, Ok(ip)) = (ip.is_unspecified(), address_in_network()) {
        log!("Other machines in your network open http://{ip}:{port}");
    }

    serve(&listener, course)
}

/// The address that the system would send from. Nothing is sent here, and nobody is at 192.0.2.1.
fn address_in_network() -> io::Result<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect("192.0.2.1:9")?;
    Ok(socket.local_addr()?.ip())
}

/// The site. A path is that of a file in the repository, and `/` is README.md.
fn course(request: &Request) -> Response {
    let path = percent_decode_str(&request.path).decode_utf8_lossy();
    let path = match path.trim_matches('/') {
        "" => "README.md",
        path => path,
    };
    // The path is only compared with those that are shown. The disk is not asked for any other, so
    // no path leads out.
    let found = if files::shown().contains(path) {
        show(path)
    } else {
        Err(io::ErrorKind::NotFound.into())
    };
    let mut response =
        found.unwrap_or_else(|_| html("404 Not Found", &page::from_markdown("", NOT_FOUND)));
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
    if let Some(kind) = picture(path) {
        let mut response = Response::new("200 OK", kind, bytes);
        // A link to a picture has the time of its last change in it, so a changed one is fetched.
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

/// The type of a picture. `None` if it is not a picture.
fn picture(path: &str) -> Option<&'static str> {
    match Path::new(path).extension()?.to_str()? {
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "ico" => Some("image/x-icon"),
        _ => None,
    }
}
