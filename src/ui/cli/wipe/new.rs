//! `fleetform wipe new`

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;
use serde::Serialize;

use super::super::checkout::{Content, cannot_write, refuse_pulled};
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::format::Format;
use super::super::select;
use super::super::server::ServerArgs;
use super::super::setup::Setup;
use super::super::shell::shell;
use super::super::value::word;
use crate::domain::manifest::parse_file;
use crate::domain::manifest::yaml::{Within, scalar};
use crate::domain::model::{
    DeviceId, Digest, Email, Ownership, SerialNumber, Timestamp, WipeReason, WipeScope,
};
use crate::domain::settings::Wipes;
use crate::domain::state::{Device, State, WipeState};
use crate::domain::wipe::Namespace;
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::quorum::{self, History, Ruling};
use crate::domain::wipe::target::{LedgerId, LogHead};
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::fs::durable;
use crate::edges::source::revision;
use crate::ui::render::json;
use crate::ui::render::out::{Out, Tone};

/// Writes a wipe request for one device, filled in from the ledger, and says what comes next.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform wipe new D007 --reason lost
  fleetform wipe new ana-ruiz-phone --reason termination --scope selective \\
    --valid 4h

Writes wipes/ID-REASON.yaml below the fleet directory. Run it in your own clone.
It refuses a checkout of another user or of a running daemon, because a file
added there by hand would block `git pull`. Formats: text, json.")]
pub(crate) struct Args {
    /// Id, serial number (its newest device) or name; where one word fits several devices, id=ID,
    /// serial=SERIAL or name=NAME
    #[arg(value_name = "ID|SERIAL|NAME")]
    pub(crate) device: String,
    /// Why
    #[arg(long, value_parser = word!(WipeReason), ignore_case = true)]
    pub(crate) reason: WipeReason,
    /// How much to erase [default: full; selective on personal devices]
    #[arg(long, value_parser = word!(WipeScope), ignore_case = true)]
    pub(crate) scope: Option<WipeScope>,
    /// How long the request is valid, from now on [default: 24h]
    #[arg(long, value_name = "DURATION")]
    pub(crate) valid: Option<humantime::Duration>,
    /// Who requests the wipe, and must sign [default: user.email of Git]
    #[arg(long, value_name = "EMAIL")]
    pub(crate) requested_by: Option<Email>,
    /// Where to write it, relative to the working directory [default: wipes/ID-REASON.yaml below
    /// the fleet directory]
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// What is asked for.
struct Draft {
    name: String,
    ledger: LedgerId,
    head: Option<LogHead>,
    id: DeviceId,
    serial: SerialNumber,
    scope: WipeScope,
    reason: WipeReason,
    requested_by: Email,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl Draft {
    /// The file, in the one layout.
    fn yaml(&self) -> String {
        let Self { name, ledger, head, id, serial, scope, reason, requested_by, .. } = self;
        let Self { issued_at, expires_at, .. } = self;
        let head =
            head.map(|head| format!("head: {}\n  ", scalar(&head.to_string(), Within::Block)));
        let head = head.unwrap_or_default();
        format!(
            "apiVersion: fleetform/v1\n\
             kind: WipeRequest\n\
             metadata: {{name: {name}}}\n\
             spec:\n  \
               ledger: {ledger}\n  \
               {head}deviceId: {id}\n  \
               serialNumber: {}\n  \
               scope: {scope}\n  \
               reason: {reason}\n  \
               requestedBy: {}\n  \
               confirm: true\n  \
               issuedAt: {}\n  \
               expiresAt: {}\n",
            scalar(serial.as_str(), Within::Block),
            scalar(requested_by.as_str(), Within::Block),
            issued_at.short(),
            expires_at.short()
        )
    }
}

/// Writes the request, if it could ever be accepted.
///
/// # Errors
/// If there is no such device, the request would be refused, or it cannot be written.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    setup.needs_ledger("and so no device is known")?;
    if args.file.is_none() {
        refuse_pulled(setup, Content::Request)?;
    }
    let state = setup.proven()?;
    let (id, device) = select::device(&state, &args.device)?;
    let ledger = state.lineage.map(LedgerId);
    let ledger = ledger.ok_or_else(|| Failure::new("the ledger does not say which one it is"))?;
    // An entry that is there now: who has a key only for a moment cannot name one to come.
    let head = LogHead { seq: state.seq, hash: state.head.0 };
    let head = Some(head).filter(|_| setup.config.settings.wipes.require_head);
    let (requested_by, origin) = requester(args, setup)?;
    let issued_at = Timestamp::from_millis(setup.now().millis() / 1000 * 1000);
    let (others, fleet) = (requests(setup)?, &setup.config.fleet);
    let draft = Draft {
        name: free_name(id, args.reason, |name| {
            others.iter().any(|file| file.request.name.as_str() == name)
                || (args.file.is_none() && file_of(fleet, name).exists())
        }),
        ledger,
        head,
        id,
        serial: device.spec.serial_number.clone(),
        scope: scope(args, id, device)?,
        reason: args.reason,
        requested_by,
        issued_at,
        expires_at: issued_at + valid(args, &setup.config.settings.wipes)?,
    };
    let path = args.file.clone().unwrap_or_else(|| file_of(fleet, &draft.name));
    let yaml = draft.yaml();
    write(&path, &yaml)?;
    warn(setup, &draft, &state, &path, out);
    // Requests that a pass has recorded are in the notes of `warn` already.
    let unseen = others.iter().filter(|file| !state.wipes.contains_key(&file.request.digest));
    for file in unseen.filter(|file| file.request.device_id == id) {
        let at = fleet.join(&*file.place.path);
        out.note(&format!("note: there is a request for {id} already: {}", at.display()));
    }
    let written = Written {
        version: 1,
        path: path.display().to_string(),
        request: Digest::of(yaml.as_bytes()),
        ledger,
        head,
        device: id,
        serial_number: &draft.serial,
        user_email: &device.spec.user_email,
        scope: draft.scope,
        reason: draft.reason,
        requested_by: &draft.requested_by,
        issued_at,
        expires_at: draft.expires_at,
        needs: needs(&state, &setup.config.settings.wipes, issued_at),
        next: next(&path, &draft, &args.server),
    };
    match format {
        Format::Json => json::pretty(out, &written)?,
        _ => written.text(origin, device, out)?,
    }
    Ok(Exit::Done)
}

fn file_of(fleet: &Path, name: &str) -> PathBuf {
    fleet.join("wipes").join(format!("{name}.yaml"))
}

/// The requests that are there, wherever they lie.
fn requests(setup: &Setup) -> Result<Vec<Arc<WipeFile>>, Failure> {
    let desired = setup.desired();
    if let Some(why) = desired.missing {
        return Err(Failure::new(why).help("name the fleet directory with --fleet"));
    }
    Ok(desired.wipes)
}

/// `d007-lost`, or the first free one of `d007-lost-2`, `d007-lost-3` …
fn free_name(id: DeviceId, reason: WipeReason, taken: impl Fn(&str) -> bool) -> String {
    let stem = format!("{}-{reason}", id.to_string().to_ascii_lowercase());
    let numbered = (2..).map(|n: u32| format!("{stem}-{n}"));
    let mut names = std::iter::once(stem.clone()).chain(numbered);
    names.find(|name| !taken(name)).unwrap_or(stem)
}

fn scope(args: &Args, id: DeviceId, device: &Device) -> Result<WipeScope, Failure> {
    if device.is_wiped() {
        let since = device.status_since.short();
        return Err(Failure::new(format!("{id} was wiped on {since}")).help(
            "hardware that was provisioned again has an id of its own: see `fleetform list`",
        ));
    }
    let personal = device.spec.ownership == Ownership::Personal;
    match args.scope {
        Some(WipeScope::Full) if personal => Err(Failure::new(format!(
            "{id} is a personal device: a full wipe of it is always refused"
        ))
        .help("leave --scope out, or use --scope selective, which erases corporate data only")),
        Some(scope) => Ok(scope),
        None if personal => Ok(WipeScope::Selective),
        None => Ok(WipeScope::Full),
    }
}

fn valid(args: &Args, wipes: &Wipes) -> Result<TimeDelta, Failure> {
    let most = wipes.max_validity;
    let Some(valid) = args.valid else { return Ok(TimeDelta::hours(24).min(most)) };
    let delta = TimeDelta::from_std(*valid).ok().filter(|delta| *delta <= most);
    let delta = delta.ok_or_else(|| {
        let most = crate::domain::wording::duration(most);
        let valid = TimeDelta::from_std(*valid)
            .map_or_else(|_| valid.to_string(), crate::domain::wording::duration);
        Failure::new(format!("--valid {valid} is longer than a request may hold: {most}"))
            .help(format!("use at most --valid {most}; wipes.maxValidity says so"))
    })?;
    if delta < TimeDelta::seconds(1) {
        return Err(Failure::new("--valid 0s would have expired before it is signed")
            .help("use --valid 4h, say"));
    }
    Ok(delta)
}

/// Who asks, and where that was found.
fn requester(args: &Args, setup: &Setup) -> Result<(Email, &'static str), Failure> {
    if let Some(email) = &args.requested_by {
        return Ok((email.clone(), "--requested-by"));
    }
    let help = "name the person who asks and signs: --requested-by you@example.com";
    let Some(text) = revision::setting(&setup.config.fleet, "user.email") else {
        return Err(
            Failure::new("the requester is unknown: git config user.email is not set").help(help)
        );
    };
    let email = text
        .parse()
        .map_err(|why| Failure::new(format!("user.email of Git, {text:?}, {why}")).help(help))?;
    Ok((email, "user.email of Git"))
}

/// Read as the daemon will read it, before it is there.
fn write(path: &Path, yaml: &str) -> Result<(), Failure> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"));
    let name = name.filter(|name| !name.starts_with('.')).ok_or_else(|| {
        Failure::new(format!("{} cannot be the name of a manifest", path.display()))
            .help("end it in .yaml, and do not begin it with a dot")
    })?;
    let documents = parse_file(&Arc::from(name), yaml.as_bytes());
    if let Some(finding) = documents.findings.first() {
        return Err(Failure::new(format!(
            "this would not be a valid request: {}",
            finding.message
        )));
    }
    let directory = durable::parent(path);
    std::fs::create_dir_all(directory).map_err(|why| {
        let what = format!("cannot make the directory {}", directory.display());
        cannot_write(Content::Request, what, &why)
    })?;
    durable::create_file(path, yaml.as_bytes()).map_err(|error| match error.cause.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::new(format!("{} already exists; it was not changed", path.display()))
                .help("give another name with --file")
        }
        _ => {
            let what = format!("cannot write {}", path.display());
            cannot_write(Content::Request, what, &error.cause)
        }
    })
}

/// What does not make the request wrong, but will be asked about later.
fn warn(setup: &Setup, draft: &Draft, state: &State, path: &Path, out: &mut Out) {
    let inside = |path: &Path| {
        Some(path.canonicalize().ok()?.starts_with(setup.config.fleet.canonicalize().ok()?))
    };
    if inside(path) == Some(false) {
        out.note(&format!(
            "warning: {} is outside the fleet directory {} and will not be carried out from \
             there; move it, before or after it is signed",
            path.display(),
            setup.root()
        ));
    }
    if let TrustState::Usable(trust) = setup.trust() {
        let by = draft.requested_by.as_str();
        let known = trust.signers().iter().any(|s| s.principal.as_str().eq_ignore_ascii_case(by));
        if !known {
            out.note(&format!(
                "note: the trust file has no key of {by}, whose signature is needed"
            ));
        }
    }
    let open = |state| matches!(state, WipeState::Held | WipeState::Accepted | WipeState::Issued);
    for wipe in state.wipes.values().filter(|w| w.subject.device_id == draft.id && open(w.state)) {
        let (name, state) = (&wipe.subject.name, wipe.state);
        out.note(&format!("note: the request {name} for {} is {state} already", draft.id));
    }
}

/// People who would have to sign it now.
fn needs(state: &State, wipes: &Wipes, now: Timestamp) -> Option<u32> {
    let issued: Vec<_> = state.wipes.values().filter_map(|wipe| wipe.issued_at).collect();
    let ahead = state.wipes.values().filter(|wipe| wipe.state == WipeState::Accepted).count();
    let restored = state.restored.map(|restored| restored.at);
    match quorum::decide(&wipes.quorum, History { issued: &issued, ahead, restored }, now, 0) {
        Ruling::Issue { needs } => Some(needs),
        Ruling::Held(hold) => hold.needs,
    }
}

/// The commands that follow, to copy.
fn next(path: &Path, draft: &Draft, server: &ServerArgs) -> Vec<String> {
    let text = path.display().to_string();
    let file = shell(&text);
    let directory = durable::parent(path);
    let git = format!("git -C {}", shell(&directory.display().to_string()));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let files = shell(&name);
    let message = format!("wipe: {} ({})", draft.id, draft.reason);
    let server = server.typed();
    vec![
        format!("fleetform wipe sign {file}{server}"),
        format!("ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n {} {file}", Namespace::Wipe),
        format!("{git} add {files} {files}*.sig"),
        format!("{git} commit -m {}", shell(&message)),
        format!("{git} push"),
        format!("fleetform wipe verify {file}{server}"),
    ]
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    version: u32,
    path: String,
    request: Digest,
    ledger: LedgerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<LogHead>,
    device: DeviceId,
    serial_number: &'a SerialNumber,
    user_email: &'a Email,
    scope: WipeScope,
    reason: WipeReason,
    requested_by: &'a Email,
    issued_at: Timestamp,
    expires_at: Timestamp,
    needs: Option<u32>,
    next: Vec<String>,
}

impl Written<'_> {
    fn text(&self, origin: &str, device: &Device, out: &mut Out) -> std::io::Result<()> {
        let spec = &device.spec;
        let needs = match self.needs {
            Some(1) => "1 person now".to_owned(),
            Some(n) => format!("{n} people now"),
            None => "no number of people: wipe limit reached".to_owned(),
        };
        let line = format!("Written: {}", self.path);
        writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
        let rows = [
            ("device", format!("{} {}, serial {}", self.device, spec.name, self.serial_number)),
            ("user", format!("{} ({} device)", self.user_email, spec.ownership)),
            ("wipe", format!("{}, because: {}", self.scope, self.reason)),
            ("requester", format!("{} ({origin})", self.requested_by)),
            ("ledger", self.ledger.to_string()),
            ("expires", self.expires_at.short()),
            ("to sign", needs),
        ];
        for (key, value) in rows {
            writeln!(out, "  {key:<9} {}", out.paint(Tone::Plain, &value))?;
        }
        let titles = [
            "\nNothing is wiped yet. Check the device again, then sign:",
            "or, without fleetform:",
            "Send it:",
            "",
            "",
            "See whether it will be accepted; a server knows it once it is merged:",
        ];
        for (title, command) in titles.iter().zip(&self.next) {
            if !title.is_empty() {
                writeln!(out, "{title}")?;
            }
            writeln!(out, "    {}", out.paint(Tone::Strong, command))?;
        }
        writeln!(out, "To stop it, delete the file and push, or sign a veto with --veto.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_free_name_is_taken() {
        let id = DeviceId::FIRST;
        let name = |taken: &[&str]| free_name(id, WipeReason::Lost, |name| taken.contains(&name));
        assert_eq!(name(&[]), "d001-lost");
        assert_eq!(name(&["d001-lost", "d001-lost-2"]), "d001-lost-3");
    }

    #[test]
    fn what_is_written_reads_back_whatever_the_serial_looks_like() {
        for serial in [
            "PF3XK9Q2",
            "0123",
            "1e5",
            "true",
            "/77NDZ12/CN70163475007C/",
            "..CN1374012345.",
            "a: b",
            "VMware-56 4d fa 72 69 7a 39 13-aa 0e 17 06 9b 09 42 c8",
        ] {
            let at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
            let draft = Draft {
                name: "d001-lost".into(),
                ledger: "4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21".parse().unwrap(),
                head: Some(LogHead { seq: 7, hash: Digest::of(b"x") }),
                id: DeviceId::FIRST,
                serial: serial.parse().unwrap(),
                scope: WipeScope::Full,
                reason: WipeReason::Lost,
                requested_by: "o'neil+#x@example.com".parse().unwrap(),
                issued_at: at,
                expires_at: at + TimeDelta::hours(24),
            };
            let documents = parse_file(&"x.yaml".into(), draft.yaml().as_bytes());
            assert!(documents.findings.is_empty(), "{:?}", documents.findings);
            let request = &documents.wipes[0].file.request;
            assert_eq!((request.ledger, request.head), (draft.ledger, draft.head));
            assert_eq!(
                (&request.serial, &request.requested_by),
                (&draft.serial, &draft.requested_by)
            );
            assert_eq!((request.issued_at, request.expires_at), (at, draft.expires_at));
        }
    }
}
