//! Heads that are not HTTP. The judge and the tests of step 5 share them.

/// Heads that break the same rule.
pub struct Kind {
    /// What a server does with them.
    pub name: &'static str,
    /// The rule, as a beginner needs it.
    pub rule: &'static str,
    /// A server rejects these.
    pub heads: &'static [Head],
    /// A server should reject these, and may make sense of them all the same, as well-known servers do.
    pub repairable: &'static [Head],
}

/// What is wrong, and the head up to its blank line (RFC 9112, RFC 9110).
pub type Head = (&'static str, &'static [u8]);

/// All of them.
pub const MALFORMED: &[Kind] = &[
    Kind {
        name: "a malformed request line is rejected",
        rule: "The first line is a method, a path and a version, with one space between them: \
               GET / HTTP/1.1. The version is in capital letters, and a method has letters, digits and \
               !#$%&'*+-.^_`|~.",
        heads: &[
            ("four parts instead of three", b"GET / / HTTP/1.1\r\nHost: a"),
            ("a version in lowercase", b"GET / http/1.1\r\nHost: a"),
            ("a version of three numbers", b"GET / HTTP/1.1.1\r\nHost: a"),
            ("an @ in the method", b"G@T / HTTP/1.1\r\nHost: a"),
            ("OPTIONS without a target", b"OPTIONS  HTTP/1.1\r\nHost: a"),
        ],
        repairable: &[],
    },
    Kind {
        name: "a malformed path is rejected",
        rule: "What a client asks for begins with a slash, or with http:// and the name of a \
               host, and holds only printable ASCII characters.",
        heads: &[
            ("no slash at the start", b"GET index.html HTTP/1.1\r\nHost: a"),
            ("a control character", b"GET /\x1b HTTP/1.1\r\nHost: a"),
            ("OPTIONS with neither a path nor *", b"OPTIONS all HTTP/1.1\r\nHost: a"),
            ("no host after http://", b"GET http:// HTTP/1.1\r\nHost: a"),
            ("no host between http:// and the path", b"GET http:///x HTTP/1.1\r\nHost: a"),
            ("a port and no host", b"GET http://:80/ HTTP/1.1\r\nHost: a"),
            ("a user and no host", b"GET http://user@/ HTTP/1.1\r\nHost: a"),
            ("an empty user and no host", b"GET http://@/ HTTP/1.1\r\nHost: a"),
        ],
        repairable: &[
            ("a byte that is not ASCII", b"GET /\xff HTTP/1.1\r\nHost: a"),
            ("only OPTIONS may ask for *", b"GET * HTTP/1.1\r\nHost: a"),
        ],
    },
    Kind {
        name: "a missing, second or malformed Host is rejected",
        rule: "Host names the site that the client wants: once in each request of HTTP/1.1, a \
               name or an address, and after a colon the number of the port.",
        heads: &[
            ("no Host", b"GET / HTTP/1.1\r\nAccept: */*"),
            ("two of them", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a"),
            ("two of them, in HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nhost: b"),
            ("a slash and a space", b"GET / HTTP/1.1\r\nHost: a/b c"),
            ("a port that is no number", b"GET / HTTP/1.1\r\nHost: a:abc"),
            ("two ports", b"GET / HTTP/1.1\r\nHost: a:80:90"),
            ("a bracket that is never closed", b"GET / HTTP/1.1\r\nHost: [::1"),
            ("an IPv6 address without brackets", b"GET / HTTP/1.1\r\nHost: ::1"),
            ("a percent sign without two digits", b"GET / HTTP/1.1\r\nHost: %4z"),
            ("brackets the wrong way around", b"GET / HTTP/1.1\r\nHost: ]["),
        ],
        repairable: &[],
    },
    Kind {
        name: "a malformed header field is rejected",
        rule: "Each line after the first is a name, a colon right after it, and a value. A name \
               has letters, digits and !#$%&'*+-.^_`|~: no space, bracket or @.",
        heads: &[("a space before the colon", b"GET / HTTP/1.1\r\nHost : a")],
        repairable: &[
            ("no colon", b"GET / HTTP/1.1\r\nHost: a\r\nAccept"),
            ("no name", b"GET / HTTP/1.1\r\nHost: a\r\n: value"),
            ("brackets in the name", b"GET / HTTP/1.1\r\nHost: a\r\nX(Y): z"),
        ],
    },
    Kind {
        name: "a body whose length is unclear is rejected",
        rule: "Content-Length is one number in the digits 0 to 9, and Transfer-Encoding ends \
               with chunked, in any request. A server that guesses takes the body for the next request.",
        heads: &[
            ("chunked is missing", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip"),
            ("a word like chunked", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: notchunked"),
            ("a strange space", b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \xc2\xa0chunked"),
            (
                "chunked is missing, with GET",
                b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip",
            ),
            ("an empty length", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length:"),
            ("an Arabic digit", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: \xd9\xa3"),
            ("a length with a sign", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1"),
            ("two lengths", b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2"),
            (
                "two lengths, with GET",
                b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2",
            ),
        ],
        repairable: &[],
    },
];

/// The complete head. A server that repairs it closes the connection after its response.
pub fn head(lines: &[u8]) -> Vec<u8> {
    [lines, b"\r\nConnection: close\r\n\r\n"].concat()
}
