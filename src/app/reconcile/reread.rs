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
use crate::edges::ledger::Reader;
use crate::edges::source;

/// The entries of the log that open requests name.
#[must_use]
pub fn heads(log: &dyn Reader, desired: &Desired, recorded: &State) -> Vec<LoggedHead> {
    let open = desired.wipes.iter().filter(|file| {
        recorded.wipes.get(&file.request.digest).is_none_or(|wipe| wipe.state.is_open())
    });
    let named = open.filter_map(|file| file.request.head);
    // What is not recorded yet need not be looked for.
    let seqs: BTreeSet<u64> =
        named.map(|head| head.seq).filter(|seq| *seq <= recorded.seq).collect();
    log.heads(&seqs)
}

/// Reads again what a wipe was judged by, for [`crate::app::execute::Control::reread`]: its
/// request with what is beside it, the fleet directory, the trust files, and last the clock.
#[must_use]
pub fn reread(
    (fleet, log): (&Path, &dyn Reader),
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
        heads: log.heads(&named.into_iter().collect()),
        clock: log.highest_time(),
        // Who reads a part of the fleet knows neither all vetoes nor whose the device is.
        file: match desired.missing {
            Some(why) => Err(why),
            None => source::again::request(fleet, file),
        },
        trust: trust(),
        settings: settings.clone(),
        now: now(),
    }
}

/// As [`reread`], from where a configuration says.
pub(crate) fn reread_by(config: &Config, file: &WipeFile) -> Fresh {
    let Config { fleet, settings, .. } = config;
    let log = wiring::ledger(config);
    reread((fleet, log.as_ref()), settings, || wiring::trust(config), clock::now, file)
}
