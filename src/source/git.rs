//! The fleet directory as it is in Git revisions, read by asking `git`.
//!
//! Only ever reads objects: no work tree, no index, no hook and no configuration of the
//! repository has a say, so bare repositories serve. The rules for what is a manifest are those
//! of the directory on disk. Two revisions are compared by what differs between their trees;
//! the rest is read only where a rule between files may be affected ([`crate::fleet::alone`]).

use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::tree::{Judged, judge};
use super::{MAX_BYTES, MAX_ENTRIES, too_large};
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
    /// What git is told to change to, where it is not the working directory.
    directory: Option<PathBuf>,
    /// Of the fleet directory, from the root of the repository: empty, or with a slash at the end.
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
    /// repository, that of the working directory.
    ///
    /// # Errors
    /// If there is none, or git cannot be run.
    pub fn open(fleet: &Path) -> Result<Self, Error> {
        if fleet.is_dir() {
            let directory = Some(fleet.to_owned());
            let repository = Self { directory, prefix: String::new() };
            let prefix = repository.prefix_of(fleet)?;
            return Ok(Self { prefix, ..repository });
        }
        let mut repository = Self { directory: None, prefix: String::new() };
        let mut prefix = repository.prefix_of(fleet)?;
        for part in fleet.components() {
            match part {
                Component::CurDir => {}
                Component::Normal(name) => {
                    prefix.push_str(&name.to_string_lossy());
                    prefix.push('/');
                }
                _ => return Err(Error::Outside(fleet.to_owned())),
            }
        }
        repository.prefix = prefix;
        Ok(repository)
    }

    fn prefix_of(&self, fleet: &Path) -> Result<String, Error> {
        match self.output("rev-parse", &["--show-prefix"]) {
            Ok(prefix) => Ok(String::from_utf8_lossy(&prefix).trim_end_matches('\n').to_owned()),
            Err(Error::Failed { message, .. }) if message.contains("not a git repository") => {
                Err(Error::NoRepository(fleet.to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    fn git(&self, command: &'static str) -> Command {
        let mut git = Command::new("git");
        if let Some(directory) = &self.directory {
            // What a hook sets is about the working directory, and is relative to it.
            git.arg("-C").arg(directory).env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
        }
        git.env("GIT_LITERAL_PATHSPECS", "0").env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
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
            Ok(id) => Ok(Commit {
                name: revision.to_owned(),
                id: String::from_utf8_lossy(&id).trim().to_owned(),
            }),
            Err(Error::Failed { .. }) => {
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
        let documents = side.read(self)?;
        self.finish(assemble([documents]), &side)
    }

    /// The fleet as it was in both commits; of what is alike in both, as little as is needed.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn compare(&self, base: &Commit, head: &Commit) -> Result<(Desired, Desired), Error> {
        let (before, after) = self.differing(base, head)?;
        if before.is_empty() && after.is_empty() {
            let tree = format!("{}:{}", base.id, self.prefix.trim_end_matches('/'));
            let there = self.output("rev-parse", &["--verify", "--quiet", &tree]);
            return there.map(|_| Default::default()).map_err(|_| self.no_directory(base));
        }
        let (was, is) = (Side::of(&before), Side::of(&after));
        let (was_read, is_read) = (was.read(self)?, is.read(self)?);
        if was.is_plain()
            && is.is_plain()
            && let Some(sides) = alone(&was_read, &is_read)
        {
            return Ok(sides);
        }
        let differ: HashSet<&[u8]> = before.iter().map(|entry| &*entry.path).collect();
        let all = self.list(base)?;
        let (_, same): (Vec<Entry>, Vec<Entry>) =
            all.into_iter().partition(|entry| differ.contains(&*entry.path));
        let same = Side::of(&same);
        let same_read = same.read(self)?;
        let both = |own: Documents, side: &Side| {
            let whole = assemble([same_read.clone(), own]);
            self.finish(whole, &side.with(&same))
        };
        Ok((both(was_read, &was)?, both(is_read, &is)?))
    }

    fn no_directory(&self, commit: &Commit) -> Error {
        let directory = self.prefix.trim_end_matches('/').to_owned();
        Error::NoDirectory { revision: commit.name.clone(), directory }
    }

    /// Limits a command to the fleet directory; nothing where it is the whole repository.
    fn pathspec(&self) -> Option<String> {
        let prefix = self.prefix.trim_end_matches('/');
        (!prefix.is_empty()).then(|| format!(":(top,literal){prefix}"))
    }

    /// All files of the fleet directory.
    fn list(&self, commit: &Commit) -> Result<Vec<Entry>, Error> {
        let tree = format!("{}:{}", commit.id, self.prefix.trim_end_matches('/'));
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
    fn differing(&self, base: &Commit, head: &Commit) -> Result<(Vec<Entry>, Vec<Entry>), Error> {
        let mut args = vec!["-r", "-z", "--no-renames", "--raw", "--no-abbrev", &base.id, &head.id];
        let pathspec = self.pathspec();
        args.extend(["--"]);
        args.extend(pathspec.as_deref());
        let output = self.output("diff-tree", &args)?;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut parts = output.split(|b| *b == 0);
        // `:<mode> <mode> <id> <id> <status>` NUL `<path>` NUL
        while let (Some(head @ [b':', ..]), Some(path)) = (parts.next(), parts.next()) {
            let words: Vec<&[u8]> = head[1..].split(|b| *b == b' ').collect();
            let [was_mode, is_mode, was_id, is_id, _] = words[..] else { continue };
            let path = path.strip_prefix(self.prefix.as_bytes()).unwrap_or(path);
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

    /// Reads blobs in the order asked for; `None` stands for one that is too large.
    fn blobs(
        &self,
        ids: &[&str],
        mut take: impl FnMut(usize, Option<Vec<u8>>),
    ) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        const COMMAND: &str = "cat-file";
        let io = |cause| Error::Io { command: COMMAND, cause };
        let mut git = self.git(COMMAND);
        git.args(["--batch", "--buffer"]).stdin(Stdio::piped()).stderr(Stdio::null());
        let mut child = git.spawn().map_err(Error::Start)?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io(io::ErrorKind::BrokenPipe.into()));
        };
        let result = std::thread::scope(|scope| {
            // From a thread of its own, since git answers before it has read all.
            scope.spawn(move || {
                let asked: String = ids.iter().flat_map(|id| [id, "\n"]).collect();
                // Where git has gone away, reading says so.
                let _ = stdin.write_all(asked.as_bytes());
            });
            let mut answers = BufReader::with_capacity(1 << 16, stdout);
            for (n, id) in ids.iter().enumerate() {
                take(n, answer(&mut answers, id).map_err(|e| e.unwrap_or_else(io))?);
            }
            Ok(())
        });
        if result.is_err() {
            // It may still be writing what nobody reads any more.
            let _ = child.kill();
        }
        child.wait().map_err(io)?;
        result
    }

    /// Fills in what lies beside the wipe requests.
    fn finish(&self, mut desired: Desired, side: &Side) -> Result<Desired, Error> {
        if desired.wipes.is_empty() {
            return Ok(desired);
        }
        let ids: Vec<&str> = side.signatures.values().map(|id| &**id).collect();
        let mut read: Vec<Vec<u8>> = Vec::new();
        self.blobs(&ids, |_, blob| read.push(blob.unwrap_or_default()))?;
        for wipe in &mut desired.wipes {
            let mut beside = WipeFile::clone(wipe);
            let directory = wipe.place.path.rsplit_once('/').map_or("", |(above, _)| above);
            for ((path, _), bytes) in side.signatures.iter().zip(&read) {
                let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
                let bytes = &bytes[..bytes.len().min(sshsig::MAX_BYTES + 1)];
                if above == directory {
                    super::put_beside(&mut beside, name, bytes);
                }
            }
            *wipe = Arc::new(beside);
        }
        Ok(desired)
    }
}

/// One answer of `cat-file --batch`: `<id> <type> <size>`, the bytes, a newline.
fn answer(
    answers: &mut impl BufRead,
    id: &str,
) -> Result<Option<Vec<u8>>, Result<Error, io::Error>> {
    let mut head = String::new();
    answers.read_line(&mut head).map_err(Err)?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let [_, "blob", size] = words[..] else { return Err(Ok(Error::NoObject(id.to_owned()))) };
    let bad = || Err(io::Error::new(io::ErrorKind::InvalidData, head.clone()));
    let size: u64 = size.parse().map_err(|_| bad())?;
    let mut rest = answers.take(size + 1);
    if size > MAX_BYTES as u64 {
        io::copy(&mut rest, &mut io::sink()).map_err(Err)?;
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    rest.read_to_end(&mut bytes).map_err(Err)?;
    if bytes.pop() != Some(b'\n') {
        return Err(Err(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(Some(bytes))
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

    /// Reads the manifests, and adds what is lost.
    fn read(&self, repository: &Repository) -> Result<Documents, Error> {
        let ids: Vec<&str> = self.manifests.iter().map(|(_, id)| &**id).collect();
        let mut blobs = Vec::with_capacity(ids.len());
        repository.blobs(&ids, |n, blob| blobs.push((self.manifests[n].0.clone(), blob)))?;
        let parsed: Vec<Documents> = blobs
            .par_iter()
            .map(|(path, blob)| match blob {
                Some(bytes) => parse_file(path, bytes),
                None => {
                    let (code, message, help) = too_large();
                    let mut lost = Documents::default();
                    lost.lose(Damage::File, path, code, message, help);
                    lost
                }
            })
            .collect();
        let mut all = self.lost.clone();
        parsed.into_iter().for_each(|documents| all.absorb(documents));
        Ok(all)
    }
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
