//! Rewriting manifests in place: which files, what they become, and writing them.
//!
//! A file with signatures beside it is never changed: the signatures are over its exact bytes.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::domain::manifest::encoding::decode;
use crate::domain::model::words;
use crate::edges::fs::durable;
use crate::edges::source::{self, MAX_BYTES, RawFile};
use crate::ui::render::out::Out;
use crate::ui::render::patch::patch;

words! {
    /// What becomes of a file.
    pub(super) enum Outcome {
        Unchanged = "unchanged",
        Changed = "changed",
        /// It has signatures beside it.
        Signed = "signed",
        Failed = "failed",
    }
}

/// A file, and what is to become of it.
pub(super) struct Rewrite {
    /// As it is shown, and where it is.
    pub(super) path: PathBuf,
    pub(super) old: Vec<u8>,
    /// Where it is another one.
    pub(super) new: Option<String>,
    pub(super) outcome: Outcome,
    /// Why it stays as it is, or what of it changes.
    pub(super) why: Option<String>,
}

/// A new text, and what is new about it.
pub(super) type Rewritten = Result<(String, Option<String>), String>;

impl Rewrite {
    fn of(path: PathBuf, file: RawFile, rewrite: impl Fn(&[u8]) -> Rewritten) -> Self {
        let left = |outcome, why: String| Self {
            path: path.clone(),
            old: Vec::new(),
            new: None,
            outcome,
            why: Some(why),
        };
        let old = match file.bytes {
            Ok(bytes) => bytes,
            Err(why) => return left(Outcome::Failed, why),
        };
        match rewrite(&old) {
            Ok((new, _)) if new.as_bytes() == old => {
                Self { path, old, new: None, outcome: Outcome::Unchanged, why: None }
            }
            // Whatever it would become: it stays as it was signed.
            _ if file.is_signed => left(Outcome::Signed, "it has signatures beside it".into()),
            Err(why) => left(Outcome::Failed, why),
            Ok((new, why)) => Self { path, old, new: Some(new), outcome: Outcome::Changed, why },
        }
    }

    /// Writes it, if it is to change.
    ///
    /// # Errors
    /// If it is another one by now, has been signed, or cannot be written.
    pub(super) fn write(&self) -> Result<(), Failure> {
        let Some(new) = &self.new else { return Ok(()) };
        let now = source::raw_file(&self.path);
        if now.is_signed || now.bytes.as_ref() != Ok(&self.old) {
            let what = format!("{} has just been changed", self.path.display());
            return Err(Failure::new(what).help("check it and try again"));
        }
        let write = |to: &mut io::BufWriter<std::fs::File>| to.write_all(new.as_bytes());
        durable::replace_file("author.file", &self.path, write)?;
        Ok(())
    }

    /// What changes, line by line.
    pub(super) fn show(&self, out: &mut Out) -> io::Result<()> {
        let Some(new) = &self.new else { return Ok(()) };
        let old = decode(&self.old).unwrap_or_else(|| String::from_utf8_lossy(&self.old));
        patch(out, &self.path.display().to_string(), Some(&old), new)
    }
}

/// All manifests below a directory, or the one file, each with what it becomes; and how many entries
/// of the directory could not be looked at.
///
/// # Errors
/// If the path cannot be read.
pub(super) fn rewrites(
    path: &Path,
    rewrite: impl Fn(&[u8]) -> Rewritten,
) -> Result<(Vec<Rewrite>, usize), Failure> {
    let metadata = path.metadata().map_err(|why| {
        Failure::new(format!("cannot read {}: {why}", path.display()))
            .help("name a manifest, a directory of manifests, or - for standard input")
    })?;
    if !metadata.is_dir() {
        let file = Rewrite::of(path.to_owned(), source::raw_file(path), rewrite);
        return Ok((vec![file], 0));
    }
    let (files, lost) = source::raw_files(path)
        .map_err(|why| Failure::new(format!("the directory {} {why}", path.display())))?;
    let one = |file: RawFile| Rewrite::of(path.join(&*file.path), file, &rewrite);
    Ok((files.into_iter().map(one).collect(), lost.len()))
}

/// Standard input, as much of it as a manifest may have.
///
/// # Errors
/// If it cannot be read, or is larger.
pub(super) fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let failed = |why: String| Failure::new(format!("cannot read standard input: {why}"));
    let limit = MAX_BYTES as u64 + 1;
    io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|e| failed(e.to_string()))?;
    if bytes.len() > MAX_BYTES {
        return Err(failed(format!("it is larger than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}
