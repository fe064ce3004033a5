//! Reads the head of a request. Where no other is named, the rules are those of RFC 9112.

use std::net::Ipv6Addr;

/// A request, as its head says it.
#[derive(Debug)]
pub struct Request {
    /// What the client wants done, such as `GET`.
    pub method: String,
    /// What it wants it done to, without the `?query`, such as `/`.
    pub path: String,
    /// `HTTP/1.0` or `HTTP/1.1`.
    pub version: String,
    /// The header fields: their names in lowercase, and their values.
    pub fields: Vec<(String, String)>,
}

impl Request {
    /// Reads a head. What breaks a rule is rejected, even where a server may repair it.
    ///
    /// # Errors
    /// What is wrong, in plain words.
    pub fn parse(head: &[u8]) -> Result<Request, &'static str> {
        // Values of header fields may hold bytes that are not UTF-8. They become `�` here.
        let head = String::from_utf8_lossy(head);
        // A line ends with CRLF or LF. Blank lines before and after the head do not count.
        let mut lines = head.lines().filter(|line| !line.is_empty());
        let parts: Vec<_> = lines.next().unwrap_or_default().split(' ').collect();
        let [method, target, version] = parts[..] else {
            return Err("the first line needs a method, a path and a version, one space apart");
        };
        let fields = lines.map(parse_field).collect::<Result<Vec<_>, _>>()?;
        let [method, path, version] = [method, path_of(target), version].map(str::to_string);
        let request = Request { method, path, version, fields };
        request.keep_rules(target)?;
        Ok(request)
    }

    /// The values of all header fields with this name, which is in lowercase.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|field| field.0 == name).map(|field| &*field.1).collect()
    }

    fn keep_rules(&self, target: &str) -> Result<(), &'static str> {
        // Two methods have targets without a path (section 3.2).
        let has_path = match &*self.method {
            "OPTIONS" if target == "*" => true,
            "CONNECT" => !target.is_empty() && is_host(target),
            _ => self.path.starts_with('/'),
        };
        let is_visible = target.chars().all(|c| c.is_ascii_graphic());
        let is_number = |text: &&str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let is_http_1_0 = self.version == "HTTP/1.0";
        let (hosts, lengths) = (self.values("host"), self.values("content-length"));
        // An empty name in this list does not count (RFC 9110 section 5.6.1.2).
        let encodings = self.values("transfer-encoding");
        let mut names = encodings.iter().flat_map(|value| value.split(',')).map(str::trim_ascii);
        let last = names.rfind(|name| !name.is_empty()).unwrap_or_default();
        let is_chunked = encodings.is_empty() || last.eq_ignore_ascii_case("chunked");
        let rules = [
            (is_token(&self.method), "the method has a character that no method has"),
            (has_path, "the path needs to begin with /, or with http:// and a valid host"),
            (is_visible, "the path has a character that is not visible ASCII"),
            (is_http_1_0 || self.version == "HTTP/1.1", "the version is not HTTP/1.1 or HTTP/1.0"),
            (is_http_1_0 || !hosts.is_empty(), "HTTP/1.1 needs a Host field"), // section 3.2
            (hosts.len() < 2, "there is more than one Host field"),
            (hosts.iter().all(|host| is_host(host)), "the Host field has no valid host"),
            // Otherwise the end of a body can't be found (section 6.3).
            (lengths.len() < 2, "there is more than one Content-Length"),
            (lengths.iter().all(is_number), "Content-Length is not a number"),
            (is_chunked, "the last Transfer-Encoding is not chunked"),
        ];
        rules.iter().find(|(is_kept, _)| !is_kept).map_or(Ok(()), |(_, words)| Err(*words))
    }
}

/// Splits `Name: value`. No space stands before the colon (section 5.1), and no control character
/// but a tab in the value (RFC 9110 section 5.5). White space around the value does not count.
fn parse_field(line: &str) -> Result<(String, String), &'static str> {
    let (name, value) = line.split_once(':').ok_or("a header field needs a colon")?;
    let is_text = value.chars().all(|c| c == '\t' || !c.is_ascii_control());
    match (is_token(name), is_text) {
        (false, _) => Err("the name of a header field has a space or another wrong character"),
        (true, false) => Err("a header field has a control character"),
        (true, true) => Ok((name.to_lowercase(), value.trim_ascii().to_string())),
    }
}

/// The path in `/path?query` or `http://host/path?query`. What is neither stays as it is.
fn path_of(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = path.split_once("://") else { return path };
    // A URL needs a host (RFC 9110 section 4.2.1). Without a path it means / (section 4.2.3).
    let (host, path_in_url) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let is_url = scheme.eq_ignore_ascii_case("http") && !host.is_empty() && is_host(host);
    if is_url { path_in_url } else { path }
}

/// Methods and names of header fields are tokens (RFC 9110 section 5.6.2).
fn is_token(text: &str) -> bool {
    let in_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(in_token)
}

/// A host and, after a colon, its port (RFC 3986 sections 3.2.2 and 3.2.3).
fn is_host(text: &str) -> bool {
    // The port is a number, or empty.
    let without_number = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let host = without_number.strip_suffix(':').unwrap_or(text);
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let in_name = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=%".contains(c);
    // After a percent sign come two digits that stand for one byte.
    let is_byte = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    let is_name = host.chars().all(in_name) && host.split('%').skip(1).all(is_byte);
    is_name && !text.starts_with(':')
}
