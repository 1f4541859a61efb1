//! A device's episode: what its verdict has led to, and who was told.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::Serialize;

use super::out::Tone;
use crate::domain::model::Timestamp;
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{Block, BlockState, Device, Episode, EpisodeKind, NoticeResult, Ticket};

/// As JSON: `opened` is the number of the entry that opened it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EpisodeView<'a> {
    kind: EpisodeKind,
    opened: u64,
    since: Timestamp,
    ended: Option<Timestamp>,
    blocked_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_failed: Option<FailedView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a Ticket>,
    told: &'a BTreeMap<CompactString, NoticeResult>,
}

#[derive(Debug, Serialize)]
struct FailedView<'a> {
    class: ErrorClass,
    error: &'a str,
}

impl<'a> EpisodeView<'a> {
    pub(super) fn of(episode: &'a Episode) -> Self {
        let Episode { kind, opened, since, ended, block, told, ticket, before: _ } = episode;
        let failed = block.as_ref().and_then(|block| match &block.state {
            BlockState::Failed(class, error) => Some(FailedView { class: *class, error }),
            BlockState::Intended | BlockState::Done => None,
        });
        Self {
            kind: *kind,
            opened: *opened,
            since: *since,
            ended: *ended,
            blocked_since: block.as_ref().and_then(Block::blocked_since),
            access_failed: failed,
            ticket: ticket.as_ref(),
            told,
        }
    }
}

/// Lines of `show`: what failed about its access, the ticket, and who was told of what goes on.
pub(super) fn of_device(device: &Device) -> Vec<(&'static str, String, Tone)> {
    let mut fields = Vec::new();
    let Some(episode) = device.episode.as_deref() else { return fields };
    let block = episode.block.as_ref();
    if let Some(Block { blocked, state: BlockState::Failed(class, error), .. }) = block {
        let what = if *blocked { "blocked" } else { "restored" };
        let text = format!("cannot be {what} ({class}): {error}");
        fields.push(("Access", text, Tone::Removed));
    }
    let Some(episode) = device.open_episode() else { return fields };
    if let Some(Ticket { number, .. }) = &episode.ticket {
        fields.push(("Ticket", number.to_string(), Tone::Plain));
    }
    for (key, NoticeResult { at, failed, to }) in &episode.told {
        let to = to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
        let what = format!("{}{to}", key.replacen('/', ": ", 1));
        fields.push(match failed {
            None => ("NoticeResult", format!("{what} at {}", at.short()), Tone::Plain),
            Some(why) => ("Not told", format!("{what} at {}: {why}", at.short()), Tone::Removed),
        });
    }
    fields
}
