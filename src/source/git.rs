//! The fleet directory as it is in Git revisions, read by asking `git`.
//!
//! Only ever reads objects: no work tree, no index, no hook and no configuration of the
//! repository has a say, so bare repositories serve. The rules for what is a manifest are those
//! of the directory on disk. Two revisions are compared by what differs between their trees;
//! the rest is read only where a rule between files may be affected ([`crate::fleet::alone`]),
//! and of that only what may be affected is parsed ([`crate::fleet::Keys`]).

mod blobs;
mod rest;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use self::blobs::{Answers, Blobs};
use self::rest::Rest;
use super::tree::{Judged, judge};
use super::{MAX_ENTRIES, too_large};
use crate::finding::Code;
use crate::fleet::{Damage, Desired, ROOT, WipeFile, alone, assemble};
use crate::manifest::{Documents, parse_file};
use crate::wipe::sshsig;
use crate::wording::quote;

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
    /// Talking to git broke off.
    #[error("reading from git {command}")]
    Io {
        /// Its subcommand.
        command: &'static str,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

/// A repository, and where the fleet directory is in it.
#[derive(Debug)]
pub struct Repository {
    fleet: PathBuf,
    place: Place,
}

/// How git is told of the fleet directory.
#[derive(Debug)]
enum Place {
    /// It is there: git is told to change to it.
    Here,
    /// It is not, as in a bare repository: its path from the root, with a slash at the end.
    Within(String),
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
    /// repository, that of the working directory.
    ///
    /// # Errors
    /// If the path cannot lie in it.
    pub fn open(fleet: &Path) -> Result<Self, Error> {
        let fleet = fleet.to_owned();
        if fleet.is_dir() {
            return Ok(Self { fleet, place: Place::Here });
        }
        let mut within = String::new();
        for part in fleet.components() {
            match part {
                Component::CurDir => {}
                Component::Normal(name) => within += &format!("{}/", name.to_string_lossy()),
                _ => return Err(Error::Outside(fleet)),
            }
        }
        Ok(Self { fleet, place: Place::Within(within) })
    }

    /// The fleet directory from the root of the repository: empty, or with a slash at the end.
    fn prefix(&self) -> Result<String, Error> {
        let above = match self.output("rev-parse", &["--show-prefix"]) {
            Ok(prefix) => String::from_utf8_lossy(&prefix).trim_end_matches('\n').to_owned(),
            Err(Error::Failed { message, .. }) if message.contains("not a git repository") => {
                return Err(Error::NoRepository(self.fleet.clone()));
            }
            Err(error) => return Err(error),
        };
        match &self.place {
            Place::Here => Ok(above),
            Place::Within(path) => Ok(above + path),
        }
    }

    fn git(&self, command: &'static str) -> Command {
        let mut git = Command::new("git");
        if let Place::Here = self.place {
            // What a hook sets is about the working directory, and is relative to it.
            git.arg("-C").arg(&self.fleet).env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
        }
        // `diff-tree` reads the whole index, 40 ms for 100,000 files, and makes no use of it here.
        git.env("GIT_INDEX_FILE", "/nonexistent/index");
        git.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
        git.arg("--no-pager").arg("--no-replace-objects").arg(command);
        git.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        git
    }

    fn output(&self, command: &'static str, args: &[&str]) -> Result<Vec<u8>, Error> {
        let output = self.git(command).args(args).output().map_err(Error::Start)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let message = String::from_utf8_lossy(&output.stderr);
        let message = message.trim().trim_start_matches("fatal: ").to_owned();
        Err(Error::Failed { command, message })
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
        match self.output("rev-parse", &["--verify", "--quiet", &wanted]) {
            Ok(id) => {
                let id = String::from_utf8_lossy(&id).trim().to_owned();
                // `^main` names a commit, too: those that are not to be shown.
                let is_id = id.bytes().all(|b| b.is_ascii_hexdigit());
                let commit = Commit { name: revision.to_owned(), id };
                if is_id { Ok(commit) } else { Err(unknown(false)) }
            }
            Err(Error::Failed { .. }) => {
                self.prefix()?;
                let shallow = self.output("rev-parse", &["--is-shallow-repository"])?;
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
        let side = Side::of(&entries);
        let documents = self.read(&side)?;
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
        let (was, is) = (Side::of(&before), Side::of(&after));
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
            let tree = format!("{}:{}", base.id, self.prefix()?.trim_end_matches('/'));
            let there = self.output("rev-parse", &["--verify", "--quiet", &tree]);
            let nothing = |_| [(base.clone(), Desired::default()), (head, Desired::default())];
            return there.map(nothing).map_err(|_| self.no_directory(&base));
        }
        let (was_read, is_read) = (was.read(&mut answers), is.read(&mut answers));
        if was.is_plain()
            && is.is_plain()
            && let Some((was, is)) = alone(&was_read, &is_read)
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
        let same = Side::of(&same);
        let rest = Rest::read(self, &same)?;
        let sides = |same_read: Documents| {
            let of = |read: &Documents, side: &Side| {
                self.finish(assemble([same_read.clone(), read.clone()]), &side.with(&same))
            };
            Ok((of(&was_read, &was)?, of(&is_read, &is)?))
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
        let directory = self.prefix().unwrap_or_default();
        let directory = directory.trim_end_matches('/').to_owned();
        Error::NoDirectory { revision: commit.name.clone(), directory }
    }

    /// All files of the fleet directory.
    fn list(&self, commit: &Commit) -> Result<Vec<Entry>, Error> {
        let tree = format!("{}:{}", commit.id, self.prefix()?.trim_end_matches('/'));
        // A tree named by itself knows no directory above it.
        let output = match self.output("ls-tree", &["-r", "-z", "--full-tree", &tree]) {
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
        let relative = match &self.place {
            Place::Here => "--relative".to_owned(),
            Place::Within(path) => format!("--relative={path}"),
        };
        let options = ["-r", "-z", "--no-renames", "--raw", "--no-abbrev", &relative];
        let args = [&options[..], &[&base, &head, "--"]].concat();
        let output = self.output("diff-tree", &args)?;
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
            let directory = wipe.place.path.rsplit_once('/').map_or("", |(above, _)| above);
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
                    super::beside::put_beside(&mut beside, name, content);
                }
            }
            *wipe = Arc::new(beside);
        }
        Ok(desired)
    }
}

/// What some files of one revision are.
#[derive(Default)]
struct Side {
    manifests: Vec<(Arc<str>, String)>,
    /// By path.
    signatures: BTreeMap<String, String>,
    lost: Documents,
}

impl Side {
    fn of(entries: &[Entry]) -> Self {
        let mut side = Self::default();
        let mut said = HashSet::new();
        for entry in entries {
            match judge(&entry.path, entry.mode) {
                Judged::Manifest(path) if side.manifests.len() < MAX_ENTRIES => {
                    side.manifests.push((path.into(), entry.id.clone()));
                }
                Judged::Manifest(_) => {
                    if said.insert(ROOT.to_owned()) {
                        let what = format!("there are more than {MAX_ENTRIES} manifests");
                        let help = "split the fleet directory";
                        let (root, code) = (ROOT.into(), Code::Unreadable);
                        side.lost.lose(Damage::Directory, &root, code, what, help);
                    }
                }
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
        side
    }

    /// Whether there is nothing but manifests.
    fn is_plain(&self) -> bool {
        self.signatures.is_empty() && self.lost.findings.is_empty()
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

/// A file, or that it is too large to be one.
fn parse(path: &Arc<str>, blob: Option<&[u8]>) -> Documents {
    blob.map_or_else(
        || {
            let (code, message, help) = too_large();
            let mut lost = Documents::default();
            lost.lose(Damage::File, path, code, message, help);
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
#[path = "git_tests.rs"]
mod tests;
