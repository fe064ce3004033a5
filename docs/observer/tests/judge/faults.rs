//! The judge tells good servers from bad ones, and bad ones from each other. The servers are in
//! `examples/small-servers`.

use crate::support::{Verdict, judge, judge_with_run};
use std::thread;

const EARLY: &str = "the server waits for the request before it answers";
const ANSWER: &str = "a client that asks for / gets an answer";
const STATUS: &str = "the answer begins with a status line, and the status is 200";
const BLANK_LINE: &str = "a blank line ends the head";
const COMPLETE: &str = "the page arrives complete";
const LINE_ENDS: &str = "each line of the head ends with \\r\\n";
const TYPE: &str = "Content-Type says what the page is";
const LENGTH: &str = "the client learns where the page ends";
const SAYS_CLOSE: &str = "the server says Connection: close, or keeps the connection";
const CLOSED: &str = "the connection is closed when the client asks for that";
const NEXT: &str = "the next clients are answered too";
const FAST: &str = "an answer takes less than 300 ms";
const LEAVES: &str = "a client that connects and leaves does no harm";
const RESET: &str = "a reset after a request does no harm";
const ONE_WORD: &str = "a first line of one word does no harm";
const SILENT: &str = "silent clients hold nobody up: 1, 12, or 60";
const CROWD: &str = "32 clients that come at once, with 10 requests each, all get their answer";
const HEAD: &str = "HEAD gets the head of the page, and no page";
const UNKNOWN: &str = "an unknown path gets 404";
const METHOD: &str = "another method is refused: 405 with Allow, or 501";
const ENDS: &str = "each of these answers says where it ends";
const BYTES: &str = "a request byte by byte is answered, and not before its blank line";
const HOST: &str = "each legal Host is accepted";
const FIELD: &str = "each legal header field is accepted";
const BLANK_FIRST: &str = "a blank line before the request is skipped";
const ADDRESS: &str = "the complete address may be asked for";
const PERCENT: &str = "a percent sign in the path is accepted";
const OLD: &str = "a request in HTTP/1.0 without a Host is answered";
const LARGE_BODY: &str = "a client that posts a large body gets its answer complete";
const SLOW: &str = "clients that are silent, stop, or drip are sent away within 7 seconds";
const SLOW_BODY: &str = "clients that stop in a body, or drip it, are sent away too";
const BAD_LINE: &str = "a malformed request line is rejected";
const BAD_PATH: &str = "a malformed path is rejected";
const BAD_HOST: &str = "a missing, second or malformed Host is rejected";
const BAD_FIELD: &str = "a malformed header field is rejected";
const BAD_LENGTH: &str = "a body whose length is unclear is rejected";
const LARGE_HEAD: &str = "a head of 2 MB is refused";
const OUTSIDE: &str = "no file outside of the site is given away";

/// A server of `small-servers`, the checks that it fails, and words that explain the one to fix first. If its name
/// begins with `ends-`, the first of these checks ends the server, and without `--run` nothing more is checked.
type Row = (&'static str, &'static [&'static str], &'static str);

/// Judges all of them at once: most of the time the judge waits. What a busy machine may have made of them is judged again,
/// one after the other, until there are two complaints.
fn all(rows: &[Row]) {
    let doubtful: Vec<(&Row, Vec<String>)> = thread::scope(|scope| {
        let judges: Vec<_> =
            rows.iter().map(|row| (row, scope.spawn(|| complaints_of(row)))).collect();
        let outcomes = judges.into_iter().map(|(row, it)| (row, it.join().expect("it is judged")));
        outcomes.filter(|(_, complaints)| !complaints.is_empty()).collect()
    });
    let mut complaints = Vec::new();
    for (row, first) in doubtful {
        complaints.extend(if complaints.len() < 2 { complaints_of(row) } else { first });
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

/// What the judge says about a server and should not.
fn complaints_of(&(server, fails, words): &Row) -> Vec<String> {
    if !server.starts_with("ends-") {
        return Vec::from_iter(complaint(server, "without --run", &judge(server), fails, words));
    }
    // A check ends it. Only a judge that can start it again goes on.
    let (without_run, with_run) = thread::scope(|scope| {
        let with_run =
            scope.spawn(|| complaint(server, "with --run", &judge_with_run(server), fails, words));
        let without_run = complaint(server, "without --run", &judge(server), &fails[..1], words);
        (without_run, with_run.join().expect("it is judged"))
    });
    without_run.into_iter().chain(with_run).collect()
}

fn complaint(
    server: &str,
    how: &str,
    verdict: &Verdict,
    fails: &[&str],
    words: &str,
) -> Option<String> {
    let failed = verdict.checks("failed");
    let first = verdict.first_to_fix();
    let is_right = failed == *fails
        && first.contains(words)
        && verdict.status == i32::from(!fails.is_empty())
        && (!fails.is_empty() || verdict.checks("not checked").is_empty());
    let end = verdict.said.lines().last().unwrap_or_default();
    (!is_right).then(|| format!("{server}, {how}: {failed:#?}\n{first}\n{end}"))
}

#[test]
fn a_server_that_is_right_in_its_own_way_passes_every_check() {
    all(&[
        ("right", &[], ""),
        ("chunks", &[], ""),
        ("interim", &[], ""),
        ("redirects", &[], ""),
        ("not-implemented", &[], ""),
        ("many-fields", &[], ""),
        ("only-its-own-name", &[], ""),
        ("strict-lines", &[], ""),
        ("keeps-connections", &[], ""),
        ("waits-for-crlf", &[], ""),
        ("slow-under-load", &[], ""),
        (
            "drops-a-large-head",
            &[BAD_LINE, BAD_PATH, BAD_HOST, BAD_FIELD, BAD_LENGTH],
            "Say 400 first",
        ),
        ("repairs", &[], ""),
    ]);
}

#[test]
fn a_fault_of_the_first_answer_has_words_of_its_own() {
    all(&[
        (
            "answers-before-it-reads",
            &[
                EARLY, HEAD, UNKNOWN, METHOD, BYTES, BAD_LINE, BAD_PATH, BAD_HOST, BAD_FIELD,
                BAD_LENGTH, LARGE_HEAD,
            ],
            "Receive the request first",
        ),
        ("sends-away-at-once", &[EARLY], "or leaves"),
        ("says-nothing", &[ANSWER], "Send something before you close"),
        ("reads-to-the-end", &[ANSWER], "Do not receive until 0 bytes come"),
        ("reads-1024-bytes", &[ANSWER], "Do not wait until the buffer is full"),
        (
            "does-not-accept",
            &[ANSWER],
            if cfg!(target_os = "linux") { "Call accept." } else { "It does not accept" },
        ),
        ("garbage", &[STATUS], r#""\0� not HTTP \u{1b}[2J", then the server closed"#),
        ("empty-line-first", &[STATUS], "Received HTTP/0.9"),
        ("no-blank-line", &[BLANK_LINE], "There is no blank line"),
        ("indented-field", &[BLANK_LINE], "begins with a space"),
        ("space-before-colon", &[BLANK_LINE], "has a space before its colon"),
        ("equals-sign", &[BLANK_LINE], "has no colon"),
        ("no-page-at-slash", &[STATUS], "Answer the path / with a page"),
        ("redirect-at-slash", &[STATUS], "sends the browser on to /index.html"),
        ("bare-line-ends", &[LINE_ENDS], "\\n without \\r"),
        ("no-type", &[TYPE], "has to guess"),
        ("gzip", &[TYPE], "Compress only what a client asks"),
    ]);
}

#[test]
fn a_fault_in_the_length_or_the_end_has_words_of_its_own() {
    all(&[
        ("no-length", &[LENGTH], "looks complete"),
        ("two-lengths", &[LENGTH], ""),
        ("length-beside-chunks", &[LENGTH], "Clients disagree"),
        ("length-in-letters", &[COMPLETE], "Count bytes"),
        ("length-with-head", &[COMPLETE], "counts the head too"),
        ("partly-sent", &[COMPLETE], "A part is missing"),
        ("sent-twice", &[COMPLETE, HEAD, ENDS, LARGE_BODY], "The answer was sent twice"),
        ("says-no-close", &[SAYS_CLOSE], "expects that it can send the next request"),
        ("neither-length-nor-end", &[LENGTH, CLOSED], "may wait forever"),
        ("closes-at-the-next", &[LENGTH, CLOSED], "may wait forever"),
        ("never-ends-its-answer", &[LENGTH, CLOSED], "may wait forever"),
        ("resets", &[CLOSED, LARGE_BODY], "SO_LINGER was 0"),
        ("serves-one-client", &[NEXT], "into a loop"),
        ("serves-one-and-stays", &[NEXT], "into a loop"),
        ("slow", &[FAST], "Look for a sleep"),
    ]);
}

#[test]
fn a_fault_among_many_clients_is_found() {
    all(&[
        ("ends-when-a-client-leaves", &[LEAVES, SILENT], "the server has ended"),
        ("upsets-the-next", &[LEAVES, SILENT], "the next client got \"HTTP/1.1 500"),
        ("ends-when-it-cannot-send", &[RESET, SILENT], "the server has ended"),
        ("one-by-one", &[SILENT], "while 12 said nothing"),
        ("one-by-one-forever", &[SILENT, SLOW], "while 1 said nothing"),
        ("thirty-threads", &[SILENT], "while 60 said nothing"),
        ("loses-one-in-a-hundred", &[CROWD], "answers with status 200, and nothing"),
        ("short-queue", &[CROWD], "The queue is short"),
    ]);
}

#[test]
fn a_server_has_to_look_at_what_is_asked_and_receive_all_of_it() {
    all(&[
        ("head-with-page", &[HEAD], "A page came after the head"),
        ("head-with-length-0", &[HEAD], "Content-Length is 0, but for GET it is 8"),
        ("no-404", &[UNKNOWN], "/favicon.ico"),
        ("405-without-allow", &[METHOD], "in the field Allow"),
        ("deletes", &[METHOD], "must not be told"),
        ("404-without-end", &[ENDS], "waits for more"),
        ("receives-once", &[BYTES, LARGE_HEAD], "TCP delivers bytes"),
        ("ends-at-one-word", &[ONE_WORD], "how many words"),
    ]);
}

#[test]
fn what_is_legal_has_to_be_accepted_and_what_is_not_rejected() {
    all(&[
        ("strict-host", &[HOST], "underscores"),
        ("strict-fields", &[FIELD], "X_Y"),
        ("no-blank-line-first", &[BLANK_FIRST], "skips at least one"),
        ("no-complete-address", &[ADDRESS], "asks a proxy"),
        ("no-percent", &[PERCENT], "%20"),
        ("no-http-1.0", &[OLD], "Old and simple clients"),
        (
            "takes-everything",
            &[BAD_LINE, BAD_PATH, BAD_HOST, BAD_FIELD, BAD_LENGTH],
            "four parts instead of three",
        ),
        ("ends-at-a-bad-host", &[BAD_HOST], "brackets the wrong way around"),
        ("keeps-a-large-head", &[LARGE_HEAD], "runs out of memory"),
    ]);
}

#[test]
fn a_server_closes_politely_waits_for_nobody_and_lets_nobody_out() {
    all(&[
        ("leaves-bytes-unread", &[LARGE_BODY], "Unread bytes reset a connection"),
        ("cuts-off-the-answer-to-a-body", &[LARGE_BODY], "cut off"),
        ("waits-for-each-byte", &[SLOW], "a byte now and then was still connected after 7s"),
        ("waits-for-each-byte-of-a-body", &[SLOW_BODY], "now and then"),
        (
            "answers-a-silent-client-and-stays",
            &[SLOW, LARGE_HEAD],
            "a client that said nothing was still connected",
        ),
        ("gives-everything-away", &[OUTSIDE], "Two dots in a path"),
    ]);
}
