//! `fleetform wipe verify`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::format::Format;
use super::super::process::runtime;
use super::super::server::{self, ServerArgs};
use super::super::setup::Setup;
use super::request::request;
use crate::app::reconcile::{Basis, decide, heads, observe};
use crate::domain::fleet::Desired;
use crate::domain::plan::{Inputs, NO_NEWS, verify_request};
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::requests::Requests;
use crate::ui::client::Remote;
use crate::ui::render::out::Out;
use crate::ui::render::server_verdict::ServerVerdict;
use crate::ui::render::wipe::{Answer, Context, Verified};

/// Says rule by rule whether a wipe request would be accepted now, as the daemon judges it:
/// by the ledger, the trust file and the other requests that this machine has.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform wipe verify fleet/wipes/d007-lost.yaml
  fleetform wipe verify fleet/wipes/d007-lost.yaml -o json | jq -r .verdict

Exits with 0 if it is accepted (or already issued), with 3 if it is held, with 1
if it is refused or cannot be judged here. With --server the daemon judges a
request that has been merged. A file outside the fleet directory is judged as if
it were inside, with a warning (`inFleet`). Formats: text, json.")]
pub(crate) struct Args {
    /// The request
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Makes the whole plan with this request in it, and shows what it says of it.
///
/// # Errors
/// If the request is not valid, or something that it is judged by cannot be read.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let file = request(&args.file, out)?;
    if let Some(remote) = &setup.remote {
        return of_server(&file, remote, format, out);
    }
    let mut desired = setup.desired();
    let (file, in_fleet) = place(file, &args.file, setup, &mut desired)?;
    let (recorded, trust) = (setup.proven()?, setup.trust());
    let (now, settings) = (setup.now(), &setup.config.settings);
    let trust = &trust;
    let log = setup.ledger()?;
    let (heads, clock) = (&heads(log.as_ref(), &desired, &recorded), log.highest_time());
    let inputs = Inputs {
        now,
        settings,
        desired: &desired,
        recorded: &recorded,
        heard: &[],
        news: &NO_NEWS,
        requests: &[],
        trust,
        heads,
        clock,
    };
    let judgement = verify_request(&inputs, &file);
    // A wipe is judged alike, whatever else was asked for.
    let asked = Requests::default();
    let basis = Basis {
        now,
        settings,
        desired: &desired,
        recorded: &recorded,
        requests: &asked,
        trust,
        accept_removals: None,
        heads,
        clock,
        only: None,
    };
    let provider = setup.provider()?;
    let decision = decide(basis, runtime()?.block_on(observe(provider.as_ref(), None, &recorded)));
    let view =
        decision.approved.plan().wipes.iter().find(|v| v.subject.request == file.request.digest);
    let view = view.ok_or_else(|| Failure::new("the plan does not speak of this request"))?;
    let no_ledger = (recorded.seq == 0)
        .then(|| format!("there is no ledger in {}", setup.config.data.display()));
    let frozen = decision.approved.refusal().map(|refusal| refusal.why.cause.explain());
    let spent = recorded.wipes.get(&view.subject.request).is_some_and(|wipe| !wipe.state.is_open());
    let no_trust = matches!(trust, TrustState::NotConfigured);
    let context = Context { no_ledger: no_ledger.as_deref(), no_trust, frozen, spent, in_fleet };
    let verified = Verified::new(view, &judgement, context);
    match format {
        Format::Json => verified.json(out)?,
        _ => verified.text(&setup.root(), out)?,
    }
    Ok(exit(verified.answer()))
}

/// What the daemon says of it: it has the trust file, its manifests and the other requests, and this
/// machine need not have any of them. Of a request that has not reached it nobody can say anything.
fn of_server(
    file: &WipeFile,
    remote: &Remote,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let plan: serde_json::Value = remote.json("/api/v1/plan").map_err(server::explain)?;
    let digest = file.request.digest.to_string();
    let wipes = plan["wipes"].as_array().map_or(&[][..], Vec::as_slice);
    let said = wipes.iter().find(|wipe| wipe["request"] == digest.as_str());
    let said = said.ok_or_else(|| {
        Failure::new(format!(
            "{} has not seen this request ({}), so it cannot say whether it would be accepted",
            remote.url(),
            file.place.path
        ))
        .help("push it and have it merged first; where the ledger and the trust file are, verify judges any file")
    })?;
    let frozen = !plan["frozen"].is_null();
    let said = ServerVerdict::new(said, frozen).ok_or_else(|| {
        Failure::new(format!("{} answers in a way that is not understood", remote.url()))
            .help("use the fleetform that the daemon runs")
    })?;
    match format {
        Format::Json => said.json(out)?,
        _ => said.text(remote.url(), out)?,
    }
    Ok(exit(said.answer()))
}

fn exit(answer: Answer) -> Exit {
    match answer {
        Answer::Accepted => Exit::Done,
        Answer::Held => Exit::Refused,
        Answer::Refused | Answer::Unknown => Exit::Failed,
    }
}

/// The request as the fleet directory has it, and whether it does; one that is not there yet is
/// put among the others.
fn place(
    file: WipeFile,
    path: &Path,
    setup: &Setup,
    desired: &mut Desired,
) -> Result<(Arc<WipeFile>, bool), Failure> {
    let digest = file.request.digest;
    if let Some(there) = desired.wipes.iter().find(|there| there.request.digest == digest) {
        return Ok((there.clone(), true));
    }
    if let Some(inside) = below(&setup.config.fleet, path) {
        let finding = desired.findings.iter().find(|f| Path::new(&*f.span.path) == inside);
        let why = finding.map_or("it is not read from there", |finding| &finding.message);
        return Err(Failure::new(format!("{} is refused: {why}", path.display()))
            .help("`fleetform check` shows all findings"));
    }
    let file = Arc::new(file);
    desired.wipes.push(file.clone());
    Ok((file, false))
}

/// The path within the fleet directory, where it lies there.
fn below(fleet: &Path, path: &Path) -> Option<PathBuf> {
    let inside = path.canonicalize().ok()?;
    Some(inside.strip_prefix(fleet.canonicalize().ok()?).ok()?.to_owned())
}
