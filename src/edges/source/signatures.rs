//! The `.sig` files beside wipe requests: each is read once, whoever asks for it.
//!
//! What is there and cannot be read or listed is never passed over: it may be a veto.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{Dir, fstat};
use rustix::io::Errno;

use super::below::{enter, read_file, trouble};
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::sshsig;
use crate::domain::wipe::verify::MAX_FILES;
use crate::edges::fs::guarded::{Refused, Version};

/// So often a directory that changes is listed again.
const LOOKS: usize = 5;
/// How signatures of wipe requests are named.
const SIGNATURE: &[u8] = b".sig";
/// Most signature files that are given to requests in one pass. A file counts for every request
/// that its name begins with, and checking one takes about 0.2 ms: nobody can keep a pass busy for
/// longer than some seconds. Requests beyond it are held.
pub(super) const MAX_BESIDE: usize = 10_000;

/// Fills in the signature and veto files beside each wipe request and its copies, each file read
/// once. What cannot be read or listed is noted: it may be a veto.
pub(super) fn read_signatures(root: BorrowedFd<'_>, wipes: &mut [Arc<WipeFile>]) {
    let mut listed: BTreeMap<String, Result<SignatureFiles, Errno>> = BTreeMap::new();
    let mut room = MAX_BESIDE;
    for wipe in wipes {
        let mut file = WipeFile::clone(wipe);
        for path in std::iter::once(&wipe.place.path).chain(&wipe.copies) {
            let (parent, name) = match path.rsplit_once('/') {
                Some((parent, name)) => (format!("{parent}/"), name),
                None => (String::new(), &**path),
            };
            let beside = listed
                .entry(parent)
                .or_insert_with_key(|parent| enter(root, parent).and_then(SignatureFiles::list));
            // Beside a copy a file may be called as one beside another.
            let shown =
                if *path == wipe.place.path { "" } else { &path[..path.len() - name.len()] };
            let directory = &path[..path.len() - name.len()];
            match beside {
                Ok(beside) => beside.fill(name, shown, &mut file, &mut room),
                Err(error) => {
                    let why = format!("the directory cannot be listed: {error}");
                    file.add_unseen(&format!("{directory}*.sig"), why);
                }
            }
        }
        *wipe = Arc::new(file);
    }
}

/// The `.sig` files of a directory.
pub(super) struct SignatureFiles {
    directory: OwnedFd,
    /// By name: what was read of each, once somebody asked for it.
    files: BTreeMap<CString, Option<Content>>,
}

/// At most [`sshsig::MAX_BYTES`], or why there is nothing.
pub(super) type Content = Result<Arc<[u8]>, String>;

impl SignatureFiles {
    /// All of them, as the directory was at one moment: of one that changes meanwhile a veto
    /// that is being renamed may be seen under neither of its names.
    pub(super) fn list(directory: OwnedFd) -> Result<Self, Errno> {
        for _ in 0..LOOKS {
            let before = Version::of(&fstat(&directory)?);
            let mut files = BTreeMap::new();
            for entry in Dir::read_from(&directory)? {
                let name = entry?.file_name().to_owned();
                if !name.to_bytes().starts_with(b".") && name.to_bytes().ends_with(SIGNATURE) {
                    files.insert(name, None);
                }
            }
            if Version::of(&fstat(&directory)?) == before {
                return Ok(Self { directory, files });
            }
        }
        Err(Errno::AGAIN)
    }

    /// Reads those whose names begin with `name`; one more than are looked at is enough to refuse.
    pub(super) fn fill(&mut self, name: &str, shown: &str, file: &mut WipeFile, room: &mut usize) {
        let Ok(from) = CString::new(name) else { return };
        let named = self
            .files
            .range_mut(from..)
            .take_while(|(n, _)| n.to_bytes().starts_with(name.as_bytes()));
        for (found, content) in named.take(MAX_FILES + 1) {
            if *room == 0 {
                let why = format!(
                    "there are more than {MAX_BESIDE} signature files beside wipe requests, and the \
                     rest is not read"
                );
                file.add_unseen(&format!("{shown}{name}*.sig"), why);
                return;
            }
            *room -= 1;
            let content = content.get_or_insert_with(|| signature(&self.directory, found));
            file.add_beside((name, shown), &found.to_string_lossy(), content.clone());
        }
    }
}

/// A signature file; a larger one than any signature is not read.
fn signature(directory: &OwnedFd, name: &CStr) -> Content {
    let mut bytes = Vec::new();
    match read_file(directory, name, &mut bytes, sshsig::MAX_BYTES) {
        Ok(_) => Ok(bytes.into()),
        Err(Refused::TooLarge(_)) => Err(too_large_to_sign()),
        Err(refused) => Err(trouble(refused).1),
    }
}

pub(super) fn too_large_to_sign() -> String {
    format!("it is larger than any signature ({} KiB)", sshsig::MAX_BYTES / 1024)
}
