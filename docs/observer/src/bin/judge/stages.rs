//! What an observer sees of a server that has come as far as one of the steps, and what else looks the same.

use crate::checks;
use crate::course::link;
use crate::judge::Judge;
use crate::program::{self, Goal, Program};
use crate::report::{Outcome::Passed, Style, say, short_verdict};
use crate::server::{FIRST_TIMEOUT, Server};
use crate::system;
use observer::client::{End, connect};
use socket2::Socket;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

// The exit statuses: everything the judge looks at is as it should be, or something is not.
pub const GOOD: u8 = 0;
pub const FAILED: u8 = 1;
pub const WRONG_ARGUMENTS: u8 = 2;
pub const NOT_JUDGED: u8 = 3;

/// What is judged.
pub struct Case {
    /// The server's program, if the judge runs it.
    pub program: Option<Program>,
    pub address: SocketAddr,
    /// The first client, or why it could not connect.
    pub client: io::Result<Socket>,
    pub style: Style,
}

/// How far a server has come, as its first client sees it, and a sentence about it.
struct Seen {
    step: usize,
    fact: String,
}

/// How far a server has to come before it can be judged.
pub fn goal(step: Option<usize>) -> Goal {
    match step {
        Some(1) => Goal::Socket,
        Some(2) => Goal::Address,
        _ => Goal::Listens,
    }
}

/// Judges all that a good server does.
pub fn everything(case: Case, folder: Option<&Path>) -> ExitCode {
    let Case { program, address, client, style } = case;
    if let Err(error) = &client {
        return no_connection(program.as_ref(), address, error, style, None);
    }
    let mut judge = Judge::new(Server::meet(address, client, FIRST_TIMEOUT), program, style);
    judge.report.begin(&format!("Judging the server at {address}"));
    checks::everything(&mut judge, folder);
    let next = match folder {
        None => "docs/documents.md, and serve a website of your own.",
        Some(_) => "docs/going-further.md.",
    };
    let next = format!("Read on: {}", link(next));
    let praise = ["Congratulations: your server serves everyone!".to_string(), next];
    judge.report.conclude(judge.server.address, None, &praise);
    if !style.json
        && judge.report.fails_only_in(checks::LAST_GROUP)
        && judge.report.all_passed_before(checks::LAST_GROUP)
    {
        say("It is ready for a class. All that is left is to reject what is not HTTP.");
    }
    exit_status(&judge)
}

/// Judges a server that has come as far as this step, and no further.
pub fn one_step(step: usize, case: Case) -> ExitCode {
    let Case { program, address, client, style } = case;
    if step == 1 {
        return step_1(program, address, client.is_ok(), style);
    }
    if step == 2 && client.is_err() {
        if let Some(verdict) = cannot_tell(program.as_ref(), address, style) {
            return verdict;
        }
    }
    let timeout = if step == 3 { Duration::from_secs(1) } else { FIRST_TIMEOUT };
    let server = Server::meet(address, client, timeout);
    let seen = look(&server, program.as_ref());
    if program.is_none() && cannot_be_judged(&server) {
        return finish(&short_verdict_of(&seen, step), NOT_JUDGED, style, step);
    }
    if seen.step != step {
        return finish(&short_verdict_of(&seen, step), FAILED, style, step);
    }
    let mut judge = Judge::new(server, program, style);
    judge.report.begin(&format!("Judging step {step} at {address}"));
    match step {
        // What the first client saw is all that steps 2 and 3 do.
        2 => {
            judge.group("Bind", "docs/step2-bind.md#your-turn");
            judge.check("nobody else can take the address").ends(Passed);
            judge.check("a connection is refused").ends(Passed);
        }
        3 => {
            judge.group("Listen", "docs/step3-listen.md#your-turn");
            judge.check("a connection completes").ends(Passed);
            judge.check("a request gets no answer within a second").ends(Passed);
        }
        4 => checks::step_4(&mut judge),
        _ => checks::step_5(&mut judge),
    }
    conclude(&mut judge, step)
}

/// Whether the program has a socket. Only Linux says so.
fn step_1(
    program: Option<Program>,
    address: SocketAddr,
    is_connected: bool,
    style: Style,
) -> ExitCode {
    let has_a_socket = program::has_a_socket();
    if !system::can_be_asked() {
        let sentence = "It runs. Only Linux can be asked whether a program has a socket, so the judge begins with step 2.";
        return finish(&[sentence.into()], NOT_JUDGED, style, 1);
    }
    if !has_a_socket {
        let sentences = vec![
            "It runs, and it has no socket.".into(),
            format!("How to get to step 1: {}", link("docs/step1-socket.md#your-turn")),
        ];
        return finish(&sentences, FAILED, style, 1);
    }
    if is_connected {
        return finish(&["It listens: that is step 3 or a later one.".into()], FAILED, style, 1);
    }
    let server = Server::meet(address, Err(ErrorKind::ConnectionRefused.into()), Duration::ZERO);
    let mut judge = Judge::new(server, program, style);
    judge.report.begin("Judging step 1");
    judge.group("Create a socket", "docs/step1-socket.md#your-turn");
    judge.check("the program has a socket").ends(Passed);
    judge.check("it keeps running, so that the socket stays open").ends(Passed);
    conclude(&mut judge, 1)
}

fn conclude(judge: &mut Judge, step: usize) -> ExitCode {
    let next = match step {
        1 => "docs/step2-bind.md",
        2 => "docs/step3-listen.md",
        3 => "docs/step4-accept.md",
        4 => "docs/step5-respond.md",
        _ => "docs/everyone.md",
    };
    judge.report.conclude(
        judge.server.address,
        Some(step),
        &[format!("Step {step} is done. Read on: {}", link(next))],
    );
    exit_status(judge)
}

fn exit_status(judge: &Judge) -> ExitCode {
    let status = match (judge.report.failed(), judge.report.not_checked()) {
        (0, 0) => GOOD,
        (0, _) => NOT_JUDGED,
        _ => FAILED,
    };
    ExitCode::from(status)
}

/// How far the server has come.
fn look(server: &Server, program: Option<&Program>) -> Seen {
    let seen = |step, fact: String| Seen { step, fact };
    match server.first.end {
        _ if !server.first.bytes.is_empty() => seen(5, "It answers.".into()),
        End::Closed | End::Broken(_) => match program.and_then(Program::how_it_ends) {
            Some(how) if how == program::ENDED_WELL => {
                seen(0, format!("{how}. {}", program::HAS_TO_WAIT))
            }
            Some(how) => {
                seen(0, format!("The first client ended the server. {how}.{}", printed(program)))
            }
            // A connection breaks, too, when a server dies: only a second client tells.
            None if connect(server.address).is_err() => {
                seen(0, "The first client ended the server. Its terminal may show why.".into())
            }
            None => {
                seen(4, "It accepts a client, and closes the connection without an answer.".into())
            }
        },
        End::Open => seen(if is_between(server) { 0 } else { 3 }, silence(server)),
        End::NoConnection(ErrorKind::TimedOut) => {
            seen(0, "Its queue is full: other clients wait in it. Start the server again.".into())
        }
        // What the last server left behind looks like an address that is taken.
        End::NoConnection(_)
            if program.is_some()
                && system::a_server_has_just_ended(server.address) == Some(true) =>
        {
            seen(0, format!("It runs, and nobody listens at {}.", server.address))
        }
        End::NoConnection(_) if system::is_taken(server.address, false) => match program {
            Some(_) => seen(2, "Its address is taken, and nobody listens.".into()),
            None => seen(
                2,
                "Its address is taken, and nobody listens (or a server has just ended).".into(),
            ),
        },
        End::NoConnection(_) if program.is_some() => seen(
            0,
            format!(
                "It runs, but nobody has the address {}: it has not called bind, or has bound another address.",
                server.address
            ),
        ),
        End::NoConnection(_) => seen(
            0,
            format!(
                "Nobody has the address {}: the server is not running, or it has not called bind.",
                server.address
            ),
        ),
    }
}

/// Whether there is no server, or one that is busy with somebody else.
fn cannot_be_judged(server: &Server) -> bool {
    match server.first.end {
        End::NoConnection(ErrorKind::TimedOut) => true,
        End::NoConnection(_) => !system::is_taken(server.address, false),
        End::Open => server.first.bytes.is_empty() && server.silence.other_client.is_some(),
        _ => false,
    }
}

/// Whether a silent server is one that no step describes: it accepts, and does not go on.
fn is_between(server: &Server) -> bool {
    server.silence.is_accepted == Some(true) || server.silence.other_client.is_some()
}

/// What a server may be that lets a client connect and does not answer.
fn silence(server: &Server) -> String {
    let silence = &server.silence;
    match (silence.is_accepted, silence.other_client) {
        (_, Some(other)) => {
            format!("It serves another client, {other}, and nobody else in the meantime: close your browser, and judge again.")
        }
        (Some(true), _) if silence.waits_for_the_end => {
            "It accepts a client, and goes on only when the client sends no more: it receives until 0 bytes come. \
             Receive once, or until the blank line."
                .into()
        }
        (Some(true), _) => {
            "It accepts a client, and then neither answers nor closes the connection. Close the client \
             (Python: client.close())."
                .into()
        }
        (Some(false), _) => "A connection completes, and nobody accepts it.".into(),
        (None, _) => {
            "A connection completes, and nobody answers. A server that accepts and never closes the client looks the \
             same, and so does one that is busy with another client: close your browser."
                .into()
        }
    }
}

fn short_verdict_of(seen: &Seen, step: usize) -> Vec<String> {
    let mut sentences = vec![seen.fact.clone()];
    if seen.step > 0 {
        sentences[0] += &format!(" That is step {0}. Judge it with --step {0}.", seen.step);
    }
    if seen.step < step {
        let page = ["step1-socket", "step2-bind", "step3-listen", "step4-accept", "step5-respond"]
            [step - 1];
        sentences.push(format!(
            "How to get to step {step}: {}",
            link(&format!("docs/{page}.md#your-turn"))
        ));
    }
    sentences
}

/// Whether the system can't tell a bound socket from what a server left behind that has just ended.
fn cannot_tell(program: Option<&Program>, address: SocketAddr, style: Style) -> Option<ExitCode> {
    if program.is_some() || system::a_server_has_just_ended(address) != Some(true) {
        return None; // The judge started it only when the address was free.
    }
    let sentences = vec![
        format!(
            "A server at {address} has just ended, and for up to a minute its address looks taken."
        ),
        "Wait a minute, or let the judge start your server: cargo judge --step 2 --run my-server"
            .into(),
    ];
    Some(finish(&sentences, NOT_JUDGED, style, 2))
}

/// Nobody can connect, so there is nothing to judge; or there is, and it does not listen.
fn no_connection(
    program: Option<&Program>,
    address: SocketAddr,
    error: &io::Error,
    style: Style,
    step: Option<usize>,
) -> ExitCode {
    let (sentences, status) = if program.is_some() {
        let server = Server::meet(address, Err(error.kind().into()), Duration::ZERO);
        let seen = look(&server, program);
        (short_verdict_of(&seen, 5), FAILED)
    } else {
        let advice = match error.kind() {
            ErrorKind::ConnectionRefused => {
                "Start the server first, or let the judge start it: cargo judge --run my-server"
            }
            ErrorKind::TimedOut => "Its queue is full, or a firewall drops the packets.",
            _ => "Is it the right address?",
        };
        (vec![format!("Cannot connect to {address}: {error}."), advice.into()], NOT_JUDGED)
    };
    finish(&sentences, status, style, step.unwrap_or_default())
}

fn finish(sentences: &[String], status: u8, style: Style, step: usize) -> ExitCode {
    let verdict = if status == NOT_JUDGED { "not judged" } else { "failed" };
    short_verdict(style, verdict, sentences, (step > 0).then_some(step));
    ExitCode::from(status)
}

fn printed(program: Option<&Program>) -> String {
    match program.map(|program| program.error_lines(0)) {
        Some(lines) if !lines.is_empty() => format!(" It printed:\n    {}", lines.join("\n    ")),
        _ => String::new(),
    }
}
