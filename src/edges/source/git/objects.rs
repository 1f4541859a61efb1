//! Objects, read through `git cat-file --batch`.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read as _};

use super::error::Error;
use super::repository::Repository;
use crate::edges::source::git_process::{self, CONTENT, Running};
use crate::edges::source::rules::MAX_BYTES;

/// So many blobs are worth another process: starting one costs as much as a hundred.
const SHARE: usize = 4096;

/// What is asked of `cat-file`.
#[derive(Default)]
pub(super) struct Asked {
    pub(crate) commits: Vec<String>,
    pub(crate) ids: Vec<String>,
}

/// What it says, in the same order.
#[derive(Default)]
pub(super) struct Answers {
    /// The ids; none where there is no such commit.
    pub(crate) commits: VecDeque<Option<String>>,
    /// None where one is too large.
    pub(crate) blobs: VecDeque<Option<Vec<u8>>>,
}

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
pub(super) struct Batch(Running);

impl Batch {
    /// Reads what is asked for.
    pub(super) fn answers(mut self, asked: &Asked) -> Result<Answers, Error> {
        let Asked { commits, ids } = asked;
        let lines = commits.iter().chain(ids).flat_map(|id| [id, "\n"]);
        self.0.feed(lines.collect())?;
        let stdout = self.0.stdout.take();
        let read = stdout.ok_or_else(|| io::ErrorKind::BrokenPipe.into()).and_then(|stdout| {
            read_all(&mut BufReader::with_capacity(1 << 16, stdout), commits.len(), ids)
        });
        match read.map_err(|cause| self.0.failed(cause))? {
            Read::Whole(found) => Ok(found),
            Read::Missing(id) => Err(Error::NoObject(id)),
            Read::TooMuch => {
                Err(git_process::Error::Long { command: COMMAND, bytes: CONTENT.bytes }.into())
            }
        }
    }
}

/// How far the answers went.
enum Read {
    Whole(Answers),
    Missing(String),
    TooMuch,
}

fn read_all(answers: &mut impl BufRead, commits: usize, ids: &[String]) -> io::Result<Read> {
    let mut found = Answers::default();
    for _ in 0..commits {
        let answer = answer(answers)?;
        found.commits.push_back(answer.filter(Answer::is_commit).map(|a| a.id));
    }
    // The same blob may be asked for a million times: a small repository can be a large fleet.
    let mut held = 0;
    for id in ids {
        let Some(answer) = answer(answers)?.filter(|a| a.kind == "blob") else {
            return Ok(Read::Missing(id.clone()));
        };
        held += answer.bytes.as_ref().map_or(0, Vec::len) as u64;
        if held > CONTENT.bytes {
            return Ok(Read::TooMuch);
        }
        found.blobs.push_back(answer.bytes);
    }
    Ok(Read::Whole(found))
}

impl Repository {
    /// Starts a process that answers later: it gets ready meanwhile.
    pub(super) fn batch(&self) -> Result<Batch, Error> {
        Ok(Batch(self.git.start(COMMAND, &["--batch", "--buffer"], CONTENT.time)?))
    }

    /// Reads what is asked for.
    pub(super) fn answers(&self, asked: &Asked) -> Result<Answers, Error> {
        if asked.commits.is_empty() && asked.ids.is_empty() {
            return Ok(Answers::default());
        }
        self.batch()?.answers(asked)
    }

    /// Reads blobs, by as many processes as there are cores: each inflates on one.
    pub(super) fn blobs(&self, ids: &[String]) -> Result<VecDeque<Option<Vec<u8>>>, Error> {
        let share = ids.len().div_ceil(rayon::current_num_threads()).max(SHARE);
        let read = |ids: &[String]| {
            self.answers(&Asked { ids: ids.to_vec(), ..Asked::default() }).map(|found| found.blobs)
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
