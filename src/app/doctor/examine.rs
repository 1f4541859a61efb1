//! All checks, in their order.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::configuration::{CONFIGURATION, configuration};
use super::data::{self, DIRECTORY, LOCK, SPACE};
use super::fleet::{FLEET, fleet};
use super::ledger::{self, CHAIN, CLOCK, LEDGER};
use super::secrets::{secrets, took_too_long};
use super::trust::trust;
use crate::app::wiring;
use crate::domain::diagnosis::{Check, CheckState, Needed};
use crate::domain::fleet::Desired;
use crate::domain::model::Timestamp;
use crate::domain::state::State;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::clock;
use crate::edges::config::{self, Config, Loaded};
use crate::edges::fs::directory_facts::{DirectoryFacts, user};
use crate::edges::ledger::{Error, Verified};
use crate::edges::provider::Diagnosis;
use crate::edges::source;

/// What is on this machine is looked at for so long at most.
const HERE: Duration = Duration::from_secs(15);
/// And everything together.
const ALL: Duration = Duration::from_secs(30);

const PROVIDER: &str = "provider";

/// Checks everything that a configuration asks for; `file` is where it is from, or would be.
pub(crate) async fn examine(file: &Path, loaded: Result<Loaded, config::Error>) -> Vec<Check> {
    let mut checks = vec![configuration(file, &loaded)];
    let Ok(Loaded { config, ignored: None }) = loaded else {
        let rest = [FLEET, "trust", DIRECTORY, LEDGER, CLOCK, PROVIDER];
        checks.extend(rest.map(|name| Check::skipped(name, CONFIGURATION)));
        return checks;
    };
    let (begun, now) = (Instant::now(), clock::now());
    let config = Arc::new(config);
    let here = Here::look(&config, begun + HERE).await;
    let end = begun + ALL;
    // The log may be long, and does not matter to the provider.
    let (chain, provider) = tokio::join!(
        by(end, {
            let config = config.clone();
            move || verified(&config)
        }),
        here.provider(&config, now, end),
    );
    checks.extend(here.checks(&config, &chain, now));
    checks.extend(here.secrets);
    checks.extend(provider);
    checks
}

/// What is on this machine; nothing of what took too long.
struct Here {
    desired: Option<Desired>,
    trust: Option<TrustState>,
    data: data::Found,
    writer: Option<String>,
    recorded: ledger::Read<State>,
    kept: Option<Timestamp>,
    secrets: Vec<Check>,
}

impl Here {
    async fn look(config: &Arc<Config>, end: Instant) -> Self {
        let with = |config: &Arc<Config>| config.clone();
        let (fleet, trust, data, rest) = (with(config), with(config), with(config), with(config));
        let named = with(config);
        let (desired, trust, data, rest, secrets) = tokio::join!(
            by(end, move || source::load(&fleet.fleet).as_of(clock::now())),
            by(end, move || wiring::trust(&trust)),
            by(end, move || DirectoryFacts::of(&data.data)),
            by(end, move || {
                let ledger = wiring::ledger(&rest);
                (ledger.writer(), recorded(&rest), ledger.highest_time())
            }),
            by(end, move || secrets(&named)),
        );
        let (writer, recorded, kept) = match rest {
            Some((writer, recorded, kept)) => (writer, Some(recorded), kept),
            None => (None, None, None),
        };
        let secrets = secrets.unwrap_or_else(|| vec![took_too_long()]);
        Self { desired, trust, data, writer, recorded, kept, secrets }
    }

    fn directory(&self, config: &Config) -> Check {
        data::directory(&config.data, config.data_is_named, &self.data, user())
    }

    fn checks(
        &self,
        config: &Config,
        chain: &ledger::Read<Verified>,
        now: Timestamp,
    ) -> Vec<Check> {
        let Self { desired, trust: trusted, data, writer, recorded, kept, secrets: _ } = self;
        let mut checks = vec![fleet(&config.fleet, desired.as_ref(), &config.notify)];
        checks.extend(trust(trusted.as_ref(), &config.settings.wipes.quorum, now));
        let directory = self.directory(config);
        let per_day = config.settings.provider.per_day;
        if directory.state == CheckState::Fails {
            checks.push(directory);
            let rest = [SPACE, LOCK, LEDGER, CHAIN, CLOCK];
            checks.extend(rest.map(|name| Check::skipped(name, DIRECTORY)));
            checks.extend(per_day.map(|_| ledger::unknown_today()));
            return checks;
        }
        checks.push(directory);
        checks.push(data::space(data));
        checks.push(data::lock(writer.as_deref()));
        checks.push(ledger::ledger(&config.data, config.data_is_named, recorded));
        checks.push(ledger::chain(chain));
        let state = match recorded {
            Some(Ok(state)) => Some(state.as_ref()),
            Some(Err(_)) | None => None,
        };
        checks.push(match state {
            Some(state) => ledger::clock(now, state.and_then(|state| state.at), *kept),
            None => Check::skipped(CLOCK, LEDGER),
        });
        let none = State::default();
        checks.extend(per_day.map(|most| match state {
            Some(state) => ledger::today(most, state.unwrap_or(&none), now),
            None => ledger::unknown_today(),
        }));
        checks
    }

    /// What the provider says of itself.
    async fn provider(&self, config: &Config, now: Timestamp, until: Instant) -> Vec<Check> {
        let provider = match wiring::provider(config) {
            Ok(provider) => provider,
            Err(error) => return vec![Check::broken(PROVIDER, error.to_string())],
        };
        let readable = self.desired.as_ref().filter(|desired| desired.missing.is_none());
        let data: Needed<()> = match self.directory(config).state {
            CheckState::Fails => Err(DIRECTORY),
            _ => Ok(()),
        };
        let asked = Diagnosis { fleet: readable.ok_or(FLEET), data, now, until };
        provider.diagnose(asked).await
    }
}

fn recorded(config: &Config) -> Result<Option<State>, Error> {
    let ledger = wiring::ledger(config);
    if ledger.exists()? { ledger.state().map(Some) } else { Ok(None) }
}

/// Beside a writer the end of the log may be half a line for a moment: then it is looked at again.
fn verified(config: &Config) -> Result<Option<Verified>, Error> {
    let ledger = wiring::ledger(config);
    if !ledger.exists()? {
        return Ok(None);
    }
    let verified = ledger.verify()?;
    if !verified.problems.is_empty() && ledger.writer().is_some() {
        return ledger.verify().map(Some);
    }
    Ok(Some(verified))
}

/// What is done until then, on a thread of its own; nothing if it takes longer.
async fn by<T: Send + 'static>(
    end: Instant,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    match timeout_at(end, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(done)) => Some(done),
        Ok(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        Err(_) => None,
    }
}
