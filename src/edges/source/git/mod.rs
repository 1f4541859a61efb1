//! The fleet directory as it is in Git revisions, read by asking `git`.
//!
//! Only ever reads objects: no work tree, no index, no hook and no configuration of the
//! repository has a say ([`crate::edges::source::git_process`]). A bare repository serves where `GIT_DIR` names it; a
//! directory that merely looks like one is never asked. The rules for what is a manifest are those
//! of the directory on disk. Two revisions are compared by what differs between their trees;
//! the rest is read only where a rule between files may be affected (`fleet::local_change`),
//! and of that only what may be affected is parsed (`fleet::AffectedFiles`).

mod blobs;
mod unchanged_files;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use self::blobs::{Answers, Blobs};
use self::unchanged_files::Rest;
use super::tree::{Judged, Marks, judge};
use super::{MAX_ENTRIES, too_large};
use crate::domain::fleet::local_change;
use crate::domain::fleet::{Desired, assemble};
use crate::domain::manifest::UnusableKind;
use crate::domain::manifest::finding::{Code, Finding};
use crate::domain::manifest::{Documents, parse_file};
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::sshsig;
use crate::domain::wording::quote;
use crate::edges::fs::work_tree::WorkTree;
use crate::edges::source::git_process::{self, Git, LIST, Limit, QUESTION};

/// Why Git could not tell.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Git cannot be started.
    #[error("cannot run git")]
    Start(#[source] io::Error),
    /// Neither the fleet directory nor the working directory is in a repository.
    #[error("{} is not in a Git repository", .0.display())]
    NoRepository(PathBuf),
    /// The fleet directory is outside of the repository.
    #[error("{} does not lie in the repository", .0.display())]
    Outside(PathBuf),
    /// There is no such commit here.
    #[error("there is no commit {} in this repository", quote(.revision))]
    NoCommit {
        /// As given.
        revision: String,
        /// Whether the clone has only the latest commits.
        shallow: bool,
    },
    /// The revision has no such directory.
    #[error("{} has no directory {}", quote(.revision), quote(.directory))]
    NoDirectory {
        /// As given.
        revision: String,
        /// From the root of the repository.
        directory: String,
    },
    /// An object is not there, as in a partial clone.
    #[error("the object {0} is not in this repository")]
    NoObject(String),
    /// Anything else that git complains of.
    #[error("git {command}: {message}")]
    Failed {
        /// Its subcommand.
        command: &'static str,
        /// What it said.
        message: String,
    },
    /// There are more manifests than are read.
    #[error("{} has more than {MAX_ENTRIES} manifests: split the fleet directory", quote(.0))]
    TooMany(String),
    /// It gave no whole answer.
    #[error(transparent)]
    Git(git_process::Error),
}

impl From<git_process::Error> for Error {
    fn from(error: git_process::Error) -> Self {
        match error {
            git_process::Error::Start(cause) => Self::Start(cause),
            git_process::Error::Failed { command, message } => Self::Failed { command, message },
            other => Self::Git(other),
        }
    }
}

/// A repository, and where the fleet directory is in it.
#[derive(Debug)]
pub struct Repository {
    git: Git,
    /// From the root of the repository: empty, or with a slash at the end.
    prefix: String,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// As given.
    pub name: String,
    /// Its object id.
    pub id: String,
}

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// From the fleet directory.
    path: Vec<u8>,
    mode: u32,
    id: String,
}

impl Repository {
    /// The repository that `fleet` lies in. Where there is no such directory, as in a bare
    /// repository, the one that `GIT_DIR` names, or that of the working directory.
    ///
    /// # Errors
    /// If there is none, or the path cannot lie in it.
    pub fn open(fleet: &Path) -> Result<Self, Error> {
        let none = || Error::NoRepository(fleet.to_owned());
        if fleet.is_dir() {
            let (tree, below) = WorkTree::around(fleet).ok_or_else(none)?;
            return Ok(Self { git: Git::In(tree), prefix: prefix(&below) });
        }
        let inside = |part| matches!(part, Component::CurDir | Component::Normal(_));
        if !fleet.components().all(inside) {
            return Err(Error::Outside(fleet.to_owned()));
        }
        if let Some(git) = Git::named() {
            return Ok(Self { git, prefix: prefix(fleet) });
        }
        let (tree, below) = WorkTree::around(Path::new(".")).ok_or_else(none)?;
        Ok(Self { git: Git::In(tree), prefix: prefix(&below.join(fleet)) })
    }

    fn output(&self, command: &'static str, args: &[&str], limit: Limit) -> Result<Vec<u8>, Error> {
        Ok(self.git.output(command, args, limit)?)
    }

    /// The commit that `revision` names.
    ///
    /// # Errors
    /// If there is none.
    pub fn commit(&self, revision: &str) -> Result<Commit, Error> {
        let unknown = |shallow| Error::NoCommit { revision: revision.to_owned(), shallow };
        // Git would take it for an option.
        if revision.starts_with('-') {
            return Err(unknown(false));
        }
        let wanted = format!("{revision}^{{commit}}");
        match self.output("rev-parse", &["--verify", "--quiet", &wanted], QUESTION) {
            Ok(id) => {
                let id = String::from_utf8_lossy(&id).trim().to_owned();
                // `^main` names a commit, too: those that are not to be shown.
                let is_id = id.bytes().all(|b| b.is_ascii_hexdigit());
                let commit = Commit { name: revision.to_owned(), id };
                if is_id { Ok(commit) } else { Err(unknown(false)) }
            }
            Err(Error::Failed { .. }) => {
                let shallow = self.output("rev-parse", &["--is-shallow-repository"], QUESTION)?;
                Err(unknown(shallow.starts_with(b"true")))
            }
            Err(error) => Err(error),
        }
    }

    /// The fleet as it was in a commit.
    ///
    /// # Errors
    /// If the commit has no fleet directory, or git fails.
    pub fn load(&self, commit: &Commit) -> Result<Desired, Error> {
        let entries = self.list(commit)?;
        if entries.is_empty() {
            return Err(self.no_directory(commit));
        }
        let side = Side::of(&entries, &commit.name)?;
        let mut documents = self.read(&side)?;
        documents.findings.extend(git_directories([&side.marks]));
        self.finish(assemble([documents]), &side)
    }

    /// The fleet as it was in both revisions; of what is alike in both, as little as is needed.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn compare(&self, base: &str, head: &str) -> Result<[(Commit, Desired); 2], Error> {
        let batch = self.batch()?;
        let differing = match self.differing(base, head) {
            // Find out which of them it is, and why.
            Err(Error::Failed { command, message }) => {
                self.commit(base)?;
                self.commit(head)?;
                return Err(Error::Failed { command, message });
            }
            differing => differing?,
        };
        let (before, after) = differing;
        let (was, is) = (Side::of(&before, base)?, Side::of(&after, head)?);
        // One question for all: each start of git costs as much as a hundred blobs.
        let commits = [base, head].map(|revision| format!("{revision}^{{commit}}")).into();
        let mut blobs = Blobs { commits, ids: Vec::new() };
        was.ask(&mut blobs);
        is.ask(&mut blobs);
        let mut answers = batch.answers(&blobs)?;
        let mut commit = |name: &str| match answers.commits.pop_front().flatten() {
            Some(id) => Ok(Commit { name: name.to_owned(), id }),
            None => self.commit(name),
        };
        let (base, head) = (commit(base)?, commit(head)?);
        if before.is_empty() && after.is_empty() {
            let tree = self.tree(&base);
            let there = self.output("rev-parse", &["--verify", "--quiet", &tree], QUESTION);
            let nothing = |_| [(base.clone(), Desired::default()), (head, Desired::default())];
            return there.map(nothing).map_err(|_| self.no_directory(&base));
        }
        let (was_read, is_read) = (was.read(&mut answers), is.read(&mut answers));
        if was.is_plain()
            && is.is_plain()
            && let Some((was, is)) = local_change(&was_read, &is_read)
        {
            return Ok([(base, was), (head, is)]);
        }
        let differ: HashSet<&[u8]> = before.iter().chain(&after).map(|e| &*e.path).collect();
        let all = match self.list(&base) {
            // The change begins the fleet directory.
            Err(Error::NoDirectory { .. }) => Vec::new(),
            all => all?,
        };
        let same: Vec<Entry> =
            all.into_iter().filter(|entry| !differ.contains(&*entry.path)).collect();
        let same = Side::of(&same, &base.name)?;
        let rest = Rest::read(self, &same)?;
        let sides = |same_read: Documents| {
            let of = |read: &Documents, side: &Side| {
                let mut read = read.clone();
                read.findings.extend(git_directories([&same.marks, &side.marks]));
                self.finish(assemble([same_read.clone(), read]), &side.with(&same))
            };
            Ok::<_, Error>((of(&was_read, &was)?, of(&is_read, &is)?))
        };
        let (was, is) = match sides(rest.touching([&was_read, &is_read]))? {
            // The help names the profiles that there are, or the one that was meant.
            (was, is) if guesses(&was) || guesses(&is) => sides(rest.all())?,
            sides => sides,
        };
        Ok([(base, was), (head, is)])
    }

    /// The manifests of one side.
    fn read(&self, side: &Side) -> Result<Documents, Error> {
        let mut blobs = Blobs::default();
        side.ask(&mut blobs);
        Ok(side.read(&mut self.answers(&blobs)?))
    }

    fn no_directory(&self, commit: &Commit) -> Error {
        let directory = self.prefix.trim_end_matches('/').to_owned();
        Error::NoDirectory { revision: commit.name.clone(), directory }
    }

    /// The fleet directory in a commit, as Git names a tree.
    fn tree(&self, commit: &Commit) -> String {
        format!("{}:{}", commit.id, self.prefix.trim_end_matches('/'))
    }

    /// All files of the fleet directory.
    fn list(&self, commit: &Commit) -> Result<Vec<Entry>, Error> {
        let tree = self.tree(commit);
        // A tree named by itself knows no directory above it.
        let output = match self.output("ls-tree", &["-r", "-z", "--full-tree", &tree], LIST) {
            Err(Error::Failed { .. }) => return Err(self.no_directory(commit)),
            output => output?,
        };
        let mut entries = Vec::new();
        for line in output.split(|b| *b == 0).filter(|line| !line.is_empty()) {
            // `<mode> <type> <id>\t<path>`
            let (head, path) = split(line, b'\t');
            let mut words = head.split(|b| *b == b' ');
            let mode = octal(words.next().unwrap_or_default());
            let id = String::from_utf8_lossy(words.nth(1).unwrap_or_default()).into_owned();
            entries.push(Entry { path: path.to_owned(), mode, id });
        }
        Ok(entries)
    }

    /// The files that differ, as they are on either side.
    fn differing(&self, base: &str, head: &str) -> Result<(Vec<Entry>, Vec<Entry>), Error> {
        let [base, head] = [base, head].map(|revision| format!("{revision}^{{commit}}"));
        // Git would take it for an option.
        if base.starts_with('-') || head.starts_with('-') {
            return Err(Error::Failed { command: "diff-tree", message: "no revision".into() });
        }
        let relative = match &*self.prefix {
            "" => "--no-relative".to_owned(),
            prefix => format!("--relative={prefix}"),
        };
        let safe = ["--no-ext-diff", "--no-textconv"];
        let options = ["-r", "-z", "--no-renames", "--raw", "--no-abbrev", &relative];
        let args = [&safe[..], &options[..], &[&base, &head, "--"]].concat();
        let output = self.output("diff-tree", &args, LIST)?;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut parts = output.split(|b| *b == 0);
        // `:<mode> <mode> <id> <id> <status>` NUL `<path>` NUL
        while let (Some(head @ [b':', ..]), Some(path)) = (parts.next(), parts.next()) {
            let words: Vec<&[u8]> = head[1..].split(|b| *b == b' ').collect();
            let [was_mode, is_mode, was_id, is_id, _] = words[..] else { continue };
            for (side, mode, id) in [(&mut before, was_mode, was_id), (&mut after, is_mode, is_id)]
            {
                if octal(mode) != 0 {
                    let id = String::from_utf8_lossy(id).into_owned();
                    side.push(Entry { path: path.to_owned(), mode: octal(mode), id });
                }
            }
        }
        Ok((before, after))
    }

    /// Fills in what lies beside the wipe requests.
    fn finish(&self, mut desired: Desired, side: &Side) -> Result<Desired, Error> {
        if desired.wipes.is_empty() {
            return Ok(desired);
        }
        let ids = side.signatures.values().cloned().collect();
        let read = self.answers(&Blobs { ids, ..Blobs::default() })?.blobs;
        for wipe in &mut desired.wipes {
            let mut beside = WipeFile::clone(wipe);
            let place = &wipe.place.path;
            let (directory, request) = place.rsplit_once('/').unwrap_or(("", place));
            for ((path, _), bytes) in side.signatures.iter().zip(&read) {
                let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
                if above == directory {
                    let content = match bytes {
                        Some(bytes) if bytes.len() <= sshsig::MAX_BYTES => {
                            Ok(Arc::from(&bytes[..]))
                        }
                        Some(_) => Err(super::beside::too_large_to_sign()),
                        None => Err("it cannot be read from this revision".to_owned()),
                    };
                    beside.add_beside((request, ""), name, content);
                }
            }
            *wipe = Arc::new(beside);
        }
        Ok(desired)
    }
}

/// As Git writes a path from the root: empty, or with a slash at the end.
fn prefix(path: &Path) -> String {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.map(|part| format!("{}/", part.as_os_str().to_string_lossy())).collect()
}

/// What some files of one revision are.
#[derive(Default)]
struct Side {
    manifests: Vec<(Arc<str>, String)>,
    /// By path.
    signatures: BTreeMap<String, String>,
    lost: Documents,
    /// What of a Git directory lies in a directory, by its path with a slash at the end.
    marks: BTreeMap<String, Marks>,
}

impl Side {
    /// # Errors
    /// If there are too many for all of them to be read.
    fn of(entries: &[Entry], revision: &str) -> Result<Self, Error> {
        Self::within(entries, revision, MAX_ENTRIES)
    }

    fn within(entries: &[Entry], revision: &str, limit: usize) -> Result<Self, Error> {
        let mut side = Self::default();
        let mut said = HashSet::new();
        for entry in entries {
            side.mark(&entry.path);
            match judge(&entry.path, entry.mode) {
                Judged::Manifest(_) if side.manifests.len() >= limit => {
                    return Err(Error::TooMany(revision.to_owned()));
                }
                Judged::Manifest(path) => side.manifests.push((path.into(), entry.id.clone())),
                Judged::Signature(path) => {
                    side.signatures.insert(path, entry.id.clone());
                }
                Judged::Lost(path, what, (code, message, help)) => {
                    if said.insert(path.clone()) {
                        side.lost.lose(what, &path.into(), code, message, help);
                    }
                }
                Judged::Ignored => {}
            }
        }
        Ok(side)
    }

    /// Notes what of a Git directory lies on the way to this file.
    fn mark(&mut self, path: &[u8]) {
        let mut at = 0;
        for part in path.split(|b| *b == b'/') {
            // What lies below a hidden directory is not looked at on disk either.
            if part.starts_with(b".") {
                return;
            }
            let mut marks = Marks::default();
            marks.note(part);
            if !marks.is_empty() {
                let directory = String::from_utf8_lossy(&path[..at]).into_owned();
                self.marks.entry(directory).or_default().absorb(marks);
            }
            at += part.len() + 1;
        }
    }

    /// Whether there is nothing but manifests.
    fn is_plain(&self) -> bool {
        self.signatures.is_empty() && self.lost.findings.is_empty() && self.marks.is_empty()
    }

    /// With the signatures of the other side, too.
    fn with(&self, other: &Self) -> Self {
        let all = self.signatures.iter().chain(&other.signatures);
        let signatures = all.map(|(path, id)| (path.clone(), id.clone())).collect();
        Self { signatures, ..Self::default() }
    }

    fn ask(&self, asked: &mut Blobs) {
        asked.ids.extend(self.manifests.iter().map(|(_, id)| id.clone()));
    }

    /// Parses the manifests that it asked for, and adds what is lost.
    fn read(&self, answers: &mut Answers) -> Documents {
        let blobs = answers.blobs.drain(..self.manifests.len());
        let blobs: Vec<_> = self.manifests.iter().map(|(path, _)| path).zip(blobs).collect();
        let parsed: Vec<Documents> =
            blobs.par_iter().map(|(path, blob)| parse(path, blob.as_deref())).collect();
        let mut all = self.lost.clone();
        parsed.into_iter().for_each(|documents| all.absorb(documents));
        all
    }
}

/// The findings on directories that Git would take for repositories.
fn git_directories<'s>(
    sides: impl IntoIterator<Item = &'s BTreeMap<String, Marks>>,
) -> Vec<Finding> {
    let mut all: BTreeMap<&str, Marks> = BTreeMap::new();
    for (directory, marks) in sides.into_iter().flatten() {
        all.entry(directory).or_default().absorb(*marks);
    }
    all.iter().filter_map(|(directory, marks)| marks.finding(directory)).collect()
}

/// A file, or that it is too large to be one.
fn parse(path: &Arc<str>, blob: Option<&[u8]>) -> Documents {
    blob.map_or_else(
        || {
            let (code, message, help) = too_large();
            let mut lost = Documents::default();
            lost.lose(UnusableKind::File, path, code, message, help);
            lost
        },
        |bytes| parse_file(path, bytes),
    )
}

fn guesses(fleet: &Desired) -> bool {
    fleet.findings.iter().any(|finding| finding.code == Code::UnknownProfile)
}

fn split(bytes: &[u8], at: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|b| *b == at) {
        Some(n) => (&bytes[..n], &bytes[n + 1..]),
        None => (bytes, &[]),
    }
}

fn octal(digits: &[u8]) -> u32 {
    std::str::from_utf8(digits).ok().and_then(|d| u32::from_str_radix(d, 8).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
