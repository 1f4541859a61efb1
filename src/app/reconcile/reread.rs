//! What of the log and the files a decision about wipes needs, at first and once more.

use std::collections::BTreeSet;
use std::path::Path;

use crate::app::wiring;
use crate::domain::fleet::Desired;
use crate::domain::model::Timestamp;
use crate::domain::plan::Fresh;
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::target::LoggedHead;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::clock;
use crate::edges::config::Config;
use crate::edges::ledger;
use crate::edges::source;

/// The entries of the log in `data` that open requests name.
#[must_use]
pub fn heads(data: &Path, desired: &Desired, recorded: &State) -> Vec<LoggedHead> {
    let open = desired.wipes.iter().filter(|file| {
        recorded.wipes.get(&file.request.digest).is_none_or(|wipe| wipe.state.is_open())
    });
    let named = open.filter_map(|file| file.request.head);
    // What is not recorded yet need not be looked for.
    let seqs: BTreeSet<u64> =
        named.map(|head| head.seq).filter(|seq| *seq <= recorded.seq).collect();
    ledger::reader(data).heads(&seqs)
}

/// Reads again what a wipe was judged by, for [`crate::app::execute::Control::reread`]: its
/// request with what is beside it, the fleet directory, the trust files, and last the clock.
#[must_use]
pub fn reread(
    (fleet, data): (&Path, &Path),
    settings: &Settings,
    trust: impl FnOnce() -> TrustState,
    now: impl FnOnce() -> Timestamp,
    file: &WipeFile,
) -> Fresh {
    let named = file.request.head.map(|head| head.seq);
    // All of it: any file may say that the device is personal.
    let desired = source::load(fleet);
    Fresh {
        manifest: desired.by_serial(&file.request.serial).map(|device| device.digest),
        unusable: desired.unusable,
        corporate: desired.corporate,
        heads: ledger::reader(data).heads(&named.into_iter().collect()),
        clock: ledger::reader(data).highest_time(),
        file: source::again::request(fleet, file),
        trust: trust(),
        settings: settings.clone(),
        now: now(),
    }
}

/// As [`reread`], from where a configuration says.
pub(crate) fn reread_by(config: &Config, file: &WipeFile) -> Fresh {
    let Config { fleet, data, settings, .. } = config;
    reread((fleet, data), settings, || wiring::trust(config), clock::now, file)
}
