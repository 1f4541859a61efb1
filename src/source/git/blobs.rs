//! Objects, read through `git cat-file --batch`.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::process::{Child, Stdio};

use super::{Error, Repository};
use crate::source::MAX_BYTES;

/// So many blobs are worth another process: starting one costs as much as a hundred.
const SHARE: usize = 4096;

/// What is asked of `cat-file`.
#[derive(Default)]
pub(super) struct Blobs {
    pub commits: Vec<String>,
    pub ids: Vec<String>,
}

/// What it says, in the same order.
#[derive(Default)]
pub(super) struct Answers {
    /// The ids; none where there is no such commit.
    pub commits: VecDeque<Option<String>>,
    /// None where one is too large.
    pub blobs: VecDeque<Option<Vec<u8>>>,
}

/// An object.
struct Answer {
    id: String,
    kind: String,
    /// None where it is too large.
    bytes: Option<Vec<u8>>,
}

impl Answer {
    /// Whether it is one, and was asked for as one: `^main` names it, too.
    fn is_commit(&self) -> bool {
        self.kind == "commit" && self.id.bytes().all(|b| b.is_ascii_hexdigit())
    }
}

/// One answer of `cat-file --batch`: `<id> <type> <size>`, the bytes, a newline; none where
/// there is no such object.
fn answer(answers: &mut impl BufRead) -> io::Result<Option<Answer>> {
    let mut head = String::new();
    if answers.read_line(&mut head)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let words: Vec<&str> = head.split_whitespace().collect();
    let [id, kind, size] = words[..] else { return Ok(None) };
    let Ok(size) = size.parse::<u64>() else { return Ok(None) };
    let (id, kind) = (id.to_owned(), kind.to_owned());
    let mut rest = answers.take(size + 1);
    if size > MAX_BYTES as u64 {
        io::copy(&mut rest, &mut io::sink())?;
        return Ok(Some(Answer { id, kind, bytes: None }));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    rest.read_to_end(&mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(Answer { id, kind, bytes: Some(bytes) }))
}

const COMMAND: &str = "cat-file";

/// A `cat-file` that waits for its questions.
pub(super) struct Batch(Child);

impl Drop for Batch {
    fn drop(&mut self) {
        // It may still be writing what nobody reads any more, or have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Batch {
    /// Reads what is asked for.
    pub(super) fn answers(mut self, asked: &Blobs) -> Result<Answers, Error> {
        let Blobs { commits, ids } = asked;
        let mut found = Answers::default();
        let io = |cause| Error::Io { command: COMMAND, cause };
        let (Some(mut stdin), Some(stdout)) = (self.0.stdin.take(), self.0.stdout.take()) else {
            return Err(io(io::ErrorKind::BrokenPipe.into()));
        };
        std::thread::scope(|scope| {
            // From a thread of its own, since git answers before it has read all.
            scope.spawn(move || {
                let lines = commits.iter().chain(ids).flat_map(|id| [id, "\n"]);
                // Where git has gone away, reading says so.
                let _ = stdin.write_all(lines.collect::<String>().as_bytes());
            });
            let mut answers = BufReader::with_capacity(1 << 16, stdout);
            for _ in commits {
                let answer = answer(&mut answers).map_err(io)?;
                found.commits.push_back(answer.filter(Answer::is_commit).map(|a| a.id));
            }
            for id in ids {
                let answer = answer(&mut answers).map_err(io)?.filter(|a| a.kind == "blob");
                let missing = || Error::NoObject(id.clone());
                found.blobs.push_back(answer.ok_or_else(missing)?.bytes);
            }
            Ok(found)
        })
    }
}

impl Repository {
    /// Starts a process that answers later: it gets ready meanwhile.
    pub(super) fn batch(&self) -> Result<Batch, Error> {
        let mut git = self.git(COMMAND);
        git.args(["--batch", "--buffer"]).stdin(Stdio::piped()).stderr(Stdio::null());
        git.spawn().map(Batch).map_err(Error::Start)
    }

    /// Reads what is asked for.
    pub(super) fn answers(&self, asked: &Blobs) -> Result<Answers, Error> {
        if asked.commits.is_empty() && asked.ids.is_empty() {
            return Ok(Answers::default());
        }
        self.batch()?.answers(asked)
    }

    /// Reads blobs, by as many processes as there are cores: each inflates on one.
    pub(super) fn blobs(&self, ids: &[String]) -> Result<VecDeque<Option<Vec<u8>>>, Error> {
        let share = ids.len().div_ceil(rayon::current_num_threads()).max(SHARE);
        let read = |ids: &[String]| {
            self.answers(&Blobs { ids: ids.to_vec(), ..Blobs::default() }).map(|found| found.blobs)
        };
        std::thread::scope(|scope| {
            let shares: Vec<_> =
                ids.chunks(share).map(|ids| scope.spawn(move || read(ids))).collect();
            let mut all = VecDeque::with_capacity(ids.len());
            for share in shares {
                let found = share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                all.append(&mut found?);
            }
            Ok(all)
        })
    }
}
