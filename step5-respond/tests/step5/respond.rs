//! What a client sees of step 5 when it asks for something: every answer, byte for byte.

#[path = "../../../docs/observer/src/malformed.rs"]
#[allow(dead_code, reason = "the judge says the names and rules, this does not")]
mod malformed;

use malformed::{MALFORMED, head};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::LazyLock;
use step4_accept::MAX_HEAD;
use step5_respond::request::Request;
use step5_respond::response::Response as Answer;
use test_support::{
    Program, REQUEST, Response, ask, assert_log, connect, curl, has, head_of, log, read_response,
    send_no_more,
};

const STEP: &str = env!("CARGO_BIN_EXE_step5-respond");
const SENTENCE: &str = "Hello, World! This is a simple web server.";

fn start() -> (Program, SocketAddr) {
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    let address = program.listening();
    (program, address)
}

/// Asks a server that is started for this one question.
fn answer(request: impl AsRef<[u8]>) -> Response {
    let (_program, address) = start();
    ask(address, request.as_ref())
}

/// The sentence that a page says.
fn sentence_of(response: &Response) -> String {
    let page = response.text();
    let after = page.split("<h1>").nth(1).unwrap_or_else(|| panic!("no sentence: {page}"));
    after.split("</h1>").next().unwrap_or_default().to_string()
}

#[test]
fn the_log_begins_with_that_of_step_4_and_ends_with_the_response() {
    let (mut program, address) = start();
    let response = ask(address, REQUEST);
    let line = program.wait_for("[step5-respond]");
    assert_log(&program.lines().join("\n"), &log(5));
    let total = response.head.len() + response.body.len();
    assert!(line.ends_with(&format!(": 200 OK, {total} bytes")), "{line}");
}

#[test]
fn each_step_has_its_color_what_a_client_sent_is_dim_and_an_error_stands_out() {
    let mut command = std::process::Command::new(STEP);
    let mut program = Program::run(command.arg("127.0.0.1:0").env("CLICOLOR_FORCE", "1"));
    let line = program.wait_for("Server is listening on http://");
    let address = line.rsplit('/').next().unwrap().parse().unwrap();
    for path in ["/", "/nothing"] {
        assert!(
            !ask(address, format!("GET {path} HTTP/1.1\nHost: a\n\n").as_bytes()).body.is_empty()
        );
        program.wait_for_next("Response sent");
    }
    let log = program.lines().join("\n");
    // What stands before the tag of a line, and the step.
    let tags = program.lines().iter().filter_map(|line| line.split_once("[step"));
    let colors: BTreeSet<_> = tags.map(|(color, tag)| (color, &tag[..1])).collect();
    let steps: Vec<_> = colors.iter().map(|(_, step)| *step).collect();
    let different: BTreeSet<_> = colors.iter().map(|(color, _)| *color).collect();
    assert_eq!((steps.len(), different.len()), (5, 5), "a color for each step: {colors:?}");
    assert!(log.contains("\n\u{1b}[2m    Host: a\u{1b}[0m\n"), "{log}");
    assert!(log.contains(": 200 OK, "), "{log}");
    assert!(log.contains(": \u{1b}[1;31m404 Not Found\u{1b}[0m, "), "{log}");
}

#[test]
fn the_page_holds_the_sentence() {
    let response = answer(REQUEST);
    assert_eq!(response.status, 200);
    assert_eq!(sentence_of(&response), SENTENCE);
}

#[test]
fn the_first_page_has_its_path_in_every_form() {
    let (_program, address) = start();
    for target in [
        "/",
        "/?",
        "/?name=value&next=http://elsewhere/",
        "http://localhost/",
        "http://localhost",
        "http://localhost:8080/?query",
        "http://localhost?query",
        "HTTP://localhost/",
    ] {
        let response = ask(address, format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert_eq!(response.status, 200, "{target}");
    }
}

#[test]
fn another_path_gets_a_page_that_says_so() {
    let (_program, address) = start();
    for target in ["/favicon.ico", "//", "/index.html", "/%2e", "http://localhost/nothing"] {
        let response = ask(address, format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert_eq!(response.status, 404, "{target}");
        assert_eq!(sentence_of(&response), "There is no page at this path.");
    }
}

#[test]
fn head_gets_the_same_header_fields_and_no_page() {
    let (_program, address) = start();
    for path in ["/", "/nothing"] {
        let get = ask(address, format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        let head = ask(address, format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert_eq!(String::from_utf8(head.head), String::from_utf8(get.head));
        assert_eq!(head.body, b"");
    }
}

#[test]
fn after_head_no_error_has_a_page_either() {
    let (_program, address) = start();
    let long = String::from_utf8(head_of(MAX_HEAD + 1)).unwrap().replacen("GET", "HEAD", 1);
    for (request, status) in [
        ("HEAD / HTTP/1.1\r\n\r\n", 400),
        (&format!("HEAD /{} HTTP/1.1\r\n\r\n", "x".repeat(MAX_HEAD)), 414),
        (&long, 431),
        ("HEAD / HTTP/1.1\r\n", 408),
    ] {
        let response = ask(address, request.as_bytes());
        assert_eq!((response.status, response.body.len()), (status, 0));
    }
}

#[test]
fn a_refusal_says_why_on_the_page_and_in_the_log() {
    let (mut program, address) = start();
    for (request, logged) in [
        ("GET / HTTP/1.1\n\n", "400 Bad Request (HTTP/1.1 needs a Host field)"),
        ("hello\n\n", "400 Bad Request (it is not METHOD /path VERSION)"),
        ("BREW / HTTP/1.0\n\n", "501 Not Implemented (no such method is known here)"),
        ("POST / HTTP/1.0\n\n", "405 Method Not Allowed (only GET and HEAD are allowed)"),
    ] {
        let response = ask(address, request.as_bytes());
        let line = program.wait_for_next("Response sent");
        assert!(line.contains(&format!(": {logged}, ")), "{line}");
        let (_, reason) = logged.trim_end_matches(')').split_once('(').unwrap();
        assert_eq!(sentence_of(&response), format!("Your request was refused: {reason}."));
    }
}

#[test]
fn another_method_gets_405_and_the_ones_that_are_allowed() {
    let (_program, address) = start();
    for request_line in [
        "POST / HTTP/1.1",
        "PUT / HTTP/1.1",
        "DELETE /x HTTP/1.1",
        "PATCH /x HTTP/1.1",
        "TRACE / HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT a:443 HTTP/1.1",
    ] {
        let response = ask(address, format!("{request_line}\r\nHost: a\r\n\r\n").as_bytes());
        assert_eq!(response.status, 405, "{request_line}");
        assert_eq!(response.field("allow"), Some("GET, HEAD"));
    }
}

#[test]
fn a_method_that_nobody_knows_gets_501() {
    let (_program, address) = start();
    for method in ["BREW", "get", "GETS", "!"] {
        let request = format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(ask(address, request.as_bytes()).status, 501, "{method}");
    }
}

#[test]
fn http_1_0_needs_no_host() {
    assert_eq!(answer("GET / HTTP/1.0\r\n\r\n").status, 200);
}

#[test]
fn a_later_version_of_http_1_is_answered_as_1_1() {
    let response = answer("GET / HTTP/1.2\r\nHost: a\r\n\r\n");
    assert!(response.head.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!(answer("GET / HTTP/1.2\r\n\r\n").status, 400, "it needs a Host");
}

#[test]
fn lines_typed_by_hand_may_end_with_a_bare_newline() {
    assert_eq!(answer("GET / HTTP/1.1\nHost: localhost\n\n").status, 200);
    assert_eq!(answer("\r\n\nGET / HTTP/1.1\nHost: localhost\r\n\n").status, 200);
}

#[test]
fn what_is_unusual_but_allowed_is_served() {
    for request in [
        &b"GET / HTTP/1.1\r\nhOsT:localhost\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: \t localhost \t\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Bytes: caf\xe9 \xff\xfe\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Tab: one\ttwo\r\nX-Empty:\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09: odd but a token\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \t,, chunked , ,\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a%20b\r\n\r\n",
    ] {
        let shown = String::from_utf8_lossy(request);
        assert!(Request::parse(request).is_ok_and(|r| r.path == "/"), "{shown:?}");
    }
}

/// What a server may repair or serve instead. This one does not, and says what is wrong.
const REPAIRABLE: &[(&str, &[u8])] = &[
    // White space: RFC 9112 section 3. Versions: RFC 9110 section 2.5, and HTTP/0.9 has none.
    // CONNECT is for proxies, and other servers may close without a word.
    ("no path and no version", b"GET\r\nHost: a"),
    ("no version", b"GET /\r\nHost: a"),
    ("CONNECT without a target", b"CONNECT  HTTP/1.1\r\nHost: a"),
    ("two spaces", b"GET  / HTTP/1.1\r\nHost: a"),
    ("a tab for a space", b"GET\t/\tHTTP/1.1\r\nHost: a"),
    ("a space at the end", b"GET / HTTP/1.1 \r\nHost: a"),
    ("a space at the start", b" GET / HTTP/1.1\r\nHost: a"),
    ("a line of one space before", b" \r\nGET / HTTP/1.1\r\nHost: a"),
    ("a version that is not served", b"GET / HTTP/2.0\r\nHost: a"),
    // Whether a server serves other schemes is its own choice (RFC 9110 section 7.4).
    ("another scheme than http", b"GET ftp://a/ HTTP/1.1\r\nHost: a"),
    ("CONNECT asks for a host and a port", b"CONNECT / HTTP/1.1\r\nHost: a"),
    // RFC 9112 sections 2.2 and 5.2, RFC 9110 section 5.5.
    ("a line that goes on in the next", b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z"),
    ("a byte of 0", b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00"),
    ("a delete character", b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f"),
    ("a bare CR in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: y\rZ: z"),
    ("a bare CR at a line's end", b"GET / HTTP/1.1\r\r\nHost: a"),
    ("a line of a bare CR before", b"\r\r\nGET / HTTP/1.1\r\nHost: a"),
    // No host and no encoding are left out rather than sent (RFC 9110 sections 4.2.1 and 5.6.1).
    ("a port and no host", b"GET / HTTP/1.1\r\nHost: :80"),
    ("an empty list of encodings", b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:"),
    // RFC 9112 section 6.1.
    ("chunked twice", b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked"),
    (
        "chunked twice, in two fields",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTransfer-Encoding: chunked",
    ),
    // RFC 9112 section 3.2: no form of a target has one.
    ("a fragment", b"GET /#top HTTP/1.1\r\nHost: a"),
    // RFC 9110 section 8.6.
    ("the same length twice", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1"),
];

#[test]
fn a_malformed_head_gets_400() {
    let (_program, address) = start();
    let heads = MALFORMED.iter().flat_map(|kind| kind.heads).chain(REPAIRABLE);
    for (fault, lines) in heads {
        let response = ask(address, &head(lines));
        assert_eq!(response.status, 400, "{fault}");
        assert!(sentence_of(&response).starts_with("Your request was refused: "), "{fault}");
    }
}

#[test]
fn a_head_of_8_kib_is_served_and_one_byte_more_gets_431() {
    let (_program, address) = start();
    assert_eq!(ask(address, &head_of(MAX_HEAD)).status, 200);
    assert_eq!(ask(address, &head_of(MAX_HEAD + 1)).status, 431);
}

#[test]
fn a_first_line_of_more_than_8_kib_gets_414() {
    assert_eq!(answer(format!("GET /{} HTTP/1.1", "x".repeat(MAX_HEAD))).status, 414);
}

#[test]
fn the_431_arrives_complete_even_if_the_client_sends_much_more() {
    assert_eq!(answer(head_of(1024 * 1024)).status, 431);
}

#[test]
fn the_answer_to_a_body_that_nobody_wants_arrives_complete() {
    let length = 1024 * 1024;
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    let response = answer([head.into_bytes(), vec![b'x'; length]].concat());
    assert_eq!(response.status, 405);
    assert!(sentence_of(&response).contains("GET and HEAD"));
}

#[test]
fn the_page_arrives_complete_even_if_the_client_sends_what_it_did_not_announce() {
    let response = answer([REQUEST, &vec![b'x'; 1024 * 1024]].concat());
    assert_eq!(response.status, 200);
    assert_eq!(sentence_of(&response), SENTENCE);
}

#[test]
fn what_comes_after_the_request_is_drained() {
    let (_program, address) = start();
    for request in [REQUEST, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"] {
        let mut client = connect(address);
        client.write_all(request).unwrap();
        let response = read_response(&mut client);
        assert_eq!(response.status, if request == REQUEST { 200 } else { 405 });
        // The server still reads: a reset would have come back by the second write.
        for _ in 0..2 {
            client.write_all(b"body").expect("the server reads");
            client.set_read_timeout(Some(std::time::Duration::from_millis(100))).unwrap();
            assert_eq!(client.peek(&mut [0]).expect("no reset"), 0);
        }
    }
}

#[test]
fn a_request_cut_into_single_bytes_is_served() {
    let (_program, address) = start();
    let mut client = connect(address);
    client.set_nodelay(true).unwrap();
    for byte in REQUEST {
        client.write_all(&[*byte]).unwrap();
    }
    assert_eq!(read_response(&mut client).status, 200);
}

#[test]
fn a_client_that_closes_its_sending_half_after_the_request_is_served() {
    let (_program, address) = start();
    let mut client = connect(address);
    client.write_all(REQUEST).unwrap();
    send_no_more(&client);
    assert_eq!(read_response(&mut client).status, 200);
}

#[test]
fn a_client_of_ipv6_is_served_where_the_machine_has_ipv6() {
    let mut program = Program::start(STEP, &["[::1]:0"]);
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        assert_eq!(ask(program.listening(), REQUEST).status, 200);
    } else {
        assert_eq!(program.end().0.code(), Some(1));
    }
}

/// One request for each kind of answer, and the status line of that answer.
static ONE_OF_EACH: LazyLock<[(Vec<u8>, &str); 8]> = LazyLock::new(|| {
    [
        (REQUEST.to_vec(), "HTTP/1.1 200 OK\r\n"),
        (b"HEAD / HTTP/1.0\r\n\r\n".to_vec(), "HTTP/1.1 200 OK\r\n"),
        (b"GET /nothing HTTP/1.0\r\n\r\n".to_vec(), "HTTP/1.1 404 Not Found\r\n"),
        (b"POST / HTTP/1.0\r\n\r\n".to_vec(), "HTTP/1.1 405 Method Not Allowed\r\n"),
        (b"nonsense\r\n\r\n".to_vec(), "HTTP/1.1 400 Bad Request\r\n"),
        (vec![b'x'; MAX_HEAD + 1], "HTTP/1.1 414 URI Too Long\r\n"),
        (head_of(MAX_HEAD + 1), "HTTP/1.1 431 Request Header Fields Too Large\r\n"),
        (b"GET / HTTP/1.1\r\n".to_vec(), "HTTP/1.1 408 Request Timeout\r\n"),
    ]
});

#[test]
fn every_answer_has_its_status_line_and_its_header_fields() {
    let (_program, address) = start();
    for (request, status_line) in ONE_OF_EACH.iter() {
        let response = ask(address, request);
        let head = String::from_utf8_lossy(&response.head);
        assert!(head.starts_with(status_line), "{head}");
        assert_eq!(response.field("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(response.field("connection"), Some("close"));
        assert_eq!(response.field("allow").is_some(), response.status == 405);
        if !request.starts_with(b"HEAD") {
            let length = response.body.len().to_string();
            assert_eq!(response.field("content-length"), Some(length.as_str()));
        }
        let without_line_ends = head.replace("\r\n", "");
        assert!(!without_line_ends.contains(['\r', '\n']), "every line ends with CRLF: {head:?}");
    }
}

#[test]
fn curl_gets_the_page() {
    if !has("curl") {
        return;
    }
    let (_program, address) = start();
    assert_eq!(curl(address, 20), 0);
}

/// Numbers without an order, and the same ones in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

#[test]
fn nothing_is_taken_that_a_well_kept_parser_rejects() {
    let start = "GET /a?b HTTP/1.1\r\nHost: a:80\r\nX-Y: \tz\r\nContent-Length: 1\r\n\r\n";
    let pieces: &[&[u8]] = &[
        b" ",
        b"\t",
        b"\r",
        b"\n",
        b"\r\n",
        b":",
        b"\0",
        b"\x7f",
        b"\xff",
        b"/",
        b"@",
        b"(",
        b"1",
        b"HTTP/1.1",
        b"GET",
        b"Host",
        b",",
        b"\"",
        b"#",
        b"%zz",
        b"[::1]",
        b"\x0b",
    ];
    let mut dice = Dice(1);
    let mut taken = 0;
    for _ in 0..50_000 {
        let mut head = start.as_bytes().to_vec();
        for _ in 0..=dice.below(3) {
            let from = dice.below(head.len() + 1);
            let to = (from + dice.below(3)).min(head.len());
            head.splice(from..to, pieces[dice.below(pieces.len())].iter().copied());
        }
        // As `receive` does it: no blank line before the head, and its end at the first one after.
        let blank = head.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        head.drain(..blank);
        let ends = [&b"\n\r\n"[..], b"\n\n"].map(|end| {
            head.windows(end.len()).position(|bytes| bytes == end).map(|start| start + end.len())
        });
        let Some(end) = ends.into_iter().flatten().min() else { continue };
        head.truncate(end);
        let Ok(request) = Request::parse(&head) else { continue };
        if ["HTTP/1.0", "HTTP/1.1"].contains(&&*request.version) {
            taken += 1;
            let mut fields = [httparse::EMPTY_HEADER; 32];
            let other = httparse::Request::new(&mut fields).parse(&head);
            let shown = String::from_utf8_lossy(&head);
            assert_eq!(other, Ok(httparse::Status::Complete(head.len())), "{shown:?}");
        }
    }
    assert!(taken > 2_000, "only {taken} heads are compared");
}

#[test]
fn a_site_says_what_it_wants_in_the_head_and_the_rest_is_added() {
    let head = |response: &Answer| String::from_utf8(response.to_bytes()).unwrap();
    let mut response = Answer::new("200 OK", "text/plain", "hello");
    response.fields.push(("Cache-Control", "no-cache".to_string()));
    let start = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n";
    let rest = "Cache-Control: no-cache\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(head(&response), format!("{start}{rest}"));

    // After HEAD a site may know the length and not have the body.
    let site = |_: &Request| {
        let mut response = Answer::new("200 OK", "text/plain", "");
        response.fields.push(("content-length", "7000".to_string()));
        response
    };
    let request = Ok(b"HEAD / HTTP/1.0\r\n\r\n".to_vec());
    let response = Answer::to(&request, site).unwrap();
    assert_eq!(head(&response), format!("{start}content-length: 7000\r\n\r\n"));

    // These have neither a body nor a length.
    for status in ["204 No Content", "304 Not Modified"] {
        let response = Answer::sentence(status, "nobody sees this");
        assert!(head(&response).ends_with("\r\nConnection: close\r\n\r\n"));
    }
}
