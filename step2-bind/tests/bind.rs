//! What an observer sees of step 2: a socket with an address, and nobody can connect to it.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use step2_bind::{bind, local_address};
use test_support::{Program, assert_log, curl, has, output};

const STEP: &str = env!("CARGO_BIN_EXE_step2-bind");

/// The one red line, and the exit status, of a start that fails.
fn failure(argument: &str) -> (String, i32) {
    let (status, _, stderr) = output(STEP, &[argument]);
    (stderr, status)
}

#[test]
fn it_says_the_address_that_the_system_gave_and_ends_when_enter_is_pressed() {
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    assert_ne!(program.address().port(), 0, "the line names the real port");
    assert!(program.is_running(), "it waits for Enter");

    program.press_enter();
    let (status, log) = program.end();
    assert!(status.success());
    assert_log(&log, &test_support::log(2));
}

#[test]
fn it_ends_at_once_when_standard_input_is_at_its_end() {
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    program.end_input();
    assert!(program.end().0.success());
}

#[test]
fn a_client_is_refused() {
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    let refused = TcpStream::connect(program.address()).expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn curl_finds_its_connection_refused() {
    if !has("curl") {
        return;
    }
    let mut program = Program::start(STEP, &["127.0.0.1:0"]);
    assert_eq!(curl(program.address(), 20), 7);
}

#[test]
fn a_name_works_and_ipv4_comes_first() {
    let mut program = Program::start(STEP, &["localhost:0"]);
    assert!(program.address().is_ipv4(), "{}", program.address());
}

#[test]
fn an_ipv6_address_works_where_the_machine_has_ipv6() {
    if TcpListener::bind("[::1]:0").is_ok() {
        let mut program = Program::start(STEP, &["[::1]:0"]);
        assert!(program.address().is_ipv6());
        assert!(program.lines()[0].contains("Socket created: IPv6, TCP"));
    } else {
        assert_eq!(failure("[::1]:0").1, 1);
    }
}

#[test]
fn the_name_of_the_machine_works_where_the_system_knows_its_address() {
    if !has("hostname") {
        return;
    }
    let (_, name, _) = output("hostname", &[] as &[&str]);
    let argument = format!("{}:0", name.trim());
    if let Ok(addresses) = argument.to_socket_addrs() {
        let addresses: Vec<_> = addresses.map(|address| address.ip()).collect();
        let mut program = Program::start(STEP, &[&argument]);
        assert!(addresses.contains(&program.address().ip()), "{addresses:?}");
    } else {
        assert_eq!(failure(&argument).1, 1);
    }
}

#[test]
fn an_address_of_another_machine_is_one_clear_line() {
    // Nobody has an address in 203.0.113.0/24, which is kept for examples (RFC 5737).
    let (stderr, status) = failure("203.0.113.7:8080");
    assert!(stderr.starts_with("Cannot bind to 203.0.113.7:8080: "), "{stderr}");
    assert!(stderr.ends_with("It is not an address of this machine: try 127.0.0.1:8080.\n"));
    assert_eq!((stderr.lines().count(), status), (1, 1));
}

#[test]
fn a_name_that_does_not_resolve_is_one_clear_line() {
    // No name ends in .invalid (RFC 6761 section 6.4).
    let (stderr, status) = failure("nobody.invalid:8080");
    assert!(stderr.starts_with("Cannot find the address of 'nobody.invalid:8080': "));
    assert!(stderr.ends_with("Check the spelling, or pass 127.0.0.1:8080.\n"), "{stderr}");
    assert_eq!((stderr.lines().count(), status), (1, 1));
}

#[test]
fn what_is_no_address_gets_the_usage() {
    for argument in [
        "8080",
        ":8080",
        "127.0.0.1",
        "localhost:99999",
        "localhost:web",
        "http://localhost:8080",
        "",
        "--verbose",
    ] {
        let (stderr, status) = failure(argument);
        let start = format!("'{argument}' is not HOST:PORT.\nUsage: ");
        assert!(stderr.starts_with(&start), "{stderr}");
        assert_eq!(status, 2);
    }
}

#[test]
fn without_an_argument_it_is_for_this_machine_only() {
    let mut program = Program::start(STEP, &[]);
    program.end_input();
    let (_, log) = program.end();
    // Some other program may have port 8080. Then the error names the same address.
    let bound = log.contains("Socket bound to 127.0.0.1:8080");
    assert!(bound || program.stderr_line().starts_with("Cannot bind to 127.0.0.1:8080: "), "{log}");
}

#[test]
fn every_network_of_the_machine_can_be_asked_for() {
    let mut program = Program::start(STEP, &["0.0.0.0:0"]);
    assert!(program.address().ip().is_unspecified());
}

#[test]
fn a_port_in_use_is_one_clear_line_that_names_it() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = other.local_addr().unwrap().to_string();
    let (stderr, status) = failure(&address);
    assert!(stderr.starts_with(&format!("Cannot bind to {address}: ")), "{stderr}");
    assert!(stderr.contains("pass another port, such as 127.0.0.1:9000"), "{stderr}");
    assert_eq!((stderr.lines().count(), status), (1, 1));
}

#[test]
fn help_is_found_after_other_arguments() {
    assert_eq!(output(STEP, &["127.0.0.1:0", "--help"]).0, 0);
}

#[test]
fn a_second_argument_gets_the_usage() {
    let (status, _, stderr) = output(STEP, &["127.0.0.1:0", "9000"]);
    assert!(stderr.starts_with("'9000' is one argument too many.\nUsage: "), "{stderr}");
    assert_eq!(status, 2);
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_not_utf8_is_an_error_and_no_crash() {
    use std::os::unix::ffi::OsStrExt;
    let argument = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let (status, _, stderr) = output(STEP, &[argument]);
    assert!(stderr.starts_with("'\u{fffd}\u{fffd}' is not HOST:PORT."), "{stderr}");
    assert_eq!(status, 2);
}

/// Ports below 1024 need a right on Linux, unless the machine is set up to need none.
#[cfg(target_os = "linux")]
#[test]
fn a_port_below_1024_without_the_right_to_it_is_one_clear_line() {
    let setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let first_free: u16 = std::fs::read_to_string(setting).expect(setting).trim().parse().unwrap();
    // The administrator has the right. setpriv takes it away; for other users it changes nothing.
    let administrator = TcpListener::bind("127.0.0.1:81").is_ok() && first_free > 81;
    if administrator && !has("setpriv") {
        return;
    }
    let (status, _, stderr) = if administrator {
        output("setpriv", &["--bounding-set=-net_bind_service", STEP, "127.0.0.1:81"])
    } else {
        output(STEP, &["127.0.0.1:81"])
    };
    if first_free > 81 {
        assert!(stderr.starts_with("Cannot bind to 127.0.0.1:81: Permission denied"));
        assert!(stderr.ends_with("pass another one, such as 127.0.0.1:9000.\n"));
        assert_eq!(status, 1);
    } else {
        assert_eq!(stderr, "Press Enter to close the socket.\n");
    }
}

#[test]
fn the_local_address_is_the_bound_one() {
    let socket = bind("127.0.0.1:0".parse().unwrap()).expect("a free port");
    let address = local_address(&socket).expect("an address");
    assert_eq!(address.ip().to_string(), "127.0.0.1");

    // The port is really taken: a socket without SO_REUSEADDR does not get it.
    let second = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let error = second.bind(&address.into()).expect_err("the port is taken");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}
