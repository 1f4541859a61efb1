//! Wipe requests, each content once.

use std::sync::Arc;

use super::clash::clash;
use crate::domain::manifest::finding::{Code, Finding};
use crate::domain::manifest::{Unusable, UnusableKind, WipeDraft};
use crate::domain::wipe::WipeFile;

/// A copy of a request is that request: its content is what counts, wherever it lies. So a copy
/// placed before it does not hide the veto beside it.
pub(super) fn unique_wipes(
    mut wipes: Vec<WipeDraft>,
    unusable: &mut Vec<Unusable>,
    findings: &mut Vec<Finding>,
) -> Vec<Arc<WipeFile>> {
    wipes.sort_by(|a, b| {
        let key = |w: &'_ WipeDraft| {
            (w.file.request.name.clone(), w.file.request.digest, w.file.place.clone())
        };
        key(a).cmp(&key(b))
    });
    wipes.dedup_by(|copy, first| {
        let same = copy.file.request.digest == first.file.request.digest;
        if same {
            first.file.copies.push(copy.file.place.path.clone());
        }
        same
    });
    let mut unique = Vec::new();
    for group in wipes.chunk_by(|a, b| a.file.request.name == b.file.request.name) {
        if let [only] = group {
            unique.push(Arc::new(only.file.clone()));
        } else {
            // Not deleted, and so not vetoed: what is recorded of them waits.
            let place = |draft: &WipeDraft| draft.file.place.clone();
            let lost = |draft| Unusable { place: place(draft), what: UnusableKind::File };
            unusable.extend(group.iter().map(lost));
        }
        clash(group, findings, Code::DuplicateName, |draft| {
            let name = draft.file.request.name.as_str();
            let span = draft.name_at.span(&draft.file.place.path, "name", name);
            (span, format!("the wipe request name `{name}`"), "rename one of them")
        });
    }
    unique.sort_by(|a, b| a.place.cmp(&b.place));
    unique
}
