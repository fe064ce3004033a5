//! Who has a socket. `/proc/PROCESS/fd` has a link for each descriptor of a program, see proc(5).

use super::Owner;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, iter};
use step1_socket::log::visible;

/// How long nobody asks again for the owner of a socket who was not found.
const PAUSE: Duration = Duration::from_secs(1);

/// The owners that were found until now.
#[derive(Debug, Default)]
pub struct Owners {
    known: HashMap<u32, Owner>,
    /// Sockets whose owner was not found: how often, and when last.
    unknown: HashMap<u32, (u32, Instant)>,
}

impl Owners {
    /// Finds the owners of sockets. A program that owns one is asked for the others first, and all
    /// programs only where that is not enough.
    pub fn find(&mut self, inodes: impl Iterator<Item = u32>) {
        let inodes: HashSet<u32> = inodes.collect();
        self.known.retain(|inode, owner| inodes.contains(inode) && has(owner, *inode));
        self.unknown.retain(|inode, _| inodes.contains(inode));
        // Whom this person may not look at is asked for now and then.
        let may_be_found = |inode: &u32| match self.unknown.get(inode) {
            Some((tries, last)) => *tries < 3 || last.elapsed() > PAUSE,
            None => !self.known.contains_key(inode),
        };
        let mut missing: HashSet<u32> = inodes.iter().copied().filter(may_be_found).collect();

        let familiar: BTreeSet<u32> = self.known.values().map(|owner| owner.process).collect();
        for process in familiar.into_iter().chain(iter::once_with(processes).flatten()) {
            if missing.is_empty() {
                return;
            }
            for (inode, descriptor) in sockets_of(process) {
                if missing.remove(&inode) {
                    self.unknown.remove(&inode);
                    let program = name_of(process);
                    self.known.insert(inode, Owner { program, process, descriptor });
                }
            }
        }
        for inode in missing {
            let (tries, last) = self.unknown.entry(inode).or_insert((0, Instant::now()));
            (*tries, *last) = (*tries + 1, Instant::now());
        }
    }

    /// The owner of a socket, if one was found.
    pub fn of(&self, inode: u32) -> Option<Owner> {
        self.known.get(&inode).cloned()
    }
}

/// The sockets of the programs that were started in this repository or in the current folder.
pub fn sockets_of_programs_started_here() -> Vec<(u32, Owner)> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let here: Vec<PathBuf> =
        repository.map(Path::to_path_buf).into_iter().chain(env::current_dir()).collect();
    let mut sockets = Vec::new();
    for process in processes().filter(|process| *process != std::process::id()) {
        let folder = fs::read_link(format!("/proc/{process}/cwd"));
        if folder.is_ok_and(|folder| here.iter().any(|here| folder.starts_with(here))) {
            for (inode, descriptor) in sockets_of(process) {
                let program = name_of(process);
                sockets.push((inode, Owner { program, process, descriptor }));
            }
        }
    }
    sockets
}

/// The sockets that the system lists in tables of other kinds.
pub fn sockets_that_are_not_tcp() -> HashSet<u32> {
    // The column that has the number of the socket.
    let tables = [("unix", 6), ("netlink", 9), ("packet", 8), ("udp", 9), ("udp6", 9)];
    let more = [("raw", 9), ("raw6", 9), ("icmp", 9), ("icmp6", 9)];
    let mut sockets = HashSet::new();
    for (table, column) in tables.into_iter().chain(more) {
        let text = fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        let cells = text.lines().filter_map(|line| line.split_ascii_whitespace().nth(column));
        sockets.extend(cells.filter_map(|cell| cell.parse::<u32>().ok()));
    }
    sockets
}

/// The numbers of all programs.
fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The sockets of a program, each with its descriptor. None where this person may not look.
fn sockets_of(process: u32) -> Vec<(u32, u32)> {
    let entries = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let sockets = entries.filter_map(|entry| {
        let descriptor = entry.file_name().to_str()?.parse().ok()?;
        Some((inode_of(&entry.path())?, descriptor))
    });
    sockets.collect()
}

fn has(owner: &Owner, inode: u32) -> bool {
    let link = format!("/proc/{}/fd/{}", owner.process, owner.descriptor);
    inode_of(Path::new(&link)) == Some(inode)
}

/// The link of a socket is `socket:[4711]`.
fn inode_of(link: &Path) -> Option<u32> {
    let target = fs::read_link(link).ok()?;
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The name of a program, and of the file that it runs, such as `python3 server.py`.
fn name_of(process: u32) -> String {
    let words = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let words: Vec<String> = words.split(|byte| *byte == 0).map(visible).collect();
    let last_part = |path: &str| path.rsplit('/').next().unwrap_or_default().to_string();
    let script = words.iter().skip(1).find(|word| !word.starts_with('-'));
    let is_file = |word: &&String| Path::new(&format!("/proc/{process}/cwd")).join(word).is_file();
    match (&words[0], script.filter(is_file)) {
        (program, Some(script)) => format!("{} {}", last_part(program), last_part(script)),
        (program, None) => last_part(program),
    }
}
