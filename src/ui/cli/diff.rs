//! `fleetform diff`

use std::path::{Component, Path, PathBuf};

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::setup::Setup;
use crate::domain::diff::{FleetDiff, diff};
use crate::domain::fleet::Desired;
use crate::domain::guard::would_freeze;
use crate::domain::state::event::PassFrozen;
use crate::edges::source;
use crate::edges::source::git::{Commit, Error, Repository};
use crate::ui::render::diff as render;
use crate::ui::render::out::Out;

/// Show what a change of the fleet directory means, without a ledger.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform diff                        Changes on disk since HEAD
  fleetform diff main                   Changes on disk since main
  fleetform diff v1.0..main             From one commit to another
  fleetform diff origin/main...HEAD -o markdown    What a pull request changes
  fleetform diff main -- fleet/madrid   Only what is written there
  fleetform diff ./before ./after       From one directory to another

A..B compares A with B, A...B compares their merge base with B; a side that is
left out is HEAD. A change that removes so many devices that the daemon would
freeze (`limits`) is announced.

Revisions are those of the Git repository of the fleet directory. A bare
repository must be named: GIT_DIR=. fleetform diff …, and the fleet directory
from its root with --fleet. A path with a slash at its beginning, `./` or `../`
names a directory. Moving or reordering files is not a change. A signature is
shown with the fingerprint of its key (`ssh-keygen -l`), and with its owner
where trust.allowedSigners names a file outside of the checkout. Exits with 0;
with --detailed-exitcode with 1 if there are new findings, else with 2 if there
are changes. Formats: text, json, markdown (at most 60,000 characters), github
(workflow commands).")]
pub(crate) struct Args {
    /// Git revision or directory to compare from, or a range A..B or A...B [default: HEAD]
    #[arg(value_name = "BASE")]
    pub(crate) base: Option<String>,
    /// Git revision or directory to compare to [default: the fleet directory, as it is on disk]
    #[arg(value_name = "HEAD")]
    pub(crate) head: Option<String>,
    /// Show only what is written in these files and directories
    #[arg(value_name = "PATH", last = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Exit with 2 when there are changes, and with 1 when there are new findings
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

/// One side, as given.
enum Side<'a> {
    Directory(&'a Path),
    Revision(&'a str),
}

impl<'a> Side<'a> {
    /// As the shell's paths: what might be a revision is one.
    fn new(text: &'a str) -> Self {
        let is_path = ["/", "./", "../"].iter().any(|start| text.starts_with(start));
        if is_path || matches!(text, "." | "..") {
            Self::Directory(Path::new(text))
        } else {
            Self::Revision(text)
        }
    }
}

struct Read {
    name: String,
    commit: Option<String>,
    fleet: Desired,
}

/// Shows the difference; reads, and changes nothing anywhere.
///
/// # Errors
/// If a revision or directory cannot be read, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let fleet = &setup.config.fleet;
    let paths = below(&args.paths, fleet)?;
    let (mut base, mut head) = match args.range()? {
        Some(range) => of_range(range, fleet)?,
        None => {
            let base = Side::new(args.base.as_deref().unwrap_or("HEAD"));
            let head = args.head.as_deref().map_or(Side::Directory(fleet), Side::new);
            sides(&base, &head, fleet)?
        }
    };
    let now = setup.now();
    for side in [&mut base, &mut head] {
        side.fleet = std::mem::take(&mut side.fleet).as_of(now);
    }
    let mut found = diff(&base.fleet, &head.fleet);
    let freeze = freeze(&found, &base, &head, setup)?;
    // Where something lies in the head: in that directory, or else where the fleet is.
    let root = if head.commit.is_some() { setup.root() } else { head.name.clone() };
    // A trust file of the same work tree is refused: it would be its author's own word.
    let trust = setup.trust();
    let trust = trust.usable().ok();
    let side = |read: &'_ Read| (read.name.clone(), read.commit.clone());
    let ((base_name, base_commit), (head_name, head_commit)) = (side(&base), side(&head));
    let context = render::Context {
        root: &root,
        base: render::Side { name: &base_name, commit: base_commit.as_deref() },
        head: render::Side { name: &head_name, commit: head_commit.as_deref() },
        trust,
        freeze: freeze.as_ref(),
        now,
    };
    if let Some(paths) = &paths {
        found = found.within(&base.fleet, &head.fleet, |path| {
            paths.iter().any(|below| Path::new(path).starts_with(below))
        });
    }
    match format {
        Format::Json => render::json(out, &found, context)?,
        Format::Markdown => render::markdown(out, &found, context)?,
        Format::Github => render::github(out, &found, context)?,
        _ => render::text(out, &found, context)?,
    }
    Ok(exit_of(&found, args.detailed_exitcode))
}

/// A..B and A...B
struct Range<'a> {
    base: &'a str,
    head: &'a str,
    /// Whether the base is where the head left it.
    merge_base: bool,
}

impl Args {
    /// The range that is given in place of a base, if one is.
    fn range(&self) -> Result<Option<Range<'_>>, Failure> {
        let Some(text) = self.base.as_deref() else { return Ok(None) };
        let Side::Revision(text) = Side::new(text) else { return Ok(None) };
        let parts = text.split_once("...").map(|parts| (parts, true));
        let Some(((base, head), merge_base)) =
            parts.or_else(|| text.split_once("..").map(|parts| (parts, false)))
        else {
            return Ok(None);
        };
        if self.head.is_some() {
            return Err(Failure::new(format!(
                "{text:?} is already a range, and HEAD is given too"
            ))
            .help("give a range, or BASE and HEAD"));
        }
        Ok(Some(Range {
            base: if base.is_empty() { "HEAD" } else { base },
            head: if head.is_empty() { "HEAD" } else { head },
            merge_base,
        }))
    }
}

fn of_range(range: Range<'_>, fleet: &Path) -> Result<(Read, Read), Failure> {
    let Range { base, head, merge_base } = range;
    let repository = Repository::open(fleet).map_err(explain)?;
    let from = if merge_base {
        repository.merge_base(base, head).map_err(explain)?
    } else {
        base.to_owned()
    };
    let [(base, was), (head, is)] = repository.compare(&from, head).map_err(explain)?;
    Ok((of_commit(base, was), of_commit(head, is)))
}

/// The paths from the root of the fleet directory; nothing where all of it is meant.
fn below(paths: &[PathBuf], fleet: &Path) -> Result<Option<Vec<PathBuf>>, Failure> {
    let plain = |path: &Path| -> PathBuf {
        path.components().filter(|part| *part != Component::CurDir).collect()
    };
    let root = plain(fleet);
    let mut inside = Vec::new();
    for path in paths {
        let path = plain(path);
        match path.strip_prefix(&root) {
            Ok(rest) => inside.push(rest.to_owned()),
            // The whole fleet directory lies in it.
            Err(_) if root.starts_with(&path) => return Ok(None),
            Err(_) => {
                let what =
                    format!("{} is not in the fleet directory {}", path.display(), root.display());
                return Err(Failure::new(what).help("name paths as the fleet directory is named"));
            }
        }
    }
    Ok((!inside.is_empty()).then_some(inside))
}

/// Whether the guard would freeze everything once the head is there, as far as the base tells what is
/// recorded: it is counted whole only where something is removed.
fn freeze(
    found: &FleetDiff,
    base: &Read,
    head: &Read,
    setup: &Setup,
) -> Result<Option<PassFrozen>, Failure> {
    let removed = found.removed();
    if removed == 0 {
        return Ok(None);
    }
    let fleet = &setup.config.fleet;
    let whole = |side: &Read| -> Result<u64, Failure> {
        let Some(id) = &side.commit else { return Ok(side.fleet.device_documents) };
        let repository = Repository::open(fleet).map_err(explain)?;
        let commit = Commit { name: side.name.clone(), id: id.clone() };
        match repository.load(&commit) {
            Err(Error::NoDirectory { .. }) => Ok(0),
            loaded => Ok(loaded.map_err(explain)?.device_documents),
        }
    };
    let (was, is) = (whole(base)?, whole(head)?);
    Ok(would_freeze(removed, was, is, setup.config.settings.limits))
}

fn sides(base: &Side<'_>, head: &Side<'_>, fleet: &Path) -> Result<(Read, Read), Failure> {
    if let (Side::Directory(_), Side::Directory(_)) = (base, head) {
        return Ok((read(base, None)?, read(head, None)?));
    }
    let repository = Repository::open(fleet).map_err(explain)?;
    if let (Side::Revision(base), Side::Revision(head)) = (base, head) {
        let [(base, was), (head, is)] = repository.compare(base, head).map_err(explain)?;
        return Ok((of_commit(base, was), of_commit(head, is)));
    }
    Ok((read(base, Some(&repository))?, read(head, Some(&repository))?))
}

fn read(side: &Side<'_>, repository: Option<&Repository>) -> Result<Read, Failure> {
    match (side, repository) {
        (Side::Revision(name), Some(repository)) => {
            let commit = repository.commit(name).map_err(explain)?;
            let fleet = match repository.load(&commit) {
                // The other side is a directory that is there: it was begun after this commit.
                Err(Error::NoDirectory { .. }) => Desired::default(),
                loaded => loaded.map_err(explain)?,
            };
            Ok(of_commit(commit, fleet))
        }
        (Side::Revision(path), None) => of_directory(Path::new(path)),
        (Side::Directory(path), _) => of_directory(path),
    }
}

fn of_commit(commit: Commit, fleet: Desired) -> Read {
    Read { name: commit.name, commit: Some(commit.id), fleet }
}

fn of_directory(path: &Path) -> Result<Read, Failure> {
    let fleet = source::load(path);
    if let Some(why) = &fleet.missing {
        return Err(Failure::new(format!("the fleet directory {why}"))
            .help("name it with --fleet, or name both sides as revisions"));
    }
    Ok(Read { name: path.display().to_string(), commit: None, fleet })
}

/// What to do about it.
fn explain(error: Error) -> Failure {
    let help = match &error {
        Error::NoCommit { shallow: true, .. } => {
            "the clone is shallow: deepen it with `git fetch --unshallow` or `git fetch \
             --deepen=100`; in GitHub Actions, give actions/checkout `fetch-depth: 0`, in GitLab \
             CI set GIT_DEPTH: 0"
        }
        Error::NoCommit { .. } => "`git fetch` it, or write ./NAME if a directory is meant",
        Error::NoRepository(_) => {
            "compare directories, as in fleetform diff ./before ./after; a bare repository has to be \
             named: GIT_DIR=. fleetform diff …"
        }
        Error::Outside(_) | Error::NoDirectory { .. } => {
            "name the fleet directory with --fleet, from the root of the repository"
        }
        Error::NoObject(_) => "it is a partial clone: fetch all objects with `git fetch --refetch`",
        Error::Start(_) => "install git",
        Error::Failed { .. } | Error::TooMany(_) | Error::Git(_) => return error.into(),
    };
    Failure::from(error).help(help)
}

fn exit_of(diff: &FleetDiff, detailed: bool) -> Exit {
    if !detailed {
        return Exit::Done;
    }
    let findings = if diff.new.is_empty() { Exit::Done } else { Exit::Failed };
    let changes = if diff.is_change() { Exit::Changes } else { Exit::Done };
    findings.combine(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_revisions() {
        for (text, is_path) in [
            ("./a", true),
            ("../a", true),
            ("/a", true),
            (".", true),
            ("main", false),
            ("origin/main", false),
            ("HEAD~1", false),
        ] {
            assert_eq!(matches!(Side::new(text), Side::Directory(_)), is_path, "{text}");
        }
    }

    #[test]
    fn ranges_are_those_of_git() {
        let args = |base: &str| Args {
            base: Some(base.to_owned()),
            head: None,
            paths: Vec::new(),
            detailed_exitcode: false,
        };
        for (text, expected) in [
            ("v1..v2", Some(("v1", "v2", false))),
            ("v1..", Some(("v1", "HEAD", false))),
            ("..v2", Some(("HEAD", "v2", false))),
            ("main...topic", Some(("main", "topic", true))),
            ("main...", Some(("main", "HEAD", true))),
            ("main", None),
            ("../before", None),
        ] {
            let args = args(text);
            let range = args.range().unwrap();
            let found = range.map(|range| (range.base, range.head, range.merge_base));
            assert_eq!(found, expected, "{text}");
        }
        let both = Args { head: Some("x".into()), ..args("a..b") };
        assert!(both.range().is_err());
    }

    #[test]
    fn paths_are_those_below_the_fleet_directory() {
        let of = |path: &str, fleet: &str| below(&[path.into()], Path::new(fleet));
        let inside = |path: &str| Some(vec![PathBuf::from(path)]);
        assert_eq!(of("fleet/madrid", "./fleet").unwrap(), inside("madrid"));
        assert_eq!(of("./fleet/a.yaml", "fleet").unwrap(), inside("a.yaml"));
        assert_eq!(of(".", "./fleet").unwrap(), None);
        assert!(of("docs", "./fleet").is_err());
        assert_eq!(below(&[], Path::new("fleet")).unwrap(), None);
    }

    #[test]
    fn shallow_clones_are_told_how_to_deepen() {
        let error = Error::NoCommit { revision: "main".into(), shallow: true };
        let text = explain(error).render(false);
        assert!(text.contains("there is no commit `main`"), "{text}");
        assert!(
            text.contains("git fetch --unshallow") && text.contains("fetch-depth: 0"),
            "{text}"
        );
    }
}
