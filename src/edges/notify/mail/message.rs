//! A mail as its bytes.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox as Address, MultiPart, SinglePart};

use crate::domain::model::{Digest, Email, Timestamp, is_deceptive};
use crate::domain::notice::Attempt;
use crate::domain::notify_settings::Mailbox;

/// Most names of other mails that one refers to: lines of a header have an end.
const MOST_REFERENCES: usize = 20;

/// A mail to one person.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) from: Mailbox,
    pub(crate) reply_to: Option<Email>,
    pub(crate) to: Email,
    /// What stands before the `@` of its Message-ID.
    pub(crate) id: String,
    /// The Message-IDs of the first mails about the same, with `<` and `>`.
    pub(crate) references: Vec<String>,
    pub(crate) at: Timestamp,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// The bytes of a mail, and between whom.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Composed {
    pub(crate) from: Email,
    pub(crate) to: Email,
    /// With `<` and `>`.
    pub(crate) message_id: String,
    pub(crate) bytes: Vec<u8>,
}

/// The bytes of a mail: for equal mails the same ones.
///
/// # Errors
/// If an address is none that mail can be sent to.
pub(crate) fn compose(mail: &Mail) -> Result<Composed, Attempt> {
    let Mail { from, reply_to, to, id, references, at, subject, text, html } = mail;
    let host = from.address.host();
    let message_id = format!("<{id}@{host}>");
    let since_1970 = Duration::from_millis(u64::try_from(at.millis()).unwrap_or_default());
    let mut builder = Message::builder()
        .from(Address::new(from.name.clone(), address(&from.address)?))
        .to(Address::new(None, address(to)?))
        .subject(one_line(subject))
        .date(UNIX_EPOCH + since_1970)
        .message_id(Some(message_id.clone()));
    if let Some(reply_to) = reply_to {
        builder = builder.reply_to(Address::new(None, address(reply_to)?));
    }
    let mut others: Vec<&str> = references.iter().map(String::as_str).collect();
    others.retain(|other| *other != message_id);
    others.sort_unstable();
    others.dedup();
    others.truncate(MOST_REFERENCES);
    if let Some(first) = others.first() {
        builder = builder.in_reply_to((*first).to_owned()).references(others.join(" "));
    }
    // RFC 3834, and what Exchange looks at: nobody's absence is told to a machine. Bounces are wanted.
    for (header, value) in [
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"),
    ] {
        let header = HeaderName::new_from_ascii_str(header);
        builder = builder.raw_header(HeaderValue::new(header, value.to_owned()));
    }
    let boundary = Digest::of(message_id.as_bytes()).to_string();
    let parts = MultiPart::alternative()
        .boundary(format!("fleetform-{}", &boundary[..32]))
        .singlepart(SinglePart::plain(text.clone()))
        .singlepart(SinglePart::html(html.clone()));
    let message = builder.multipart(parts).map_err(|error| Attempt::Refused {
        why: format!("the mail cannot be written: {error}"),
    })?;
    let bytes = message.formatted();
    Ok(Composed { from: from.address.clone(), to: to.clone(), message_id, bytes })
}

/// As the mail library has it.
pub(super) fn address(email: &Email) -> Result<lettre::Address, Attempt> {
    email.as_str().parse().map_err(|error| Attempt::Refused {
        why: format!("{email} is not a mail address: {error}"),
    })
}

/// A line break in a header would begin another header.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !is_deceptive(*c)).collect()
}

impl std::fmt::Debug for Composed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Composed({} to {})", self.message_id, self.to)
    }
}
