//! A file that somebody names as a wipe request.

use std::path::Path;

use super::super::failure::Failure;
use crate::domain::wipe::WipeFile;
use crate::edges::source;
use crate::ui::render::findings::Drawing;
use crate::ui::render::out::Out;

/// The one request in a file, with what is beside it. Findings go to standard error.
pub(super) fn request(path: &Path, out: &mut Out) -> Result<WipeFile, Failure> {
    let (_, mut documents) = source::read_request(path).map_err(|error| {
        Failure::new(format!("{}: {error}", path.display()))
            .help("name the file of a request; `fleetform wipe new` writes one")
    })?;
    if !documents.findings.is_empty() {
        let parent = path.parent().unwrap_or(Path::new(""));
        let drawing = Drawing::new(parent, false, None);
        for finding in &documents.findings {
            for line in drawing.draw(finding).lines() {
                out.note(line);
            }
        }
        let what = format!("{} is not a valid wipe request", path.display());
        return Err(
            Failure::new(what).help("fix what is listed above, and have everybody sign again")
        );
    }
    match documents.wipes.pop() {
        Some(draft) => Ok(draft.file),
        None => Err(Failure::new(format!("{} is not a WipeRequest", path.display()))
            .help("write one with `fleetform wipe new`")),
    }
}
