//! The fleet in one revision, or in two of them.

use std::collections::HashSet;
use std::sync::Arc;

use super::error::Error;
use super::objects::Asked;
use super::repository::{Commit, Repository};
use super::side::{Entry, Side, git_directories};
use super::unchanged_files::UnchangedFiles;
use crate::domain::fleet::{Desired, assemble, local_change};
use crate::domain::manifest::Documents;
use crate::domain::manifest::finding::Code;
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::sshsig;
use crate::edges::source::git_process::{LIST, QUESTION};
use crate::edges::source::signatures::too_large_to_sign;

impl Repository {
    /// The fleet as it was in a commit.
    ///
    /// # Errors
    /// If the commit has no fleet directory, or git fails.
    pub(crate) fn load(&self, commit: &Commit) -> Result<Desired, Error> {
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
        let mut blobs = Asked { commits, ids: Vec::new() };
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
        let unchanged = UnchangedFiles::read(self, &same)?;
        let sides = |same_read: Documents| {
            let of = |read: &Documents, side: &Side| {
                let mut read = read.clone();
                read.findings.extend(git_directories([&same.marks, &side.marks]));
                self.finish(assemble([same_read.clone(), read]), &side.with(&same))
            };
            Ok::<_, Error>((of(&was_read, &was)?, of(&is_read, &is)?))
        };
        let (was, is) = match sides(unchanged.touching([&was_read, &is_read]))? {
            // The help names the profiles that there are, or the one that was meant.
            (was, is) if guesses(&was) || guesses(&is) => sides(unchanged.all())?,
            sides => sides,
        };
        Ok([(base, was), (head, is)])
    }

    /// The manifests of one side.
    fn read(&self, side: &Side) -> Result<Documents, Error> {
        let mut blobs = Asked::default();
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
        let read = self.answers(&Asked { ids, ..Asked::default() })?.blobs;
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
                        Some(_) => Err(too_large_to_sign()),
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
