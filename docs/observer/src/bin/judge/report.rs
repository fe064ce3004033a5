//! What came of the checks, for a person at the terminal or for a program.

use crate::course;
use colored::{ColoredString, Colorize};
use serde_json::json;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;

/// The text is at most this wide. A narrower terminal gets narrower text.
const WIDTH: usize = 80;

/// One check, and what came of it.
#[derive(Clone)]
pub struct Result {
    pub group: &'static str,
    pub page: &'static str,
    pub name: String,
    pub outcome: Outcome,
}

/// What came of a check.
#[derive(Clone)]
pub enum Outcome {
    Passed,
    /// It passed, and there is something to say about it.
    PassedWith(String),
    Failed(Failure),
    /// It was not checked, and why not.
    NotChecked(String),
}

/// What is wrong, and what to do about it.
#[derive(Clone, Default)]
pub struct Failure {
    pub sent: String,
    pub expected: String,
    pub got: String,
    pub why: String,
    /// What the server printed, if that explains it.
    pub printed: Vec<String>,
    /// Whether it ended the server, or left it serving nobody.
    pub ended_the_server: bool,
}

impl Failure {
    /// This came instead.
    pub fn got(got: impl Into<String>) -> Failure {
        Failure { got: got.into(), ..Failure::default() }
    }

    /// Why it matters, and what to do, if the cause is a special one.
    pub fn because(mut self, why: impl Into<String>) -> Failure {
        self.why = why.into();
        self
    }

    /// What was expected instead, if the cause is a special one.
    pub fn instead_of(mut self, expected: impl Into<String>) -> Failure {
        self.expected = expected.into();
        self
    }

    /// What was sent, if the check sends more than one thing.
    pub fn to(mut self, sent: impl Into<String>) -> Failure {
        self.sent = sent.into();
        self
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Outcome {
        Outcome::Failed(failure)
    }
}

/// How it is said.
#[derive(Clone, Copy)]
pub struct Style {
    /// A line for each check, also in groups that pass.
    pub each_check: bool,
    /// Each failure in detail, and not only the first to fix.
    pub each_failure: bool,
    /// For programs.
    pub json: bool,
}

pub struct Report {
    style: Style,
    results: Vec<Result>,
    /// The group that is going on: how many results there were when it began.
    group: Option<(&'static str, usize)>,
}

/// Prints a line. If nobody reads it anymore, the judge goes on silently.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints a line for the person at the terminal, not for programs.
pub fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

// Colors are backgrounds: black on them can be read on dark and on white terminals.
fn ok() -> ColoredString {
    " ok ".black().on_green()
}

fn fail() -> ColoredString {
    "FAIL".black().on_bright_red()
}

fn unchecked() -> ColoredString {
    " ?  ".black().on_yellow()
}

impl Report {
    pub fn new(style: Style) -> Report {
        Report { style, results: Vec::new(), group: None }
    }

    /// Says which server is judged.
    pub fn begin(&self, line: &str) {
        if !self.style.json {
            say(format!("{}\n", line.bold()));
        }
    }

    /// Begins a group of checks.
    pub fn begin_group(&mut self, heading: &'static str) {
        self.end_group();
        self.group = Some((heading, self.results.len()));
        if self.style.json {
            return;
        }
        if self.style.each_check {
            say(format!("{}", heading.bold()));
        } else if io::stdout().is_terminal() {
            let _ = write!(io::stdout(), " ..  {heading}"); // Until it is known how it went.
            let _ = io::stdout().flush();
        }
    }

    /// Ends the group, and says how it went.
    pub fn end_group(&mut self) {
        let Some((heading, start)) = self.group.take() else { return };
        if self.style.json {
            return;
        }
        if self.style.each_check {
            say("");
            return;
        }
        if io::stdout().is_terminal() {
            let _ = write!(io::stdout(), "\r");
        }
        let results = &self.results[start..];
        let count =
            |is: fn(&Outcome) -> bool| results.iter().filter(|result| is(&result.outcome)).count();
        let (passed, failed, all) = (count(Outcome::passed), count(Outcome::failed), results.len());
        let mark = match (passed, failed) {
            _ if passed == all => ok(),
            (_, 0) => unchecked(),
            _ => fail(),
        };
        // What was not checked for one reason is said in one line.
        let reasons: Vec<&str> =
            results.iter().filter_map(|result| result.outcome.reason()).collect();
        let one_reason =
            reasons.first().filter(|first| reasons.iter().all(|reason| reason == *first));
        match one_reason {
            Some(reason) if failed == 0 && passed == 0 => {
                row(&mark, &format!("{heading}: not checked ({reason})"));
                return;
            }
            _ => row(&mark, &format!("{} {passed} of {all}", format!("{heading}:").bold())),
        }
        for Result { name, outcome, .. } in results {
            match outcome {
                Outcome::Passed => {}
                Outcome::PassedWith(note) => row(&"   -".normal(), &format!("{name} ({note})")),
                Outcome::Failed(_) => row(&"   -".normal(), name),
                Outcome::NotChecked(_) if one_reason.is_some() => {}
                Outcome::NotChecked(reason) => row(&"   ?".normal(), &format!("{name} ({reason})")),
            }
        }
        if let (Some(reason), true) = (one_reason, failed + passed > 0) {
            row(&"   ?".normal(), &format!("{} not checked ({reason})", reasons.len()));
        }
    }

    /// Notes what came of a check.
    pub fn add(&mut self, result: Result) {
        if self.style.json {
            say(object(&result));
        } else if self.style.each_check {
            let (mark, note) = match &result.outcome {
                Outcome::Passed => (ok(), String::new()),
                Outcome::PassedWith(note) => (ok(), format!(" ({note})")),
                Outcome::Failed(_) => (fail(), String::new()),
                Outcome::NotChecked(reason) => (unchecked(), format!(" ({reason})")),
            };
            row(&mark, &format!("{}{note}", result.name));
        }
        self.results.push(result);
    }

    pub fn has_failures(&self) -> bool {
        self.results.iter().any(|result| result.outcome.failed())
    }

    pub fn passed(&self) -> usize {
        self.results.iter().filter(|result| result.outcome.passed()).count()
    }

    pub fn failed(&self) -> usize {
        self.results.iter().filter(|result| result.outcome.failed()).count()
    }

    pub fn not_checked(&self) -> usize {
        self.results.len() - self.passed() - self.failed()
    }

    /// Whether there are failures, and all of them are in this group.
    pub fn fails_only_in(&self, group: &str) -> bool {
        let failed = || self.results.iter().filter(|result| result.outcome.failed());
        failed().count() > 0 && failed().all(|result| result.group == group)
    }

    /// Whether all checks of the groups before this one have passed.
    pub fn all_passed_before(&self, group: &str) -> bool {
        let before = self.results.iter().take_while(|result| result.group != group);
        before.into_iter().all(|result| result.outcome.passed())
    }

    /// The failure to fix first: the one that ended the server, since it hides others, or the first one.
    fn first_to_fix(&self) -> Option<(&Result, &Failure)> {
        let failures =
            || self.results.iter().filter_map(|result| Some((result, result.outcome.failure()?)));
        failures().find(|(_, failure)| failure.ended_the_server).or_else(|| failures().next())
    }

    /// Explains what to fix, counts, and says `praise` if everything passed.
    pub fn conclude(&mut self, server: SocketAddr, step: Option<usize>, praise: &[String]) {
        self.end_group();
        if self.style.json {
            say(self.last_object(server, step));
            return;
        }
        let counts = self.counts();
        match self.first_to_fix() {
            None if self.not_checked() == 0 => {
                let mut lines = praise.iter();
                let first = lines.next().map_or("", String::as_str);
                say(wrapped(&format!("{counts}. {first}"), ""));
                lines.for_each(|line| say(wrapped(line, "")));
            }
            None => {
                say(format!("{counts}."));
                say(wrapped(
                    "Nothing failed, but not everything could be checked: judge it again.",
                    "",
                ));
            }
            Some((first, failure)) => {
                for (result, failure) in
                    self.results.iter().filter_map(|r| Some((r, r.outcome.failure()?)))
                {
                    if self.style.each_failure && result.name != first.name {
                        explain(&fail(), result, failure);
                        say("");
                    }
                }
                if !self.style.each_check {
                    say("");
                }
                explain(&"Fix this first:".black().on_bright_red(), first, failure);
                let others = self.failed() - 1;
                let all = if self.style.each_failure || others == 0 {
                    ""
                } else {
                    " --all explains every failure."
                };
                say(format!("\n{counts}.{all}"));
            }
        }
    }

    fn counts(&self) -> String {
        let mut counts = format!("{} passed, {} failed", self.passed(), self.failed());
        if self.not_checked() > 0 {
            counts += &format!(", {} not checked", self.not_checked());
        }
        counts
    }

    fn last_object(&self, server: SocketAddr, step: Option<usize>) -> serde_json::Value {
        json!({
            "verdict": match (self.failed(), self.not_checked()) {
                (0, 0) => "good",
                (0, _) => "not judged",
                _ => "failed",
            },
            "server": server.to_string(),
            "step": step,
            "passed": self.passed(),
            "failed": self.failed(),
            "not_checked": self.not_checked(),
            "fix_first": self.first_to_fix().map(|(result, _)| &result.name),
        })
    }
}

/// A check, for a program that reads it.
fn object(result: &Result) -> serde_json::Value {
    let mut object = json!({ "check": result.name, "group": result.group, "page": result.page });
    match &result.outcome {
        Outcome::Passed => object["outcome"] = "passed".into(),
        Outcome::PassedWith(note) => {
            object["outcome"] = "passed".into();
            object["note"] = note.as_str().into();
        }
        Outcome::Failed(failure) => {
            object["outcome"] = "failed".into();
            object["sent"] = failure.sent.as_str().into();
            object["expected"] = failure.expected.as_str().into();
            object["got"] = failure.got.as_str().into();
            object["why"] = failure.why.as_str().into();
            object["ended_the_server"] = failure.ended_the_server.into();
            object["printed"] = failure.printed.clone().into();
        }
        Outcome::NotChecked(reason) => {
            object["outcome"] = "not checked".into();
            object["reason"] = reason.as_str().into();
        }
    }
    object
}

impl Outcome {
    fn passed(&self) -> bool {
        matches!(self, Outcome::Passed | Outcome::PassedWith(_))
    }

    fn failed(&self) -> bool {
        self.failure().is_some()
    }

    fn failure(&self) -> Option<&Failure> {
        if let Outcome::Failed(failure) = self { Some(failure) } else { None }
    }

    fn reason(&self) -> Option<&str> {
        if let Outcome::NotChecked(reason) = self { Some(reason) } else { None }
    }
}

/// A verdict in one sentence, with what to do next, if no check can say it.
pub fn short_verdict(
    style: Style,
    verdict: &'static str,
    sentences: &[String],
    step: Option<usize>,
) {
    if style.json {
        say(json!({ "verdict": verdict, "step": step, "reason": sentences.join(" ") }));
    } else if verdict == "not judged" {
        complain(wrapped(&sentences.join("\n"), ""));
    } else {
        say(wrapped(&sentences.join("\n"), ""));
    }
}

fn explain(mark: &ColoredString, result: &Result, failure: &Failure) {
    say(format!("{mark} {}", beside(mark, &result.name, "  ").bold()));
    let entry = |name: &str, text: &str| {
        if !text.is_empty() {
            let text = format!("  {name:<10}{text}");
            say(wrapped(&text, "            "));
        }
    };
    entry("sent:", &failure.sent);
    entry("expected:", &failure.expected);
    entry("got:", &failure.got);
    for (n, line) in failure.printed.iter().enumerate() {
        let line: String = line.chars().take(160).collect();
        entry(if n == 0 { "printed:" } else { "" }, &line);
    }
    entry("why:", &failure.why);
    entry("read:", &course::link(result.page));
}

/// A mark of four letters, and a text beside it.
fn row(mark: &ColoredString, text: &str) {
    say(format!("{mark} {}", beside(mark, text, "     ")));
}

/// Text whose first line leaves room for a mark.
fn beside(mark: &str, text: &str, indent: &str) -> String {
    let room = "_".repeat(mark.len());
    wrapped(&format!("{room} {text}"), indent).split_off(room.len() + 1)
}

/// Text that fits the terminal. Lines after the first begin with `indent`.
fn wrapped(text: &str, indent: &str) -> String {
    let width =
        if io::stdout().is_terminal() { textwrap::termwidth().clamp(30, 100) } else { WIDTH };
    let options = textwrap::Options::new(width.min(WIDTH) - 1).subsequent_indent(indent);
    text.lines().map(|line| textwrap::fill(line, &options)).collect::<Vec<_>>().join("\n")
}
