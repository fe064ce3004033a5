//! A number in a picture that stands in the code is the number in the code.

use super::{files, regex};
use std::path::Path;

/// How a picture says a number, and how the code of a step does.
const NUMBERS: [(&str, &str); 2] = [
    (r"backlog (?:of )?(\d+)", r"const BACKLOG: i32 = (\d+)"),
    // The ports of clients have five digits.
    (r"(?:port |:)(\d{4})\b", r#""127\.0\.0\.1:(\d+)""#),
];

/// Reads every picture. The picture of a step has the number of that step, or of the last one
/// before it that has one. Another picture has the number of any step.
pub fn complaints(root: &Path) -> Vec<String> {
    let mut code = files(root, "rs");
    code.retain(|(file, _)| file.starts_with("step") && file.contains("/src/"));
    let mut complaints = Vec::new();
    for (picture, text) in files(root, "svg") {
        let step = picture.strip_prefix("docs/images/").filter(|name| name.starts_with("step"));
        for (shown, written) in NUMBERS.map(|(shown, written)| (regex(shown), regex(written))) {
            let until_step =
                |(file, _): &&(String, String)| step.is_none_or(|s| file[..5] <= s[..5]);
            let found =
                code.iter().filter(until_step).filter_map(|(_, text)| written.captures(text));
            let mut numbers: Vec<String> = found.map(|number| number[1].to_string()).collect();
            if step.is_some() {
                numbers.drain(..numbers.len().saturating_sub(1));
            }
            for (line, text) in text.lines().enumerate() {
                for found in shown.captures_iter(text).filter(|n| !numbers.contains(&n[1].into())) {
                    let what = format!("'{}', but the code has {numbers:?}", &found[0]);
                    complaints.push(format!("{picture}:{}: {what}", line + 1));
                }
            }
        }
    }
    complaints
}
