//! What is told to others: the jobs that follow from entries of the log, what came of trying, and
//! the texts. Pure: who sends them is in `edges::notify`, and when in `app::deliveries`.

mod announcement;
mod attempt;
mod job;
mod kinds;
pub(crate) mod mail;
mod message;
mod security_event;
mod ticket;
mod ticket_text;

pub(crate) use announcement::Announcement;
pub(crate) use attempt::Attempt;
pub(crate) use job::{Job, Topic};
pub(crate) use kinds::is_known;
pub(crate) use message::source;
pub(crate) use security_event::{SecurityEvent, is_compliant, verification};
pub(crate) use ticket::{TicketKey, TicketOrder, for_journal, mark};
pub(crate) use ticket_text::{Subject, check as check_ticket_texts};
