//! What a file of a Git tree is to the fleet, and what makes a directory a repository: by the same
//! rules as on disk.

use std::ffi::CString;

use rustix::fs::FileType;

use super::rules::{Problem, is_manifest, judge as judge_name, unreadable_because};
use crate::domain::manifest::ROOT;
use crate::domain::manifest::UnusableKind;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::wording::harmless;

pub(super) enum Judged {
    /// A manifest, at this path.
    Manifest(String),
    /// A signature or veto, at this path.
    Signature(String),
    /// Neither a manifest nor a signature: not read.
    Ignored,
    /// Something that cannot be used, or a directory that it lies in.
    Lost(String, UnusableKind, Problem),
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
                return Judged::Lost(shown(depth), UnusableKind::Directory, trouble);
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

/// What of a Git directory lies in a directory. Git itself takes one with `HEAD`, `objects` and
/// `refs` for a repository, or with `HEAD` and `commondir`, which leads to the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks {
    head: bool,
    objects: bool,
    refs: bool,
    common: bool,
    dot_git: bool,
}

impl Marks {
    /// Notes the name of an entry. Whatever it is: Git follows symlinks there. The case of letters
    /// means nothing on some file systems.
    pub(super) fn note(&mut self, name: &[u8]) {
        let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
        self.head |= is("HEAD");
        self.objects |= is("objects");
        self.refs |= is("refs");
        self.common |= is("commondir");
        self.dot_git |= is(".git");
    }

    pub(super) fn absorb(&mut self, other: Self) {
        let Self { head, objects, refs, common, dot_git } = other;
        self.head |= head;
        self.objects |= objects;
        self.refs |= refs;
        self.common |= common;
        self.dot_git |= dot_git;
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// The finding on a directory, which is empty at the root or ends in a slash. A `.git` at the
    /// root is the work tree's own.
    pub(super) fn finding(self, directory: &str) -> Option<Finding> {
        let Self { head, objects, refs, common, dot_git } = self;
        let is_repository = head && (common || (objects && refs));
        let is_work_tree = dot_git && !directory.is_empty();
        if !(is_repository || is_work_tree) {
            return None;
        }
        let path = if directory.is_empty() { ROOT } else { directory.trim_end_matches('/') };
        Some(Finding {
            code: Code::GitDirectory,
            severity: Severity::Error,
            message: "a Git repository inside the fleet directory: its configuration can run \
                      commands wherever Git is used here"
                .into(),
            help: "remove it; look at who added it before you use Git in this directory".into(),
            span: Span::whole(&harmless(path).into()),
            related: None,
        })
    }
}
