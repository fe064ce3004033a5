//! Reads the head of a request. Unless another one is named, the rules are those of
//! [RFC 9112](https://www.rfc-editor.org/rfc/rfc9112).

use std::net::Ipv6Addr;

/// A request, as its head says it.
#[derive(Debug)]
pub struct Request {
    /// What the client wants done, such as `GET`.
    pub method: String,
    /// What it wants it done to, without the `?query`, such as `/`.
    pub path: String,
    /// `HTTP/1.1`, or another version that begins with `HTTP/1.`
    pub version: String,
    /// The header fields: their names in lowercase, and their values.
    pub fields: Vec<(String, String)>,
}

impl Request {
    /// Reads a head. One that breaks a rule is rejected, so that nobody can understand it in
    /// another way than this server does. One thing is taken although no rule allows it: some
    /// characters in a path, such as `"` and `|`, and a `%` without two digits. Browsers send them.
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
            return Err("it is not METHOD /path VERSION");
        };
        let fields = lines.map(parse_field).collect::<Result<Vec<_>, _>>()?;
        let [method, path, version] = [method, path_of(target), version].map(str::to_string);
        let request = Request { method, path, version, fields };
        request.check_first_line(target)?;
        request.check_host()?;
        request.check_length()?;
        Ok(request)
    }

    /// The values of all header fields with this name, which is in lowercase.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|field| field.0 == name).map(|field| &*field.1).collect()
    }

    fn check_first_line(&self, target: &str) -> Result<(), &'static str> {
        ensure(is_token(&self.method), "the method has a wrong character")?;

        // Two methods have targets without a path (section 3.2).
        let has_path = match &*self.method {
            "OPTIONS" if target == "*" => true,
            "CONNECT" => !target.is_empty() && is_host(target),
            _ => self.path.starts_with('/'),
        };
        ensure(has_path, "the path does not begin with /")?;
        ensure(target.chars().all(|c| c.is_ascii_graphic()), "the path is not visible ASCII")?;
        // What follows a # in an address is for the browser. It keeps that to itself.
        ensure(!target.contains('#'), "the path has a # in it")?;

        // A server of HTTP/1.1 understands all that begin with 1 (RFC 9110 section 2.5).
        let minor = self.version.strip_prefix("HTTP/1.").unwrap_or_default();
        let is_digit = minor.len() == 1 && is_number(minor);
        ensure(is_digit, "the version is not HTTP/1.1")
    }

    fn check_host(&self) -> Result<(), &'static str> {
        let hosts = self.values("host");
        let needs_host = self.version != "HTTP/1.0"; // Section 3.2.
        ensure(!needs_host || !hosts.is_empty(), "HTTP/1.1 needs a Host field")?;
        ensure(hosts.len() < 2, "there is more than one Host field")?;
        ensure(hosts.iter().all(|host| is_host(host)), "the Host field has no valid host")
    }

    /// Without a rule for its length, nobody knows where a body ends (section 6.3).
    fn check_length(&self) -> Result<(), &'static str> {
        let lengths = self.values("content-length");
        ensure(lengths.len() < 2, "Content-Length comes twice")?;
        ensure(lengths.iter().all(|length| is_number(length)), "Content-Length is not a number")?;

        let encodings = self.values("transfer-encoding").join(",").to_lowercase();
        // An empty name in this list does not count (RFC 9110 section 5.6.1.2).
        let names = encodings.split(',').map(str::trim_ascii).filter(|name| !name.is_empty());
        let names: Vec<_> = names.collect();
        let is_encoded = !self.values("transfer-encoding").is_empty();
        ensure(
            !is_encoded || names.last() == Some(&"chunked"),
            "the last encoding is not chunked",
        )?;
        // Section 6.1.
        let times = names.iter().filter(|name| **name == "chunked").count();
        ensure(times < 2, "the body is chunked twice")
    }
}

/// A rule, as it is read aloud: ensure that something is so, or else say what is wrong.
fn ensure(is_so: bool, what_is_wrong: &'static str) -> Result<(), &'static str> {
    if is_so { Ok(()) } else { Err(what_is_wrong) }
}

/// Splits `Name: value`. No space stands before the colon (section 5.1), and no control character
/// but a tab in the value (RFC 9110 section 5.5). White space around the value does not count.
fn parse_field(line: &str) -> Result<(String, String), &'static str> {
    let (name, value) = line.split_once(':').ok_or("a header field needs a colon")?;
    ensure(is_token(name), "a field's name has a wrong character")?;
    let is_text = value.chars().all(|c| c == '\t' || !c.is_ascii_control());
    ensure(is_text, "a field has a control character")?;
    Ok((name.to_lowercase(), value.trim_ascii().to_string()))
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

/// Methods and names of header fields are tokens (RFC 9110 section 5.6.2):
///
/// ```text
/// token = 1*tchar
/// tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~"
///       / DIGIT / ALPHA
/// ```
fn is_token(text: &str) -> bool {
    let in_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(in_token)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// A host and, after a colon, its port (RFC 9110 section 7.2, RFC 3986 section 3.2.2):
///
/// ```text
/// Host     = uri-host [ ":" port ]
/// uri-host = "[" IPv6address "]" / *( unreserved / pct-encoded / sub-delims )
/// port     = *DIGIT
/// ```
fn is_host(text: &str) -> bool {
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
