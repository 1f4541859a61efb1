//! `fleetform check --fix`

use std::io::Write as _;
use std::path::Path;

use super::checkout::{Content, refuse_pulled};
use super::consent;
use super::failure::Failure;
use super::fmt;
use super::format::Format;
use super::rewrite::{Rewrite, rewrites};
use super::setup::Setup;
use crate::domain::manifest::repair::{Repair, repair};
use crate::domain::wording::count;
use crate::ui::render::out::{Out, Tone};

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
    if format == Format::Text {
        for file in &changed {
            // A change of the encoding alone has no lines to show.
            let line = format!("{}: {}", file.path.display(), why(file));
            writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
            file.show(out)?;
        }
    } else if !yes {
        // Nobody agrees to what is not shown.
        return Err(Failure::new(format!("check --fix cannot show its changes with -o {format}"))
            .help("leave out -o to see them and be asked, or add --yes to write them"));
    }
    let files = count(changed.len() as u64, "file");
    if !yes && !setup.can_ask {
        out.flush()?;
        let what = format!("{files} can be repaired, but there is no terminal to ask on");
        return Err(Failure::new(what)
            .help("to write the changes shown above, run `fleetform check --fix --yes`"));
    }
    if yes || consent::ask(&format!("Repair {files}?"), out)? {
        refuse_pulled(setup, Content::Manifest)?;
        for file in &changed {
            file.write()?;
            out.note(&format!("Repaired: {} ({})", file.path.display(), why(file)));
        }
    }
    fmt::tell(&all, out);
    Ok(())
}

fn why(file: &Rewrite) -> &str {
    file.why.as_deref().unwrap_or_default()
}

fn words(repairs: &[Repair]) -> String {
    let word = |repair: &Repair| match repair {
        Repair::Encoding => "encoding",
        Repair::ByteOrderMark => "byte order mark",
        Repair::LineBreaks => "line breaks",
        Repair::Tabs => "tabs",
        Repair::Spaces => "non-breaking spaces",
        Repair::Quotes => "quotes",
        Repair::Layout => "layout",
    };
    repairs.iter().map(word).collect::<Vec<_>>().join(", ")
}
