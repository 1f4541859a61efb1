//! What in the fleet directory is a manifest, and what is the matter with what is none.

use std::ffi::CStr;

use rustix::fs::FileType;
use rustix::io::Errno;

use crate::domain::manifest::UnusableKind;
use crate::domain::manifest::finding::Code;
use crate::domain::model::is_deceptive;

/// Largest manifest, in bytes: thousands of devices.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
/// Deepest directory below the root.
pub(crate) const MAX_DEPTH: usize = 32;
/// What is the matter with an entry of a directory.
pub(super) type Problem = (Code, String, &'static str);

pub(super) fn is_manifest(name: &CStr) -> bool {
    name.to_bytes().ends_with(b".yaml") || name.to_bytes().ends_with(b".yml")
}

/// Whether an entry is a file to read or a directory to enter.
pub(super) fn judge(
    name: &CStr,
    kind: FileType,
    depth: usize,
) -> Result<FileType, (UnusableKind, Problem)> {
    let what =
        if kind == FileType::Directory { UnusableKind::Directory } else { UnusableKind::File };
    if kind == FileType::Symlink {
        return Err((UnusableKind::Directory, symlink()));
    }
    if kind == FileType::Unknown {
        let trouble = unreadable_because("the file system does not say what this is");
        return Err((UnusableKind::Directory, trouble));
    }
    if !name.to_str().is_ok_and(|name| !name.contains(is_deceptive)) {
        let message = "the name is not UTF-8, or has control or bidirectional characters".into();
        return Err((what, (Code::InvalidPath, message, "rename it")));
    }
    match kind {
        FileType::Directory if depth >= MAX_DEPTH => {
            let message = format!("more than {MAX_DEPTH} directories deep");
            Err((what, (Code::InvalidPath, message, "move it up")))
        }
        FileType::Directory | FileType::RegularFile => Ok(kind),
        _ => Err((what, not_a_file())),
    }
}

pub(super) fn too_large() -> Problem {
    let message = format!("the file is larger than {MAX_BYTES} bytes");
    (Code::FileTooLarge, message, "split it into several files")
}

pub(super) fn changing() -> Problem {
    let message = "the file kept changing while it was read".to_owned();
    (Code::Unreadable, message, "it is read again in the next reconciliation")
}

pub(super) fn unreadable_because(why: &str) -> Problem {
    (Code::Unreadable, why.to_owned(), "put the manifests themselves here")
}

pub(super) fn symlink() -> Problem {
    let help = "replace it by what it points to; only the fleet directory itself may be a symlink";
    (Code::Symlink, "symlinks are not followed".into(), help)
}

pub(super) fn not_a_file() -> Problem {
    let message = "a FIFO, socket or device where a manifest should be".into();
    (Code::NotAFile, message, "remove it, or rename it so that it does not end in .yaml or .yml")
}

pub(super) fn unreadable(what: &str, error: Errno) -> Problem {
    let message = format!("the {what} cannot be read: {error}");
    (Code::Unreadable, message, "look at its permissions and at the disk")
}
