//! A device's episode: what its verdict has led to, and who was told.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::Serialize;

use super::out::Tone;
use crate::domain::access::{Blocking, block};
use crate::domain::model::Timestamp;
use crate::domain::settings::Settings;
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

/// The last order about its access.
fn order(device: &Device) -> Option<&Block> {
    device.episode.as_deref()?.block.as_ref()
}

/// How an order stands that is not done, in a clause.
fn undone(state: &BlockState) -> String {
    match state {
        BlockState::Failed(class, error) => format!("failed ({class}): {error}"),
        BlockState::Intended | BlockState::Done => "whether it was done is not known yet".into(),
    }
}

/// Of a block that is due and not done: how that stands, in a clause.
pub(super) fn due(device: &Device) -> String {
    order(device)
        .filter(|order| order.blocked)
        .map_or_else(|| "it has not been ordered yet".to_owned(), |order| undone(&order.state))
}

/// A note of `list`, of what was done to its access and what was not.
pub(super) fn note(device: &Device, settings: &Settings, now: Timestamp) -> Option<&'static str> {
    let failed = |order: &&Block| matches!(order.state, BlockState::Failed(..));
    let failed = order(device).filter(failed).map(|order| order.blocked);
    match (block(device, settings, now), failed) {
        (_, Some(false)) => Some("restore failed"),
        (Blocking::Since(_), _) => Some("blocked"),
        (Blocking::Due(_), Some(true)) => Some("block failed"),
        (Blocking::Due(_), None) => Some("block due"),
        (
            Blocking::None
            | Blocking::At(_)
            | Blocking::ExemptUntil(_)
            | Blocking::Orphaned(_)
            | Blocking::Gone,
            _,
        ) => None,
    }
}

/// A line of `show`: how its access stands.
pub(super) fn access(
    device: &Device,
    settings: &Settings,
    now: Timestamp,
) -> (&'static str, String, Tone) {
    let restore = order(device).filter(|order| !order.blocked && order.state != BlockState::Done);
    let (text, tone) = match (block(device, settings, now), restore) {
        (_, Some(order)) => (
            format!(
                "to be restored since {}, and perhaps still blocked; {}",
                order.at.short(),
                undone(&order.state)
            ),
            Tone::Removed,
        ),
        (Blocking::None, None) => ("allowed".into(), Tone::Plain),
        (Blocking::At(at), None) => (format!("will be blocked at {}", at.short()), Tone::Changed),
        (Blocking::ExemptUntil(at), None) => {
            let text = format!("allowed by an exemption; will be blocked at {}", at.short());
            (text, Tone::Changed)
        }
        (Blocking::Due(at), None) => {
            (format!("block due since {}; {}", at.short(), due(device)), Tone::Removed)
        }
        (Blocking::Orphaned(_), None) => {
            ("allowed: without a manifest the device is not blocked".into(), Tone::Plain)
        }
        (Blocking::Since(at), None) => (format!("blocked since {}", at.short()), Tone::Removed),
        (Blocking::Gone, None) => ("none: the device is wiped".into(), Tone::Dim),
    };
    ("Access", text, tone)
}

/// Lines of `show`: the ticket, and who was told of what goes on.
pub(super) fn of_device(device: &Device) -> Vec<(&'static str, String, Tone)> {
    let mut fields = Vec::new();
    let Some(episode) = device.open_episode() else { return fields };
    if let Some(Ticket { id: _, number, others }) = &episode.ticket {
        fields.push(("Ticket", number.to_string(), Tone::Plain));
        if !others.is_empty() {
            let text = format!(
                "{} has the correlation_id of {number}; remove it there",
                others.join(", ")
            );
            fields.push(("  Copied", text, Tone::Changed));
        }
    }
    for (key, NoticeResult { at, failed, to, reference: _ }) in &episode.told {
        let to = to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
        let what = format!("{}{to}", key.replacen('/', ": ", 1));
        fields.push(match failed {
            None => ("Told", format!("{what} at {}", at.short()), Tone::Plain),
            Some(why) => ("Not told", format!("{what} at {}: {why}", at.short()), Tone::Removed),
        });
    }
    fields
}
