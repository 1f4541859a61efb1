//! The sink that writes mails.
//!
//! What follows from an entry, to whom, and what is not true any more is decided in
//! `domain::notice::mail`; here it is composed, paced, and handed over by SMTP or Graph.

mod sink;
mod way;

pub(crate) use sink::MailSink;
