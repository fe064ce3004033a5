//! Reads the head of a request. The rules and their sections are those of RFC 9112.

/// The two parts of a request that decide the response.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// What the client wants done, such as `GET`.
    pub method: String,
    /// What it wants it done to, without the `?query`, such as `/`.
    pub path: String,
}

impl Request {
    /// Reads a head. Returns `None` where a server has to reject it.
    #[must_use]
    pub fn parse(head: &[u8]) -> Option<Request> {
        // Values of header fields may hold bytes that are not UTF-8. They become `�` here.
        let head = String::from_utf8_lossy(head);
        // LF ends a line. A CR ahead of it belongs to the line's end (section 2.2).
        let mut lines = head.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        // Blank lines ahead of the request line do not count (section 2.2).
        let request_line = lines.find(|line| !line.is_empty())?;
        let fields = lines.take_while(|line| !line.is_empty()).map(parse_field);
        let fields = fields.collect::<Option<Vec<_>>>()?;
        let values = |name| -> Vec<&str> {
            fields.iter().filter(|field| field.0 == name).map(|field| field.1).collect()
        };

        // Three parts with one space between them (section 3).
        let parts: Vec<&str> = request_line.split(' ').collect();
        let [method, target, version @ ("HTTP/1.0" | "HTTP/1.1")] = parts[..] else {
            return None;
        };
        let path = path_of(target);
        // Only OPTIONS and CONNECT have targets without a path: `*` and `host:port` (section 3.2).
        let has_path = path.starts_with('/') || matches!(method, "OPTIONS" | "CONNECT");
        // One Host. Only HTTP/1.0 may do without (section 3.2).
        let hosts = values("host");
        let has_host = hosts.len() == 1 || (hosts.is_empty() && version == "HTTP/1.0");
        // At most one length, and it is a number (section 6.3).
        let lengths = values("content-length");

        let is_valid = is_token(method)
            && has_path
            && target.chars().all(|c| c.is_ascii_graphic())
            && has_host
            && hosts.iter().all(|host| is_host(host))
            && lengths.len() <= 1
            && lengths.iter().all(|length| is_number(length));
        is_valid.then(|| Request { method: method.to_string(), path: path.to_string() })
    }
}

/// The path in `/path?query` or `http://host/path?query`.
fn path_of(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or(target);
    match path.split_once("://") {
        // `http://host` alone asks for `/` (RFC 9110 section 4.2.3).
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
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

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}
