//! Serve documents: what the server sends is compared with the folder that it serves.

use crate::judge::Judge;
use crate::report::Failure;
use crate::report::Outcome::{self, NotChecked, Passed};
use crate::server::Server;
use observer::client::{Framing, Response, quoted};
use std::fs;
use std::path::{Path, PathBuf};

/// No more files are compared than this.
const MOST_FILES: usize = 200;

/// A file of the folder, and the path under which the server has it.
struct Document {
    file: PathBuf,
    path: String,
}

pub fn checks(judge: &mut Judge, folder: &Path) {
    let documents = documents(folder);
    judge.group("Serve documents", "docs/documents.md#your-turn");
    judge
        .check("each file of the folder arrives byte for byte")
        .expects("status 200, and the bytes of the file")
        .why("Read the file as bytes, not as text, and send all of them with their length.")
        .attempt("a request for each file", |server| first_fault(server, &documents, same_bytes));
    judge
        .check("each file has its type")
        .expects("a Content-Type that fits the end of the file's name")
        .why("A browser uses a stylesheet only as text/css, and shows a page only as text/html.")
        .attempt("a request for each file", |server| first_fault(server, &documents, right_type));
    let index = fs::read(folder.join("index.html"));
    judge
        .check("/ shows index.html")
        .expects("status 200, and the bytes of index.html")
        .why("A person types the address of the server only. The page at / is index.html.")
        .attempt("GET /", |server| match &index {
            Ok(bytes) => {
                let response = server.ask(server.plain());
                if response.is_ok() && response.content() == *bytes {
                    Passed
                } else {
                    Failure::got(response.quoted()).into()
                }
            }
            Err(_) => NotChecked("the folder has no index.html".into()),
        });
}

/// All files of the folder, but for those whose names begin with a dot, and links that lead out of it: a
/// server need not follow these, and a careful one does not.
fn documents(folder: &Path) -> Vec<Document> {
    let site = fs::canonicalize(folder);
    let leads_out = |file: &Path| match (&site, fs::canonicalize(file)) {
        (Ok(site), Ok(place)) => !place.starts_with(site),
        _ => false,
    };
    let (mut folders, mut documents) = (vec![(folder.to_path_buf(), String::new())], Vec::new());
    while let Some((folder, path)) = folders.pop() {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let Some(name) = entry.file_name().to_str().map(ToString::to_string) else { continue };
            let path = format!("{path}/{}", percent_encoded(&name));
            match fs::metadata(entry.path()) {
                _ if name.starts_with('.') || leads_out(&entry.path()) => {}
                Ok(is) if is.is_dir() => folders.push((entry.path(), path)),
                Ok(is) if is.is_file() && is.len() > 0 => {
                    documents.push(Document { file: entry.path(), path });
                }
                _ => {}
            }
        }
    }
    documents.sort_by(|one, other| one.path.cmp(&other.path));
    documents.truncate(MOST_FILES);
    documents
}

/// A name as a browser writes it in a path.
pub fn percent_encoded(name: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(encode).collect()
}

fn first_fault(
    server: &Server,
    documents: &[Document],
    fault: fn(&Document, &[u8], &Response) -> Option<Failure>,
) -> Outcome {
    if documents.is_empty() {
        return NotChecked("the folder has no files".into());
    }
    for document in documents {
        let request = server.request(&format!("GET {} HTTP/1.1", document.path));
        let response = server.ask(&request);
        let Ok(bytes) = fs::read(&document.file) else { continue };
        if let Some(failure) = fault(document, &bytes, &response) {
            return failure.to(quoted(request.as_bytes())).into();
        }
        if server.time_is_up() {
            return NotChecked("no time left for all files".into());
        }
    }
    Passed
}

fn same_bytes(document: &Document, bytes: &[u8], response: &Response) -> Option<Failure> {
    let content = response.content();
    if response.is_ok() && content == bytes && response.is_complete() != Some(false) {
        return None;
    }
    let failure = Failure::got(response.quoted());
    let is_text = std::str::from_utf8(bytes).is_ok();
    Some(match response.status() {
        Some(404) if document.path.contains('%') => failure
            .because("A browser writes a space in a name as %20, and other letters as their bytes. Put them back before you look for the file."),
        Some(404) => failure.because("The file is there. Look for it in the folder, with the path that was asked for."),
        Some(200) => {
            let got = format!("{} bytes, and the file has {}", content.len(), bytes.len());
            let failure = Failure::got(if content.len() == bytes.len() { "not the bytes of the file".into() } else { got });
            match response.framing() {
                Framing::Length(length) if length != content.len() => {
                    failure.because("Content-Length is not the number of bytes that came.")
                }
                _ if !is_text => failure.because("It is not text: read it as bytes, not as text, and change nothing."),
                _ => failure,
            }
        }
        _ => failure,
    })
}

/// What a file may be called, by the end of its name.
const TYPES: [(&[&str], &[&str]); 13] = [
    (&["html", "htm"], &["text/html"]),
    (&["css"], &["text/css"]),
    (&["js", "mjs"], &["text/javascript", "application/javascript"]),
    (&["txt"], &["text/plain"]),
    (&["json"], &["application/json"]),
    (&["svg"], &["image/svg+xml"]),
    (&["png"], &["image/png"]),
    (&["jpg", "jpeg"], &["image/jpeg"]),
    (&["gif"], &["image/gif"]),
    (&["webp"], &["image/webp"]),
    (&["ico"], &["image/x-icon", "image/vnd.microsoft.icon"]),
    (&["pdf"], &["application/pdf"]),
    (&["woff2"], &["font/woff2"]),
];

fn right_type(document: &Document, _: &[u8], response: &Response) -> Option<Failure> {
    let end = document.file.extension()?.to_str()?.to_ascii_lowercase();
    let (_, types) = TYPES.iter().find(|(ends, _)| ends.contains(&end.as_str()))?;
    if !response.is_ok() {
        return None; // Another check says so.
    }
    let kind = response.field("content-type").unwrap_or("no Content-Type");
    let name = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if types.contains(&name.as_str()) {
        return None;
    }
    Some(Failure::got(kind.to_string()).instead_of(format!("Content-Type: {}", types[0])))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_that_leads_out_is_no_document() {
        let folder = tempfile::tempdir().expect("a folder");
        let site = folder.path().join("site");
        fs::create_dir(&site).expect("a folder");
        fs::write(folder.path().join("secret.txt"), "a secret").expect("a file");
        fs::write(site.join("index.html"), "<h1>Home</h1>").expect("a file");
        symlink("../secret.txt", site.join("link.txt")).expect("a link that leads out");
        symlink("index.html", site.join("home.html")).expect("a link that stays inside");

        let paths: Vec<String> = documents(&site).into_iter().map(|one| one.path).collect();
        assert_eq!(paths, ["/home.html", "/index.html"]);
    }
}
