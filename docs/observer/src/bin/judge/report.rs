//! Does one check after the other, tells what comes of it, and at the end what to mend first.

use Outcome::{Failed, NotChecked, Passed, PassedSlowly};
use colored::Colorize;
use observer::client::{PLAIN, Response, Server, connect, shown};
use socket2::Socket;
use std::{fmt::Display, io, io::Write, time::Duration};

/// No check begins later, so that all is said in 20 seconds.
const LAST_START: Duration = Duration::from_secs(16);

pub struct Judge {
    pub server: Server,
    /// Why the server is not tried out any more.
    pub stop: Option<&'static str>,
    /// The check that is going on.
    check: Check,
    failed: Vec<Check>,
    passed: usize,
    not_checked: usize,
}

/// One thing that a good server does, and what came instead.
#[derive(Clone, Default)]
struct Check {
    name: &'static str,
    sent: String,
    expected: &'static str,
    got: String,
    why: &'static str,
    page: &'static str,
}

/// What came of a check.
pub enum Outcome {
    Passed,
    /// It passed, and here is how slow it is.
    PassedSlowly(String),
    Failed(String),
    /// It was not done, and why not.
    NotChecked(String),
}

/// Prints a line. Whoever reads may have gone, and then the judge goes on in silence.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

pub fn verdict(response: &Response, is_good: impl Fn(&Response) -> bool) -> Outcome {
    if is_good(response) { Passed } else { Failed(response.shown()) }
}

impl Judge {
    pub fn new(server: Server) -> Judge {
        let check = Check::default();
        Judge { server, stop: None, check, failed: Vec::new(), passed: 0, not_checked: 0 }
    }

    /// Begins checks of one kind. The page and its heading explain them.
    pub fn group(&mut self, heading: &str, page: &'static str) {
        say(format!("\n{}", heading.bold()));
        self.check.page = page;
    }

    /// Begins a check.
    pub fn check(&mut self, name: &'static str) -> &mut Judge {
        // A server that answers too early leaves the first client nothing to send.
        let sent = shown(if self.server.is_early { b"" } else { PLAIN });
        self.check = Check { name, sent, expected: "status 200", ..self.check.clone() };
        self
    }

    pub fn expects(&mut self, expected: &'static str) -> &mut Judge {
        self.check.expected = expected;
        self
    }

    /// Why that matters, and what to do.
    pub fn why(&mut self, why: &'static str) -> &mut Judge {
        self.check.why = why;
        self
    }

    /// Looks at what the first clients saw.
    pub fn look(&mut self, look: impl Fn(&Server) -> Outcome) {
        self.ends(match self.server.first.status() {
            None if !self.failed.is_empty() => NotChecked("there is no status line".into()),
            _ => look(&self.server),
        });
    }

    /// Sends a request in one piece and looks at the response.
    pub fn ask(&mut self, request: impl AsRef<[u8]>, is_good: impl Fn(&Response) -> bool) {
        let request = request.as_ref();
        self.attempt(&shown(request), |server| verdict(&server.ask(request), is_good));
    }

    /// Connects a client. Its visit is good if the next client is served.
    pub fn harmless(&mut self, sent: &str, act: impl Fn(&Server, &mut Socket)) {
        let next = "the next client to be served as if nothing had happened";
        self.expects(next).visit(sent, |server, client| {
            act(server, client);
            Passed
        });
    }

    /// Connects a client, which does as it is told.
    pub fn visit(&mut self, sent: &str, act: impl Fn(&Server, &mut Socket) -> Outcome) {
        self.attempt(sent, |server| match connect(server.address) {
            Ok(mut client) => act(server, &mut client),
            Err(error) => Failed(format!("no connection: {error}")),
        });
    }

    /// Tries the server out. After that, it has to serve the next client.
    pub fn attempt(&mut self, sent: &str, run: impl FnOnce(&Server) -> Outcome) {
        self.check.sent = sent.into();
        let is_late = self.server.start.elapsed() > LAST_START;
        let outcome = match self.stop {
            Some(reason) => NotChecked(reason.into()),
            None if is_late => NotChecked("no time left: checks before it waited long".into()),
            None => {
                let outcome = run(&self.server);
                let harm = self.server.harm();
                self.stop = harm.as_ref().and_then(|_| self.server.is_gone());
                match (self.stop, harm, outcome) {
                    (Some(stop), _, Failed(got)) => Failed(format!("{got}. After that, {stop}")),
                    (Some(stop), ..) => Failed(format!("no answer for the next client: {stop}")),
                    (_, Some(next), Passed) => Failed(format!("the next got {}", next.shown())),
                    (.., outcome) => outcome,
                }
            }
        };
        self.ends(outcome);
    }

    /// Tells what came of the check, and notes it for the end.
    pub fn ends(&mut self, outcome: Outcome) {
        let (mark, note) = match &outcome {
            Passed => ("ok  ".green(), String::new()),
            PassedSlowly(note) => ("ok  ".green(), format!(" ({note})")),
            Failed(_) => ("FAIL".red(), String::new()),
            NotChecked(reason) => ("?   ".yellow(), format!(" ({reason})")),
        };
        say(format!("  {mark} {}{}", self.check.name, note.yellow()));
        match outcome {
            Passed | PassedSlowly(_) => self.passed += 1,
            Failed(got) => self.failed.push(Check { got, ..self.check.clone() }),
            NotChecked(_) => self.not_checked += 1,
        }
    }

    pub fn has_passed_all(&self) -> bool {
        self.failed.is_empty() && self.not_checked == 0
    }

    /// Explains the failures, counts, and says what to do next. Returns whether all passed.
    pub fn conclude(&self, praise: &str) -> bool {
        for Check { name, sent, expected, got, why, page } in &self.failed {
            say(format!("\n{} {}", "FAIL".red(), name.bold()));
            say(format!("  sent:     {sent}"));
            say(format!("  expected: {expected}"));
            say(format!("  got:      {got}"));
            say(format!("  why:      {why}"));
            say(format!("  read:     {page}"));
        }
        let others = match self.not_checked {
            0 => String::new(),
            count => format!(", {count} not checked"),
        };
        let (praise, failed) = (praise.green(), self.failed.len());
        say(format!("\n{praise}{} passed, {failed} failed{others}", self.passed));
        if let Some(Check { name, page, .. }) = self.failed.first() {
            say(format!("Fix first: {name} ({page})").bold());
        }
        self.has_passed_all()
    }
}
