//! A console block prints what the page shows.
//!
//! - A line that begins with `$ ` is a command. The lines below it are what it prints. `[..]`
//!   stands for anything within a line, a line of `...` for any number of lines.
//! - A block marked `console server` starts a program that goes on. The blocks below it are its
//!   clients. All of them, up to the next server, are a scene. A block in which the judge starts
//!   the server is a scene of its own.
//! - A block marked `console client` starts a client that goes on until the scene ends.
//! - A block without a command is what the server has printed since it was last shown.
//! - A block marked `console macos` or `console windows` is for readers there, and is not run.
//! - A line `<!-- my-server: stage3-listen -->` says what stands for a file that the reader writes,
//!   from there on: an example, or a path.
//!
//! The pages say port 8080. The server gets a free port instead, and so do its clients. Where they
//! say `cargo run`, all programs are built once, and started from where cargo puts them. A port of
//! a client, such as 53124, a descriptor and the version of curl are examples on a page: what is
//! printed may differ there.
//!
//! A block whose tool is not installed is skipped, and so is what depends on it. A scene that fails
//! is tried again at the end, with no other scene beside it, before anyone hears of it: the machine
//! may be busy.

mod command;
mod running;

use super::commands::{TOOLS, words};
use super::{Kind, Page, regex};
use command::StandIn;
use running::Running;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;
use std::{iter, thread};

/// How long a server may take to print what it should, at first and when it is tried again.
const LOG_TIMEOUTS: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(10)];

/// When so many scenes have failed again, no other is tried again: the machine is not just busy.
const ENOUGH_FAILED: usize = 3;

/// How many scenes are tried side by side. Most of their time they wait.
const SIDE_BY_SIDE: usize = 12;

/// What came of console blocks.
#[derive(Debug, Default)]
pub struct Report {
    /// What is wrong.
    pub complaints: Vec<String>,
    /// What could not be tried for want of a tool.
    pub skipped: Vec<String>,
    /// What is for readers of another system.
    pub elsewhere: Vec<String>,
}

/// Runs the console blocks of some pages.
pub fn run(pages: &[Page], root: &Path) -> Report {
    // What the pages time is not to wait for a compiler.
    LazyLock::force(&command::PROGRAMS);
    let mut scenes: Vec<Scene> = pages.iter().flat_map(scenes).collect();
    // The judges begin first: some of them take longest.
    scenes.sort_by_key(|scene| !scene.blocks.iter().any(Block::starts_its_own_server));
    let next = AtomicUsize::new(0);
    let (sender, outcomes) = channel();
    thread::scope(|scope| {
        for sender in iter::repeat_n(sender, SIDE_BY_SIDE) {
            scope.spawn(|| {
                let sender = sender;
                while let Some(scene) = scenes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    sender
                        .send((scene, scene.play(root, LOG_TIMEOUTS[0])))
                        .expect("somebody collects them");
                }
            });
        }
    });
    let mut report = Report::default();
    let mut outcomes: Vec<(&Scene, Report)> = outcomes.iter().collect();
    outcomes.sort_by_key(|(scene, _)| (&scene.page.path, scene.blocks.first().map(|it| it.line)));
    let mut failed = 0;
    for (scene, mut outcome) in outcomes {
        let attempts = match scene.shows_times() {
            _ if failed >= ENOUGH_FAILED => 1,
            true => 3,
            false => 2,
        };
        for log_timeout in &LOG_TIMEOUTS[1..attempts] {
            if !outcome.complaints.is_empty() {
                outcome = scene.play(root, *log_timeout);
            }
        }
        failed += usize::from(!outcome.complaints.is_empty());
        report.complaints.extend(scene.wrong_on_the_page());
        report.complaints.extend(outcome.complaints);
        report.skipped.extend(outcome.skipped);
        report.elsewhere.extend(outcome.elsewhere);
    }
    report
}

/// A server and its clients, or the blocks before the first server of a page.
struct Scene<'a> {
    page: &'a Page,
    blocks: Vec<Block>,
}

/// A console block.
struct Block {
    line: usize,
    /// What stands after `console`, if anything does.
    role: String,
    /// Its commands, each with what it prints.
    commands: Vec<(String, String)>,
    stand_ins: Vec<StandIn>,
}

impl Block {
    /// Whether the judge starts a server here. Then the block has nothing to do with the page's own servers.
    fn starts_its_own_server(&self) -> bool {
        self.role.is_empty()
            && !self.commands.is_empty()
            && self.commands.iter().all(|(command, _)| command.contains("--run "))
    }
}

fn scenes(page: &Page) -> Vec<Scene<'_>> {
    let is_stand_in = regex(r"<!--\s*(my[-_][\w.-]+): (\S+)\s*-->");
    let mut scenes = vec![Scene { page, blocks: Vec::new() }];
    let mut stand_ins: Vec<StandIn> = Vec::new();
    for part in &page.parts {
        match &part.kind {
            Kind::Html(html) => {
                for found in is_stand_in.captures_iter(html) {
                    let (name, stands_for_it) = (found[1].to_string(), found[2].to_string());
                    stand_ins.retain(|earlier| earlier.name != name);
                    stand_ins.push(StandIn { name, stands_for_it });
                }
            }
            Kind::Block { info, code, .. } if info.split(' ').next() == Some("console") => {
                let role = info.strip_prefix("console").unwrap_or_default().trim().to_string();
                if role == "server" {
                    scenes.push(Scene { page, blocks: Vec::new() });
                }
                let (commands, stand_ins) = (split(code), stand_ins.clone());
                let block = Block { line: part.line, role, commands, stand_ins };
                if block.starts_its_own_server() {
                    // Before the current scene, which goes on.
                    scenes.insert(scenes.len() - 1, Scene { page, blocks: vec![block] });
                } else {
                    scenes.last_mut().expect("there is one").blocks.push(block);
                }
            }
            _ => {}
        }
    }
    scenes
}

/// What stands for a command where a block shows more of what the server printed.
const GOES_ON: &str = "the server";

/// Splits a block into its commands, each with what it prints.
fn split(code: &str) -> Vec<(String, String)> {
    let text = format!("\n$ {GOES_ON}\n{code}");
    let parts = text.split("\n$ ").skip(1).map(|part| part.split_once('\n').unwrap_or((part, "")));
    let shown = parts.filter(|(command, output)| *command != GOES_ON || !output.is_empty());
    shown.map(|(command, output)| (command.to_string(), output.to_string())).collect()
}

impl Scene<'_> {
    /// What is wrong whatever the commands print.
    fn wrong_on_the_page(&self) -> Vec<String> {
        let commands = self.blocks.iter().flat_map(|block| {
            block.commands.iter().map(move |(command, shown)| (block, command, shown))
        });
        let complaints = commands.filter_map(|(block, command, shown)| {
            let what = wrong_on_the_page(block, command, shown)?;
            Some(self.page.complain(block.line, &format!("{command} {what}")))
        });
        complaints.collect()
    }

    fn shows_times(&self) -> bool {
        let mut commands = self.blocks.iter().flat_map(|block| &block.commands);
        commands.any(|(command, _)| {
            ["%{time_", "cargo judge", "cargo visit"].iter().any(|it| command.contains(it))
        })
    }

    /// Runs the commands of the scene, in their order.
    fn play(&self, root: &Path, log_timeout: Duration) -> Report {
        let mut report = Report::default();
        let mut skipped: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut server: Option<Running> = None;
        let mut clients: Vec<Running> = Vec::new();
        // Nobody listens there: it stands for 8080 in a scene without a server.
        let unused_port = test_support::free_address().port();
        // Why the state of the server is not what the page says.
        let mut lost: Option<String> = None;

        for block in &self.blocks {
            if ["macos", "windows"].contains(&block.role.as_str()) {
                let what = format!("this is for {}", block.role);
                report.elsewhere.push(self.page.complain(block.line, &what));
                continue;
            }
            let missing = missing_tool(&block.commands);
            if let Some(tool) = lost.clone().or_else(|| missing.clone()) {
                skipped.entry(tool).or_default().push(block.line);
                // A client that did not come has changed nothing, and one that only looks changes
                // nothing anyway.
                let only_looks = missing.as_deref() == Some("ps");
                lost = lost.or(missing.filter(|_| !only_looks));
                continue;
            }
            for (command, shown) in &block.commands {
                if wrong_on_the_page(block, command, shown).is_some() {
                    continue;
                }
                let port = server.as_ref().map_or(unused_port, |server| server.port);
                let result = match (block.role.as_str(), &mut server) {
                    ("server", _) => {
                        let mut started = Running::server(command, root, &block.stand_ins);
                        let has_started = if !command::has_no_port(command) && shown.is_empty() {
                            started.has_started(log_timeout)
                        } else {
                            Ok(())
                        };
                        has_started.and_then(|()| server.insert(started).prints(shown, log_timeout))
                    }
                    ("client", _) if command == GOES_ON => match clients.last_mut() {
                        Some(client) => client.prints(shown, log_timeout),
                        None => Err("is not there: no client goes on".to_string()),
                    },
                    ("client", _) => {
                        let mut client = Running::client(command, root, port, &block.stand_ins);
                        let result = client.prints(shown, log_timeout);
                        clients.push(client);
                        result
                    }
                    (_, Some(server)) if command == GOES_ON => server.prints(shown, log_timeout),
                    (_, None) if command == GOES_ON => Err("does not run".to_string()),
                    _ => Running::client(command, root, port, &block.stand_ins).ends_with(shown),
                };
                if let Err(what) = result {
                    report
                        .complaints
                        .push(self.page.complain(block.line, &format!("{command} {what}")));
                }
            }
        }
        for (tool, lines) in skipped {
            let others: Vec<String> = lines[1..].iter().map(ToString::to_string).collect();
            let with_it = if others.is_empty() { "" } else { "; left out with it: " };
            let what = format!("{tool} is not installed{with_it}{}", others.join(", "));
            report.skipped.push(self.page.complain(lines[0], &what));
        }
        report
    }
}

/// What is wrong with a command whatever it prints.
fn wrong_on_the_page(block: &Block, command: &str, shown: &str) -> Option<String> {
    let words = shown.replace("[..]", "").replace("...", "");
    if !shown.is_empty() && !words.contains(char::is_alphanumeric) {
        return Some("has to show at least one word".to_string());
    }
    if command.starts_with("cargo test") {
        let what = "would run these tests themselves: show it in a block marked sh";
        return Some(what.to_string());
    }
    let name = command::unknown_file(command, &block.stand_ins)?;
    Some(format!("is of the reader: say what stands for it, as in <!-- {name}: stage3-listen -->"))
}

/// The first tool in a block's commands that this machine does not have.
fn missing_tool(commands: &[(String, String)]) -> Option<String> {
    let words = commands.iter().flat_map(|(command, _)| words(command));
    // Cargo runs these tests, so it is there.
    let is_tool = |word: &&str| *word != "cargo" && TOOLS.split(' ').any(|tool| tool == *word);
    let is_missing = |tool: &&str| {
        let look = format!("command -v {tool} >/dev/null");
        !Command::new("sh").args(["-c", &look]).status().expect("sh runs").success()
    };
    words.filter(is_tool).find(is_missing).map(str::to_string)
}
