//! `fleetform check`

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::author;
use super::exit::Exit;
use super::failure::Failure;
use super::fix;
use super::format::Format;
use super::process::runtime;
use super::rewrite::standard_input;
use super::setup::Setup;
use crate::app::wiring;
use crate::domain::fleet::Desired;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::manifest::parse_file;
use crate::domain::model::Name;
use crate::domain::wording::{harmless, harmless_within};
use crate::edges::fs::durable;
use crate::edges::notify::mail::{UnusableTemplate, UnusableTemplates, templates};
use crate::edges::source;
use crate::edges::watch::{Entrance, Pace, Places, Watch};
use crate::ui::render::out::Out;
use crate::ui::render::{check, sarif};

/// Validates the fleet directory and shows all findings at once; no ledger is needed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform check
  fleetform check ./fleet
  fleetform check fleet/madrid/ana.yaml   One file, checked with all others
  fleetform check - --stdin-filename fleet/madrid/ana.yaml < buffer
  fleetform check --fix                   Show repairs, ask, write them
  fleetform check --watch                 Check again after each change
  fleetform check -o json | jq '.findings[].code'
  fleetform check -o github               Annotations on a pull request
  fleetform check -o sarif > fleetform.sarif

Exits with 1 on any finding; `fleetform explain CODE` tells more about each.
--fix repairs encodings (UTF-16, byte order marks), line breaks, tabs and
non-breaking spaces, quotes and the layout (see `fleetform fmt --help`), and
never touches a file that has signatures beside it. Without a terminal it shows
the repairs and writes nothing unless --yes is given.
Formats: text, json, markdown (for a comment), github (workflow commands), sarif
(2.1.0). The paths of the last two are relative to the repository where the
fleet directory is given relative to it. GitHub shows only 10 annotations of
each kind (errors, warnings, notices) a step: where there may be more, add sarif
or markdown.")]
pub(crate) struct Args {
    /// Fleet directory, or one file of it, or - for standard input
    #[arg(value_name = "PATH", conflicts_with = "fleet")]
    pub(crate) path: Option<PathBuf>,
    /// Repair what can be repaired safely: show the changes, ask, write them
    #[arg(long)]
    pub(crate) fix: bool,
    /// Do not ask before repairs are written; needed if standard input is not a terminal
    #[arg(long, short, requires = "fix")]
    pub(crate) yes: bool,
    /// Check again after each change, until interrupted
    #[arg(long)]
    pub(crate) watch: bool,
    /// The file that standard input replaces in this check
    #[arg(long, value_name = "FILE")]
    pub(crate) stdin_filename: Option<PathBuf>,
}

/// An editor saves in several steps; where watching is impossible, a look every two seconds is soon
/// enough for somebody who waits for it.
const PACE: Pace = Pace {
    quiet: Duration::from_millis(100),
    most: Duration::from_secs(1),
    poll: Duration::from_secs(2),
    always_poll: false,
};

/// What is looked at.
enum Subject {
    Fleet(PathBuf),
    /// One file, with its content where that is not on disk.
    File {
        path: PathBuf,
        content: Option<Vec<u8>>,
    },
}

/// Checks what the arguments name.
///
/// # Errors
/// If it cannot be read, or a repair cannot be written.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let subject = subject(args, setup)?;
    if args.fix {
        let path = match &subject {
            Subject::Fleet(root) => {
                author::exists(root)?;
                root
            }
            Subject::File { path, content: None } => path,
            Subject::File { .. } => {
                return Err(Failure::new("standard input cannot be repaired in place")
                    .help("`fleetform fmt -` lays it out; save it as a file to repair it"));
            }
        };
        fix::run(path, args.yes, setup, format, out)?;
    }
    if args.watch {
        return watch(&subject, setup, format, out);
    }
    look(&subject, setup, format, out)
}

fn subject(args: &Args, setup: &Setup) -> Result<Subject, Failure> {
    let Some(path) = &args.path else { return Ok(Subject::Fleet(setup.config.fleet.clone())) };
    if path.as_os_str() == "-" {
        let content = Some(standard_input()?);
        let path = args.stdin_filename.clone().unwrap_or_else(|| path.clone());
        return Ok(Subject::File { path, content });
    }
    if args.stdin_filename.is_some() {
        return Err(Failure::new("--stdin-filename is for a check of standard input")
            .help("give - for PATH"));
    }
    let is_file = path.metadata().is_ok_and(|metadata| !metadata.is_dir());
    let path = path.clone();
    Ok(if is_file { Subject::File { path, content: None } } else { Subject::Fleet(path) })
}

fn look(subject: &Subject, setup: &Setup, format: Format, out: &mut Out) -> Result<Exit, Failure> {
    let (mut desired, root) = match subject {
        Subject::Fleet(root) => (source::load(root).as_of(setup.now()), root.clone()),
        Subject::File { path, content } => one_file(path, content.as_deref(), setup)?,
    };
    say_what_is_left(&desired, setup);
    let trust = trust_files(setup);
    if matches!(subject, Subject::Fleet(_)) && desired.missing.is_none() {
        let known = |name: &Name| desired.profiles.contains_key(name);
        for unknown in setup.config.notify.unknown_profiles(known) {
            tracing::warn!("{unknown}");
        }
    }
    desired.findings.extend(texts_of_mails(setup));
    Ok(show(&desired, &root, format, out)?.combine(trust))
}

/// One file, judged together with the fleet directory; what is wrong elsewhere is left out.
fn one_file(
    path: &Path,
    content: Option<&[u8]>,
    setup: &Setup,
) -> Result<(Desired, PathBuf), Failure> {
    let read = || source::raw_file(path).bytes;
    let bytes = content
        .map_or_else(read, |content| Ok(content.to_vec()))
        .map_err(|why| Failure::new(format!("cannot read {}: {why}", path.display())))?;
    let fleet = &setup.config.fleet;
    // A file that is no part of the fleet is judged as if it were.
    let below = below(fleet, path);
    let (own, root) = match &below {
        Some(below) => (below.clone(), fleet.clone()),
        None => (path.display().to_string(), PathBuf::new()),
    };
    let mut desired = source::load_with(fleet, &[(&own, &bytes)]).as_of(setup.now());
    if desired.missing.is_some() {
        tracing::warn!(
            fleet = %fleet.display(),
            "there is no fleet directory: rules that need other manifests are not applied"
        );
        let findings = parse_file(&own.as_str().into(), &bytes).findings;
        return Ok((Desired { findings, ..Desired::default() }, root));
    }
    let is_own = |other: &str| *other == *own;
    desired.devices.retain(|device| is_own(&device.place.path));
    desired.profile_places.retain(|_, place| is_own(&place.path));
    let places = &desired.profile_places;
    desired.profiles.retain(|name, _| places.contains_key(name));
    desired.wipes.retain(|wipe| is_own(&wipe.place.path));
    desired.findings.retain(|finding| {
        let related = finding.related.as_ref().map(|(span, _)| &span.path);
        is_own(&finding.span.path) || related.is_some_and(|path| is_own(path))
    });
    Ok((desired, root))
}

/// The path from the fleet directory of a file that lies there, or would.
fn below(fleet: &Path, file: &Path) -> Option<String> {
    let parent = durable::parent(file).canonicalize().ok()?;
    let below = parent.strip_prefix(fleet.canonicalize().ok()?).ok()?.join(file.file_name()?);
    let is_manifest = below.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let is_hidden = |part: Component<'_>| part.as_os_str().as_bytes().starts_with(b".");
    let is_there = is_manifest && !below.components().any(is_hidden);
    below.to_str().filter(|_| is_there).map(str::to_owned)
}

/// Looks again after each change, until the process is ended.
fn watch(subject: &Subject, setup: &Setup, format: Format, out: &mut Out) -> Result<Exit, Failure> {
    let fleet = match subject {
        Subject::Fleet(root) => root.clone(),
        Subject::File { path, content: None } if below(&setup.config.fleet, path).is_some() => {
            setup.config.fleet.clone()
        }
        Subject::File { .. } => {
            return Err(Failure::new("only what lies in the fleet directory can be watched")
                .help("name the directory with --fleet"));
        }
    };
    let (reports, requests, files) = (Vec::new(), Entrance::default(), Vec::new());
    let places = Places { fleet, reports, requests, files };
    let runtime = runtime()?;
    runtime.block_on(async {
        let mut watch = Watch::new(places, PACE);
        loop {
            watch.arm();
            if let Err(failure) = look(subject, setup, format, out) {
                // Perhaps the directory comes back.
                failure.print(out.color());
            }
            out.note("Watching for changes; Ctrl-C ends it.");
            if out.is_closed() {
                return Ok(Exit::Done);
            }
            let _ = watch.settled().await;
        }
    })
}

/// Shows what is wrong in `desired`, which was loaded from `root`.
///
/// # Errors
/// If the fleet directory could not be read, or writing fails.
fn show(desired: &Desired, root: &Path, format: Format, out: &mut Out) -> Result<Exit, Failure> {
    if desired.findings.is_empty() {
        author::there(desired)?;
    }
    match format {
        Format::Json => check::json(desired, out)?,
        Format::Markdown => check::markdown(desired, root, out)?,
        Format::Github => check::github(desired, root, out)?,
        Format::Sarif => sarif::write(out, &desired.findings, root)?,
        _ => check::text(desired, root, out)?,
    }
    Ok(if desired.findings.is_empty() { Exit::Done } else { Exit::Failed })
}

/// On standard error, what nobody looked at: this command reads wipe requests, but judges neither
/// their signatures nor whether the devices are what they say.
fn say_what_is_left(desired: &Desired, setup: &Setup) {
    if desired.wipes.is_empty() {
        return;
    }
    let data = setup.config.data.display();
    let no_ledger = match wiring::ledger(&setup.config).exists() {
        Ok(false) => Some(format!("there is no ledger in {data}")),
        Ok(true) if setup.recorded().is_ok() => None,
        Ok(true) | Err(_) => Some(format!("the ledger in {data} cannot be read")),
    };
    tracing::warn!(
        requests = desired.wipes.len(),
        signatures = setup.trust().usable().err().map(str::to_owned),
        devices = no_ledger,
        "signatures and devices of wipe requests are not checked here; `fleetform wipe verify` does that"
    );
}

/// On standard error, that the trust files which the configuration names cannot be relied on. What
/// is wrong with them for everybody fails the check; what only this machine or this user cannot see
/// does not, since manifests are also checked where the files are not.
fn trust_files(setup: &Setup) -> Exit {
    if !setup.config.trust.is_configured() {
        return Exit::Done;
    }
    let Err(error) = wiring::read_trust(&setup.config) else { return Exit::Done };
    if error.is_of_this_machine() {
        tracing::warn!(
            why = %error, "the trust files cannot be checked here: if so on the server, every wipe is refused"
        );
        return Exit::Done;
    }
    tracing::error!(why = %error, "the trust files cannot be relied on: every wipe is refused");
    Exit::Failed
}

/// What is wrong with the files that replace texts of mails: each is tried.
fn texts_of_mails(setup: &Setup) -> Vec<Finding> {
    let Some(mail) = &setup.config.notify.mail else { return Vec::new() };
    let Err(UnusableTemplates(all)) = templates(mail) else { return Vec::new() };
    all.into_iter().map(finding).collect()
}

fn finding(UnusableTemplate { path, line, why }: UnusableTemplate) -> Finding {
    const WIDEST: usize = 200;
    let path: Arc<str> = harmless(&path.display().to_string()).into();
    let span = match line {
        None => Span::whole(&path),
        Some((line, text)) => {
            let text = harmless_within(&text, WIDEST);
            let width = u32::try_from(text.chars().count()).unwrap_or_default().max(1);
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            Span { path, line, column: 1, width, text: text.into(), offset: 0 }
        }
    };
    Finding {
        code: Code::MailTemplate,
        severity: Severity::Error,
        message: format!("no mail can be made of this text: {}", harmless_within(&why, WIDEST)),
        help: "docs/notifications.md says what a text can use".to_owned(),
        span,
        related: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::render::testing::Screen;

    #[test]
    fn a_missing_directory_is_an_error_and_not_a_clean_bill() {
        let desired = Desired {
            missing: Some("`./fl\\u{1b}eet` cannot be read: no such directory".into()),
            ..Desired::default()
        };
        let screen = Screen::piped();
        let failure = show(&desired, Path::new("./fl\u{1b}eet"), Format::Text, &mut screen.out());
        let text = failure.unwrap_err().render(false);
        let what = "error: the fleet directory `./fl\\u{1b}eet` cannot be read: no such directory; you are in /";
        assert!(text.starts_with(what) && text.contains("\nhelp: "), "{text}");
        assert_eq!(screen.results(), "");
    }

    #[test]
    fn a_clean_fleet_exits_with_0() {
        let screen = Screen::piped();
        let exit = show(&Desired::default(), Path::new("f"), Format::Text, &mut screen.out());
        assert_eq!(exit.unwrap(), Exit::Done);
    }
}
