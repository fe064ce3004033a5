//! The learner's own file at each of its stages, and the solutions of the exercises.

use socket2::{Domain, Socket, Type};
use std::fs;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;
use test_support::{
    Program, REQUEST, Response, ask, build, connect, example, file, free_address, is_silent,
    read_all, read_response, send_no_more,
};
#[cfg(target_os = "linux")]
use test_support::{has, limit_descriptors};

/// The examples of step 5 that are tested here. Cargo builds them all at once.
static EXAMPLES: LazyLock<PathBuf> = LazyLock::new(|| {
    let names = [
        "date",
        "folder",
        "keep-alive",
        "mended-version",
        "second-page",
        "short-version",
        "website",
    ];
    let examples = names.map(|name| ["--example", name]);
    build(&[&["-p", "step5-respond"], examples.as_flattened()].concat()).join("examples")
});

/// Starts an example of step 5 on a free port.
fn start(name: &str) -> (Program, SocketAddr) {
    run(Command::new(file(&EXAMPLES, name)).arg("127.0.0.1:0"))
}

/// The same, in a folder of its own, as a person who types `cd` first.
fn start_in(folder: &Path, name: &str) -> (Program, SocketAddr) {
    let mut command = Command::new(file(&EXAMPLES, name));
    run(command.arg("127.0.0.1:0").current_dir(folder))
}

fn run(command: &mut Command) -> (Program, SocketAddr) {
    let mut program = Program::run(command);
    let line = program.wait_for("Server is listening on http://");
    let (_, address) = line.split_once("http://").expect("the line holds these words");
    let address = address.parse().unwrap_or_else(|e| panic!("{line}: {e}"));
    (program, address)
}

fn get(address: SocketAddr, path: &str) -> Response {
    ask(address, format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
}

fn head(address: SocketAddr, path: &str) -> Response {
    ask(address, format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
}

/// A new folder for one test.
fn new_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

// The learner's own file.

#[test]
fn the_starter_waits_for_enter() {
    let mut program = Program::start(&example("step1-socket", "starter"), &[]);
    program.wait_for("Press Enter to end.");
    program.press_enter();
    assert!(program.end().0.success());
}

#[test]
fn stage_1_shows_its_socket() {
    let mut program = Program::start(&example("step1-socket", "stage1-socket"), &[]);
    program.wait_for("My socket: Socket { raw: ");
    program.press_enter();
    assert!(program.end().0.success());
}

#[test]
fn stage_2_has_an_address_and_refuses_clients() {
    let address = free_address();
    let stage = example("step2-bind", "stage2-bind");
    let mut program = Program::start(&stage, &[&address.to_string()]);
    program.wait_for("Press Enter to end.");
    let other = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    assert_eq!(other.bind(&address.into()).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    program.press_enter();
    assert!(program.end().0.success());
}

#[test]
fn stage_3_lets_clients_wait() {
    let stage = example("step3-listen", "stage3-listen");
    let (mut program, address) = run(Command::new(stage).arg("127.0.0.1:0"));
    let mut client = connect(address);
    client.write_all(REQUEST).unwrap();
    assert!(is_silent(&mut client, Duration::from_millis(200)));
    program.press_enter();
    assert!(program.end().0.success());
}

#[test]
fn stage_4_shows_what_clients_ask_for() {
    let stage = example("step4-accept", "stage4-accept");
    let (mut program, address) = run(Command::new(stage).arg("127.0.0.1:0"));
    for path in ["/first", "/second"] {
        let mut client = connect(address);
        // In one piece: it calls recv(2) once, and unread bytes would reset the connection.
        client.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(read_all(&mut client), b"");
        program.wait_for(&format!("Connection from {} has", client.local_addr().unwrap()));
        program.wait_for(&format!("GET {path} HTTP/1.1"));
    }
}

#[test]
fn the_short_version_answers() {
    let (_program, address) = start("short-version");
    for _ in 0..2 {
        let response = ask(address, REQUEST);
        assert_eq!(response.status, 200);
        assert_eq!(response.field("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(response.field("connection"), Some("close"));
        let length = response.body.len().to_string();
        assert_eq!(response.field("content-length"), Some(length.as_str()));
        assert!(response.text().contains("Hello, World! This is a simple web server."));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_lack_of_descriptors_ends_no_finished_server() {
    if !has("prlimit") {
        return;
    }
    // The listening socket, three standard streams, and five clients.
    let most = 4 + 5;
    for name in ["mended-version", "website"] {
        let (mut program, address) = start_in(Path::new(".."), name);
        limit_descriptors(&program, most);
        let silent: Vec<TcpStream> = (0..10).map(|_| connect(address)).collect();
        program.wait_for("Cannot serve a client: Too many open files");
        drop(silent);
        // The page may need a descriptor of its own, so the first answer can be 500.
        let answers = (0..100).map(|_| ask(address, REQUEST).status);
        assert!(answers.into_iter().any(|status| status == 200), "{name} serves nobody");
        assert!(program.is_running(), "{name}");
    }
}

#[test]
fn the_website_sends_each_file_as_it_is() {
    let folder = new_folder("website");
    let site = folder.join("docs/example-site");
    fs::create_dir_all(site.join("photos of ä")).unwrap();
    let picture: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let files: [(&str, &str, &str, &[u8]); 7] = [
        ("index.html", "/", "text/html; charset=utf-8", b"<p>Hello"),
        ("my cat.html", "/my%20cat.html", "text/html; charset=utf-8", b"<p>My cat"),
        ("style.css", "/style.css?v=2", "text/css; charset=utf-8", b"p { color: red }"),
        ("CAT.JPG", "/CAT.JPG", "image/jpeg", &picture),
        ("cat.svg", "/cat.svg", "image/svg+xml", b"<svg/>"),
        ("photos of ä/index.html", "/photos%20of%20%C3%A4/", "text/html; charset=utf-8", b"<p>a"),
        ("photos of ä/ö", "/photos%20of%20%c3%a4/%c3%b6", "application/octet-stream", b"\0"),
    ];
    for (name, _, _, bytes) in files {
        fs::write(site.join(name), bytes).unwrap();
    }
    let (_program, address) = start_in(&folder, "website");
    for (_, path, content_type, bytes) in files {
        let response = get(address, path);
        assert_eq!((response.status, response.field("content-type")), (200, Some(content_type)));
        assert!(response.body == bytes, "{path} is as it is in the folder");
        let only_head = head(address, path);
        assert_eq!((only_head.head, only_head.body), (response.head, vec![]), "{path}");
    }
    let redirect = get(address, "/photos%20of%20%C3%A4");
    assert_eq!(
        (redirect.status, redirect.field("location")),
        (301, Some("/photos%20of%20%C3%A4/"))
    );
}

/// Paths that lead out of a folder, or nowhere, on some system at least.
const WAYS_OUT: &[&str] = &[
    "/../secret.txt",
    "/sub/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/..%5csecret.txt",
    "/..\\secret.txt",
    "//secret.txt",
    "//sub",
    "/%2Fsub",
    "//etc/passwd",
    "/etc/passwd",
    "/C:/Windows/win.ini",
    "/c:windows/win.ini",
    "/\\\\localhost\\share\\secret.txt",
    "/%5c%5clocalhost/share/secret.txt",
    "/\\sub",
    "/nothing",
    "/index.html/",
    "/%00",
    "/%",
    "/%zz",
    "/%ff",
];

/// A folder `inside` of a new one, with a few files, and secrets outside of it.
fn folder_with_secrets(name: &str, inside: &str) -> PathBuf {
    let folder = new_folder(name);
    let site = folder.join(inside);
    fs::create_dir_all(site.join("sub")).unwrap();
    fs::write(site.join("index.html"), "public").unwrap();
    fs::write(site.join("README.md"), "public").unwrap();
    fs::write(site.join("sub/index.html"), "public").unwrap();
    fs::write(site.parent().unwrap().join("secret.txt"), "secret").unwrap();
    fs::write(folder.join("secret.txt"), "secret").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../secret.txt", site.join("link")).unwrap();
        std::os::unix::fs::symlink("/", site.join("root")).unwrap();
        fs::create_dir(site.join("linked")).unwrap();
        std::os::unix::fs::symlink("../../secret.txt", site.join("linked/index.html")).unwrap();
        std::os::unix::fs::symlink("../../secret.txt", site.join("linked/README.md")).unwrap();
    }
    folder
}

fn assert_nobody_gets_out(address: SocketAddr) {
    let too_long = format!("/{}", "x".repeat(300));
    let links = ["/link", "/root", "/root/etc/passwd", "/linked/", &too_long];
    for path in WAYS_OUT.iter().chain(&links) {
        let response = get(address, path);
        assert_eq!(response.status, 404, "{path}: {response:?}");
    }
}

#[test]
fn nobody_gets_out_of_the_website() {
    let folder = folder_with_secrets("website-secrets", "docs/example-site");
    let (_program, address) = start_in(&folder, "website");
    assert_nobody_gets_out(address);
    assert_eq!(get(address, "/").text(), "public");
}

// The exercises.

#[test]
fn there_is_a_second_page() {
    let (_program, address) = start("second-page");
    assert!(get(address, "/second").text().contains("This is the second page."));
    assert_eq!(get(address, "/third").status, 404);
}

#[test]
fn each_response_of_the_site_has_its_date() {
    let (_program, address) = start("date");
    for path in ["/", "/nothing"] {
        let response = get(address, path);
        assert!(response.field("date").is_some_and(|date| date.ends_with(" GMT")), "{response:?}");
    }
}

#[test]
fn nobody_gets_out_of_the_folder() {
    let folder = folder_with_secrets("folder-secrets", "docs");
    let (_program, address) = start_in(&folder, "folder");
    assert_nobody_gets_out(address);
    assert_eq!(get(address, "/").text(), "public");
}

#[test]
fn the_folder_shows_text_and_knows_pictures() {
    let folder = new_folder("folder");
    fs::create_dir_all(folder.join("docs/sub")).unwrap();
    let long = "ä".repeat(2000);
    let plain = "text/plain; charset=utf-8";
    let files: [(&str, &str, &str, &[u8]); 10] = [
        ("README.md", "/", plain, b"# Title"),
        ("sub/README.md", "/sub/", plain, b"# Sub"),
        ("two words.txt", "/two%20words.txt", plain, b"x"),
        ("ä.rs", "/%c3%A4.rs", plain, b"fn main() {}"),
        ("LICENSE", "/LICENSE", plain, b"You may"),
        // The 1024 bytes that are looked at end in the middle of a letter.
        ("long.sh", "/long.sh", plain, format!("#{long}").leak().as_bytes()),
        ("page.html", "/page.html", "text/html; charset=utf-8", b"<p>"),
        ("style.css", "/style.css", "text/css; charset=utf-8", b"p {}"),
        ("cat.svg", "/cat.svg", "image/svg+xml", b"<svg/>"),
        ("bytes", "/bytes", "application/octet-stream", b"\xff\0"),
    ];
    for (name, _, _, bytes) in files {
        fs::write(folder.join("docs").join(name), bytes).unwrap();
    }
    let (_program, address) = start_in(&folder, "folder");
    for (_, path, content_type, bytes) in files {
        let response = get(address, path);
        assert_eq!(response.field("content-type"), Some(content_type), "{path}");
        assert!(response.body == bytes, "{path} is as it is in the folder");
        let only_head = head(address, path);
        assert_eq!(only_head.field("content-type"), Some(content_type), "{path}");
        let length = bytes.len().to_string();
        assert_eq!(only_head.field("content-length"), Some(length.as_str()), "{path}");
        assert_eq!(only_head.body, b"");
    }
    let redirect = get(address, "/sub");
    assert_eq!((redirect.status, redirect.field("location")), (301, Some("/sub/")));
}

#[test]
#[cfg(target_os = "linux")]
fn after_head_the_folder_reads_no_file() {
    if !has("prlimit") {
        return;
    }
    let folder = new_folder("folder-head");
    fs::create_dir(folder.join("docs")).unwrap();
    let size = 64 << 30;
    fs::File::create(folder.join("docs/huge")).unwrap().set_len(size).unwrap();
    // It could not hold this file.
    let folder_server = file(&EXAMPLES, "folder");
    let mut command = Command::new("prlimit");
    command.args(["--as=4294967296", &folder_server, "127.0.0.1:0"]).current_dir(&folder);
    let (_program, address) = run(&mut command);
    let response = head(address, "/huge");
    assert_eq!(response.status, 200);
    assert_eq!(response.field("content-length"), Some(size.to_string().as_str()));
    // This is the server's trouble, and the file is there.
    assert_eq!(get(address, "/huge").status, 500);
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let (_program, address) = start("keep-alive");
    let mut client = connect(address);
    let mut answers = Vec::new();
    for path in ["/one", "/two"] {
        write!(client, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        answers.push(read_kept(&mut client));
    }
    assert!(answers[0].contains("This is /one."), "{answers:?}");
    assert!(answers[1].contains("This is /two."), "{answers:?}");
    write!(client, "GET /three HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let last = read_response(&mut client);
    assert_eq!(last.field("connection"), Some("close"));
    assert!(last.text().contains("This is /three."), "{last:?}");
}

/// Reads a response up to the end of its page, and no further.
fn read_kept(client: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.contains("</html>\n") {
        let mut buffer = [0; 4096];
        let count = std::io::Read::read(client, &mut buffer).expect("the response goes on");
        assert!(count > 0, "closed after {text:?}");
        text += &String::from_utf8_lossy(&buffer[..count]);
    }
    text
}

#[test]
fn no_part_of_one_request_is_read_as_another() {
    let (_program, address) = start("keep-alive");
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let filler = "x".repeat(1024);
    let first = "GET /first HTTP/1.1\r\nHost: a\r\n";
    for attack in [
        // A second request in the same piece, with a header field that holds a third one.
        format!("{first}\r\nGET /second HTTP/1.1\r\nX: {filler}\r\nHost: a\r\n\r\n"),
        format!("{first}\r\nGET /second HTTP/1.1\r\nHost: a\r\nX: {filler}{smuggled}"),
    ] {
        let mut client = connect(address);
        client.write_all(attack.as_bytes()).unwrap();
        let answers = String::from_utf8_lossy(&read_all(&mut client)).into_owned();
        assert!(answers.contains("This is /first."), "{answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
    }
    for length in [&format!("Content-Length: {}", smuggled.len()), "Transfer-Encoding: chunked"] {
        let mut client = connect(address);
        write!(client, "{first}{length}\r\n\r\n").unwrap();
        assert!(read_kept(&mut client).contains("This is /first."));
        // The body comes later.
        let _ = client.write_all(smuggled.as_bytes());
        send_no_more(&client);
        assert_eq!(String::from_utf8_lossy(&read_all(&mut client)), "", "{length}");
    }
}
