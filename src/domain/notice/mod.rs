//! What is told to others: the jobs that follow from entries of the log, what came of trying, and
//! the texts. Pure: who sends them is in `edges::notify`, and when in `app::deliveries`.

mod attempt;
mod job;
#[allow(dead_code, unused_imports, reason = "the sink of mails comes next")]
pub(crate) mod mail;

pub(crate) use attempt::Attempt;
pub(crate) use job::{Job, Topic};
