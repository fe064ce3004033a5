//! Look at what is asked.

use super::answer::has_ended;
use crate::judge::{Judge, verdict};
use crate::report::Failure;
use crate::report::Outcome::{self, Passed};
use crate::server::Server;
use observer::client::{Framing, Response, quoted};

pub fn checks(judge: &mut Judge) {
    judge.group("Look at what is asked", "docs/everyone.md#look-at-what-is-asked");
    let request = |line: &str, judge: &Judge| judge.server.request(line);
    let (head, page) = (request("HEAD / HTTP/1.1", judge), judge.server.plain());
    judge
        .check("HEAD gets the head of the page, and no page")
        .expects("status 200, the header fields of GET, and nothing after the blank line")
        .why("A client that sends HEAD wants to know about the page, such as its length.")
        .attempt(&quoted(head.as_bytes()), |server| {
            let outcome = same_head(&server.ask(&page), &server.ask(&head));
            // A page may change from one moment to the next.
            if matches!(outcome, Outcome::Failed(_)) {
                same_head(&server.ask(&page), &server.ask(&head))
            } else {
                outcome
            }
        });
    let unknown = request("GET /no-such-page HTTP/1.1", judge);
    judge
        .check("an unknown path gets 404")
        .expects("status 404")
        .why("A browser also asks for /favicon.ico, and takes any 200 for the picture.")
        .ask(unknown, |response| verdict(response, |response| response.status() == Some(404)));
    let delete = request("DELETE / HTTP/1.1", judge);
    judge
        .check("another method is refused: 405 with Allow, or 501")
        .expects("status 405 and a field such as Allow: GET, HEAD, or status 501")
        .why("A client that asks to delete the page must not be told that all went well.")
        .ask(delete, other_method);
    let query = request("GET /?name=value HTTP/1.1", judge);
    judge
        .check("a query after the path changes nothing")
        .expects("status 200, as for /")
        .why("What follows the question mark is not part of the path.")
        .ask(query, |response| verdict(response, Response::is_ok));
    judge
        .check("each of these answers says where it ends")
        .expects("Content-Length, or at least the end of the connection")
        .why("The client waits for more, forever. Each answer needs Content-Length, whatever its status.")
        .attempt("HEAD, an unknown path, and another method", every_answer_ends);
}

fn same_head(page: &Response, head: &Response) -> Outcome {
    let failure = Failure::got(head.quoted());
    let differs = |name: &str| match (page.field(name), head.field(name)) {
        (Some(of_page), Some(of_head)) if of_page != of_head => Some(format!(
            "{name} is {of_head}, but for GET it is {of_page}. HEAD says what GET would say."
        )),
        _ => None,
    };
    match head.status() {
        Some(200) => {}
        Some(405 | 501) => {
            return failure
                .because(
                    "Every server has to know GET and HEAD. Answer HEAD as GET, without the page.",
                )
                .into();
        }
        _ => return failure.into(),
    }
    if !head.body().is_empty() {
        return failure.because("A page came after the head. HEAD asks for the head only.").into();
    }
    if page.field("content-type").is_some() && head.field("content-type").is_none() {
        return failure.because("Content-Type is missing, and GET has it.").into();
    }
    match differs("Content-Length").or_else(|| differs("Content-Type")) {
        Some(why) => failure.because(why).into(),
        None => Passed,
    }
}

fn other_method(response: &Response) -> Outcome {
    let failure = Failure::got(response.quoted());
    match response.status() {
        Some(405) if response.field("allow").is_some() => Passed,
        Some(405) => failure
            .because("405 has to say in the field Allow which methods there are.")
            .instead_of("the field Allow: GET, HEAD beside status 405")
            .into(),
        Some(500) | None => failure
            .because("There is no right answer. Look at the method before you do anything.")
            .into(),
        Some(400..=599) => Passed,
        Some(_) => failure.into(),
    }
}

fn every_answer_ends(server: &Server) -> Outcome {
    for line in ["HEAD / HTTP/1.1", "GET /no-such-page HTTP/1.1", "DELETE / HTTP/1.1"] {
        let request = server.request(line);
        let response = server.ask(&request);
        let failure = Failure::got(response.quoted()).to(quoted(request.as_bytes()));
        if response.status().is_none() {
            continue; // Another check says so.
        }
        if let Framing::Unclear(fields) = response.framing() {
            return failure
                .because(format!("{fields}: the client does not know which is true."))
                .into();
        }
        if let (Framing::Length(length), true) =
            (response.framing(), response.body().len() != response_length(&response))
        {
            let came = response.body().len();
            return failure
                .because(format!("Content-Length says {length}, and {came} bytes came."))
                .into();
        }
        if !has_ended(&response) {
            return failure.into();
        }
    }
    Passed
}

/// How long the body should be.
fn response_length(response: &Response) -> usize {
    if let Framing::Length(length) = response.framing() { length } else { response.body().len() }
}
