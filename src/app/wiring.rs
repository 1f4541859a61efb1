//! From the configuration to a provider, a ledger and trust: the one place that knows which kinds
//! there are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::deliveries::mail::MailSink;
use crate::app::deliveries::{EventSink, ServiceNowSink, Sink, WebhookSink};
use crate::domain::notify_settings::NotifySettings;
use crate::domain::provider_settings::ProviderSettings;
use crate::domain::state::State;
use crate::domain::wipe::trust::Trust;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::clock;
use crate::edges::config::{self, Config};
use crate::edges::fs::secret::outside_of_checkout;
use crate::edges::ledger::{self, Ledger, Reader};
use crate::edges::provider::Provider;
use crate::edges::provider::intune::{Intune, InvalidConnection};
use crate::edges::provider::local::{self, Foreign, Local};
use crate::edges::source::{self, Cache, Loaded};
use crate::edges::trust_files;

/// Why there is no provider.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoProvider {
    #[error(transparent)]
    Connection(#[from] InvalidConnection),
    /// What proves to the MDM who is asking is no secret there.
    #[error("{} {why}", path.display())]
    Secret { path: PathBuf, why: String },
}

/// The MDM.
///
/// # Errors
/// If the settings name none that can be asked, or with a secret that the checkout holds.
pub(crate) fn provider(config: &Config) -> Result<Arc<dyn Provider>, NoProvider> {
    Ok(match intune(config)? {
        Some(intune) => Arc::new(intune),
        None => Arc::new(Local::new(&config.data)),
    })
}

/// The tenant, where the MDM is Intune.
///
/// # Errors
/// As for [`provider`].
pub(crate) fn intune(config: &Config) -> Result<Option<Intune>, NoProvider> {
    let settings = match &config.provider {
        ProviderSettings::Local => return Ok(None),
        ProviderSettings::Intune(settings) => settings,
    };
    for path in settings.secret_files() {
        let refused = |why| NoProvider::Secret { path: path.to_owned(), why };
        outside_of_checkout(path, &config.fleet).map_err(refused)?;
    }
    Ok(Some(Intune::new(settings, &config.data, clock::now)?))
}

/// The fleet directory, with the help of its index, if that is to be used. `keep` is for whoever is about
/// to hold the ledger; where `recorded` is known, manifests that say the same take no memory of their own.
pub(crate) fn fleet(config: &Config, keep: bool, recorded: Option<&State>) -> Loaded {
    source::load_indexed(&config.fleet, &cache(config), keep.then(clock::now), recorded)
}

/// Where the index of the fleet directory is kept.
pub(crate) fn cache(config: &Config) -> Cache {
    if config.index { Cache::of(&config.data) } else { Cache::none() }
}

/// Why somebody cannot be told.
#[derive(Debug, thiserror::Error)]
#[error("`notify.{sink}`: {why}")]
pub struct NoSink {
    pub(crate) sink: String,
    /// Without a full stop.
    pub(crate) why: String,
}

/// Those who are told what happens, as `notify` names them.
///
/// # Errors
/// If one of them cannot be made of its settings.
pub(crate) fn sinks(config: &Config) -> Result<Vec<Arc<dyn Sink>>, NoSink> {
    let mut sinks: Vec<Arc<dyn Sink>> = Vec::new();
    let NotifySettings { mail, service_now, webhooks, events, alerts } = &config.notify;
    for path in config.notify.secret_files() {
        outside_of_checkout(path, &config.fleet).map_err(|why| NoSink {
            sink: "…".to_owned(),
            why: format!("{} {why}", path.display()),
        })?;
    }
    if let Some(mail) = mail {
        let sink = MailSink::new(mail, alerts, &config.provider, clock::now);
        let sink = sink.map_err(|why| NoSink { sink: "mail".to_owned(), why: why.to_string() })?;
        sinks.push(Arc::new(sink));
    }
    if let Some(service_now) = service_now {
        sinks.push(Arc::new(ServiceNowSink::new(service_now, clock::now)));
    }
    for webhook in webhooks {
        sinks.push(Arc::new(WebhookSink::new(webhook, alerts, clock::now)));
    }
    for stream in events {
        // The configuration is refused without one.
        let issuer = config.issuer(stream).unwrap_or_default();
        sinks.push(Arc::new(EventSink::new(stream, issuer, clock::now)));
    }
    Ok(sinks)
}

/// The ledger, to read in; there need not be one.
pub(crate) fn ledger(config: &Config) -> Arc<dyn Reader> {
    if config.index {
        ledger::file::reader(&config.data)
    } else {
        ledger::file::reader_of_all(&config.data)
    }
}

/// A copy of the ledger as of the end of a whole pass, taken beside its writer.
///
/// # Errors
/// If there is none, it cannot be read, or something is wrong with it.
pub(crate) fn copy(config: &Config) -> Result<ledger::Copy, ledger::Error> {
    ledger::file::copy(&config.data)
}

/// The place of a ledger that is about to be restored.
///
/// # Errors
/// If there is something already.
pub(crate) fn restoring(config: &Config) -> Result<ledger::Restoring, ledger::Error> {
    ledger::Restoring::begin(&config.data)
}

/// Opens the ledger to write in it, unless what devices are told to do contradicts it.
///
/// # Errors
/// If it cannot be read or written, is another one, or is contradicted.
pub(crate) fn open(
    config: &Config,
    expected: ledger::Expected,
    actor: Arc<str>,
) -> Result<Ledger, ledger::Error> {
    let witness = |recorded: &State| match &config.provider {
        ProviderSettings::Intune(_) => Ok(()),
        ProviderSettings::Local => agrees_with_local(&config.data, recorded),
    };
    let terms = ledger::Terms { expected, witness: &witness, cache: config.index };
    ledger::file::open_as(&config.data, &terms, actor, clock::now)
}

fn agrees_with_local(data: &Path, recorded: &State) -> Result<(), String> {
    let wipes: BTreeSet<u64> = recorded.wipes.values().filter_map(|wipe| wipe.intent).collect();
    let foreign = local::foreign(data, &wipes, recorded.seq).map_err(|error| error.to_string())?;
    let Some(Foreign { path, command }) = foreign else { return Ok(()) };
    Err(format!(
        "{} has the command {} ({}), which the log does not have; it ends at entry {}, and its end is \
         missing, or the outbox is of another ledger: {}",
        path.display(),
        command.id,
        command.command,
        recorded.seq,
        ledger::CUT
    ))
}

/// Whose signatures count for wipes, or why nobody's do.
pub(crate) fn trust(config: &Config) -> TrustState {
    if !config.trust.is_configured() {
        return TrustState::NotConfigured;
    }
    match read_trust(config) {
        Ok(trust) => TrustState::Usable(trust),
        Err(error) => TrustState::Broken(match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        }),
    }
}

/// Reads the trust files that the configuration names.
///
/// # Errors
/// As for [`trust`], for those who have to know which.
pub(crate) fn read_trust(config: &Config) -> Result<Trust, trust_files::Error> {
    let config::TrustPaths { allowed_signers, revoked_keys } = &config.trust;
    let allowed = allowed_signers.as_ref().ok_or(trust_files::Error::NotConfigured)?;
    trust_files::read(allowed, revoked_keys.as_deref(), &config.fleet)
}
