//! What a device's verdict leads to, from its beginning to its end: an episode.
//!
//! An episode begins when a device turns non-compliant, or when nothing has been known of it for
//! too long, and it ends when that is over. Its id is the number of the entry that opened it. A device
//! has at most one at a time; the last one is kept, since a device that fails again soon after goes on
//! with it, and since a block may still have to be lifted.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::event::{AccessFailed, AccessOrder, ErrorClass};
use crate::domain::model::{Email, Timestamp, words};

words! {
    /// What an episode is about.
    pub(crate) enum EpisodeKind {
        /// A check fails.
        NonCompliant = "nonCompliant",
        /// Nobody can tell, for longer than `compliance.unknownAfter`.
        Unknown = "unknown",
    }
}

/// One episode of a device.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Episode {
    pub(crate) kind: EpisodeKind,
    /// The number of the entry that opened it.
    pub(crate) opened: u64,
    /// When it was opened: never before what the log had seen by then, so that a clock that was set back
    /// blocks nobody early.
    pub(crate) since: Timestamp,
    /// When it ended; nothing while it goes on.
    pub(crate) ended: Option<Timestamp>,
    /// Access to corporate mail, where it was blocked.
    pub(crate) block: Option<Block>,
    /// What people were told, by sink and topic.
    pub(crate) told: BTreeMap<CompactString, NoticeResult>,
    /// The ticket that was opened.
    pub(crate) ticket: Option<Ticket>,
    /// The episode before it.
    pub(crate) before: Option<Before>,
}

/// An earlier episode of a device, as far as somebody may have yet to hear of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Before {
    /// What it was about.
    pub(crate) kind: EpisodeKind,
    /// The number of the entry that opened it.
    pub(crate) opened: u64,
    /// Whether it was not over when the next one took its place.
    pub(crate) replaced: bool,
}

/// The last order about a device's access to corporate mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) intent: u64,
    /// Whether access is to be blocked, or restored.
    pub(crate) blocked: bool,
    /// When it was ordered.
    pub(crate) at: Timestamp,
    pub(crate) state: BlockState,
}

/// How an order about access stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BlockState {
    /// Logged, and no outcome yet: in doubt if no pass is running.
    Intended,
    Done,
    Failed(ErrorClass, Box<str>),
}

/// What came of telling somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoticeResult {
    pub(crate) at: Timestamp,
    /// Why nobody was told; nothing where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failed: Option<Box<str>>,
    /// Whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<CompactString>,
    /// What the far side calls it: of a mail its Message-ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<CompactString>,
}

/// A ticket in a ticket system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ticket {
    /// The system's name for it.
    pub(crate) id: CompactString,
    /// What people call it.
    pub(crate) number: CompactString,
    /// Others with the same key: somebody copied it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) others: Vec<CompactString>,
}

impl Episode {
    pub(super) fn new(
        kind: EpisodeKind,
        (opened, since): (u64, Timestamp),
        before: Option<&Self>,
    ) -> Self {
        // What is blocked stays blocked until it is restored, whatever episode that falls into.
        let block = before.and_then(|before| before.block.clone()).filter(Block::is_in_place);
        let before = before.map(|before| {
            let Self { kind, opened, .. } = *before;
            Before { kind, opened, replaced: before.is_open() }
        });
        let (told, ticket) = (BTreeMap::new(), None);
        Self { kind, opened, since, ended: None, block, told, ticket, before }
    }

    /// When this person was told, in this episode.
    #[must_use]
    pub(crate) fn told_to(&self, key: &str, user: &Email) -> Option<Timestamp> {
        let told = self.told.get(key).filter(|told| told.failed.is_none())?;
        let to = told.to.as_ref();
        to.is_none_or(|to| to.eq_ignore_ascii_case(user.as_str())).then_some(told.at)
    }

    /// Whether access is to be blocked, as far as that was ordered.
    #[must_use]
    pub(crate) fn is_blocked(&self) -> bool {
        self.block.as_ref().is_some_and(|block| block.blocked)
    }

    /// Whether it goes on.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    pub(super) fn end(&mut self, at: Timestamp) {
        self.ended.get_or_insert(at);
    }

    pub(super) fn order(&mut self, at: Timestamp, order: &AccessOrder) {
        let AccessOrder { intent, blocked } = *order;
        self.block = Some(Block { intent, blocked, at, state: BlockState::Intended });
    }

    pub(super) fn done(&mut self, order: &AccessOrder) -> Result<(), String> {
        let block = self.ordered(order.intent)?;
        if block.blocked != order.blocked {
            return Err("the order said otherwise".into());
        }
        block.state = BlockState::Done;
        Ok(())
    }

    pub(super) fn fail(&mut self, failed: &AccessFailed) -> Result<(), String> {
        let block = self.ordered(failed.intent)?;
        block.state = BlockState::Failed(failed.class, failed.error.as_str().into());
        Ok(())
    }

    fn ordered(&mut self, intent: u64) -> Result<&mut Block, String> {
        let block = self.block.as_mut().ok_or("nothing was ordered about its access")?;
        if block.intent != intent {
            return Err(format!("its last intent is {}, not {intent}", block.intent));
        }
        Ok(block)
    }
}

impl Block {
    /// Whether access may be blocked: it was ordered, and not restored since.
    #[must_use]
    pub(crate) fn is_in_place(&self) -> bool {
        self.blocked || self.state != BlockState::Done
    }

    /// Since when access is blocked for sure.
    #[must_use]
    pub(crate) fn blocked_since(&self) -> Option<Timestamp> {
        (self.blocked && self.state == BlockState::Done).then_some(self.at)
    }
}
