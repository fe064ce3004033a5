//! Answer one request. The first clients have asked already: this looks at what they got.

use super::SLOW;
use crate::judge::{Judge, verdict};
use crate::report::Failure;
use crate::report::Outcome::{self, NotChecked, Passed, PassedWith};
use crate::server::Server;
use observer::client::{End, Framing, Response, TIMEOUT, connect, quoted};

pub fn checks(judge: &mut Judge) {
    judge.group("Answer one request", "docs/step5-respond.md#your-turn");
    judge
        .check("the server waits for the request before it answers")
        .expects("silence, and an open connection, for the half second in which the client sends nothing")
        .why("It answers before it knows the question, or leaves. Receive the request first.")
        .look(|server| verdict(&server.first, |_| !server.is_early));
    judge
        .check("a client that asks for / gets an answer")
        .expects("an answer: HTTP/1.1 200 OK, a blank line, and a page")
        .why("Without an answer the browser shows nothing. Send something before you close.")
        .look(is_answered);
    judge
        .check("the answer begins with a status line, and the status is 200")
        .expects("HTTP/1.1 200 OK in the first line")
        .why("The first line tells the browser how it went. It does not show an answer that is not HTTP.")
        .look(status_line);
    judge
        .check("a blank line ends the head")
        .expects("the header fields, each as Name: value, then a blank line, then the page")
        .why("Without the blank line the browser takes the page for header fields.")
        .look(blank_line);
    judge
        .check("the page arrives complete")
        .expects("a page of any content, such as: Hello, World! This is a simple web server.")
        .why("The page is what the person at the browser wants. It stands after the blank line.")
        .look(complete_page);
    judge
        .check("each line of the head ends with \\r\\n")
        .expects("\\r\\n after each line, and \\r\\n as the blank line")
        .why("A strict client does not take \\n without \\r for the end of a line.")
        .look(|server| {
            let rest = String::from_utf8_lossy(server.first.head()).replace("\r\n", "");
            verdict(&server.first, |_| !rest.contains(['\r', '\n']))
        });
    judge
        .check("Content-Type says what the page is")
        .expects("a field such as Content-Type: text/html; charset=utf-8")
        .why("Without it the browser has to guess what the bytes are.")
        .look(content_type);
    judge
        .check("the client learns where the page ends")
        .expects("Content-Length with the number of bytes in the page")
        .why("Without it a page that was cut off looks complete, and a client may wait forever.")
        .look(|server| match server.first.framing() {
            Framing::Unclear(fields) => Failure::got(format!(
                "{fields}. {}",
                server.first.quoted()
            ))
            .because("Clients disagree about which of them to believe. Send one number, in digits.")
            .into(),
            framing => verdict(&server.first, |_| framing != Framing::UntilTheEnd),
        });
    says_that_it_closes(judge);
    judge
        .check("the connection is closed when the client asks for that")
        .expects("the end of the connection, since the request says Connection: close")
        .why("The client waits for the end. Receive the request, answer, and close the connection.")
        .look(|server| match (server.first.end, server.first.quoted()) {
            (End::Closed, _) => Passed,
            (End::Broken(_), got) => Failure::got(got)
                .because("It reset the connection: bytes of the client were left unread, or SO_LINGER was 0.")
                .into(),
            (_, got) => Failure::got(got).into(),
        });
    judge
        .check("the next clients are answered too")
        .expects("status 200 for each of the twelve clients that come next")
        .why("Put accept, and everything after it, into a loop. Keep nothing from the previous client.")
        .look(|server| match server.next.iter().position(|response| !response.is_ok()) {
            Some(n) => Failure::got(format!("client {} got {}", n + 2, server.next[n].quoted())).into(),
            None if server.next.is_empty() => NotChecked("the first client did not get its page".into()),
            None => Passed,
        });
    judge
        .check("an answer takes less than 300 ms")
        .expects("an answer in less than 300 ms")
        .why("The browser waits that long for every file. Look for a sleep, or for repeated work.")
        .look(|server| match (1 + server.next.len(), server.fastest()) {
            _ if server.leaves_clients_waiting() => {
                NotChecked("the first client waits forever".into())
            }
            (_, fastest) if fastest < SLOW => Passed,
            (n, fastest) => {
                Failure::got(format!("the fastest of {n} answers took {fastest:.1?}")).into()
            }
        });
    judge.stop = judge.server.trouble().map(Into::into);
    if judge.stop.is_none() && judge.server.fastest() >= SLOW {
        judge.stop = Some("it is too slow".into());
    }
}

fn is_answered(server: &Server) -> Outcome {
    let silence = &server.silence;
    let failure = Failure::got(server.first.quoted());
    match (server.first.end, silence.other_client) {
        _ if !server.first.bytes.is_empty() => Passed,
        (End::Open, _) if silence.waits_for_the_end => failure
            .because(
                "The answer came only when the client closed its side. Do not receive until 0 bytes come: receive \
                 until the blank line. And if the answer waits in a buffer, flush it.",
            )
            .into(),
        (End::Open, _) if silence.waits_for_bytes => failure
            .because(
                "The answer came only after more bytes. Do not wait until the buffer is full: one call receives \
                 what is there. Go on until the blank line.",
            )
            .into(),
        (End::Open, Some(other)) => failure
            .because(format!(
                "It serves another client, {other}, and waits for it: close your browser, and judge again."
            ))
            .into(),
        (End::Open, None) if silence.is_accepted == Some(false) => failure
            .because("The client waits in the queue: the server does not accept it. Call accept.")
            .into(),
        (End::Open, None) if silence.is_accepted == Some(true) => failure
            .because("The server has accepted the client, and sends nothing. Send something, and flush it.")
            .into(),
        (End::Open, None) => failure
            .because(
                "It does not accept, or it does not answer, or it serves another client: close your browser, and \
                 judge again.",
            )
            .into(),
        (End::Broken(_), _) => failure
            .because(
                "It ended the connection before an answer came. A server that ends, or that closes before it has \
                 received the request, does that.",
            )
            .into(),
        _ => failure.into(),
    }
}

fn status_line(server: &Server) -> Outcome {
    let first = &server.first;
    let failure = Failure::got(first.quoted());
    let line: Vec<u8> =
        first.bytes.iter().copied().take_while(|byte| !b"\r\n".contains(byte)).collect();
    let line = String::from_utf8_lossy(&line);
    match first.status() {
        _ if first.bytes.starts_with(b"\r") || first.bytes.starts_with(b"\n") => failure
            .because("An empty line comes before the status line. curl says: Received HTTP/0.9. Send nothing before it.")
            .into(),
        _ if line.starts_with(char::is_whitespace) => {
            failure.because("The status line begins with a space. Send nothing before HTTP/1.1.").into()
        }
        Some(200) => Passed,
        Some(status @ 300..=399) => {
            let place = first.field("location").unwrap_or("another place");
            failure
                .because(format!("Status {status} sends the browser on to {place}. Answer the path / with a page."))
                .into()
        }
        Some(404) => failure.because("404 means that there is no such page. Answer the path / with a page.").into(),
        Some(status) => {
            failure.because(format!("It is HTTP, but status {status} means that it went wrong.")).into()
        }
        None if has_status_200(&line) => Passed, // The next check says what is wrong.
        None if line.starts_with("HTTP/") => failure
            .because("The first line is: HTTP/1.1, a space, a number of three digits, a space, and words, such as OK.")
            .into(),
        None => failure.into(),
    }
}

/// Whether the line is a right status line for 200.
fn has_status_200(line: &str) -> bool {
    let mut words = line.split(' ');
    matches!(words.next(), Some("HTTP/1.1" | "HTTP/1.0")) && words.next() == Some("200")
}

fn blank_line(server: &Server) -> Outcome {
    let first = &server.first;
    if first.status().is_some() {
        return Passed;
    }
    let text = String::from_utf8_lossy(&first.bytes).replace("\r\n", "\n");
    let failure = Failure::got(first.quoted());
    let Some((head, _)) = text.split_once("\n\n") else {
        return failure
            .because(
                "There is no blank line. After the last field send \\r\\n twice: once for the end of its line, once \
                 for the blank line.",
            )
            .into();
    };
    let wrong = head.lines().skip(1).find_map(|line| {
        let shown = quoted(line.as_bytes());
        match line.split_once(':') {
            _ if line.starts_with([' ', '\t']) => Some(format!(
                "{shown} begins with a space. A field begins at the start of its line."
            )),
            None => Some(format!("{shown} has no colon. A field is a name, a colon and a value.")),
            Some((name, _)) if name.ends_with([' ', '\t']) => Some(format!(
                "{shown} has a space before its colon. The colon follows the name at once."
            )),
            Some((name, _)) if name.is_empty() || name.contains(' ') => {
                Some(format!("{shown} does not begin with the name of a field."))
            }
            _ => None,
        }
    });
    failure
        .because(wrong.unwrap_or("A line of the head is not a name, a colon and a value.".into()))
        .into()
}

fn complete_page(server: &Server) -> Outcome {
    let first = &server.first;
    let (body, came) = (first.body(), first.body().len());
    let Framing::Length(length) = first.framing() else {
        let is_cut = first.is_complete() == Some(false) && first.framing() == Framing::Chunks;
        return match came {
            0 => Failure::got(first.quoted())
                .because("There is nothing after the blank line.")
                .into(),
            _ if is_cut => Failure::got(first.quoted())
                .because("The page comes in chunks, and the last chunk, of size 0, is missing.")
                .into(),
            _ => Passed,
        };
    };
    if came == length && came > 0 {
        return Passed;
    }
    let got = format!("Content-Length says {length}, and {came} bytes came");
    let letters = String::from_utf8_lossy(body).chars().count();
    let why = match came {
        0 if length == 0 => "The page is empty: nothing comes after the blank line.".into(),
        _ if letters == length => {
            "The length counts letters. Count bytes: page.len() in Rust, len(page.encode()) in Python.".into()
        }
        _ if length == first.bytes.len() => "The length counts the head too. It counts only what follows the blank line.".into(),
        _ if came == 2 * length => "The page was sent twice.".into(),
        _ if came > length && first.bytes[first.head().len() + length..].starts_with(b"HTTP/") => {
            "The answer was sent twice.".into()
        }
        _ if came < length => "A part is missing: one call of send may send only a part. Use write_all in Rust, sendall in \
                               Python, or send the rest too. Or the length is wrong."
            .to_string(),
        _ => "More came than the length says: the browser cuts the page there. Count the bytes of the page.".into(),
    };
    Failure::got(got).because(why).instead_of("as many bytes as Content-Length says").into()
}

fn content_type(server: &Server) -> Outcome {
    let first = &server.first;
    if let Some(coding) = first.field("content-encoding").filter(|coding| *coding != "identity") {
        // It may have been meant well. A client that says it wants the plain page has to get it.
        let plain = server.plain().replace("\r\n\r\n", "\r\nAccept-Encoding: identity\r\n\r\n");
        let again = server.ask(&plain);
        if again.field("content-encoding").is_some_and(|coding| coding != "identity") {
            return Failure::got(format!(
                "Content-Encoding: {coding}, though the client asked for the plain page"
            ))
            .to(quoted(plain.as_bytes()))
            .because("curl shows garbage. Compress only what a client asks to be compressed.")
            .into();
        }
    }
    verdict(first, |first| first.field("content-type").is_some_and(|kind| kind.contains('/')))
}

/// A client that does not ask for the end of the connection has to be told of it, or the connection is kept.
fn says_that_it_closes(judge: &mut Judge) {
    let unasked = judge.server.plain().replace("Connection: close\r\n", "");
    let sent = quoted(unasked.as_bytes());
    judge
        .check("the server says Connection: close, or keeps the connection")
        .expects("the field Connection: close, or a second answer on the same connection")
        .why("A client of HTTP/1.1 expects that it can send the next request on the same connection.")
        .look(|server| {
            if server.leaves_clients_waiting() {
                return NotChecked("the first client waits forever".into());
            }
            let Ok(mut client) = connect(server.address) else {
                return NotChecked("no second client could connect".into());
            };
            let response = server.exchange(&mut client, unasked.as_bytes(), TIMEOUT + server.fastest());
            let connection = response.values("connection").join(",").to_ascii_lowercase();
            let is_old = response.bytes.starts_with(b"HTTP/1.0");
            let again = |client: &mut _| server.exchange(client, unasked.as_bytes(), TIMEOUT + server.fastest());
            match (response.status(), response.end) {
                (None, _) => NotChecked("the second client got no answer".into()),
                _ if connection.contains("close") => Passed,
                (_, End::Open) if again(&mut client).status().is_some() => Passed,
                _ if is_old && !connection.contains("keep-alive") => {
                    PassedWith("HTTP/1.0 ends each connection".into())
                }
                _ => Failure::got(response.quoted()).to(&sent).into(),
            }
        });
}

/// The first answer's status, for those who look at more than one.
pub fn has_ended(response: &Response) -> bool {
    response.end != End::Open || response.is_complete() == Some(true)
}
