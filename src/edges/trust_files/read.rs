//! Reads the trust files, and sees to it that nobody else could have written them.
//!
//! The path is walked component by component, through every symbolic link: each step must
//! belong to root or the current user, no one else may be able to replace it, and none may be
//! the fleet directory or the top of a Git work tree that holds it: their content strangers propose,
//! and a merged change writes it. The file is opened without following
//! links and without waiting, so that a FIFO cannot hang a pass. It never writes.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::domain::wipe::trust::{List, Malformed, Trust};
use crate::edges::fs::guarded::{Guarded, Refused};
use crate::edges::fs::work_tree::{Checkout, identity};

/// Far more than any company has administrators.
const MAX_BYTES: usize = 1024 * 1024;
/// As many as Linux itself follows.
const MAX_LINKS: u32 = 40;

/// Why there is nobody to trust; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration does not name it.
    #[error("no trust file is configured (trust.allowedSigners)")]
    NotConfigured,
    /// Nothing there.
    #[error("{list} {path} does not exist: create it, or correct trust.{list} in fleetform.yaml")]
    Missing {
        /// Which list.
        list: List,
        /// As configured, or where a link led.
        path: PathBuf,
    },
    /// It, or something on the way to it, cannot be read.
    #[error("{list}: cannot read {path}")]
    Unreadable {
        /// Which list.
        list: List,
        /// What could not be read.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The fleet directory cannot be looked at, so nobody knows whether the file is in it.
    #[error("cannot tell whether {list} lies outside the fleet directory {fleet}")]
    Fleet {
        /// Which list.
        list: List,
        /// The fleet directory.
        fleet: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It lies in the fleet directory, or the way to it leads through there.
    #[error(
        "{list} {path} lies inside the fleet directory, where a merged pull request could change \
         it: keep it elsewhere, such as /etc/fleetform"
    )]
    InsideFleet {
        /// Which list.
        list: List,
        /// As configured.
        path: PathBuf,
    },
    /// It lies in a Git work tree that holds the fleet directory, or the way to it leads through
    /// there.
    #[error(
        "{list} {path} lies in the Git work tree {tree}, where a merged pull request could change \
         it: keep it elsewhere, such as /etc/fleetform"
    )]
    InsideWorkTree {
        /// Which list.
        list: List,
        /// As configured.
        path: PathBuf,
        /// The top of the work tree.
        tree: PathBuf,
    },
    /// A FIFO, socket, device or directory.
    #[error("{list} {path} is not a regular file: put a text file there")]
    NotAFile {
        /// Which list.
        list: List,
        /// What is not one.
        path: PathBuf,
    },
    /// Too many symbolic links.
    #[error(
        "{list} {path} leads through more than {MAX_LINKS} symbolic links: configure the file itself"
    )]
    TooManyLinks {
        /// Which list.
        list: List,
        /// As configured.
        path: PathBuf,
    },
    /// Somebody else owns it or a directory above it.
    #[error("{list}: {path} belongs to user {owner}, who could change it: `chown root {path}`")]
    ForeignOwner {
        /// Which list.
        list: List,
        /// What belongs to them.
        path: PathBuf,
        /// Their id.
        owner: u32,
    },
    /// Group or others can write to it or a directory above it.
    #[error(
        "{list}: {path} is writable by others than its owner ({mode:04o}): `chmod go-w {path}`"
    )]
    Writable {
        /// Which list.
        list: List,
        /// What can be written to.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// No trust file is that large.
    #[error("{list} {path} is larger than {} MiB: is it the right file?", MAX_BYTES / 1024 / 1024)]
    TooLarge {
        /// Which list.
        list: List,
        /// As configured.
        path: PathBuf,
    },
    /// Nobody is trusted because of one line.
    #[error("{path}, line {}: {}; until it is mended nobody is trusted", malformed.line, malformed.why)]
    Malformed {
        /// Of the list that is malformed.
        path: PathBuf,
        /// What is wrong.
        malformed: Malformed,
    },
}

impl Error {
    /// Whether another user, or another machine with the same configuration, may find otherwise.
    #[must_use]
    pub fn is_of_this_machine(&self) -> bool {
        match self {
            Self::Missing { .. }
            | Self::Unreadable { .. }
            | Self::Fleet { .. }
            | Self::ForeignOwner { .. } => true,
            Self::NotConfigured
            | Self::InsideFleet { .. }
            | Self::InsideWorkTree { .. }
            | Self::NotAFile { .. }
            | Self::TooManyLinks { .. }
            | Self::Writable { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. } => false,
        }
    }
}

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
    check(list, path, &Standing { owner, mode, kind: Kind::File }, me)?;
    let mut bytes = Vec::new();
    file.read(&mut bytes).map_err(refused)?;
    Ok(bytes)
}

/// Who could change a file or directory.
struct Standing {
    owner: u32,
    mode: u32,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    Link,
}

impl Standing {
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
fn check(list: List, path: &Path, standing: &Standing, me: u32) -> Result<(), Error> {
    let Standing { owner, mode, kind } = *standing;
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
        push(&mut ahead, &asked);
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
                        push(&mut ahead, &target);
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
        let standing = Standing::of(&metadata);
        check(self.list, path, &standing, self.me)?;
        Ok(standing.kind)
    }

    fn unreadable(&self, path: &Path, source: io::Error) -> Error {
        let (list, path) = (self.list, path.to_owned());
        if source.kind() == io::ErrorKind::NotFound {
            return Error::Missing { list, path };
        }
        Error::Unreadable { list, path, source }
    }
}

/// What is to be walked, the next component last.
fn push(ahead: &mut Vec<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::CurDir | Component::Prefix(_) => {}
            Component::RootDir | Component::ParentDir | Component::Normal(_) => {
                ahead.push(component.as_os_str().to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests;
