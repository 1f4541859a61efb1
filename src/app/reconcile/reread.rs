//! What of the log and the files a decision about wipes needs, at first and once more.

use std::collections::BTreeSet;
use std::path::Path;

use crate::app::wiring;
use crate::domain::fleet::{Desired, WipeFile};
use crate::domain::model::Timestamp;
use crate::domain::plan::Fresh;
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::wipe::target::LoggedHead;
use crate::domain::wipe::trust::Trust;
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
    ledger::heads(data, &seqs)
}

/// Reads again what a wipe was judged by, for [`crate::app::execute::Control::reread`]: its request with what is
/// beside it, the manifest of its device at this path, the trust files, and last the clock.
#[must_use]
pub fn reread(
    (fleet, data): (&Path, &Path),
    settings: &Settings,
    trust: impl FnOnce() -> Result<Trust, String>,
    now: impl FnOnce() -> Timestamp,
    (file, manifest): (&WipeFile, &str),
) -> Fresh {
    let named = file.request.head.map(|head| head.seq);
    Fresh {
        heads: ledger::heads(data, &named.into_iter().collect()),
        clock: ledger::highest_time(data),
        file: source::again::request(fleet, file),
        manifest: source::again::device(fleet, manifest, &file.request.serial),
        trust: trust(),
        settings: settings.clone(),
        now: now(),
    }
}

/// As [`reread`], from where a configuration says.
pub(crate) fn reread_by(config: &Config, file: &WipeFile, manifest: &str) -> Fresh {
    let Config { fleet, data, settings, .. } = config;
    reread((fleet, data), settings, || wiring::trust(config), clock::now, (file, manifest))
}
