//! What a file of a Git tree is to the fleet: by the rules of the directory on disk.

use std::ffi::CString;

use rustix::fs::FileType;

use super::{Trouble, is_manifest, judge as judge_name, unreadable_because};
use crate::fleet::Damage;
use crate::wording::harmless;

/// What a file is.
pub(super) enum Judged {
    /// A manifest, at this path.
    Manifest(String),
    /// A signature or veto, at this path.
    Signature(String),
    /// None of our business.
    Ignored,
    /// Something that cannot be used, or a directory that it lies in.
    Lost(String, Damage, Trouble),
}

/// Judges a file by its path from the fleet directory and its mode in the tree.
pub(super) fn judge(path: &[u8], mode: u32) -> Judged {
    let parts: Vec<&[u8]> = path.split(|b| *b == b'/').collect();
    if parts.iter().any(|part| part.starts_with(b".")) {
        return Judged::Ignored;
    }
    let shown = |n: usize| harmless(&String::from_utf8_lossy(&parts[..=n].join(&b'/')));
    let last = parts.len() - 1;
    for (depth, part) in parts.iter().enumerate() {
        // A path of Git has no NUL.
        let Ok(name) = CString::new(*part) else { return Judged::Ignored };
        let kind = match mode {
            _ if depth < last => FileType::Directory,
            0o120_000 => FileType::Symlink,
            0o160_000 => {
                let trouble = unreadable_because("a submodule is not part of this repository");
                return Judged::Lost(shown(depth), Damage::Directory, trouble);
            }
            _ => FileType::RegularFile,
        };
        if kind == FileType::RegularFile && !is_manifest(&name) {
            let signature = name.to_bytes().ends_with(b".sig");
            return if signature { Judged::Signature(shown(depth)) } else { Judged::Ignored };
        }
        if let Err((what, trouble)) = judge_name(&name, kind, depth) {
            return Judged::Lost(shown(depth), what, trouble);
        }
    }
    Judged::Manifest(shown(last))
}
