//! Writing manifests: checked against the whole fleet first, then written at once or not at all.

use std::fs;
use std::io::{self, Write as _};

use super::run::Setup;
use super::{Exit, Failure, Format};
use crate::diff::diff;
use crate::fleet::Desired;
use crate::render::diff::{Context, Side, json, text};
use crate::render::findings::Drawing;
use crate::render::out::Out;
use crate::{durable, source};

/// Nothing can be edited in a fleet directory that is not there.
///
/// # Errors
/// If it cannot be read.
pub(super) fn there(fleet: &Desired) -> Result<(), Failure> {
    let Some(why) = &fleet.missing else { return Ok(()) };
    Err(Failure::new(format!("the fleet directory {why}"))
        .help("name it with --fleet, or change to its parent"))
}

/// Writes `new` to the file at `path`, from the fleet directory, which held `old`, and shows
/// what that means. What would give a new finding is shown and not written.
///
/// # Errors
/// If the fleet cannot be read, the file is another one by now, or writing fails.
pub(super) fn write(
    setup: &Setup,
    path: &str,
    old: Option<&str>,
    new: &str,
    (format, out): (Format, &mut Out),
) -> Result<Exit, Failure> {
    let fleet = &setup.config.fleet;
    let base = source::load(fleet);
    there(&base)?;
    let head = source::load_with(fleet, Some((path, new.as_bytes())));
    let found = diff(&base, &head);
    if !found.new.is_empty() {
        let drawing = Drawing::new(fleet, out.color(), out.width());
        for finding in &found.new {
            writeln!(out, "{}\n", drawing.draw(finding))?;
        }
        out.note("Nothing is written.");
        return Ok(Exit::Failed);
    }
    let target = fleet.join(path);
    let now = match fs::read_to_string(&target) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    if now.as_deref() != old {
        let what = format!("{} is not what it was a moment ago", target.display());
        return Err(Failure::new(what).help("look at it, and try again"));
    }
    if now.as_deref() != Some(new) {
        let parent = durable::parent(&target);
        fs::create_dir_all(parent).map_err(|why| {
            Failure::new(format!("cannot make the directory {}: {why}", parent.display()))
        })?;
        durable::replace_file("author.file", &target, |to| to.write_all(new.as_bytes()))?;
    }
    let root = setup.root();
    let side = Side { name: &root, commit: None };
    let now = setup.now();
    let context = Context { root: &root, base: side, head: side, trust: None, now };
    match format {
        Format::Json => json(out, &found, context)?,
        _ => text(out, &found, context)?,
    }
    Ok(Exit::Done)
}
