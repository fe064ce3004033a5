//! What an observer sees of step 1: a socket that is not yet anywhere.

use socket2::{Domain, Type};
use step1_socket::create;
use test_support::{Program, assert_log, curl, has, output};

const STEP: &str = env!("CARGO_BIN_EXE_step1-socket");

#[test]
fn a_created_socket_is_a_stream_socket_of_its_domain() {
    for domain in [Domain::IPV4, Domain::IPV6] {
        match create(domain) {
            Ok(socket) => assert_eq!(socket.r#type().expect("it has a type"), Type::STREAM),
            // A machine without IPv6 has no such socket, and says so to everyone.
            Err(_) => assert!(socket2::Socket::new(domain, Type::STREAM, None).is_err()),
        }
    }
}

#[cfg(unix)]
#[test]
fn a_created_socket_has_no_address() {
    let socket = create(Domain::IPV4).expect("a socket");
    let address = socket.local_addr().expect("an address").as_socket().expect("of IPv4");
    assert_eq!(address.to_string(), "0.0.0.0:0");
}

#[test]
fn it_says_what_was_created_and_ends_when_enter_is_pressed() {
    let mut program = Program::start(STEP, &[]);
    program.wait_for("Socket created");
    assert_eq!(program.stderr_line(), "Press Enter to close the socket.");
    assert!(program.is_running(), "it waits for Enter");

    program.press_enter();
    let (status, log) = program.end();
    assert!(status.success());
    assert_log(&log, &test_support::log(1));
}

#[test]
fn it_ends_at_once_when_standard_input_is_at_its_end() {
    let mut program = Program::start(STEP, &[]);
    program.end_input();
    assert!(program.end().0.success());
}

#[test]
fn help_shows_the_usage_and_succeeds() {
    for option in ["-h", "--help"] {
        let (status, stdout, _) = output(STEP, &[option]);
        assert!(
            stdout.starts_with("Usage: cargo run -p STEP -- [--brief] [HOST:PORT]"),
            "{stdout}"
        );
        assert_eq!(status, 0);
    }
}

#[test]
fn an_argument_is_one_too_many() {
    let (status, stdout, stderr) = output(STEP, &["127.0.0.1:8080"]);
    assert!(stderr.starts_with("'127.0.0.1:8080' is one argument too many.\nUsage: "), "{stderr}");
    assert_eq!((status, stdout.as_str()), (2, ""), "nothing was created");
}

#[test]
fn curl_finds_its_connection_refused() {
    if !has("curl") {
        return;
    }
    let mut program = Program::start(STEP, &[]);
    program.wait_for("Socket created");
    // The step has no port. This one is bound and kept, so that no other program listens on it.
    let port = socket2::Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().expect("an address");
    port.bind(&any.into()).expect("a free port");
    let address = port.local_addr().expect("bound").as_socket().expect("of IPv4");
    assert_eq!(curl(address, 20), 7);
}

/// strace(1) lets socket(2) fail as it does where a program has used up its descriptors.
#[cfg(target_os = "linux")]
#[test]
fn a_system_that_refuses_a_socket_is_one_clear_line() {
    if !has("strace") {
        return;
    }
    let inject = ["-qqq", "-o", "/dev/null", "-e", "inject=socket:error=EMFILE"];
    let (status, stdout, stderr) = output("strace", &[&inject[..], &[STEP]].concat());
    let advice = "Try another address, or close programs that you do not need.";
    let line = format!("Cannot create a socket: Too many open files (os error 24). {advice}\n");
    assert_eq!((status, stdout, stderr), (1, String::new(), line));
}
