//! Reads the head of a request. The rules and their sections are those of RFC 9112.

/// The parts of a request that decide the response.
#[derive(Debug)]
pub struct Request {
    /// What the client wants done, such as `GET`.
    pub method: String,
    /// What it wants it done to, without the `?query`, such as `/`.
    pub path: String,
    /// Whether the head announces a body.
    pub has_body: bool,
}

impl Request {
    /// Reads a head. Returns `None` where a server has to reject it.
    #[must_use]
    pub fn parse(head: &[u8]) -> Option<Request> {
        // Values of header fields may hold bytes that are not UTF-8. They become `�` here.
        let head = String::from_utf8_lossy(head);
        // A line ends with CRLF or LF. Blank lines ahead of the first do not count (section 2.2).
        let mut lines = head.lines().filter(|line| !line.is_empty());

        // Three parts with one space between them (section 3).
        let parts: Vec<&str> = lines.next()?.split(' ').collect();
        let [method, target, version @ ("HTTP/1.0" | "HTTP/1.1")] = parts[..] else {
            return None;
        };
        let path = path_of(target);
        // Two methods have targets without a path (section 3.2).
        let has_target = match method {
            "OPTIONS" if target == "*" => true,
            "CONNECT" => !target.is_empty() && is_host(target),
            _ => path.starts_with('/'),
        };

        let (mut host, mut length, mut has_encoding) = (None, None, false);
        for line in lines {
            let (name, value) = parse_field(line)?;
            match name.as_str() {
                "host" if host.is_none() => host = Some(value),
                "content-length" if length.is_none() => length = Some(value),
                // A second one (sections 3.2 and 6.3).
                "host" | "content-length" => return None,
                // The end of such a body can't be found (section 6.3).
                "transfer-encoding" if !is_chunked(value) => return None,
                "transfer-encoding" => has_encoding = true,
                _ => {}
            }
        }

        let is_valid = is_token(method)
            && has_target
            && target.chars().all(|c| c.is_ascii_graphic())
            // Only HTTP/1.0 may do without a Host (section 3.2).
            && host.map_or(version == "HTTP/1.0", is_host)
            && length.is_none_or(is_number);
        let has_body = has_encoding || length.is_some_and(|length| length != "0");
        is_valid.then(|| Request { method: method.to_string(), path: path.to_string(), has_body })
    }
}

/// The path in `/path?query` or `http://host/path?query`.
fn path_of(target: &str) -> &str {
    let (path, _query) = target.split_once('?').unwrap_or((target, ""));
    match path.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => match rest.find('/') {
            Some(0) => path, // There is no host, so this is no target.
            Some(slash) => &rest[slash..],
            // `http://host` alone asks for `/` (RFC 9110 section 4.2.3).
            None if !rest.is_empty() => "/",
            None => path,
        },
        _ => path,
    }
}

/// Takes `name: value` apart. No space stands ahead of the colon (section 5.1), and no control
/// character but a tab in the value (RFC 9110 section 5.5).
fn parse_field(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_text = value.chars().all(|c| c == '\t' || !c.is_ascii_control());
    (is_token(name) && is_text).then(|| (name.to_lowercase(), value.trim_matches([' ', '\t'])))
}

/// Methods and names of header fields are tokens (RFC 9110 section 5.6.2).
fn is_token(text: &str) -> bool {
    let in_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(in_token)
}

/// A host with its port has no other characters than these (RFC 3986 section 3.2.2).
fn is_host(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%!$&'()*+,;=:[]".contains(c))
}

/// The last of the encodings says where the body ends.
fn is_chunked(encodings: &str) -> bool {
    encodings.split(',').next_back().is_some_and(|last| last.trim().eq_ignore_ascii_case("chunked"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}
