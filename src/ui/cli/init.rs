//! `fleetform init`: a fleet repository from nothing.
//!
//! What it writes is the sample fleet's profiles and the files of `examples/`, which are part of
//! the program. It never writes over anything and never adds manifests to a fleet that has its
//! own. A failure takes back what was written; a crash leaves files that the next run keeps.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::global::Global;
use crate::domain::manifest::schema;
use crate::domain::model::words;
use crate::domain::wording::count;
use crate::edges::config::{Config, FILE_NAME, Loaded};
use crate::edges::fs::durable;
use crate::edges::fs::guarded::Guarded;
use crate::edges::source;
use crate::edges::source::revision;
use crate::ui::render::json;
use crate::ui::render::out::{Out, Tone};

/// Create a fleet repository, in a directory that is new, empty or in use.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform init                          Here
  fleetform init fleet-repository && cd fleet-repository && git init -b main

Writes profiles, an example device and the schema for editors below fleet/,
fleetform.yaml, workflows for GitHub Actions and GitLab CI, CODEOWNERS, a Git
hook and a README. Existing files are kept unchanged, and listed. `fleetform
check` then passes, and `fleetform apply` works. Formats: text, json.")]
pub(crate) struct Args {
    /// Directory; created if it does not exist
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,
}

/// The fleet directory, from the root of the repository.
const FLEET: &str = "fleet";

struct Part {
    /// From the root of the repository.
    path: &'static str,
    text: Cow<'static, str>,
    executable: bool,
    /// Whether it only makes sense in a fleet that has no manifests of its own.
    manifest: bool,
    /// Lines without which a file that is kept is not ready: it does not reconcile.
    needed: &'static [&'static str],
}

impl Part {
    fn new(path: &'static str, text: &'static str) -> Self {
        let text = Cow::Borrowed(text);
        Self { path, text, executable: false, manifest: false, needed: &[] }
    }

    fn manifest(path: &'static str, text: &'static str) -> Self {
        Self { manifest: true, ..Self::new(path, text) }
    }
}

macro_rules! part {
    ($make:ident $path:literal from $file:literal) => {
        Part::$make($path, include_str!(concat!("../../../", $file)))
    };
}

/// All of them; manifests last, so that what a crash cuts short is no fleet yet.
fn parts() -> Result<Vec<Part>, Failure> {
    let mut schema = Vec::new();
    json::pretty(&mut schema, &schema::of(None))?;
    let schema = String::from_utf8(schema)?;
    let attributes = part!(new ".gitattributes" from "fleet/.gitattributes");
    let ignored = part!(new ".gitignore" from "examples/repository/gitignore");
    let hook = part!(new ".githooks/pre-commit" from "examples/pre-commit/pre-commit");
    Ok(vec![
        Part { needed: &["*.yaml -text", "*.yml -text", "*.sig -text"], ..attributes },
        Part { executable: true, ..hook },
        part!(new ".github/CODEOWNERS" from "examples/repository/CODEOWNERS"),
        part!(new ".github/workflows/fleetform.yml" from "examples/github/fleetform.yml"),
        Part { needed: &["/.fleetform/"], ..ignored },
        part!(new ".gitlab-ci.yml" from "examples/gitlab/gitlab-ci.yml"),
        part!(new ".pre-commit-config.yaml" from "examples/pre-commit/pre-commit-config.yaml"),
        part!(new "README.md" from "examples/repository/README.md"),
        part!(new "fleetform.yaml" from "examples/repository/fleetform.yaml"),
        Part { text: schema.into(), ..Part::new("fleet/.schema/fleetform.json", "") },
        part!(manifest "fleet/profiles/executive.yaml" from "fleet/profiles/executive.yaml"),
        part!(manifest "fleet/profiles/mobile.yaml" from "fleet/profiles/mobile.yaml"),
        part!(manifest "fleet/profiles/standard.yaml" from "fleet/profiles/standard.yaml"),
        part!(manifest "fleet/devices/example-laptop.yaml" from "examples/repository/device.yaml"),
    ])
}

words! {
    /// What became of a file.
    pub(crate) enum Outcome { Written = "written", Kept = "kept", LeftOut = "leftOut" }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: u32,
    directory: String,
    files: Vec<FileView>,
    /// Whether the directory is in a Git work tree.
    in_work_tree: bool,
    /// What to do next, a sentence each.
    notes: Vec<String>,
}

#[derive(Serialize)]
struct FileView {
    path: &'static str,
    outcome: Outcome,
}

/// Writes what is missing.
///
/// # Errors
/// If a file or directory cannot be made; what was made until then is taken back.
pub(super) fn run(
    args: &Args,
    global: &Global,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let Global { config, fleet, data, .. } = global;
    if config.is_some() || fleet.is_some() || data.is_some() {
        return Err(Failure::new("init does not take --config, --fleet or --data")
            .help("it writes fleetform.yaml and fleet/ below DIR; edit them afterwards"));
    }
    let root = &args.directory;
    let parts = parts()?;
    let own = own_fleet(root, &parts);
    let outcome = |part: &Part| match root.join(part.path).symlink_metadata() {
        Ok(_) => Outcome::Kept,
        Err(_) if part.manifest && own.is_some() => Outcome::LeftOut,
        Err(_) => Outcome::Written,
    };
    let judged: Vec<(&Part, Outcome)> = parts.iter().map(|part| (part, outcome(part))).collect();
    write(root, &judged)?;
    let prefix = revision::prefix(root);
    let document = Document {
        version: 1,
        directory: root.display().to_string(),
        files: judged
            .iter()
            .map(|(p, outcome)| FileView { path: p.path, outcome: *outcome })
            .collect(),
        in_work_tree: prefix.is_some(),
        notes: notes(root, &judged, own, prefix.as_deref()),
    };
    match format {
        Format::Json => json::pretty(out, &document)?,
        _ => text(out, &document)?,
    }
    Ok(Exit::Done)
}

/// Why no manifests are added: the fleet has its own, or lies elsewhere.
fn own_fleet(root: &Path, parts: &[Part]) -> Option<&'static str> {
    let config = root.join(FILE_NAME);
    let here = [root.join(FLEET), Config::default().fleet];
    let elsewhere =
        |Loaded { config, .. }| here.iter().all(|f| config.fleet.components().ne(f.components()));
    if config.exists() && Config::load(Some(&config), None).is_ok_and(elsewhere) {
        return Some("fleetform.yaml names another fleet directory");
    }
    let fleet = source::load(&root.join(FLEET));
    let devices = fleet.devices.iter().map(|device| &device.place.path);
    let profiles = fleet.profile_places.values().map(|place| &place.path);
    let wipes = fleet.wipes.iter().map(|wipe| &wipe.place.path);
    let findings = fleet.findings.iter().map(|finding| &finding.span.path);
    let mut all = devices.chain(profiles).chain(wipes).chain(findings);
    // What an earlier run wrote, and nobody has changed since, is not yet a fleet of their own.
    let manifests = || parts.iter().filter(|part| part.manifest);
    let is_other = |path: &str| manifests().all(|p| p.path.strip_prefix("fleet/") != Some(path));
    let is_changed = |part: &Part| {
        let path = root.join(part.path);
        path.exists()
            && !Guarded::up_to(part.text.len())
                .read(&path)
                .is_ok_and(|bytes| bytes == part.text.as_bytes())
    };
    (all.any(|path| is_other(path)) || manifests().any(is_changed))
        .then_some("the fleet has manifests of its own")
}

/// Writes the files, all or none.
fn write(root: &Path, judged: &[(&Part, Outcome)]) -> Result<(), durable::Error> {
    let mut made = Vec::new();
    let mut all = || {
        make_directory(root, &mut made)?;
        for (part, _) in judged.iter().filter(|(_, outcome)| *outcome == Outcome::Written) {
            let path = root.join(part.path);
            make_directory(durable::parent(&path), &mut made)?;
            durable::create_file(&path, part.text.as_bytes())?;
            made.push(path.clone());
            if part.executable {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                    .map_err(durable::Error::at("make executable", &path))?;
            }
        }
        Ok(())
    };
    let done = all();
    if done.is_err() {
        // The error that counts is the first one. Directories that others use by now stay.
        for path in made.iter().rev() {
            let _ = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
    }
    done
}

/// Makes a directory and those above it, where they are missing, and notes which.
fn make_directory(path: &Path, made: &mut Vec<PathBuf>) -> Result<(), durable::Error> {
    if path.is_dir() {
        return Ok(());
    }
    let above = durable::parent(path);
    if above != path {
        make_directory(above, made)?;
    }
    fs::create_dir(path).map_err(durable::Error::at("make the directory", path))?;
    made.push(path.to_owned());
    Ok(())
}

fn notes(
    root: &Path,
    judged: &[(&Part, Outcome)],
    own: Option<&str>,
    prefix: Option<&str>,
) -> Vec<String> {
    let mut notes = Vec::new();
    let of = |wanted: Outcome| judged.iter().filter(move |(_, outcome)| *outcome == wanted);
    if let (Some(why), Some(_)) = (own, of(Outcome::LeftOut).next()) {
        notes.push(format!("No manifests were added: {why}."));
    }
    for (part, _) in of(Outcome::Kept).filter(|(part, _)| !part.needed.is_empty()) {
        let kept = Guarded::up_to(source::MAX_BYTES).read(&root.join(part.path));
        let kept = kept.unwrap_or_default();
        let text = String::from_utf8_lossy(&kept);
        let lacks = |line: &&&str| !text.lines().any(|has| has.trim() == **line);
        let lacks: Vec<&str> = part.needed.iter().filter(lacks).copied().collect();
        if !lacks.is_empty() {
            notes.push(format!("{} was kept; add to it: {}", part.path, lacks.join(", ")));
        }
    }
    match prefix {
        None => {
            notes.push("Run `git init -b main` there: the fleet is declared in Git.".to_owned())
        }
        Some("") => {}
        Some(prefix) => notes.push(format!(
            "This is {prefix} of a larger repository: workflows, CODEOWNERS and the hook work only \
             at its top; move them there."
        )),
    }
    if of(Outcome::Written).next().is_some() {
        notes.extend([
            "Try it there: fleetform check, then fleetform apply --yes".to_owned(),
            "Then follow README.md: it says which placeholders to replace.".to_owned(),
        ]);
    }
    notes
}

fn text(out: &mut Out, document: &Document) -> io::Result<()> {
    let Document { version: _, directory, files, in_work_tree: _, notes } = document;
    for FileView { path, outcome } in files {
        let (word, tone) = match outcome {
            Outcome::Written => ("+ written ", Tone::Added),
            Outcome::Kept => ("  kept    ", Tone::Dim),
            Outcome::LeftOut => ("  left out", Tone::Dim),
        };
        writeln!(out, "{}  {path}", out.paint(tone, word))?;
    }
    let n = |wanted| files.iter().filter(|file| file.outcome == wanted).count() as u64;
    let (written, kept, left) = (n(Outcome::Written), n(Outcome::Kept), n(Outcome::LeftOut));
    let line =
        format!("{directory}: {} written, {kept} kept, {left} left out.", count(written, "file"));
    writeln!(out, "\n{}", out.paint(Tone::Strong, &line))?;
    out.flush()?;
    notes.iter().for_each(|note| out.note(note));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_configuration_shows_as_defaults_are_the_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let template = include_str!("../../../examples/repository/fleetform.yaml");
        fs::write(&path, template).unwrap();
        let load = || {
            let loaded = Config::load(Some(&path), None).unwrap();
            Config { digest: None, ..loaded.config }
        };
        let Config { fleet, data, .. } = Config::default();
        let expected = |data_is_named| Config {
            fleet: dir.path().join(&fleet),
            data: dir.path().join(&data),
            data_is_named,
            ..Config::default()
        };
        assert_eq!(load(), expected(false));
        let (_, settings) = template.split_once("\n\n").unwrap();
        let taken: String = settings
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap().to_owned() + "\n")
            .collect();
        fs::write(&path, taken).unwrap();
        assert_eq!(load(), expected(true));
    }

    #[test]
    fn each_file_is_written_once_and_is_text() {
        let parts = parts().unwrap();
        let paths: std::collections::BTreeSet<_> = parts.iter().map(|part| part.path).collect();
        assert_eq!(paths.len(), parts.len());
        for part in parts {
            assert!(part.text.ends_with('\n') && !part.text.contains('\r'), "{}", part.path);
            assert_eq!(part.executable, part.text.starts_with("#!"), "{}", part.path);
            assert_eq!(
                part.manifest,
                part.text.contains("apiVersion: fleetform/v1\n"),
                "{}",
                part.path
            );
        }
    }
}
