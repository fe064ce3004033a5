//! Let nobody out: no file outside of what the server means to show is given away.

use super::files::percent_encoded;
use crate::judge::Judge;
use crate::report::Failure;
use crate::report::Outcome::{self, Passed};
use crate::server::Server;
use observer::client::{Response, quoted};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

/// Files that each machine has, and that no site means to show.
const OF_THE_SYSTEM: [&str; 2] = ["/etc/passwd", "C:\\Windows\\win.ini"];

/// A file outside, and how many folders up from the site it is.
struct Secret {
    bytes: Vec<u8>,
    /// Its path from the folder above: names with slashes.
    path: String,
    up: usize,
}

pub fn checks(judge: &mut Judge, folder: Option<&Path>) {
    let mut secrets: Vec<Secret> =
        OF_THE_SYSTEM.iter().filter_map(|file| of_the_system(file)).collect();
    secrets.extend(folder.and_then(beside));
    judge.group("Let nobody out", "docs/documents.md#let-nobody-out");
    judge
        .check("no file outside of the site is given away")
        .expects("status 404, or another of 400 and up, or a page of the site")
        .why("Two dots in a path lead out of the folder. Decode the path, and refuse it if one of its parts is not an ordinary name.")
        .attempt("paths such as /../../secret", |server| nobody_gets_out(server, &secrets));
}

fn of_the_system(file: &str) -> Option<Secret> {
    let bytes = fs::read(file).ok().filter(|bytes| !bytes.is_empty())?;
    let path = file.trim_start_matches("C:\\").trim_start_matches('/').replace('\\', "/");
    Some(Secret { bytes, path, up: 12 })
}

/// A file of a folder above this one, that is not in this one.
fn beside(folder: &Path) -> Option<Secret> {
    let folder = fs::canonicalize(folder).ok()?;
    for (above, up) in folder.ancestors().skip(1).zip(1..4) {
        let mut files: Vec<PathBuf> =
            fs::read_dir(above).ok()?.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            let Some(name) = file.file_name().and_then(|name| name.to_str()) else { continue };
            let is_small = fs::metadata(&file)
                .is_ok_and(|is| is.is_file() && (1..1 << 20).contains(&is.len()));
            if is_small && !name.starts_with('.') && !folder.join(name).exists() {
                let bytes = fs::read(&file).ok()?;
                return Some(Secret { bytes, path: percent_encoded(name), up });
            }
        }
    }
    None
}

fn nobody_gets_out(server: &Server, secrets: &[Secret]) -> Outcome {
    for Secret { bytes, path, up } in secrets {
        let backslashes = path.replace('/', "%5C");
        let paths = [
            format!("/{}{path}", "../".repeat(*up)),
            format!("/{}{path}", "%2e%2e/".repeat(*up)),
            format!("/{}{path}", "..%2f".repeat(*up)),
            format!("/{}{path}", "..%5C".repeat(*up)),
            format!("/{}{backslashes}", "..%5C".repeat(*up)),
            format!("/{}{path}", ".//../".repeat(*up)),
            format!("/x/{}{path}", "../".repeat(*up + 1)),
            format!("//{path}"),
            format!("/%2F{path}"),
            format!("/C:/{path}"),
        ];
        // All at once, since some servers let each of these clients wait.
        let responses: Vec<(String, Response)> = thread::scope(|scope| {
            let requests = paths.map(|path| server.request(&format!("GET {path} HTTP/1.1")));
            let clients =
                requests.map(|request| scope.spawn(move || (server.ask(&request), request)));
            let responses = clients.into_iter().filter_map(|client| client.join().ok());
            responses.map(|(response, request)| (request, response)).collect()
        });
        if let Some((request, _)) =
            responses.iter().find(|(_, response)| response.content() == *bytes)
        {
            let got = format!("the {} bytes of a file that is not in the folder", bytes.len());
            return Failure::got(got).to(quoted(request.as_bytes())).into();
        }
    }
    Passed
}
