//! What is checked, in the order a beginner would fix it: the order of the headings on the pages.

mod answer;
mod asked;
mod close;
mod files;
mod legal;
mod malformed;
mod outside;
mod receive;
mod thread;
mod wait;

use crate::judge::Judge;
use std::path::Path;
use std::time::Duration;

/// What a response may take. A page of a few lines takes a thousandth of it.
const SLOW: Duration = Duration::from_millis(300);

/// The last group of a server that serves one page. One that passes all groups before it is ready for a class.
pub const LAST_GROUP: &str = malformed::GROUP;

/// All that a good server does. With a folder: one that serves its files.
pub fn everything(judge: &mut Judge, folder: Option<&Path>) {
    answer::checks(judge);
    thread::checks(judge);
    asked::checks(judge);
    receive::checks(judge);
    legal::checks(judge);
    close::checks(judge);
    wait::checks(judge);
    malformed::checks(judge);
    if let Some(folder) = folder {
        files::checks(judge, folder);
    }
    outside::checks(judge, folder);
}

/// What a server does that has come as far as step 4.
pub fn step_4(judge: &mut Judge) {
    judge.group("Accept and receive", "docs/step4-accept.md#your-turn");
    thread::twelve(judge);
    thread::leaves(judge);
}

/// What a server does that has come as far as step 5.
pub fn step_5(judge: &mut Judge) {
    answer::checks(judge);
    thread::leaves(judge);
}
