//! A plan's digest: what `apply --plan` compares.

use serde::{Serialize, Serializer};

use super::action::{Action, ActionKind, Op};
use super::new_fields::new_fields;
use crate::domain::model::{DeviceId, Digest, Hasher, SerialNumber};
use crate::domain::shares;

/// Actions written by one thread at a time: writing takes longer than hashing.
const SHARE: usize = 512;

/// The part of an action that is the decision: without its place and its wording.
#[derive(Serialize)]
struct Decided<'a> {
    action: ActionKind,
    device: Option<DeviceId>,
    serial: Option<&'a SerialNumber>,
    profile: Option<&'a Digest>,
    changes: Changes<'a>,
}

/// Those of [`Action::changes`].
struct Changes<'a>(&'a Action);

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.op {
            Op::Provision { to, .. } => serializer.collect_seq(new_fields(to)),
            _ => self.0.changes().serialize(serializer),
        }
    }
}

/// A SHA-256 over the decision: what is done to whom, in order. Places, reasons and the
/// moment of planning do not count, so the same decision made later has the same digest.
#[must_use]
pub(crate) fn digest(actions: &[Action]) -> Digest {
    let mut hash = Hasher::default();
    shares::in_order(actions, SHARE, write, |lines| hash.update(&lines));
    hash.finish()
}

/// A line for each action.
fn write(actions: &[Action]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(actions.len() * 512);
    for action in actions {
        let decided = Decided {
            action: action.kind(),
            device: action.device(),
            serial: action.spec().map(|spec| &spec.serial_number),
            profile: match &action.op {
                Op::RecordProfile { to: profile, .. }
                | Op::Provision { profile, .. }
                | Op::Push { profile, .. } => Some(&profile.digest),
                _ => None,
            },
            changes: Changes(action),
        };
        serde_json::to_writer(&mut lines, &decided).expect("plain data serialise");
        lines.push(b'\n');
    }
    lines
}
