//! Mail: a message as its bytes, and handing it to a server by SMTP.
//!
//! - A message is the same to the byte each time it is made: its name (Message-ID), date and
//!   boundary come from what it tells. Whoever gets it twice can know that.
//! - One recipient each: a server that refuses one address refuses no other.
//! - Until the content is handed over, a failure surely sent nothing; after it, only the server's answer
//!   tells. An answer that never comes is in doubt.
//! - A password goes over an encrypted connection, or stays on this machine.

mod claim;
mod message;
mod outcome;
mod smtp;
mod template_files;
#[cfg(test)]
mod tests;

pub(crate) use message::{Composed, Mail, compose};
pub(crate) use smtp::Smtp;
pub(crate) use template_files::{UnusableTemplate, UnusableTemplates, templates};
