//! A device's last episode, as it stands in the snapshot.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::domain::model::{Timestamp, words};
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{Before, Block, BlockState, Episode, EpisodeKind, NoticeResult, Ticket};

words! {
    /// How an order about access stands.
    pub(crate) enum BlockWord { Intended = "intended", Done = "done", Failed = "failed" }
}

#[derive(Serialize)]
pub(super) struct EpisodeOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Before>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<BlockOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
    kind: EpisodeKind,
    opened: u64,
    since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a Ticket>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    told: &'a BTreeMap<CompactString, NoticeResult>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EpisodeIn {
    #[serde(default)]
    before: Option<Before>,
    #[serde(default)]
    block: Option<BlockIn>,
    #[serde(default)]
    ended: Option<Timestamp>,
    kind: EpisodeKind,
    opened: u64,
    since: Timestamp,
    #[serde(default)]
    ticket: Option<Ticket>,
    #[serde(default)]
    told: BTreeMap<CompactString, NoticeResult>,
}

#[derive(Serialize)]
struct BlockOut<'a> {
    at: Timestamp,
    blocked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<ErrorClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    intent: u64,
    state: BlockWord,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockIn {
    at: Timestamp,
    blocked: bool,
    #[serde(default)]
    class: Option<ErrorClass>,
    #[serde(default)]
    error: Option<Box<str>>,
    intent: u64,
    state: BlockWord,
}

impl<'a> From<&'a Episode> for EpisodeOut<'a> {
    fn from(episode: &'a Episode) -> Self {
        let Episode { kind, opened, since, ended, block, told, ticket, before } = episode;
        let (block, ticket) = (block.as_ref().map(BlockOut::from), ticket.as_ref());
        let (before, ended, kind, opened, since) = (*before, *ended, *kind, *opened, *since);
        Self { before, block, ended, kind, opened, since, ticket, told }
    }
}

impl<'a> From<&'a Block> for BlockOut<'a> {
    fn from(block: &'a Block) -> Self {
        let Block { intent, blocked, at, state } = block;
        let (state, class, error) = match state {
            BlockState::Intended => (BlockWord::Intended, None, None),
            BlockState::Done => (BlockWord::Done, None, None),
            BlockState::Failed(class, error) => (BlockWord::Failed, Some(*class), Some(&**error)),
        };
        Self { at: *at, blocked: *blocked, class, error, intent: *intent, state }
    }
}

impl EpisodeIn {
    pub(super) fn episode(self) -> Result<Box<Episode>, &'static str> {
        let Self { before, block, ended, kind, opened, since, ticket, told } = self;
        let block = block.map(BlockIn::block).transpose()?;
        Ok(Box::new(Episode { kind, opened, since, ended, block, told, ticket, before }))
    }
}

impl BlockIn {
    fn block(self) -> Result<Block, &'static str> {
        let Self { at, blocked, class, error, intent, state } = self;
        let state = match (state, class, error) {
            (BlockWord::Intended, None, None) => BlockState::Intended,
            (BlockWord::Done, None, None) => BlockState::Done,
            (BlockWord::Failed, Some(class), Some(error)) => BlockState::Failed(class, error),
            _ => return Err("a block has `class` and `error` if and only if it failed"),
        };
        Ok(Block { intent, blocked, at, state })
    }
}
