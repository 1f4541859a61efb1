//! Reading the trust files, component by component.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::{Error, MAX_BYTES, MAX_LINKS};
use crate::domain::wipe::trust::{List, Trust};
use crate::edges::fs::guarded::{Guarded, Refused};
use crate::edges::fs::work_tree::{Checkout, identity, push_components};

/// Reads both lists as they are now. Paths are relative to the working directory; a fleet
/// directory that does not exist contains nothing.
///
/// # Errors
/// The first reason why nobody can be trusted.
pub fn read(allowed: &Path, revoked: Option<&Path>, fleet: &Path) -> Result<Trust, Error> {
    let signers = read_one(List::AllowedSigners, allowed, fleet)?;
    let keys = revoked.map(|path| read_one(List::RevokedKeys, path, fleet)).transpose()?;
    Trust::parse(&signers, keys.as_deref()).map_err(|malformed| Error::Malformed {
        path: match (malformed.list, revoked) {
            (List::RevokedKeys, Some(revoked)) => revoked.to_owned(),
            (List::RevokedKeys, None) | (List::AllowedSigners, _) => allowed.to_owned(),
        },
        malformed,
    })
}

fn read_one(list: List, path: &Path, fleet: &Path) -> Result<Vec<u8>, Error> {
    let checkout = Checkout::of(fleet).map_err(|source| {
        let fleet = fleet.to_owned();
        Error::Fleet { list, fleet, source }
    })?;
    let me = rustix::process::geteuid().as_raw();
    let walked = Walk { list, asked: path, checkout: &checkout, me }.resolve()?;
    read_regular(list, &walked, me)
}

fn read_regular(list: List, path: &Path, me: u32) -> Result<Vec<u8>, Error> {
    let refused = |refused| match refused {
        Refused::NotAFile => Error::NotAFile { list, path: path.to_owned() },
        Refused::TooLarge(_) => Error::TooLarge { list, path: path.to_owned() },
        other => Error::Unreadable { list, path: path.to_owned(), source: other.into() },
    };
    let file = Guarded::up_to(MAX_BYTES).without_links().open(path).map_err(refused)?;
    // Once more, of what was opened: the walk saw what lay there a moment ago.
    let (owner, mode) = (file.stat().st_uid, file.stat().st_mode & 0o7777);
    check(list, path, &Ownership { owner, mode, kind: Kind::File }, me)?;
    let mut bytes = Vec::new();
    file.read(&mut bytes).map_err(refused)?;
    Ok(bytes)
}

/// Who could change a file or directory.
pub(super) struct Ownership {
    pub(super) owner: u32,
    pub(super) mode: u32,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Link,
}

impl Ownership {
    fn of(metadata: &Metadata) -> Self {
        let kind = match metadata.file_type() {
            kind if kind.is_dir() => Kind::Directory,
            kind if kind.is_symlink() => Kind::Link,
            _ => Kind::File,
        };
        Self { owner: metadata.uid(), mode: metadata.mode() & 0o7777, kind }
    }
}

/// A link's permissions mean nothing. In a sticky directory (`/tmp`) others can add but not
/// replace, and what is ours there is checked by its own owner.
pub(super) fn check(list: List, path: &Path, ownership: &Ownership, me: u32) -> Result<(), Error> {
    let Ownership { owner, mode, kind } = *ownership;
    if owner != 0 && owner != me {
        return Err(Error::ForeignOwner { list, path: path.to_owned(), owner });
    }
    let sticky = kind == Kind::Directory && mode & 0o1000 != 0;
    if kind != Kind::Link && mode & 0o022 != 0 && !sticky {
        return Err(Error::Writable { list, path: path.to_owned(), mode });
    }
    Ok(())
}

/// A path on its way to where it really leads.
struct Walk<'a> {
    list: List,
    asked: &'a Path,
    checkout: &'a Checkout,
    me: u32,
}

impl Walk<'_> {
    /// The path without links; every directory passed through has been checked.
    fn resolve(&self) -> Result<PathBuf, Error> {
        let asked = std::path::absolute(self.asked).map_err(|e| self.unreadable(self.asked, e))?;
        let mut ahead = Vec::new();
        push_components(&mut ahead, &asked);
        let (mut here, mut links) = (PathBuf::from("/"), 0);
        self.enter(&here)?;
        while let Some(name) = ahead.pop() {
            if name == "/" {
                here = PathBuf::from("/");
            } else if name == ".." {
                here.pop();
            } else {
                let next = here.join(&name);
                match self.enter(&next)? {
                    Kind::Link => {
                        links += 1;
                        if links > MAX_LINKS {
                            let path = self.asked.to_owned();
                            return Err(Error::TooManyLinks { list: self.list, path });
                        }
                        let target =
                            std::fs::read_link(&next).map_err(|e| self.unreadable(&next, e))?;
                        push_components(&mut ahead, &target);
                    }
                    Kind::File if !ahead.is_empty() => {
                        let source = io::ErrorKind::NotADirectory.into();
                        return Err(self.unreadable(&next, source));
                    }
                    Kind::File | Kind::Directory => here = next,
                }
            }
        }
        Ok(here)
    }

    fn enter(&self, path: &Path) -> Result<Kind, Error> {
        let metadata = std::fs::symlink_metadata(path).map_err(|e| self.unreadable(path, e))?;
        if let Some(reviewed) = self.checkout.find(identity(&metadata)) {
            let (list, path, tree) = (self.list, self.asked.to_owned(), reviewed.path.clone());
            return Err(if reviewed.is_fleet {
                Error::InsideFleet { list, path }
            } else {
                Error::InsideWorkTree { list, path, tree }
            });
        }
        let ownership = Ownership::of(&metadata);
        check(self.list, path, &ownership, self.me)?;
        Ok(ownership.kind)
    }

    fn unreadable(&self, path: &Path, source: io::Error) -> Error {
        let (list, path) = (self.list, path.to_owned());
        if source.kind() == io::ErrorKind::NotFound {
            return Error::Missing { list, path };
        }
        Error::Unreadable { list, path, source }
    }
}
