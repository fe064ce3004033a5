//! The judge tells good servers from bad ones, and bad ones from each other.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use test_support::{Program, example, program};

/// What the judge said about a server.
struct Verdict {
    said: String,
    succeeded: bool,
}

impl Verdict {
    fn on(server: SocketAddr) -> Verdict {
        Verdict::with(&[&server.to_string()])
    }

    fn of_step(step: &str, server: SocketAddr) -> Verdict {
        Verdict::with(&["--step", step, &server.to_string()])
    }

    /// Runs the judge. However the server behaves, it has 20 seconds.
    fn with(arguments: &[&str]) -> Verdict {
        let check = env!("CARGO_BIN_EXE_judge");
        let start = Instant::now();
        let (status, said) = Program::start(check, arguments).end();
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}\n{said}", start.elapsed());
        Verdict { said, succeeded: status.success() }
    }

    /// The names of the checks with this mark, and what is said beside them.
    fn marked(&self, mark: &str) -> Vec<&str> {
        self.said.lines().filter_map(|line| line.strip_prefix(&format!("  {mark} "))).collect()
    }

    /// What it explains about a failed check: sent, expected, got, why, read.
    fn explanation(&self, name: &str) -> Vec<&str> {
        let heading = format!("FAIL {name}");
        self.said.lines().skip_while(|line| *line != heading).skip(1).take(5).collect()
    }

    fn got(&self, name: &str) -> &str {
        self.explanation(name)[2].strip_prefix("  got:      ").unwrap()
    }

    fn why(&self, name: &str) -> &str {
        self.explanation(name)[3].strip_prefix("  why:      ").unwrap()
    }

    /// A careful server fails these checks of its own, and the first of them is named last.
    fn fails(&self, own: &[&str]) {
        assert_eq!(self.marked("FAIL"), [own, &UNREJECTED].concat(), "{}", self.said);
        let name = own.first().unwrap_or(&UNREJECTED[0]);
        let page = self.explanation(name)[4].strip_prefix("  read:     ").unwrap();
        assert_eq!(self.said.lines().last().unwrap(), format!("Fix first: {name} ({page})"));
        assert!(!self.succeeded);
    }
}

/// What a careful server of a few lines does not do: it reads no more of a head than it needs.
const UNREJECTED: [&str; 5] = [
    "a malformed request line is rejected",
    "a missing, second or malformed Host is rejected",
    "a malformed header field is rejected",
    "a body whose length is unclear is rejected",
    "a head of 2 MB gets 431, or another status of 400 and up",
];

/// The names of checks that many tests ask for.
const EARLY: &str = "the server waits for the request before it answers";
const COMPLETE: &str = "the page arrives complete";
const NEXT: &str = "the next clients are answered too";
const CLOSED: &str = "the connection is closed when the client asks for that";
const FAST: &str = "an answer takes less than 300 ms";
const SILENT: &str = "silent clients hold nobody up: 1, 12, or 60";
const CROWD: &str = "32 clients that come at once, with 10 requests each, all get their answer";
const LARGE_BODY: &str = "a client that posts a large body gets its answer complete";
const SLOW: &str = "clients that say nothing, stop, or drip bytes are sent away within 7 seconds";

/// How long a careful server waits for a request.
const SECOND: Duration = Duration::from_secs(1);

/// A server that serves each client on a thread of its own.
fn threads(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    one_by_one(move |client| {
        let serve = serve.clone();
        thread::spawn(move || serve(client));
    })
}

/// A server that serves one client after the other.
fn one_by_one(mut serve: impl FnMut(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(&mut serve));
    address
}

/// Receives a head up to its blank line, and what has come of the body.
fn receive(client: &mut TcpStream, patience: Duration) -> Option<Vec<u8>> {
    let (start, mut head) = (Instant::now(), Vec::new());
    loop {
        let time_left = patience.checked_sub(start.elapsed()).filter(|left| !left.is_zero())?;
        client.set_read_timeout(Some(time_left)).unwrap();
        let mut piece = [0; 1024];
        let count = client.read(&mut piece).ok().filter(|count| *count > 0 && head.len() < 8192)?;
        head.extend_from_slice(&piece[..count]);
        let has = |end: &[u8]| head.windows(end.len()).any(|part| part == end);
        if has(b"\r\n\r\n") || has(b"\n\n") {
            return Some(head);
        }
    }
}

/// The right answer to a head, with a page of its own.
fn answer(head: &[u8]) -> Vec<u8> {
    let head = String::from_utf8_lossy(head);
    let mut parts = head.split([' ', '\r', '\n']);
    let (method, target) = (parts.next().unwrap(), parts.next().unwrap_or_default());
    let status = match (method, target.split('?').next().unwrap()) {
        ("GET" | "HEAD", "/") => "200 OK",
        ("GET" | "HEAD", _) => "404 Not Found",
        _ => "405 Method Not Allowed\r\nAllow: GET, HEAD",
    };
    let page = if method == "HEAD" { "" } else { "Grüße!" };
    let fields = "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 8";
    format!("HTTP/1.1 {status}\r\n{fields}\r\n\r\n{page}").into_bytes()
}

/// Sends an answer, and closes so that it arrives.
fn send(mut client: TcpStream, bytes: &[u8]) {
    let _ = client.write_all(bytes);
    let _ = client.shutdown(Shutdown::Write);
    client.set_read_timeout(Some(SECOND)).unwrap();
    while client.read(&mut [0; 8192]).is_ok_and(|count| count > 0) {}
}

/// A careful server but for its answers.
fn answering(answer: impl Fn(&[u8]) -> Vec<u8> + Clone + Send + 'static) -> SocketAddr {
    threads(move |mut client| {
        if let Some(head) = receive(&mut client, SECOND) {
            send(client, &answer(&head));
        }
    })
}

#[test]
fn step_5_passes_every_check() {
    let mut step5 = Program::start(&program("step5-respond", "step5-respond"), &["127.0.0.1:0"]);
    let verdict = Verdict::on(step5.listening());
    assert_eq!(verdict.marked("FAIL"), Vec::<&str>::new(), "{}", verdict.said);
    assert_eq!(verdict.marked("?   "), Vec::<&str>::new());
    let end = "\nThis server is ready for a class.\n35 passed, 0 failed";
    assert!(verdict.said.ends_with(end), "{}", verdict.said);
    assert!(verdict.succeeded);
}

#[test]
fn each_program_passes_its_own_step_and_no_other() {
    let programs = ["step2-bind", "step3-listen", "step4-accept", "step5-respond"];
    thread::scope(|scope| {
        for (own, name) in ["2", "3", "4", "5"].into_iter().zip(programs) {
            scope.spawn(move || {
                let mut server = Program::start(&program(name, name), &["127.0.0.1:0"]);
                server.wait_for(if own == "2" { "bound to" } else { "is listening" });
                let address = server.address();
                for step in ["2", "3", "4", "5"] {
                    let verdict = Verdict::of_step(step, address);
                    assert_eq!(verdict.succeeded, step == own, "{name}:\n{}", verdict.said);
                    let end = if step == own { "is done. Read on: docs/step" } else { "is step " };
                    let end = if step == own { end.to_string() } else { end.to_string() + own };
                    assert!(verdict.said.contains(&end), "{}", verdict.said);
                }
            });
        }
    });
}

#[test]
fn who_does_not_read_in_step_4_is_told_so() {
    let verdict = Verdict::of_step("4", one_by_one(drop));
    let name = "twelve clients, one after the other, are received and left without an answer";
    assert_eq!(verdict.marked("FAIL"), [name], "{}", verdict.said);
    assert_eq!(verdict.marked("ok  "), ["a client that connects and leaves does no harm"]);
    assert!(verdict.got(name).contains("nothing, then the connection broke: "), "{}", verdict.said);
    assert!(verdict.why(name).ends_with("unread bytes break the connection."), "{}", verdict.said);
    let end = format!("Fix first: {name} (docs/step4-accept.md#your-turn)");
    assert!(verdict.said.ends_with(&end), "{}", verdict.said);
}

#[test]
fn who_receives_one_client_and_ends_in_step_4_is_told_that_the_loop_is_missing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || receive(&mut listener.accept().unwrap().0, SECOND));
    let verdict = Verdict::of_step("4", address);
    let name = "twelve clients, one after the other, are received and left without an answer";
    assert_eq!(verdict.marked("FAIL"), [name], "{}", verdict.said);
    assert!(verdict.got(name).starts_with("client 2 got "), "{}", verdict.said);
    assert!(verdict.got(name).ends_with(". After that, the server has ended"), "{}", verdict.said);
    assert!(verdict.why(name).starts_with("Accept in a loop"), "{}", verdict.said);
}

#[test]
fn an_answer_that_never_ends_is_judged_all_the_same() {
    let verdict = Verdict::on(threads(|mut client| {
        receive(&mut client, SECOND);
        let mut piece: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
        while client.write_all(piece).is_ok() {
            client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let _ = client.read(&mut [0]); // Waits until the client leaves.
            piece = b".";
        }
    }));
    assert!(verdict.marked("FAIL").contains(&CLOSED), "{}", verdict.said);
    assert!(verdict.got(CLOSED).ends_with(", and the connection stayed open"), "{}", verdict.said);
}

#[test]
fn a_head_without_a_blank_line_is_named() {
    let response = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nHello";
    let verdict = Verdict::of_step("5", answering(|_| response.to_vec()));
    let got = verdict.got("the answer begins with a status line, and the status is 200");
    assert!(got.contains(" (a line without a colon, or no blank line), "), "{}", verdict.said);
}

#[test]
fn who_sends_a_client_away_before_it_asks_is_told_so() {
    let verdict = Verdict::on(threads(|mut client| {
        if let Some(head) = receive(&mut client, Duration::from_millis(100)) {
            send(client, &answer(&head));
        }
    }));
    assert_eq!(verdict.marked("FAIL")[0], EARLY, "{}", verdict.said);
    assert_eq!(verdict.got(EARLY), "nothing, then the server closed the connection");
    assert_eq!(verdict.explanation(EARLY)[0], "  sent:     nothing");
}

#[test]
fn harm_to_the_next_client_alone_is_seen_and_the_rest_is_judged() {
    let is_upset = AtomicUsize::new(0);
    let verdict = Verdict::on(one_by_one(move |mut client| match receive(&mut client, SECOND) {
        Some(_) if is_upset.swap(0, Ordering::Relaxed) > 0 => {
            send(client, b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
        }
        Some(head) => send(client, &answer(&head)),
        None => is_upset.store(1, Ordering::Relaxed),
    }));
    let leaves = "a client that connects and leaves does no harm";
    assert!(verdict.marked("FAIL").contains(&leaves), "{}", verdict.said);
    assert!(verdict.got(leaves).starts_with("the next got \"HTTP/1.1 500"), "{}", verdict.said);
    assert!(verdict.marked("FAIL").contains(&UNREJECTED[0]), "{}", verdict.said);
}

#[test]
fn the_short_version_passes_step_5_and_fails_exactly_what_it_should() {
    let mut server = Program::start(&example("step5-respond", "short-version"), &["127.0.0.1:0"]);
    let line = server.wait_for("Server is listening on http://");
    let address = line.rsplit('/').next().unwrap().parse().unwrap();
    let verdict = Verdict::of_step("5", address);
    assert!(verdict.succeeded, "{}", verdict.said);

    let verdict = Verdict::on(address);
    let failed = [
        "HEAD gets the head, and no page",
        "an unknown path gets 404",
        "another method gets 405 with Allow, or 501",
        "a request that comes byte by byte is answered, and not before its blank line",
        "a client that resets the connection in the middle of its request does no harm",
    ];
    assert_eq!(verdict.marked("FAIL"), failed);
    assert_eq!(verdict.got(failed[4]), "no answer for the next client: the server has ended");
    let unchecked = verdict.marked("?   ");
    let next = "a client that resets the connection after its request does no harm";
    assert_eq!(unchecked[0], format!("{next} (the server has ended)"));
    assert!(unchecked.iter().all(|line| line.ends_with(" (the server has ended)")));
    let count = "\n17 passed, 5 failed, 13 not checked\n";
    assert!(verdict.said.contains(count), "{}", verdict.said);
    let fix = format!("Fix first: {} (docs/step5-respond.md#read-the-request)", failed[0]);
    assert!(verdict.said.ends_with(&fix), "{}", verdict.said);
    assert!(!verdict.succeeded);
}

#[test]
fn a_careful_server_is_ready_for_a_class_whatever_its_page_says() {
    let verdict = Verdict::on(answering(answer));
    verdict.fails(&[]);
    assert!(verdict.said.contains("\nThis server is ready for a class.\n30 passed, 5 failed\n"));
}

#[test]
fn a_failure_says_what_was_sent_expected_and_got_and_why_it_matters() {
    let verdict = Verdict::on(answering(|_| answer(b"GET /")));
    assert_eq!(
        verdict.explanation("an unknown path gets 404"),
        [
            r#"  sent:     "GET /no-such-page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n""#,
            "  expected: status 404",
            r#"  got:      "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 8\r\n\r\nGrüße!", then the server closed the connection"#,
            "  why:      A browser also asks for /favicon.ico, and takes any 200 for the picture.",
            "  read:     docs/step5-respond.md#read-the-request",
        ]
    );
    // A server that answers 200 to everything, and never ends, fails more than that.
    let names =
        ["HEAD gets", "an unknown path", "another method", UNREJECTED[0], "a malformed path"];
    for (failed, name) in verdict.marked("FAIL").iter().zip(names) {
        assert!(failed.starts_with(name), "{}", verdict.said);
    }
    assert!(verdict.said.contains("\n26 passed, 9 failed\n"), "{}", verdict.said);
    let got = verdict.got(UNREJECTED[1]);
    let sent =
        r#"to "GET / HTTP/1.1\r\nAccept: */*\r\nConnection: close\r\n\r\n": "HTTP/1.1 200 OK\r\n"#;
    assert!(got.starts_with(sent), "{got}");
    assert!(
        got.contains(". Not rejected: no Host; two of them; two of them, in HTTP/1.0;"),
        "{got}"
    );
}

#[test]
fn a_server_that_answers_nothing_is_told_so() {
    let verdict = Verdict::on(one_by_one(|mut client| drop(client.read(&mut [0; 1024]))));
    let name = "a client that asks for / gets an answer";
    assert_eq!(verdict.marked("FAIL"), [name], "{}", verdict.said);
    assert_eq!(verdict.got(name), "nothing, then the server closed the connection");
    assert!(
        verdict.marked("?   ").contains(&"HEAD gets the head, and no page (it answers nobody)")
    );
    assert!(verdict.said.contains("\n1 passed, 1 failed, 33 not checked\n"), "{}", verdict.said);
}

#[test]
fn a_server_that_answers_garbage_is_told_so() {
    let verdict = Verdict::on(answering(|_| b"\x00\xff not HTTP \x1b[2J".to_vec()));
    let name = "the answer begins with a status line, and the status is 200";
    assert_eq!(verdict.marked("FAIL"), [name], "{}", verdict.said);
    let got = r#""\0� not HTTP \u{1b}[2J", then the server closed the connection"#;
    assert_eq!(verdict.got(name), got);
    let reason = format!("{COMPLETE} (there is no status line)");
    assert_eq!(verdict.marked("?   ")[0], reason);
}

#[test]
fn a_server_that_answers_before_it_reads_is_told_that_first() {
    let verdict = Verdict::on(one_by_one(|mut client| drop(client.write_all(&answer(b"GET /")))));
    assert_eq!(verdict.marked("FAIL")[0], EARLY);
    assert!(!verdict.marked("FAIL").contains(&CLOSED), "{}", verdict.said);
    let fix = format!("Fix first: {EARLY} (docs/step5-respond.md#your-turn)");
    assert!(verdict.said.ends_with(&fix), "{}", verdict.said);
}

#[test]
fn a_server_that_ends_after_one_client_is_judged_by_what_that_client_got() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let head = receive(&mut client, SECOND).unwrap();
        send(client, &answer(&head));
    });
    let verdict = Verdict::on(address);
    assert_eq!(verdict.marked("FAIL"), [NEXT], "{}", verdict.said);
    assert!(verdict.why(NEXT).contains("Put accept, and all after it, into a loop."));
    assert_eq!(verdict.marked("ok  ").len(), 9);
    let reason = " (it answers no more clients)";
    assert!(verdict.marked("?   ").iter().all(|line| line.ends_with(reason)), "{}", verdict.said);
    assert!(verdict.said.contains("\n9 passed, 1 failed, 25 not checked\n"), "{}", verdict.said);
}

#[test]
fn a_content_length_in_letters_is_told_from_one_in_bytes() {
    let in_letters = |head: &[u8]| {
        String::from_utf8(answer(head)).unwrap().replace("Length: 8", "Length: 6").into_bytes()
    };
    let verdict = Verdict::on(answering(in_letters));
    assert_eq!(verdict.marked("FAIL")[0], COMPLETE);
    let got = "Content-Length says 6, and 8 bytes came. Count bytes, not letters";
    assert_eq!(verdict.got(COMPLETE), got);
}

#[test]
fn a_head_request_that_counts_the_page_that_it_leaves_out_is_right_and_0_is_wrong() {
    let verdict = Verdict::on(answering(|head| {
        let answer = String::from_utf8(answer(head)).unwrap();
        let is_head = head.starts_with(b"HEAD");
        let length = if is_head { "Content-Length: 0" } else { "Content-Length: 8" };
        answer.replace("Content-Length: 8", length).into_bytes()
    }));
    verdict.fails(&["HEAD gets the head, and no page"]);
}

#[test]
fn chunks_say_where_the_page_ends_and_a_strict_server_may_refuse_a_bare_line_feed() {
    let verdict = Verdict::on(answering(|head| {
        let plain = String::from_utf8(answer(head)).unwrap();
        if !head.windows(2).any(|end| end == b"\r\n") {
            return plain.replace("200 OK", "400 Bad Request").into_bytes();
        }
        let chunked = plain.replace("Content-Length: 8", "Transfer-Encoding: chunked");
        chunked.replace("Grüße!", "4\r\nGrü\r\n4\r\nße!\r\n0\r\n\r\n").into_bytes()
    }));
    verdict.fails(&[]);
}

#[test]
fn a_server_that_answers_and_resets_is_told_that_it_closes_too_hard() {
    let verdict = Verdict::on(threads(|mut client| {
        if let Some(head) = receive(&mut client, SECOND) {
            let _ = client.write_all(&answer(&head));
            test_support::reset(client);
        }
    }));
    verdict.fails(&[CLOSED, LARGE_BODY]);
    let cause = "It closed too hard: bytes were unread, or linger was 0";
    assert!(verdict.got(CLOSED).ends_with(cause), "{}", verdict.said);
}

#[test]
fn a_server_that_keeps_connections_is_judged_to_the_end() {
    let verdict = Verdict::on(threads(|mut client| {
        while let Some(head) = receive(&mut client, 2 * SECOND) {
            let _ = client.write_all(&answer(&head));
        }
    }));
    verdict.fails(&[CLOSED, LARGE_BODY]);
    assert_eq!(verdict.marked("?   "), Vec::<&str>::new());
}

#[test]
fn an_answer_to_a_large_body_that_is_cut_off_is_not_complete() {
    let verdict = Verdict::on(answering(|head| {
        let answer = answer(head);
        let sent = if head.starts_with(b"POST") { answer.len() - 1 } else { answer.len() };
        answer[..sent].to_vec()
    }));
    verdict.fails(&[LARGE_BODY]);
}

#[test]
fn a_slow_server_is_told_so_once_with_the_figure() {
    let verdict = Verdict::on(answering(|head| {
        thread::sleep(Duration::from_millis(1500)); // It works so hard.
        answer(head)
    }));
    assert_eq!(verdict.marked("FAIL"), [FAST], "{}", verdict.said);
    assert!(verdict.got(FAST).contains(" answers took 1.5s"), "{}", verdict.said);
    let reason = " (it is too slow)";
    assert!(verdict.marked("?   ").iter().all(|line| line.ends_with(reason)), "{}", verdict.said);
}

#[test]
fn a_server_that_is_slow_under_load_has_lost_nothing() {
    static WORK: Mutex<()> = Mutex::new(());
    let verdict = Verdict::on(answering(|head| {
        let _one_after_the_other = WORK.lock();
        thread::sleep(Duration::from_millis(20)); // It works so hard.
        answer(head)
    }));
    verdict.fails(&[]);
    let crowd = verdict.marked("ok  ").into_iter().find(|line| line.starts_with(CROWD)).unwrap();
    assert!(crowd.ends_with(", and none was lost)"), "{crowd}");
    let (_, count) = crowd.split_once(" (slow: ").unwrap();
    let count: usize = count.split(' ').next().unwrap().parse().unwrap();
    assert!((64..320).contains(&count), "{crowd}");
}

#[test]
fn a_server_that_loses_one_in_a_hundred_is_told_so() {
    static BUSY: AtomicUsize = AtomicUsize::new(0);
    let verdict = Verdict::on(answering(|head| {
        let busy = BUSY.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(5)); // It works so hard.
        BUSY.fetch_sub(1, Ordering::SeqCst);
        if busy < 16 { answer(head) } else { Vec::new() }
    }));
    verdict.fails(&[CROWD]);
    assert!(verdict.got(CROWD).contains(" answers with status 200, and nothing, then"));
}

#[test]
fn a_short_queue_is_called_short() {
    let address = "127.0.0.1:0".parse().unwrap();
    let listener: TcpListener = step3_listen::listen(address, 5).unwrap().into();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            thread::sleep(Duration::from_millis(1)); // It starts a thread, on a busy machine.
            thread::spawn(move || {
                if let Some(head) = receive(&mut client, SECOND) {
                    send(client, &answer(&head));
                }
            });
        }
    });
    let verdict = Verdict::on(address);
    verdict.fails(&[CROWD]);
    let cause =
        " connections within half a second. The queue is short: give listen a larger backlog";
    assert!(verdict.got(CROWD).contains(cause), "{}", verdict.said);
}

#[test]
fn a_server_that_waits_for_one_silent_client_is_judged_alone_with_each_slow_one() {
    let verdict = Verdict::on(one_by_one(|mut client| {
        if let Some(head) = receive(&mut client, 3 * SECOND) {
            send(client, &answer(&head));
        }
    }));
    verdict.fails(&[SILENT]);
    assert!(verdict.got(SILENT).ends_with(" while 1 said nothing"), "{}", verdict.said);
    assert_eq!(verdict.marked("?   "), Vec::<&str>::new());
}

#[test]
fn a_server_that_waits_forever_for_one_client_is_told_so_once() {
    let verdict = Verdict::on(one_by_one(|mut client| {
        if let Some(head) = receive(&mut client, Duration::from_secs(60)) {
            send(client, &answer(&head));
        }
    }));
    verdict.fails(&[SILENT, SLOW]);
    assert_eq!(verdict.got(SLOW), "a client that said nothing was still connected after 7s");
    assert_eq!(verdict.marked("?   "), Vec::<&str>::new());
}

#[test]
fn a_server_that_needs_long_for_each_slow_client_is_judged_in_time() {
    let verdict = Verdict::on(one_by_one(|mut client| {
        if let Some(head) = receive(&mut client, 5 * SECOND) {
            send(client, &answer(&head));
        }
    }));
    verdict.fails(&[SILENT]);
    let unchecked = verdict.marked("?   ");
    assert_eq!(unchecked.len(), 1, "{}", verdict.said);
    assert!(unchecked[0].starts_with(&format!("{SLOW} (no time left for a client that ")));
}

#[test]
fn a_server_that_lets_many_clients_wait_is_judged_in_time() {
    let plain = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let verdict = Verdict::on(threads(move |mut client| {
        if let Some(head) = receive(&mut client, SECOND) {
            if head != plain {
                thread::park(); // Nobody wakes it.
            }
            send(client, &answer(&head));
        }
    }));
    let last = format!("{} (no time left: checks before it waited long)", UNREJECTED[4]);
    assert_eq!(verdict.marked("?   ").last(), Some(&last.as_str()), "{}", verdict.said);
}

#[test]
fn thirty_threads_are_too_few_for_sixty_silent_clients() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for _ in 0..30 {
        let listener = listener.try_clone().unwrap();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                if let Some(head) = receive(&mut client, 5 * SECOND) {
                    send(client, &answer(&head));
                }
            }
        });
    }
    let verdict = Verdict::on(address);
    verdict.fails(&[SILENT]);
    assert!(verdict.got(SILENT).ends_with(" while 60 said nothing"), "{}", verdict.said);
}

#[test]
fn a_new_limit_for_each_byte_is_no_limit() {
    let verdict = Verdict::on(threads(|mut client| {
        let mut head = Vec::new();
        client.set_read_timeout(Some(SECOND)).unwrap();
        while !head.ends_with(b"\n\r\n") && !head.ends_with(b"\n\n") {
            let mut byte = [0];
            match client.read(&mut byte) {
                Ok(1) if head.len() < 8192 => head.push(byte[0]),
                _ => return,
            }
        }
        send(client, &answer(&head));
    }));
    verdict.fails(&[SLOW]);
    let got = "a client that sent a byte now and then was still connected after 7s";
    assert_eq!(verdict.got(SLOW), got);
}

#[test]
fn a_server_that_answers_a_silent_client_and_stays_has_not_sent_it_away() {
    let verdict = Verdict::on(threads(|mut client| {
        if let Some(head) = receive(&mut client, SECOND) {
            return send(client, &answer(&head));
        }
        let _ = client.write_all(b"x");
        client.set_read_timeout(None).unwrap();
        while client.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {}
    }));
    let got = "a client that said nothing was still connected after 7s";
    assert_eq!(verdict.got(SLOW), got, "{}", verdict.said);
}

#[test]
fn a_server_that_an_empty_connection_ends_is_checked_until_then() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Some(head) = listener.accept().ok().and_then(|(mut client, _)| {
            let head = receive(&mut client, SECOND);
            head.inspect(|head| send(client, &answer(head)))
        }) {
            drop(head);
        }
    });
    let verdict = Verdict::on(address);
    let name = "a client that connects and leaves does no harm";
    assert_eq!(verdict.marked("FAIL"), [name], "{}", verdict.said);
    assert_eq!(verdict.got(name), "no answer for the next client: the server has ended");
}

#[test]
fn a_server_that_stops_is_told_so_in_time() {
    let mut left = 30;
    let verdict = Verdict::on(one_by_one(move |mut client| {
        left -= 1;
        if left < 0 {
            thread::park(); // Nobody wakes it.
        }
        if let Some(head) = receive(&mut client, SECOND) {
            send(client, &answer(&head));
        }
    }));
    let reason = " (the server serves nobody any more)";
    assert!(verdict.marked("?   ").iter().all(|line| line.ends_with(reason)), "{}", verdict.said);
    assert_eq!(verdict.marked("FAIL").len(), 1);
    assert!(!verdict.succeeded);
}

#[test]
fn each_address_of_a_name_is_tried() {
    let names = || ("localhost", 0).to_socket_addrs().unwrap();
    if !names().any(|address| address.is_ipv6()) {
        eprintln!("Here localhost has no IPv6 address, so this is tried with IPv4 alone.");
    }
    let last = names().max_by_key(SocketAddr::is_ipv6).unwrap();
    let listener = TcpListener::bind(last).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            if let Some(head) = receive(&mut client, SECOND) {
                send(client, &answer(&head));
            }
        }
    });
    let verdict = Verdict::with(&[&format!("localhost:{port}"), "--step", "5"]);
    assert!(verdict.succeeded, "{}", verdict.said);
}

#[test]
fn a_server_that_is_not_there_is_one_clear_line() {
    // A socket that is bound and does not listen keeps the port free of others.
    let socket = step2_bind::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = step2_bind::local_address(&socket).unwrap();
    let check = env!("CARGO_BIN_EXE_judge");
    let mut judge = Program::start(check, &[&address.to_string()]);
    let line = judge.stderr_line();
    assert!(line.starts_with(&format!("Cannot connect to {address}: ")), "{line}");
    assert!(line.ends_with("Start the server first, or pass its address."), "{line}");
    let (status, said) = judge.end();
    assert_eq!((status.code(), said.as_str()), (Some(1), ""));
}

#[test]
fn an_unknown_step_gets_the_usage() {
    let check = env!("CARGO_BIN_EXE_judge");
    for arguments in [&["--step", "1"][..], &["--step"], &["--stpe", "3"]] {
        let mut judge = Program::start(check, arguments);
        assert!(judge.stderr_line().starts_with("Usage: "));
        assert_eq!(judge.end().0.code(), Some(2));
    }
}
