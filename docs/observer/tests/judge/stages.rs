//! A verdict about a stage is true, also of servers that look the same from outside.

use crate::support::{SERVERS, Server, Verdict};
use std::thread;
use test_support::{connect, example, free_address};

const STAGES: [(&str, &str, &str); 4] = [
    ("2", "step2-bind", "stage2-bind"),
    ("3", "step3-listen", "stage3-listen"),
    ("4", "step4-accept", "stage4-accept"),
    ("5", "step5-respond", "short-version"),
];

/// The judge on a small server that it starts.
fn judge_small(step: &str, name: &str) -> Verdict {
    Verdict::with(&["--step", step, "--run", &format!("{:?} {name} {{address}}", *SERVERS)])
}

#[test]
fn each_stage_passes_its_own_step_and_no_other() {
    thread::scope(|scope| {
        for (own, package, name) in STAGES {
            for (step, ..) in STAGES {
                scope.spawn(move || {
                    let run = format!("{:?} {{address}}", example(package, name));
                    let verdict = Verdict::with(&["--step", step, "--run", &run]);
                    let end = if step == own {
                        format!("Step {own} is done. Read on: docs/")
                    } else {
                        format!("That is step {own}. Judge it with --step {own}.")
                    };
                    let said = verdict.said.split_whitespace().collect::<Vec<_>>().join(" ");
                    assert!(said.contains(&end), "{name} at step {step}:\n{said}");
                    assert_eq!(verdict.status, i32::from(step != own), "{said}");
                });
            }
        }
    });
}

#[test]
fn step_1_has_a_socket_if_the_system_can_be_asked() {
    let run = format!("{:?}", example("step1-socket", "stage1-socket"));
    let verdict = Verdict::with(&["--step", "1", "--run", &run]);
    if cfg!(target_os = "linux") {
        assert!(
            verdict.said.ends_with("Step 1 is done. Read on: docs/step2-bind.md\n"),
            "{}",
            verdict.said
        );
        let none = judge_small("1", "does-not-bind");
        assert!(none.said.contains("It runs, and it has no socket."), "{}", none.said);
        assert_eq!(none.status, 1);
    } else {
        assert_eq!(verdict.status, 3, "{}", verdict.said);
    }
}

#[test]
fn a_server_that_runs_without_an_address_is_told_so() {
    let verdict = judge_small("2", "does-not-bind");
    assert!(
        verdict.said.starts_with("It runs, but nobody has the address 127.0.0.1:"),
        "{}",
        verdict.said
    );
    assert!(verdict.said.contains("has not called bind"), "{}", verdict.said);
    assert_eq!(verdict.status, 1);
}

/// The address of a server that has served a client, and ended.
fn left_behind() -> String {
    let server = Server::start_at(free_address(), "right");
    let response = test_support::ask(server.address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(response.status, 200);
    server.address.to_string()
}

#[test]
fn what_a_server_left_behind_is_not_taken_for_step_2() {
    let address = left_behind();
    let verdict = Verdict::with(&["--step", "2", &address]);
    assert_ne!(verdict.status, 0, "{}", verdict.said);
    assert!(!verdict.said.contains("done"), "{}", verdict.said);
}

#[test]
fn what_a_server_left_behind_is_not_taken_for_the_next_one() {
    let address = left_behind();
    let run = format!("{:?} does-not-bind {{address}}", *SERVERS);
    let verdict = Verdict::with(&["--step", "5", "--run", &run, &address]);
    // Only Linux says what a server left behind.
    if cfg!(target_os = "linux") {
        assert!(verdict.said.starts_with("It runs, "), "{}", verdict.said);
        assert!(!verdict.said.contains("is taken"), "{}", verdict.said);
    }
    assert_eq!(verdict.status, 1);
}

#[test]
fn a_server_that_reaches_its_end_is_told_to_wait() {
    let run = format!("{:?} ends-after-listen {{address}}", *SERVERS);
    for step in ["3", "4", "5"] {
        let verdict = Verdict::with(&["--step", step, "--run", &run]);
        let said = verdict.said + &verdict.complaint;
        assert!(said.starts_with("It ended without an error"), "{said}");
        assert!(said.contains("has to wait"), "{said}");
    }
}

#[test]
fn a_server_that_is_busy_with_another_client_is_not_taken_for_step_3() {
    let server = Server::start("one-by-one-forever");
    let _silent = connect(server.address); // A tab of a browser.
    let verdict = Verdict::with(&["--step", "5", &server.address.to_string()]);
    let said = (verdict.said + &verdict.complaint).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("close your browser"), "{said}");
    if cfg!(target_os = "linux") {
        assert!(said.starts_with("It serves another client, 127.0.0.1:"), "{said}");
        assert!(!said.contains("step 3"), "{said}");
        assert_eq!(verdict.status, 3);
    }
}

#[test]
fn a_server_of_step_4_reads_closes_and_lives() {
    let twelve = "twelve clients, one after the other, are received and left without an answer";
    for (name, words) in [
        ("step-4-does-not-read", "unread bytes reset the connection"),
        ("step-4-does-not-close", "client.close()"),
        ("step-4-one-client", "The first client ended the server."),
        ("step-4-ends-when-a-client-leaves", "a client that connects and leaves does no harm"),
    ] {
        let verdict = judge_small("4", name);
        let said = verdict.said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(words), "{name}: {words}\n{}", verdict.said);
        assert_eq!(verdict.status, 1, "{name}\n{}", verdict.said);
        if name == "step-4-does-not-read" {
            assert!(said.contains(&format!("Fix this first: {twelve}")), "{}", verdict.said);
        }
    }
}

#[test]
fn a_server_that_its_first_client_ends_shows_what_it_printed() {
    let verdict = judge_small("5", "ends-at-the-first-client");
    assert!(
        verdict
            .said
            .starts_with("The first client ended the server. It ended with exit status 101."),
        "{}",
        verdict.said
    );
    assert!(verdict.said.contains("panicked at src/main.rs:20:9:"), "{}", verdict.said);
    assert!(verdict.said.contains("no answer is ready"), "{}", verdict.said);
    assert!(!verdict.said.contains("step 2"), "{}", verdict.said);
}

#[test]
fn step_5_asks_for_what_its_page_teaches() {
    for (server, name) in [
        ("bare-line-ends", "each line of the head ends with \\r\\n"),
        ("no-type", "Content-Type says what the page is"),
        ("no-length", "the client learns where the page ends"),
        ("says-no-close", "the server says Connection: close, or keeps the connection"),
    ] {
        let verdict = judge_small("5", server);
        assert!(
            verdict.said.contains(&format!("Fix this first: {name}\n")),
            "{server}\n{}",
            verdict.said
        );
        assert!(verdict.said.contains("\n12 passed, 1 failed.\n"), "{server}\n{}", verdict.said);
    }
}
