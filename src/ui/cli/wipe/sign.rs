//! `fleetform wipe sign`

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;

use super::super::consent;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::format::Format;
use super::super::server::{self, ServerArgs};
use super::super::setup::Setup;
use super::super::shell::shell;
use super::key::{self, SigningKey};
use super::request::request;
use crate::domain::model::{Digest, Email};
use crate::domain::plan::{Inputs, NO_NEWS, verify_request};
use crate::domain::state::State;
use crate::domain::wipe::Namespace;
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::sshsig::{self, Key, fingerprint};
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::fs::durable;
use crate::edges::source::revision;
use crate::ui::render::device::ago;
use crate::ui::render::json;
use crate::ui::render::out::{Out, Tone};

/// Signs a wipe request, or a veto against it, by calling ssh-keygen: keys in an agent and
/// hardware keys work as they do there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform wipe sign fleet/wipes/d007-lost.yaml
  fleetform wipe sign fleet/wipes/d007-lost.yaml --key ~/.ssh/id_ed25519_sk
  fleetform wipe sign fleet/wipes/d007-lost.yaml --veto
  fleetform wipe sign d007-lost.yaml --server https://fleet.example.com

Without --key: user.signingkey of Git, a file or the public key itself. Where it
is not set, the first of id_ed25519_sk, id_ecdsa_sk, id_ed25519 and id_ecdsa in
~/.ssh. A .pub file, or a public key itself (key::ssh-ed25519 AAAA...), takes
the private key from the agent. Formats: text, json.")]
pub(crate) struct Args {
    /// The request
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Private key, or the public key of a key in the agent
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Do not ask before signing; without a terminal it never asks
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Sign a veto instead: one trusted person's veto stops the wipe for good
    #[arg(long)]
    pub(crate) veto: bool,
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Shows what is signed, signs it, and says what the signature is worth.
///
/// # Errors
/// If the request is not valid, or ssh-keygen cannot sign it.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let file = request(&args.file, out)?;
    let namespace = if args.veto { Namespace::Veto } else { Namespace::Wipe };
    let setting = |name: &str| revision::setting(&setup.config.fleet, name);
    let key = key::find(args.key.as_deref(), setting, setup.home.as_deref())?;
    show(&file, setup, args.veto, out)?;
    if setup.can_ask && !args.yes && !consent::ask("Sign it?", out)? {
        out.note("Nothing was signed.");
        return Ok(Exit::Failed);
    }
    out.note(&format!("Signing with {key}; a hardware key waits for your touch."));
    let armored = ask_ssh_keygen(&key, namespace, &file.bytes)?;
    let checked = sshsig::check(&armored, &file.bytes, namespace).map_err(|why| {
        Failure::new(format!("the signature of {key} would not count: {}", why.detail))
            .help("sign with another key: --key FILE")
    })?;
    if !key.may_be(checked.key()) {
        let other = fingerprint(checked.key());
        return Err(Failure::new(format!("ssh-keygen signed with {other}, not with {key}"))
            .help("name the key with --key FILE"));
    }
    let worth = worth(setup, checked.key(), namespace);
    let (path, fresh) = keep(&args.file, &file, namespace, checked.key(), &worth, &armored)?;
    let signed = Signed {
        version: 1,
        path: args.file.display().to_string(),
        request: file.request.digest,
        namespace,
        signature: path.display().to_string(),
        written: fresh,
        key: fingerprint(checked.key()),
        signer: worth.signer,
        counts: worth.counts,
        detail: worth.detail,
    };
    match format {
        Format::Json => json::pretty(out, &signed)?,
        _ => signed.text(&path, &args.server.typed(), out)?,
    }
    Ok(Exit::Done)
}

/// What is about to be signed, on standard error, from the request, the ledger or else the manifest,
/// and every rule that it breaks by itself.
///
/// # Errors
/// If the daemon that was named cannot be asked: what it knows is not signed away unseen.
fn show(file: &WipeFile, setup: &Setup, veto: bool, out: &mut Out) -> Result<(), Failure> {
    let request = &file.request;
    let (state, unknown) = recorded(setup)?;
    let title = if veto { "Sign AGAINST this wipe:" } else { "Sign this wipe:" };
    out.note(title);
    let Facts { name, user, sync } = facts(file, setup, &state, unknown);
    let rows = [
        ("device", format!("{} {name}, serial {}", request.device_id, request.serial)),
        ("user", user),
        ("last sync", sync),
        ("wipe", format!("{}, because: {}", request.scope, request.reason)),
        ("requester", request.requested_by.to_string()),
        ("valid", format!("{} to {}", request.issued_at.short(), request.expires_at.short())),
        ("digest", request.digest.to_string()),
    ];
    for (key, value) in rows {
        out.note(&format!("  {key:<9} {value}"));
    }
    if state.seq > 0 && !veto {
        warn(file, setup, &state, out);
    }
    Ok(())
}

/// What the ledger says, and what it means where it does not know the device. Signing works without
/// one here, but says that nothing was checked against it.
fn recorded(setup: &Setup) -> Result<(State, &'static str), Failure> {
    if let Some(remote) = &setup.remote {
        let state = remote.recorded().map_err(server::explain)?;
        return Ok((state, "not in the server's ledger"));
    }
    Ok(match setup.proven() {
        Ok(state) if state.seq == 0 => {
            (state, "there is no ledger here; name it with --server URL")
        }
        Ok(state) => (state, "not in this ledger"),
        Err(_) => (State::default(), "the ledger cannot be read"),
    })
}

/// What a signer should know of a device.
struct Facts {
    name: String,
    user: String,
    sync: String,
}

/// As recorded; else what its manifest says, and that nobody recorded it.
fn facts(file: &WipeFile, setup: &Setup, state: &State, unknown: &str) -> Facts {
    let request = &file.request;
    if let Some(device) = state.devices.get(&request.device_id) {
        let sync = device.last_sync.map_or_else(
            || "never".to_owned(),
            |at| format!("{} ({})", at.short(), ago(Some(at), setup.now())),
        );
        let spec = &device.spec;
        return Facts { name: spec.name.to_string(), user: spec.user_email.to_string(), sync };
    }
    let sync = format!("unknown ({unknown})");
    match setup.desired().by_serial(&request.serial) {
        Some(declared) => Facts {
            name: format!("{} (by its manifest)", declared.spec.name),
            user: format!("{} (by its manifest)", declared.spec.user_email),
            sync,
        },
        None => Facts { name: format!("({unknown})"), user: "unknown".to_owned(), sync },
    }
}

fn warn(file: &WipeFile, setup: &Setup, state: &State, out: &mut Out) {
    let desired = crate::domain::fleet::Desired::default();
    let inputs = Inputs {
        now: setup.now(),
        settings: &setup.config.settings,
        desired: &desired,
        recorded: state,
        heard: &[],
        news: &NO_NEWS,
        requests: &[],
        trust: &TrustState::NotConfigured,
        heads: &[],
        clock: None,
    };
    // The rules from the trust file on are about signatures, which are still to come.
    let judged = verify_request(&inputs, file).checks;
    let by_itself =
        judged.iter().take_while(|check| check.rule != crate::domain::wipe::verify::Rule::Trust);
    for check in by_itself.filter(|check| !check.holds) {
        out.note(&format!("  WARNING   it would be refused: {}", check.detail));
    }
}

/// Its own questions (a passphrase, a PIN) go to the terminal.
fn ask_ssh_keygen(
    key: &SigningKey,
    namespace: Namespace,
    bytes: &[u8],
) -> Result<Vec<u8>, Failure> {
    let spawned = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", namespace.as_str(), "-f"])
        .arg(key.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = spawned.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::new("ssh-keygen is not installed").help(
            "install OpenSSH: `apt-get install openssh-client`, `dnf install openssh-clients`, \
             or Settings > Optional features on Windows",
        ),
        _ => Failure::new(format!("cannot run ssh-keygen: {error}")),
    })?;
    // What was shown is what is signed, whatever happens to the file meanwhile. If ssh-keygen
    // gave up early, its exit says why.
    let fed = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(bytes));
    let mut signature = Vec::new();
    let read = child.stdout.take().map_or(Ok(0), |mut out| out.read_to_end(&mut signature));
    let status = child.wait()?;
    read?;
    if !status.success() || fed.is_err() {
        return Err(Failure::new(format!("ssh-keygen did not sign with {key}")).help(key.help()));
    }
    Ok(signature)
}

/// What a signature is worth by the trust file of this machine.
struct Worth {
    signer: Option<Email>,
    /// None where there is no trust file to tell.
    counts: Option<bool>,
    detail: String,
}

fn worth(setup: &Setup, key: &Key, namespace: Namespace) -> Worth {
    let state = setup.trust();
    let trust = match state.usable() {
        Ok(trust) => trust,
        Err(why) => {
            let detail = format!("cannot check here whether this signature counts: {why}");
            return Worth { signer: None, counts: None, detail };
        }
    };
    match trust.who(key, setup.now(), namespace) {
        Ok(person) => {
            let what = if namespace == Namespace::Veto { "the veto" } else { "the signature" };
            let detail = format!("it counts as {what} of {person}");
            Worth { signer: Some(person.clone()), counts: Some(true), detail }
        }
        Err(why) => {
            let detail = format!("it does NOT count: {}", why.detail);
            Worth { signer: None, counts: Some(false), detail }
        }
    }
}

/// Writes the signature beside the request under a name that nobody has; where the same key has
/// signed before, that file is as good. Gives the path, and whether it is new.
fn keep(
    request: &Path,
    file: &WipeFile,
    namespace: Namespace,
    key: &Key,
    worth: &Worth,
    armored: &[u8],
) -> Result<(PathBuf, bool), Failure> {
    let same = |bytes: &[u8]| {
        sshsig::check(bytes, &file.bytes, namespace).is_ok_and(|checked| checked.key() == key)
    };
    let mut beside = file.signatures.iter().chain(&file.vetoes);
    if let Some((name, _)) = beside.find(|(_, bytes)| same(bytes)) {
        return Ok((request.with_file_name(name), false));
    }
    let who = worth.signer.as_ref().map_or_else(|| fingerprint_name(key), local_part);
    for name in names(namespace, &who) {
        let mut path = request.as_os_str().to_owned();
        path.push(name);
        let path = PathBuf::from(path);
        match durable::create_file(&path, armored) {
            Ok(()) => return Ok((path, true)),
            Err(error) if error.cause.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::new(format!("every name for a signature beside {} is taken", request.display()))
        .help("remove the signatures that do not count: `fleetform wipe verify` names them"))
}

/// `.sig`, `.carol.sig`, `.carol-2.sig` …
fn names(namespace: Namespace, who: &str) -> impl Iterator<Item = String> {
    let end = if namespace == Namespace::Veto { ".veto.sig" } else { ".sig" };
    let own = [end.to_owned(), format!(".{who}{end}")];
    own.into_iter().chain((2..100).map(move |n| format!(".{who}-{n}{end}")))
}

/// Of an address, as far as it is fit for a file name.
fn local_part(email: &Email) -> String {
    let local = email.as_str().split('@').next().unwrap_or_default();
    local
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .collect()
}

/// For a signer whom this machine does not know.
fn fingerprint_name(key: &Key) -> String {
    let print = fingerprint(key);
    let print = print.trim_start_matches("SHA256:").chars();
    format!("key-{}", print.filter(char::is_ascii_alphanumeric).take(8).collect::<String>())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    version: u32,
    path: String,
    request: Digest,
    namespace: Namespace,
    signature: String,
    written: bool,
    key: String,
    signer: Option<Email>,
    counts: Option<bool>,
    detail: String,
}

impl Signed {
    fn text(&self, signature: &Path, server: &str, out: &mut Out) -> io::Result<()> {
        let done = if self.written { "Written" } else { "Signed before" };
        let tone = if self.counts == Some(false) { Tone::Removed } else { Tone::Plain };
        writeln!(out, "{done}: {}", out.paint(Tone::Strong, &self.signature))?;
        writeln!(out, "  {}", out.paint(tone, &self.detail))?;
        let directory = shell(&durable::parent(signature).display().to_string());
        let name = shell(&signature.file_name().unwrap_or_default().to_string_lossy());
        let veto = if self.namespace == Namespace::Veto { "veto" } else { "sign" };
        let request = Path::new(&self.path).file_name().unwrap_or_default();
        let request = shell(&request.to_string_lossy());
        let commands = [
            format!("git -C {directory} add {request} {name}"),
            format!("git -C {directory} commit -m 'wipe: {veto}'"),
            format!("git -C {directory} push"),
            format!("fleetform wipe verify {}{server}", shell(&self.path)),
        ];
        writeln!(out, "Next:")?;
        for command in commands {
            writeln!(out, "    {}", out.paint(Tone::Strong, &command))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_signatures() {
        let of = |namespace| names(namespace, "carol").take(3).collect::<Vec<_>>();
        assert_eq!(of(Namespace::Wipe), [".sig", ".carol.sig", ".carol-2.sig"]);
        assert_eq!(of(Namespace::Veto), [".veto.sig", ".carol.veto.sig", ".carol-2.veto.sig"]);
        assert_eq!(local_part(&"o'neil/x@example.com".parse().unwrap()), "o-neil-x");
    }
}
