//! `fleetform wipe new|sign|verify`: what a person does before a device is wiped.
//!
//! None of them wipes anything or touches the ledger: they write files to commit, and look.
//! The judgement of `verify` is the plan's own.

mod key;
mod new;
mod sign;
mod verify;

use std::path::Path;

use super::run::Setup;
use super::{Exit, Failure, Format};
use crate::domain::fleet::WipeFile;
use crate::edges::source;
use crate::ui::render::findings::Drawing;
use crate::ui::render::out::Out;

/// Writes, signs and checks wipe requests. Nothing is wiped here: the daemon does that, once a
/// signed request is in the fleet directory and every rule holds.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  fleetform wipe new D007 --reason stolen
  fleetform wipe sign fleet/wipes/d007-stolen.yaml
  fleetform wipe verify fleet/wipes/d007-stolen.yaml")]
pub enum Command {
    /// Write a wipe request for one device, filled in from the ledger.
    New(new::Args),
    /// Sign a wipe request, or a veto against it, with ssh-keygen.
    Sign(sign::Args),
    /// Say rule by rule whether a wipe request would be accepted now.
    Verify(verify::Args),
}

/// Runs one of them.
///
/// # Errors
/// Those of each.
pub(super) fn run(
    command: &Command,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    match command {
        Command::New(args) => new::run(args, setup, format, out),
        Command::Sign(args) => sign::run(args, setup, format, out),
        Command::Verify(args) => verify::run(args, setup, format, out),
    }
}

/// The one request in a file, with what is beside it. Findings go to standard error.
fn request(path: &Path, out: &mut Out) -> Result<WipeFile, Failure> {
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
        let what = format!("{} is no valid wipe request", path.display());
        return Err(
            Failure::new(what).help("mend what is said above; what was signed is signed anew")
        );
    }
    match documents.wipes.pop() {
        Some(draft) => Ok(draft.file),
        None => Err(Failure::new(format!("{} is no WipeRequest", path.display()))
            .help("write one with `fleetform wipe new`")),
    }
}

/// A path or word as a shell takes it.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-~+@:,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell;

    #[test]
    fn commands_to_copy_are_quoted() {
        for (text, quoted) in [
            ("fleet/wipes/d007-lost.yaml", "fleet/wipes/d007-lost.yaml"),
            ("", "''"),
            ("my fleet/x", "'my fleet/x'"),
            ("it's $(rm)", r"'it'\''s $(rm)'"),
        ] {
            assert_eq!(shell(text), quoted);
        }
    }
}
