//! What the log says of telling people and other systems: who was told what, and when.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// `notice.intended`: a sink is about to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeIntended {
    pub(crate) intent: u64,
    pub(crate) sink: CompactString,
    pub(crate) topic: CompactString,
    /// What goes out together, by the ids that the far side sees.
    pub(crate) ids: Vec<CompactString>,
    /// To whom, where it is a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<CompactString>,
}

/// `notice.sent`: the far side has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeSent {
    pub(crate) intent: u64,
    pub(crate) sink: CompactString,
    pub(crate) topic: CompactString,
    pub(crate) ids: Vec<CompactString>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<CompactString>,
    /// What the far side calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<CompactString>,
}

/// `notice.failed`: nobody was told, and it is not tried any more. `notice.dropped`: it was not sent,
/// since it is not true any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeStopped {
    /// Of `notice.intended`, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) intent: Option<u64>,
    pub(crate) sink: CompactString,
    pub(crate) topic: CompactString,
    pub(crate) ids: Vec<CompactString>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<CompactString>,
    /// A clause without a full stop.
    pub(crate) reason: String,
}

/// `notice.begun`: from this entry on a sink tells what happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeBegun {
    pub(crate) sink: CompactString,
}

/// `ticket.opened` and `ticket.noted`: the ticket system has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketTold {
    pub(crate) intent: u64,
    pub(crate) sink: CompactString,
    pub(crate) topic: CompactString,
    pub(crate) ids: Vec<CompactString>,
    /// The system's name for the ticket.
    pub(crate) ticket: CompactString,
    /// What people call it.
    pub(crate) number: CompactString,
    /// Others that cannot be told from it: somebody copied its key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) others: Vec<CompactString>,
}
