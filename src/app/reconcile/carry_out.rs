//! Carrying a decision out, and letting go of what it rests on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::decision::{Decision, Unacknowledged};
use super::error::Error;
use crate::app::execute::{Control, Outcome, execute};
use crate::domain::model::DeviceId;
use crate::domain::plan::{Plan, WipeView};
use crate::domain::state::event::{ConfigChanged, Event};
use crate::edges::config::Config;
use crate::edges::ledger::{self, Ledger};
use crate::edges::provider::Provider;
use crate::edges::requests::{self, RequestOutcome, Requests};

/// Notes in the log what the configuration says about rights, where that is not what the log said
/// last; not in the plan, which is about the fleet. Durable with what comes next.
///
/// # Errors
/// If the log cannot be written.
pub(crate) fn note_config(config: &Config, ledger: &mut Ledger) -> Result<(), ledger::Error> {
    let (from, to) = (ledger.state().config.as_deref().cloned(), config.rights());
    if from.as_ref() == Some(&to) {
        return Ok(());
    }
    ledger.append(vec![Event::ConfigChanged(Box::new(ConfigChanged { from, to })).into()])
}

/// Executes a decision, and lets go of what was asked for by command once the log has it durably. Gives what
/// was heard, if there was anything and nothing is left to do: it is to be acknowledged.
///
/// # Errors
/// If the ledger cannot be written or a request cannot be let go of; the next pass carries on.
pub async fn carry_out(
    decision: Decision,
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
    control: &Control<'_>,
) -> Result<(Outcome, Option<Unacknowledged>), Error> {
    let Decision { approved, heard, requests, .. } = decision;
    let outcomes = RequestOutcomes::of(approved.plan());
    let unknown = |view: &&WipeView| !ledger.state().wipes.contains_key(&view.subject.request);
    let unknown = approved.plan().wipes.iter().filter(unknown);
    let until = unknown.map(|view| view.subject.expires_at).max();
    ledger.time_matters_until(until);
    let outcome = execute(approved, ledger, provider, control).await?;
    if outcome.left == 0 && !requests.is_empty() {
        ledger.prove()?;
        outcomes.let_go(&requests).map_err(Error::Requests)?;
    }
    ledger.end_pass()?;
    let heard = heard.filter(|_| outcome.left == 0);
    Ok((outcome, heard))
}

/// Acknowledges what was heard, once a snapshot that says it is durable: the log does not.
///
/// # Errors
/// If the snapshot cannot be written or the provider cannot be told; then it is heard again.
pub async fn acknowledge(
    heard: Unacknowledged,
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
) -> Result<(), Error> {
    ledger.snapshot()?;
    acknowledge_saved(heard, ledger, provider).await
}

/// As [`acknowledge`], where there is such a snapshot.
///
/// # Errors
/// As there.
pub(crate) async fn acknowledge_saved(
    heard: Unacknowledged,
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
) -> Result<(), Error> {
    ledger.prove()?;
    let Unacknowledged { cursor, done } = heard;
    provider.acknowledge(&cursor, done).await.map_err(Error::Provider)
}

/// What becomes of requests once the plan is carried out.
struct RequestOutcomes {
    held: BTreeSet<(Arc<str>, DeviceId)>,
    refused: Vec<(Arc<str>, String)>,
}

impl RequestOutcomes {
    fn of(plan: &Plan) -> Self {
        Self { held: plan.held_requests.clone(), refused: plan.refused_requests.clone() }
    }

    fn let_go(&self, requests: &Requests) -> Result<(), requests::Error> {
        requests.let_go(|origin| {
            let why = self.refused.iter().find(|(refused, _)| **refused == *origin);
            match why {
                Some((_, why)) => RequestOutcome::Refused(why.clone()),
                None => {
                    let here = self.held.iter().filter(|(held, _)| **held == *origin);
                    RequestOutcome::Taken { waiting: here.map(|(_, id)| *id).collect() }
                }
            }
        })
    }
}
