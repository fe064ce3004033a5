//! The judge runs a server, looks after it, ends it, and says what came of it: to a person, and to a program.

use crate::support::{JUDGE, SERVERS, Server, Verdict};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use test_support::{Program, ask, example, free_address, has, program, skip};

const CONGRATULATION: &str = "\n46 passed, 0 failed. Congratulations: your server serves everyone!\n\
     Read on: docs/documents.md, and serve a website of your own.\n";

fn small(name: &str) -> String {
    format!("{:?} {name} {{address}}", *SERVERS)
}

/// Whether somebody listens there, a moment after a server has ended.
fn is_served(address: &str) -> bool {
    let start = Instant::now();
    while TcpStream::connect(address).is_ok() {
        if start.elapsed() > Duration::from_secs(10) {
            return true;
        }
    }
    false
}

#[test]
fn an_example_of_the_workspace_is_built_and_started_by_its_name() {
    let address = free_address().to_string();
    let verdict = Verdict::with(&["--step", "2", "--run", "stage2-bind", &address]);
    if verdict.complaint.contains("cargo does not start") {
        return skip("cargo");
    }
    assert!(verdict.said.contains("Step 2 is done."), "{}", verdict.said);
    assert!(!is_served(&address));
}

#[test]
fn a_name_that_no_example_has_and_a_command_that_ends_are_not_judged() {
    for (run, words) in [
        ("no-such-server", "This workspace has no example no-such-server."),
        ("no-such-program {port}", "There is no program 'no-such-program'."),
        ("'open quote", "A quotation mark is missing"),
        // It ends before it listens.
        (&format!("{:?} right {{address}} and-more", *SERVERS), "NAME HOST:PORT"),
    ] {
        let verdict = Verdict::with(&["--json", "--run", run]);
        assert_eq!(verdict.status, 3, "{run}: {}", verdict.said);
        let object = verdict.objects().pop().expect("a verdict");
        if verdict.said.contains("cargo does not start") {
            skip("cargo");
            continue;
        }
        assert_eq!(object["verdict"], "not judged");
        assert!(object["reason"].as_str().unwrap().contains(words), "{run}: {object}");
    }
}

#[test]
fn an_address_that_is_taken_is_not_judged() {
    let other = Server::start("right");
    let verdict = Verdict::with(&["--json", "--run", &small("right"), &other.address.to_string()]);
    assert_eq!(verdict.status, 3, "{}", verdict.said);
    let reason = verdict.objects()[0]["reason"].as_str().unwrap().to_string();
    assert!(reason.contains(&format!("has the address {}", other.address)), "{reason}");
    if cfg!(target_os = "linux") {
        assert!(reason.contains("small-servers right"), "{reason}");
    }
}

#[test]
fn nobody_is_judged_without_a_server() {
    let address = free_address().to_string();
    for arguments in [&[address.as_str()][..], &["--step", "3", &address]] {
        let verdict = Verdict::with(arguments);
        assert_eq!((verdict.status, verdict.said.as_str()), (3, ""));
    }
}

#[test]
fn nothing_stays_unchecked_when_checks_end_the_server() {
    let verdict = Verdict::with(&["--json", "--run", &small("ends-at-one-word")]);
    assert_eq!(verdict.checks("not checked"), [""; 0], "{}", verdict.said);
    assert_eq!(verdict.status, 1);
    let first = verdict.first_to_fix();
    assert!(first.contains("the server has ended. It ended with exit status 1"), "{first}");
    assert!(first.contains("IndexError: list index out of range"), "{first}");
}

#[test]
fn a_server_that_stops_is_judged_in_time() {
    let verdict = Verdict::with(&["--json", "--run", &small("stops-after-30")]);
    let first = verdict.first_to_fix();
    assert!(first.contains("the server no longer serves anybody"), "{first}");
    assert_eq!(verdict.status, 1);
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_that_closes_no_descriptor_is_told_so() {
    let run = format!("sh -c 'ulimit -n 300; exec {:?} keeps-descriptors {{address}}'", *SERVERS);
    let verdict = Verdict::with(&["--json", "--run", &run]);
    let first = verdict.first_to_fix();
    assert!(first.contains("It has no descriptor left"), "{first}\n{}", verdict.said);
}

#[test]
#[cfg(unix)]
fn the_signal_that_ended_a_server_is_named() {
    let verdict = Verdict::with(&["--json", "--run", "sh -c 'kill -PIPE $$'"]);
    assert_eq!(verdict.status, 3);
    assert!(verdict.said.contains("It was ended by SIGPIPE"), "{}", verdict.said);
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_the_server_and_what_it_started() {
    let address = free_address().to_string();
    // The shell starts the server.
    let run = format!("sh -c '{:?} right {{address}} & wait'", *SERVERS);
    let mut command = Command::new(JUDGE);
    let mut judge = Program::run(command.args(["--all", "--run", &run, &address]));
    judge.wait_for("an answer takes less than 300 ms");
    assert!(TcpStream::connect(&address).is_ok());
    // The shell has a kill of its own.
    let kill = format!("kill -INT {}", judge.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh runs").success());
    let (status, _) = judge.end();
    assert_eq!(status.code(), Some(130));
    assert!(!is_served(&address), "the server still runs");
}

#[test]
fn files_are_compared_with_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path().join("site");
    fs::create_dir_all(site.join("pictures")).expect("a folder");
    fs::write(folder.path().join("secret.txt"), "a secret").expect("a file");
    for (name, bytes) in [
        ("index.html", &b"<h1>Home</h1>"[..]),
        ("my cat.html", b"<h1>My cat</h1>"),
        ("style.css", b"h1 { color: teal; }"),
        ("pictures/dot.png", b"\x89PNG\r\n\x1a\n\xff\xfe\0"),
    ] {
        fs::write(site.join(name), bytes).expect("a file");
    }
    let servers = [
        ("files", None, ""),
        (
            "files-as-text",
            Some("each file of the folder arrives byte for byte"),
            "read it as bytes, not as text",
        ),
        ("files-as-html", Some("each file has its type"), "image/png"),
        ("files-not-decoded", Some("each file of the folder arrives byte for byte"), "as %20"),
    ];
    thread::scope(|scope| {
        for (name, failed, words) in servers {
            let folder = folder.path();
            scope.spawn(move || {
                let mut command = Command::new(JUDGE);
                command.current_dir(folder).args([
                    "--json",
                    "--folder",
                    "site",
                    "--run",
                    &small(name),
                ]);
                let verdict = Verdict::of(&mut command);
                assert_eq!(
                    verdict.checks("failed"),
                    Vec::from_iter(failed),
                    "{name}: {}",
                    verdict.said
                );
                assert!(verdict.first_to_fix().contains(words), "{name}: {}", verdict.said);
            });
        }
    });
}

#[test]
fn a_server_whose_files_are_wrong_is_not_told_that_only_http_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path().join("site");
    fs::create_dir(&site).expect("a folder");
    fs::write(site.join("index.html"), "<h1>Home</h1>").expect("a file");
    fs::write(site.join("dot.png"), b"\x89PNG\r\n\x1a\n\xff\xfe\0").expect("a file");
    let mut command = Command::new(JUDGE);
    let run = small("files-as-text");
    command.current_dir(folder.path()).args(["--folder", "site", "--run", &run]);
    let verdict = Verdict::of(&mut command);
    assert!(verdict.said.contains(" 1 failed"), "{}", verdict.said);
    assert!(!verdict.said.contains("All that is left"), "{}", verdict.said);
}

#[test]
fn a_person_reads_it_on_one_screen() {
    let run = format!("{:?} {{address}}", example("step5-respond", "short-version"));
    let verdict = Verdict::with(&["--run", &run]);
    let lines: Vec<&str> = verdict.said.lines().collect();
    assert!(lines.len() <= 50, "{} lines:\n{}", lines.len(), verdict.said);
    for line in &lines {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(
        verdict
            .said
            .contains("\n ok  Answer one request: 12 of 12\nFAIL Give each client a thread: "),
        "{}",
        verdict.said
    );
    assert!(
        verdict
            .said
            .contains("\nFix this first: a reset in the middle of a request does no harm\n")
    );
    assert!(verdict.said.contains("\n  read:     docs/everyone.md#give-each-client-a-thread\n"));
    assert!(verdict.said.contains("\n  printed:  Error: Os { code: "), "{}", verdict.said);
}

#[test]
fn pages_are_links_while_the_course_is_open() {
    let course = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = course.local_addr().expect("it is bound").to_string();
    thread::spawn(move || {
        for client in course.incoming() {
            let mut client = client.expect("a client");
            let _ = client.read(&mut [0; 1024]);
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nServer: classroom-course\r\n\r\n");
        }
    });
    let run = format!("{:?} {{address}}", example("step2-bind", "stage2-bind"));
    let mut command = Command::new(JUDGE);
    command.env("COURSE_ADDRESS", &address);
    let verdict = Verdict::of(command.args(["--step", "2", "--run", &run]));
    let link = format!("http://{}/docs/step3-listen.md", address.replace("127.0.0.1", "localhost"));
    // A long line is wrapped.
    let said = verdict.said.replace(char::is_whitespace, "");
    assert!(said.ends_with(&format!("Readon:{link}")), "{}", verdict.said);
}

#[test]
fn a_complete_server_is_congratulated() {
    let servers = [
        program("step5-respond", "step5-respond"),
        example("step5-respond", "mended-version"),
        example("step5-respond", "website"),
    ];
    thread::scope(|scope| {
        for server in &servers {
            scope.spawn(move || {
                let mut command = Command::new(JUDGE);
                // The website serves docs/example-site, which it looks for from the repository's root.
                let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
                command.current_dir(root).args(["--run", &format!("{server:?} {{address}}")]);
                let verdict = Verdict::of(&mut command);
                assert!(verdict.said.ends_with(CONGRATULATION), "{server}\n{}", verdict.said);
                assert_eq!(verdict.status, 0);
            });
        }
    });
}

#[test]
fn the_python_server_is_complete_and_prints_no_traceback() {
    let python = if cfg!(windows) { "py" } else { "python3" };
    if !has(python) {
        return;
    }
    // What it prints to standard error is shown with the rest.
    let code = "import runpy, sys; sys.stderr = sys.stdout; sys.argv = ['', '0']; \
                runpy.run_path('../mended_server.py')";
    let mut server = Program::run(Command::new(python).args(["-c", code]));
    let line = server.wait_for("Server is listening on http://");
    let address = line.rsplit('/').next().expect("a line has an end");
    let verdict = Verdict::with(&[address]);
    assert!(verdict.said.ends_with(CONGRATULATION), "{}", verdict.said);
    let end = ask(address.parse().unwrap(), b"GET /the-end HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(end.status, 404);
    server.wait_for("GET /the-end ");
    let log = server.lines().join("\n");
    assert!(!log.contains("Traceback"), "{log}");
}

#[test]
fn an_argument_that_is_wrong_is_named() {
    for (arguments, words) in [
        (&["8080"][..], "'8080' is not HOST:PORT: pass HOST:PORT, such as 127.0.0.1:8080."),
        (&["http://localhost:8080/"], "without http:// and slashes, such as localhost:8080."),
        (&["localhost"], "'localhost' is not HOST:PORT"),
        (&[":8080"], "':8080' is not HOST:PORT"),
        (&["localhost:99999"], "99999 is not a port: the highest is 65535."),
        (&["--step", "6"], "'6' is not a step: the steps are 1 to 5."),
        (&["--step=x"], "'x' is not a step"),
        (&["--step"], "--step needs the number of a step after it."),
        (&["--step", "1"], "so the judge has to start it"),
        (&["--stpe", "3"], "There is no option --stpe."),
        (&["--json=yes"], "--json takes no value."),
        (&["--run", " "], "--run needs"),
        (&["--folder", "no-such-folder"], "There is no folder 'no-such-folder' here."),
        (&["127.0.0.1:8080", "127.0.0.1:9000"], "'127.0.0.1:9000' is one argument too many."),
    ] {
        let mut judge = Program::start(JUDGE, arguments);
        let line = judge.stderr_line();
        assert!(line.contains(words), "{arguments:?}: {line}");
        assert_eq!(judge.end().0.code(), Some(2));
    }
}

#[test]
fn help_names_every_option_and_every_exit_status() {
    let verdict = Verdict::with(&["--help"]);
    for word in [
        "HOST:PORT",
        "--step",
        "--run",
        "{port}",
        "--folder",
        "--all",
        "--json",
        "0 good, 1 failed, 2 wrong arguments, 3 ",
    ] {
        assert!(verdict.said.contains(word), "{word}: {}", verdict.said);
    }
    assert_eq!(verdict.status, 0);
}

#[test]
fn a_name_is_tried_at_each_of_its_addresses() {
    let server = Server::start("right");
    let verdict = Verdict::with(&["--step", "5", &format!("localhost:{}", server.address.port())]);
    assert_eq!(verdict.status, 0, "{}", verdict.said);
}
