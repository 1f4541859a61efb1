//! `fleetform check --fix`

use std::path::Path;

use super::consent;
use super::failure::Failure;
use super::fmt;
use super::format::Format;
use super::rewrite::{Rewrite, rewrites};
use super::setup::Setup;
use crate::domain::manifest::repair::{Repair, repair};
use crate::domain::wording::count;
use crate::ui::render::out::Out;

/// Shows what can be repaired, asks, and writes it.
///
/// # Errors
/// If a file cannot be read or written, or nobody can be asked.
pub(super) fn run(
    path: &Path,
    yes: bool,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<(), Failure> {
    let (mut all, _) = rewrites(path, |bytes| {
        let repaired = repair(bytes).map_err(|why| why.to_string())?;
        Ok((repaired.text, Some(words(&repaired.repairs))))
    })?;
    // What cannot be read is a finding, which comes next.
    all.retain(|file| file.new.is_some() || file.outcome == super::rewrite::Outcome::Signed);
    let changed: Vec<&Rewrite> = all.iter().filter(|file| file.new.is_some()).collect();
    if changed.is_empty() {
        fmt::tell(&all, out);
        return Ok(());
    }
    if !yes && !setup.can_ask {
        return Err(Failure::new("check --fix changes files, and there is no terminal to ask on")
            .help("look at `fleetform fmt --check`, then run `fleetform check --fix --yes`"));
    }
    if format == Format::Text {
        changed.iter().try_for_each(|file| file.show(out))?;
    }
    let files = count(changed.len() as u64, "file");
    if yes || consent::ask(&format!("Repair {files}?"))? {
        for file in &changed {
            file.write()?;
            let what = file.why.as_deref().unwrap_or_default();
            out.note(&format!("Repaired: {} ({what})", file.path.display()));
        }
    }
    fmt::tell(&all, out);
    Ok(())
}

fn words(repairs: &[Repair]) -> String {
    let word = |repair: &Repair| match repair {
        Repair::Encoding => "encoding",
        Repair::ByteOrderMark => "byte order mark",
        Repair::LineBreaks => "line breaks",
        Repair::Tabs => "tabs",
        Repair::Quotes => "quotes",
        Repair::Layout => "layout",
    };
    repairs.iter().map(word).collect::<Vec<_>>().join(", ")
}
