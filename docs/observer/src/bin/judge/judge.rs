//! Runs the checks one by one, and looks after the server between them.

use crate::program::{self, Program};
use crate::report::{Failure, Outcome, Report, Result, Style};
use crate::server::{Condition, Server};
use Outcome::{Failed, NotChecked, Passed};
use observer::client::{End, Response, connect, connections_made, quoted};
use socket2::Socket;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// No check begins later, so that everything is said in 20 seconds.
const LAST_START: Duration = Duration::from_secs(18);

/// A server that has answered that many clients, and then stops, may have closed none of them.
const MANY_CONNECTIONS: usize = 200;

pub struct Judge {
    pub server: Server,
    pub report: Report,
    /// The server's program, if the judge runs it.
    pub program: Option<Program>,
    /// Why no more checks are run.
    pub stop: Option<String>,
    group: &'static str,
    page: &'static str,
    check: Check,
}

/// The current check, as a person reads it.
#[derive(Clone, Default)]
struct Check {
    name: String,
    sent: String,
    expected: String,
    why: String,
    /// How many lines the server had printed before.
    printed: usize,
}

/// Passed, or what came instead.
pub fn verdict(response: &Response, is_good: impl Fn(&Response) -> bool) -> Outcome {
    if is_good(response) { Passed } else { Failure::got(response.quoted()).into() }
}

impl Judge {
    pub fn new(server: Server, program: Option<Program>, style: Style) -> Judge {
        Judge {
            server,
            report: Report::new(style),
            program,
            stop: None,
            group: "",
            page: "",
            check: Check::default(),
        }
    }

    /// Begins checks of one kind. The page and its heading explain them.
    pub fn group(&mut self, heading: &'static str, page: &'static str) {
        self.report.begin_group(heading);
        (self.group, self.page) = (heading, page);
    }

    /// Begins a check.
    pub fn check(&mut self, name: &str) -> &mut Judge {
        self.check = Check {
            name: name.into(),
            sent: self.server.first_request(),
            expected: "status 200".into(),
            why: String::new(),
            printed: self.program.as_ref().map_or(0, Program::lines_printed),
        };
        self
    }

    pub fn expects(&mut self, expected: &str) -> &mut Judge {
        self.check.expected = expected.into();
        self
    }

    /// Why that matters, and what to do.
    pub fn why(&mut self, why: &str) -> &mut Judge {
        self.check.why = why.into();
        self
    }

    /// Looks at what the first clients saw.
    pub fn look(&mut self, look: impl Fn(&Server) -> Outcome) {
        // Their check has failed, and is explained: nothing else can be said about an answer that is not HTTP.
        let outcome = match (self.server.first.status(), self.report.has_failures()) {
            (None, true) if self.server.first.bytes.is_empty() => {
                NotChecked("there is no answer".into())
            }
            (None, true) => NotChecked("the answer is not HTTP".into()),
            _ => look(&self.server),
        };
        let outcome = match outcome {
            Failed(mut failure) if self.program.is_some() && self.server.first.bytes.is_empty() => {
                self.add_what_was_printed(&mut failure, 0);
                Failed(failure)
            }
            outcome => outcome,
        };
        self.ends(outcome);
    }

    /// Sends a request in one piece and looks at the response.
    pub fn ask(&mut self, request: impl AsRef<[u8]>, look: impl Fn(&Response) -> Outcome) {
        let request = request.as_ref();
        self.attempt(&quoted(request), |server| {
            let response = server.ask(request);
            let outcome = look(&response);
            // A machine with other work to do may have been slow.
            let is_late = matches!(outcome, Failed(_)) && response.end == End::Open;
            if is_late { look(&server.ask(request)) } else { outcome }
        });
    }

    /// Lets clients come and go. The check passes if the next client is served.
    pub fn harmless(&mut self, sent: &str, act: impl Fn(&Server)) {
        self.expects("the next client to be served as if nothing had happened");
        self.attempt(sent, |server| {
            act(server);
            match server.condition() {
                Condition::Well => {
                    sleep(Duration::from_millis(40)); // A server that ends now may have served that client.
                    Passed
                }
                Condition::Harmed(next) => harmed(Passed, &next),
                Condition::Gone(why) => Failure::got(why).into(),
            }
        });
    }

    /// Connects a client, and lets it act. If that fails, another client tries once more: on a busy machine it may have
    /// been bad timing.
    pub fn visit(&mut self, sent: &str, act: impl Fn(&Server, &mut Socket) -> Outcome) {
        self.attempt(sent, |server| {
            let mut client = match connect(server.address) {
                Ok(client) => client,
                Err(error) => return Failure::got(format!("no connection: {error}")).into(),
            };
            let outcome = act(server, &mut client);
            if matches!(outcome, Failed(_)) {
                drop(client);
                if let Ok(mut again) = connect(server.address) {
                    return act(server, &mut again);
                }
            }
            outcome
        });
    }

    /// Tries something on the server. After that, it has to serve the next client. If it does not, it is started again.
    pub fn attempt(&mut self, sent: &str, run: impl FnOnce(&Server) -> Outcome) {
        self.check.sent = sent.into();
        let is_late = self.server.start.elapsed() > LAST_START;
        let outcome = match &self.stop {
            Some(reason) => NotChecked(reason.clone()),
            None if is_late => NotChecked("no time left: earlier checks took too long".into()),
            None => {
                let outcome = run(&self.server);
                let condition = self.server.condition();
                match condition {
                    // What was cut short is no failure.
                    _ if self.server.time_is_up() => {
                        NotChecked("no time left: earlier checks took too long".into())
                    }
                    Condition::Well => outcome,
                    Condition::Harmed(next) => harmed(outcome, &next),
                    Condition::Gone(why) => self.gone(outcome, why),
                }
            }
        };
        self.ends(outcome);
    }

    /// A check has ended the server, or it no longer serves anybody.
    fn gone(&mut self, outcome: Outcome, why: &'static str) -> Outcome {
        let mut failure = match outcome {
            Failed(failure) if failure.got.ends_with(why) => failure,
            Failed(failure) => {
                Failure { got: format!("{}. After that, {why}", failure.got), ..failure }
            }
            _ => Failure::got(why),
        };
        failure.ended_the_server = true;
        if let Some(how) = self.program.as_ref().and_then(Program::how_it_ends) {
            failure.got += &format!(". {how}");
            if how.ends_with("SIGPIPE") {
                failure.why = "It sent to a client that had gone, and SIGPIPE ends a program that does. Ignore this \
                               signal, as Rust and Python do: in C, signal(SIGPIPE, SIG_IGN). Then send reports an \
                               error instead."
                    .into();
            }
        }
        self.add_what_was_printed(&mut failure, self.check.printed);
        let descriptors = self.program.as_ref().map_or(0, |_| program::descriptors());
        let ran_out = failure
            .printed
            .iter()
            .any(|line| line.contains("oo many open files") || line.contains("os error 24"));
        if descriptors > MANY_CONNECTIONS || ran_out {
            failure.why = "It has no descriptor left, because it does not close the connections of clients that \
                           have gone. Close each client in the end, even after an error."
                .into();
        } else if failure.printed.is_empty() && failure.why.is_empty() {
            let look = match (&self.program, connections_made() > MANY_CONNECTIONS) {
                (Some(_), _) => "",
                (None, false) => " Your server's terminal may show why.",
                (None, true) => {
                    " Your server's terminal may show why. It had many clients by then: if it closes none of them, it \
                     has no descriptor left."
                }
            };
            failure.why = format!("{}{look}", self.check.why);
        }
        let begin = Instant::now();
        self.stop = match &mut self.program {
            None => Some(why.into()),
            Some(program) => match program.start_again() {
                Ok(address) => {
                    self.server.address = address;
                    None
                }
                Err(reason) => Some(format!(
                    "it could not be started again: {}",
                    reason.lines().next().unwrap_or("")
                )),
            },
        };
        self.server.start += begin.elapsed(); // What a start takes is not the server's fault.
        failure.into()
    }

    fn add_what_was_printed(&self, failure: &mut Failure, since: usize) {
        let Some(program) = &self.program else { return };
        failure.printed = program.error_lines(since);
        if failure.printed.is_empty() && program.how_it_ends().is_some() {
            failure.printed = program.last_printed(since, 2);
        }
    }

    /// Notes what came of the check.
    pub fn ends(&mut self, outcome: Outcome) {
        let or = |text: String, other: &String| if text.is_empty() { other.clone() } else { text };
        let check = &self.check;
        let outcome = match outcome {
            Failed(failure) => Failed(Failure {
                sent: or(failure.sent, &check.sent),
                expected: or(failure.expected, &check.expected),
                why: or(failure.why, &check.why),
                ..failure
            }),
            outcome => outcome,
        };
        let name = self.check.name.clone();
        self.report.add(Result { group: self.group, page: self.page, name, outcome });
    }
}

/// The server runs, but the next client is not served as the first one was.
fn harmed(outcome: Outcome, next: &Response) -> Outcome {
    match outcome {
        Failed(failure) => failure.into(),
        _ if matches!(next.end, End::NoConnection(_)) => {
            Failure::got("the next client could not connect").into()
        }
        _ => Failure::got(format!("the next client got {}", next.quoted())).into(),
    }
}
