//! My own web server.

use socket2::{Domain, Socket, Type};
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::SocketAddrV6;
use std::path::Component;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

/// The folder that has the site.
const FOLDER: &str = "docs/example-site";

const HTML: &str = "text/html; charset=utf-8";

/// A status, the type of a document, and its bytes.
type Answer = (&'static str, &'static str, Vec<u8>);

fn main() -> std::io::Result<()> {
    let server = Socket::new(Domain::IPV4, Type::STREAM, None)?;

    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".into());
    let address: SocketAddr = address.parse().expect("an address such as 127.0.0.1:8080");
    #[cfg(unix)]
    server.set_reuse_address(true)?;
    server.bind(&address.into())?;

    server.listen(128)?;
    println!("Server is listening on http://{}", server.local_addr()?.as_socket().unwrap());

    loop {
        if let Err(error) = welcome(&server) {
            println!("Cannot serve a client: {error}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Accepts a client, and gives it a thread of its own.
fn welcome(server: &Socket) -> std::io::Result<()> {
    let (client, address) = server.accept()?;
    let address = address.as_socket().ok_or(std::io::ErrorKind::NotConnected)?;
    println!("Connection from {address} has been established!");

    std::thread::Builder::new().spawn(move || answer(client))?;
    Ok(())
}

/// Receives a request, and answers it. An error ends this client's thread, and no other.
fn answer(mut client: Socket) -> std::io::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(5);
    client.set_write_timeout(Some(Duration::from_secs(5)))?;

    let mut bytes = Vec::new();
    let mut request = String::new();
    while !request.contains("\n\n") {
        client.set_read_timeout(Some(time_left(deadline)?))?;
        let mut buffer = [0; 1024];
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        bytes.extend(&buffer[..count]);
        request = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        request = request.trim_start().to_string();
        if bytes.len() > 8192 {
            break;
        }
    }
    println!("Request received:\n{request}");

    let mut words = request.split([' ', '?', '\n']);
    let method = words.next().unwrap_or_default();
    let path = words.next().unwrap_or_default();
    let path = match path.strip_prefix("http://") {
        Some(url) => url.find('/').map_or("/", |slash| &url[slash..]),
        None => path,
    };
    let (status, kind, page) = match method {
        _ if !is_http(&request) => ("400 Bad Request", HTML, "<h1>This is not HTTP.</h1>".into()),
        "GET" | "HEAD" => find(path).unwrap_or_else(|error| no_page(&error)),
        _ => ("501 Not Implemented", HTML, "<h1>This server knows GET and HEAD.</h1>".into()),
    };

    let mut response = format!("HTTP/1.1 {status}\r\n");
    response += &format!("Content-Type: {kind}\r\n");
    response += &format!("Content-Length: {}\r\n", page.len());
    if status.starts_with("301") {
        response += &format!("Location: {path}/\r\n");
    }
    response += "Connection: close\r\n";
    response += "\r\n";
    client.write_all(response.as_bytes())?;
    if method != "HEAD" {
        client.write_all(&page)?;
    }

    client.shutdown(std::net::Shutdown::Write)?;
    loop {
        client.set_read_timeout(Some(time_left(deadline)?))?;
        let count = client.read(&mut [0; 1024])?;
        if count == 0 {
            return Ok(());
        }
    }
}

/// The file that a path names.
fn find(path: &str) -> std::io::Result<Answer> {
    let path = decode(path).ok_or(ErrorKind::NotFound)?;
    let mut name = path.replacen('/', "", 1);
    if name.is_empty() || name.ends_with('/') {
        name += "index.html";
    }
    if !stays_inside(&name) {
        return Err(ErrorKind::NotFound.into());
    }
    let file = format!("{FOLDER}/{name}");
    if !Path::new(&file).exists() || leads_out(&file)? {
        return Err(ErrorKind::NotFound.into());
    }
    if Path::new(&file).is_dir() {
        return Ok(("301 Moved Permanently", HTML, Vec::new()));
    }
    let bytes = std::fs::read(&file)?;
    Ok(("200 OK", type_of(&name), bytes))
}

/// What a client gets if there is no file for it.
fn no_page(error: &std::io::Error) -> Answer {
    println!("No page: {error}");
    match error.kind() {
        ErrorKind::NotFound => ("404 Not Found", HTML, "<h1>There is no such page.</h1>".into()),
        ErrorKind::PermissionDenied => ("403 Forbidden", HTML, "<h1>It is private.</h1>".into()),
        _ => ("500 Internal Server Error", HTML, "<h1>Please try again.</h1>".into()),
    }
}

/// What kind of document a file is, by the end of its name.
fn type_of(name: &str) -> &'static str {
    let ending = name.rsplit('.').next().unwrap_or_default().to_lowercase();
    match ending.as_str() {
        "html" => HTML,
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "pdf" => "application/pdf",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        _ => "application/octet-stream",
    }
}

/// The path with the bytes that `%20` and similar stand for.
fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether each part of a name is the name of a file or a folder: not `..`, not `C:`.
fn stays_inside(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Whether a link in the folder leads to a file outside of it.
fn leads_out(file: &str) -> std::io::Result<bool> {
    let place = std::fs::canonicalize(file)?;
    Ok(!place.starts_with(std::fs::canonicalize(FOLDER)?))
}

/// How much time is left until the deadline. Afterwards it is an error.
fn time_left(deadline: Instant) -> std::io::Result<Duration> {
    let left = deadline - Instant::now();
    if left < Duration::from_millis(1) {
        return Err(std::io::ErrorKind::TimedOut.into());
    }
    Ok(left)
}

/// Whether a request keeps the rules of HTTP (RFC 9112).
fn is_http(request: &str) -> bool {
    let Some((head, _)) = request.split_once("\n\n") else { return false };
    let mut lines = head.split('\n');

    // The first line: a method, a path or a URL, and a version, with one space between them.
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, version] = words[..] else { return false };
    let is_target = match target.strip_prefix("http://") {
        Some(url) => is_host(url.split(['/', '?']).next().unwrap_or_default()),
        None => target.starts_with('/') || target == "*",
    };
    if !is_name(method) || !is_target || !["HTTP/1.1", "HTTP/1.0"].contains(&version) {
        return false;
    }

    // All other lines: a name, a colon and a value.
    let mut names = Vec::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { return false };
        let name = name.to_ascii_lowercase();
        let value = value.trim_ascii();
        let is_right = match name.as_str() {
            "host" | "content-length" | "transfer-encoding" if names.contains(&name) => false,
            "host" => value.is_empty() || is_host(value),
            "content-length" => !value.is_empty() && is_number(value),
            "transfer-encoding" => value.eq_ignore_ascii_case("chunked"),
            _ => is_name(&name),
        };
        if !is_right {
            return false;
        }
        names.push(name);
    }
    version == "HTTP/1.0" || names.contains(&"host".to_string())
}

/// A method, or the name of a field.
fn is_name(text: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(is_good)
}

/// A name or an address, and maybe a colon and a port: localhost, localhost:8080, `[::1]:8080`.
fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, ""));
    let is_good = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_named = !name.is_empty() && name.chars().all(is_good) && is_number(port);

    let is_ipv6 = |text: &str| text.parse::<SocketAddrV6>().is_ok();
    is_named || is_ipv6(text) || is_ipv6(&format!("{text}:80"))
}

fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit())
}
