//! What a command on a page becomes before it runs: programs that are built already, on ports that
//! are free, with files that exist.

use super::super::{files, regex, root};
use regex::Captures;
use std::path::PathBuf;
use std::sync::LazyLock;

/// Where the programs of the workspace are, built once.
pub static PROGRAMS: LazyLock<PathBuf> =
    LazyLock::new(|| test_support::build(&["--workspace", "--bins", "--examples"]));

/// The package and the name of each example.
static EXAMPLES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let path = regex(r"^([^/]+)/examples/([^/]+?)(?:/main)?\.rs$");
    let files = files(&root(), "rs").into_iter();
    files
        .filter_map(|(file, _)| {
            let found = path.captures(&file)?;
            Some((found[1].to_string(), found[2].to_string()))
        })
        .collect()
});

/// What is run or read in place of a file that the reader writes.
#[derive(Clone)]
pub struct StandIn {
    /// The reader's name for it, such as `my-server`.
    pub name: String,
    /// An example, such as `stage3-listen`, or a path, such as `docs/example-site`.
    pub stands_for_it: String,
}

impl StandIn {
    /// The package that has it, if it is an example.
    fn package(&self) -> Option<&'static str> {
        let example = EXAMPLES.iter().find(|(_, example)| *example == self.stands_for_it);
        example.map(|(package, _)| package.as_str())
    }

    /// A command with this in place of what the reader wrote.
    fn put_into(&self, command: &str) -> String {
        let example = regex(&format!(r"-p [\w-]+ --example {}\b", regex::escape(&self.name)));
        let package = self.package().unwrap_or("step1-socket");
        let this = format!("-p {package} --example {}", self.stands_for_it);
        example.replace_all(command, this).replace(&self.name, &self.stands_for_it)
    }

    /// What was printed, with the reader's name again.
    pub fn take_out_of(&self, printed: &str) -> String {
        let mut printed = printed.to_string();
        if let Some(package) = self.package() {
            let example = format!("-p {package} --example {}", self.stands_for_it);
            let file = format!("{package}/examples/{}", self.stands_for_it);
            printed = printed
                .replace(&example, &format!("-p step1-socket --example {}", self.name))
                .replace(&file, &format!("step1-socket/examples/{}", self.name));
        }
        printed.replace(&self.stands_for_it, &self.name)
    }
}

/// The first name in a command of a file that the reader writes, and that nothing stands for.
pub fn unknown_file(command: &str, stand_ins: &[StandIn]) -> Option<String> {
    let of_the_reader = regex(r"\bmy[-_][\w-]+(?:\.\w+)?");
    let mut names = of_the_reader.find_iter(command).map(|name| name.as_str());
    let is_known = |name: &&str| stand_ins.iter().any(|known| known.name == *name);
    names.find(|name| !is_known(name)).map(str::to_string)
}

/// The command of a server, with a port in place of the one on the page.
pub fn server(command: &str, port: u16, stand_ins: &[StandIn]) -> String {
    let command = with_stand_ins(command, stand_ins);
    let with_port = if command.contains("8080") {
        command.replace("8080", &port.to_string())
    } else if has_no_port(&command) {
        command
    } else if command.starts_with("python3") {
        format!("{command} {port}")
    } else {
        with_address(&command, port)
    };
    without_cargo(&with_port)
}

/// Whether a server is at no port: it has a socket, and no more.
pub fn has_no_port(command: &str) -> bool {
    let ends = ["-p step1-socket", "--example starter", "--example stage1-socket"];
    ends.iter().any(|end| command.ends_with(end))
}

/// The command of a client, with a port in place of 8080.
pub fn client(command: &str, port: u16, stand_ins: &[StandIn]) -> String {
    let mut command = with_stand_ins(command, stand_ins).replace("8080", &port.to_string());
    // A program of this course takes port 8080 if it is told no other.
    let of_this_course = regex(
        r"^cargo run -p (?:step(?:[2-9]|\d\d)-\w+|docs)(?: --example client)?(?: -- --\w+)?$",
    );
    if of_this_course.is_match(&command) {
        command = with_address(&command, port);
    }
    let observer = regex(r"cargo (judge|visit|look)\b([^;|&()<>]*)");
    let with_port = observer.replace_all(&command, |found: &Captures| {
        let (tool, arguments) = (&found[1], found[2].trim_end());
        // What is quoted is the command of another server.
        let own = regex("\"[^\"]*\"").replace_all(arguments, "");
        let has_address =
            regex(r":\d").is_match(&own) || tool == "look" && regex(r" \d").is_match(&own);
        let once = if tool == "look" && !own.contains("--once") { " --once" } else { "" };
        let address = match tool {
            _ if has_address => String::new(),
            "look" => format!(" {port}"),
            _ => format!(" 127.0.0.1:{port}"),
        };
        let rest = &found[2][arguments.len()..];
        format!("'{}'{once}{arguments}{address}{rest}", PROGRAMS.join(tool).display())
    });
    without_cargo(&with_port)
}

fn with_stand_ins(command: &str, stand_ins: &[StandIn]) -> String {
    let mut stand_ins: Vec<&StandIn> = stand_ins.iter().collect();
    // my-server.py before my-server, which it contains.
    stand_ins.sort_by_key(|it| std::cmp::Reverse(it.name.len()));
    stand_ins.iter().fold(command.to_string(), |command, it| it.put_into(&command))
}

/// The same command with an address for the program that it runs.
fn with_address(command: &str, port: u16) -> String {
    let dashes = if command.contains(" -- ") { "" } else { "-- " };
    format!("{command} {dashes}127.0.0.1:{port}")
}

/// The same command with the program itself in place of `cargo run`.
fn without_cargo(command: &str) -> String {
    let run = regex(r"cargo run -p ([\w-]+)(?: --example ([\w-]+))?(?: --( |$))?");
    let program = |found: &Captures| {
        let example = found.get(2).map(|name| format!("examples/{}", name.as_str()));
        let name = example.unwrap_or_else(|| found[1].to_string());
        let space = found.get(3).map_or("", |space| space.as_str());
        format!("'{}'{space}", PROGRAMS.join(name).display())
    };
    run.replace_all(command, program).into_owned()
}
