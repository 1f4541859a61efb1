//! Writing manifests: checked against the whole fleet first, then written at once or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::checkout::{Content, cannot_write, refuse_pulled};
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::setup::Setup;
use crate::domain::diff::{FleetDiff, diff};
use crate::domain::fleet::Desired;
use crate::domain::manifest::encoding;
use crate::domain::manifest::finding::Code;
use crate::domain::manifest::{Unusable, UnusableKind};
use crate::domain::model::Place;
use crate::domain::wording::quote;
use crate::edges::fs::durable;
use crate::edges::fs::guarded::{Guarded, Refused};
use crate::edges::source;
use crate::ui::render::diff::{Context, Side, json, text};
use crate::ui::render::findings::Drawing;
use crate::ui::render::out::Out;
use crate::ui::render::text::joined;
use crate::ui::render::unified;

/// Nothing can be edited in a fleet directory that is not there.
///
/// # Errors
/// If it cannot be read.
pub(super) fn there(fleet: &Desired) -> Result<(), Failure> {
    fleet.missing.as_ref().map_or(Ok(()), |why| Err(no_fleet(why)))
}

/// As [`there`], before anything is read.
///
/// # Errors
/// If there is no such directory.
pub(super) fn exists(root: &Path) -> Result<(), Failure> {
    root.metadata().map(drop).map_err(|why| {
        no_fleet(&format!("{} cannot be read: {why}", quote(&root.to_string_lossy())))
    })
}

/// Where somebody is, and what to do.
fn no_fleet(why: &str) -> Failure {
    let here = Environment::working_directory();
    Failure::new(format!("the fleet directory {why}; you are in {here}")).help(
        "change to the directory of your fleet, name it with --fleet, or start one with \
         `fleetform init DIR`",
    )
}

/// The text of a file, where it is there.
///
/// # Errors
/// If it cannot be read, or is not UTF-8.
pub(super) fn read(path: &Path) -> Result<Option<String>, Failure> {
    let mut bytes = Vec::new();
    let failed = |why: Refused| Failure::new(format!("cannot read {}: {why}", path.display()));
    let guarded = Guarded::up_to(source::MAX_BYTES);
    let Some(file) = guarded.open_if_there(path).map_err(failed)? else { return Ok(None) };
    file.read(&mut bytes).map_err(failed)?;
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let encoding =
            encoding::wide(error.as_bytes()).map_or_else(String::new, |e| format!("{e}, "));
        Failure::new(format!("{} is {encoding}not UTF-8", path.display())).help(encoding::HELP)
    })
}

/// A file with another content.
pub(super) struct Edited<'a> {
    /// From the fleet directory.
    pub(crate) path: &'a str,
    /// Where the documents that were edited begin by now; none where the whole file is new.
    pub(crate) lines: &'a [u32],
    /// None where there was no file.
    pub(crate) old: Option<&'a str>,
    pub(crate) new: &'a str,
}

/// Writes a file, and shows what that means. What would give a new finding, and what cannot be
/// judged because of another finding, is shown and not written.
///
/// # Errors
/// If the fleet cannot be read, the file is another one by now, or writing fails.
pub(super) fn write(
    setup: &Setup,
    edited: &Edited<'_>,
    (format, out): (Format, &mut Out),
) -> Result<Exit, Failure> {
    write_all(setup, std::slice::from_ref(edited), Mode::Write, (format, out))
}

/// What becomes of edits that are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Write,
    /// They are shown as a text difference.
    Show,
}

/// As [`write()`], all of several files or none.
///
/// # Errors
/// As there; where writing fails, the files before it are written.
pub(super) fn write_all(
    setup: &Setup,
    edited: &[Edited<'_>],
    mode: Mode,
    (format, out): (Format, &mut Out),
) -> Result<Exit, Failure> {
    let fleet = &setup.config.fleet;
    let now = setup.now();
    let base = source::load(fleet).as_of(now);
    there(&base)?;
    let written: BTreeMap<&str, &[u8]> =
        edited.iter().map(|edited| (edited.path, edited.new.as_bytes())).collect();
    let written: Vec<(&str, &[u8])> = written.into_iter().collect();
    let head = source::load_with(fleet, &written).as_of(now);
    let found = diff(&base, &head);
    let is_here = |path: &str| written.iter().any(|(here, _)| *here == path);
    let in_the_way: Vec<_> = head.findings.iter().filter(|f| is_here(&f.span.path)).collect();
    let shown = if found.new.is_empty() { in_the_way } else { found.new.iter().collect() };
    if !found.new.is_empty() || !edited.iter().all(|edited| is_judged(&base, &head, edited)) {
        let drawing = Drawing::new(fleet, out.color(), out.width());
        for finding in shown {
            writeln!(out, "{}\n", drawing.draw(finding))?;
        }
        out.note(if found.new.is_empty() {
            "Nothing is written: with this finding the change cannot be checked. Fix it first."
        } else {
            "Nothing is written."
        });
        return Ok(Exit::Failed);
    }
    let changed: Vec<&Edited<'_>> =
        edited.iter().filter(|edited| edited.old != Some(edited.new)).collect();
    match mode {
        Mode::Write if changed.is_empty() => {}
        Mode::Write => {
            refuse_pulled(setup, Content::Manifest)?;
            changed.iter().try_for_each(|edited| replace(fleet, edited, out))?;
        }
        Mode::Show if format == Format::Json => {}
        Mode::Show => {
            for Edited { path, old, new, .. } in &changed {
                unified::write(out, &joined(fleet, path), old.unwrap_or_default(), new)?;
            }
            if !changed.is_empty() {
                writeln!(out)?;
            }
        }
    }
    let root = setup.root();
    let side = Side { name: &root, commit: None };
    let context = Context { root: &root, base: side, head: side, trust: None, freeze: None, now };
    match format {
        Format::Json => json(out, &found, context)?,
        _ if !changed.is_empty() && found == FleetDiff::default() => {
            writeln!(
                out,
                "The file has changed. The manifests describe the same fleet as before."
            )?;
        }
        _ => text(out, &found, context)?,
    }
    if mode == Mode::Show {
        out.note("Nothing is written.");
    }
    Ok(Exit::Done)
}

/// Writes one of them, unless somebody else has by now.
fn replace(fleet: &Path, edited: &Edited<'_>, out: &mut Out) -> Result<(), Failure> {
    let Edited { path, old, new, .. } = *edited;
    let target = fleet.join(path);
    if read(&target)?.as_deref() != old {
        let what = format!("{} has just been changed", target.display());
        return Err(Failure::new(what).help("check it and try again"));
    }
    let parent = durable::parent(&target);
    fs::create_dir_all(parent).map_err(|why| {
        cannot_write(
            Content::Manifest,
            format!("cannot make the directory {}", parent.display()),
            &why,
        )
    })?;
    let written = durable::replace_file("author.file", &target, |to| to.write_all(new.as_bytes()));
    written.map_err(|error| {
        let what = format!("cannot write {}", target.display());
        cannot_write(Content::Manifest, what, &error.cause)
    })?;
    out.note(&format!("Written: {}", target.display()));
    Ok(())
}

/// Whether the document that was edited is a device by every rule; or else fixed in part, with
/// nothing left in its file that keeps a field from being judged.
fn is_judged(base: &Desired, head: &Desired, edited: &Edited<'_>) -> bool {
    let Edited { path, lines, .. } = *edited;
    let whole = |damaged: &Unusable| matches!(damaged.what, UnusableKind::ProfileOf { .. });
    let devices = head.devices.iter().map(|device| &device.place);
    let others = head.unusable.iter().filter(|damaged| whole(damaged)).map(|other| &other.place);
    let here: BTreeSet<u32> = devices
        .chain(others)
        .filter(|place: &&Place| *place.path == *path)
        .map(|place| place.line)
        .collect();
    let is_device =
        if lines.is_empty() { !here.is_empty() } else { lines.iter().all(|at| here.contains(at)) };
    let of = |fleet: &Desired| fleet.findings.iter().filter(|f| *f.span.path == *path).count();
    is_device
        || of(head) < of(base)
            && head.findings.iter().filter(|f| *f.span.path == *path).all(|f| hides_nothing(f.code))
}

/// Whether the fields of a document with such a finding are judged all the same.
fn hides_nothing(code: Code) -> bool {
    matches!(
        code,
        Code::UnknownField
            | Code::InvalidValue
            | Code::StatusWiped
            | Code::DuplicateName
            | Code::DuplicateSerial
            | Code::PlaceholderSerial
            | Code::LooksLikeId
            | Code::NameIsSerial
            | Code::UnknownProfile
            | Code::PlatformNotAllowed
            | Code::PlatformAmbiguous
    )
}
