//! Heads that a server has to reject. The checker and the tests share them.

/// What kind of fault it is, what is wrong, and the head (RFC 9112).
pub const MALFORMED: &[(&str, &str, &[u8])] = &[
    ("a malformed request line", "no target and no version", b"GET\r\nHost: a\r\n\r\n"),
    ("a malformed request line", "no version", b"GET /\r\nHost: a\r\n\r\n"),
    ("a malformed request line", "four parts", b"GET / / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a malformed request line", "two spaces", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a malformed request line", "a tab for a space", b"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a malformed request line", "a space at the end", b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    ("a malformed request line", "a space at the start", b" GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "a malformed request line",
        "a version that is not served",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    ),
    (
        "a malformed request line",
        "a version in small letters",
        b"GET / http/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "a malformed request line",
        "a version of three parts",
        b"GET / HTTP/1.1.1\r\nHost: a\r\n\r\n",
    ),
    ("a malformed request line", "a method that is no token", b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "a malformed request line",
        "OPTIONS with two spaces",
        b"OPTIONS  HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "a malformed request line",
        "CONNECT with two spaces",
        b"CONNECT  HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    ("a malformed request line", "a line of one space ahead", b" \r\n\r\n"),
    ("a malformed request line", "a line of a bare CR ahead", b"\r\r\n\r\n"),
    (
        "a malformed target",
        "a target that is no path",
        b"GET index.html HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "a malformed target",
        "a target with a control character",
        b"GET /\x1b HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    ("a malformed target", "a target that is not ASCII", b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a malformed target", "CONNECT to a path", b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "a malformed target",
        "a target of OPTIONS that is none",
        b"OPTIONS all HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    ("a malformed target", "a target for OPTIONS only", b"GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a malformed target", "another scheme", b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a malformed target", "a scheme without a host", b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "a malformed target",
        "a scheme and a path without a host",
        b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "a missing, second or malformed Host",
        "no Host in HTTP/1.1",
        b"GET / HTTP/1.1\r\nAccept: */*\r\n\r\n",
    ),
    (
        "a missing, second or malformed Host",
        "two Hosts",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    ),
    (
        "a missing, second or malformed Host",
        "two Hosts in HTTP/1.0",
        b"GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n",
    ),
    (
        "a missing, second or malformed Host",
        "a Host that is none",
        b"GET / HTTP/1.1\r\nHost: a/b c\r\n\r\n",
    ),
    (
        "a malformed header field",
        "a field without a colon",
        b"GET / HTTP/1.1\r\nHost: a\r\nAccept\r\n\r\n",
    ),
    (
        "a malformed header field",
        "a field without a name",
        b"GET / HTTP/1.1\r\nHost: a\r\n: value\r\n\r\n",
    ),
    (
        "a malformed header field",
        "a space ahead of the colon",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    ),
    (
        "a malformed header field",
        "a name that is no token",
        b"GET / HTTP/1.1\r\nHost: a\r\nX(Y): z\r\n\r\n",
    ),
    (
        "a malformed header field",
        "a folded line",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
    ),
    (
        "a control character in the head",
        "a control character",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    ),
    (
        "a control character in the head",
        "a delete character",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n",
    ),
    (
        "a control character in the head",
        "a bare CR in a value",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: z\r\n\r\n",
    ),
    (
        "a control character in the head",
        "a bare CR at a line's end",
        b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
    ),
    (
        "a body whose length is unclear",
        "a body without an end",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ),
    (
        "a body whose length is unclear",
        "a body in an unknown encoding",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: notchunked\r\n\r\n",
    ),
    (
        "a body whose length is unclear",
        "an empty length",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
    ),
    (
        "a body whose length is unclear",
        "a length in other digits",
        "GET / HTTP/1.0\r\nContent-Length: ٣\r\n\r\n".as_bytes(),
    ),
    (
        "a body whose length is unclear",
        "two lengths in one",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
    ),
    (
        "a body whose length is unclear",
        "a length that is no number",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
    ),
    (
        "a body whose length is unclear",
        "two lengths",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ),
];
