//! A pass in this process: what is planned, and what comes of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use fleetform::app::execute::{Control, Outcome, Reread};
use fleetform::app::reconcile::{Basis, Decision, acknowledge, carry_out, decide, observe};
use fleetform::domain::fleet::Desired;
use fleetform::domain::model::{DeviceId, Timestamp};
use fleetform::domain::plan::{Inputs, NO_NEWS, Plan, plan};
use fleetform::domain::settings::Settings;
use fleetform::domain::state::State;
use fleetform::domain::wipe::trust_state::TrustState;
use fleetform::edges::ledger::Ledger;
use fleetform::edges::provider::Provider;
use fleetform::edges::requests::Requests;

/// What a pass begins with, beside the record and the provider; no request names an entry of
/// the log.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    pub now: Timestamp,
    pub settings: &'a Settings,
    pub desired: &'a Desired,
    /// What people asked for in the data directory.
    pub requests: &'a Requests,
    pub trust: &'a TrustState,
}

impl Pass<'_> {
    /// As the planner is asked, where no device has said and nobody has asked for anything.
    pub fn inputs<'a>(&'a self, recorded: &'a State) -> Inputs<'a> {
        let Self { now, settings, desired, requests: _, trust } = *self;
        Inputs {
            now,
            settings,
            desired,
            recorded,
            heard: &[],
            news: &NO_NEWS,
            requests: &[],
            trust,
            heads: &[],
            clock: None,
        }
    }

    pub fn plan(&self, recorded: &State) -> Plan {
        plan(&self.inputs(recorded))
    }

    /// With what the provider says; over these devices only, if some are given.
    pub fn decide(
        &self,
        recorded: &State,
        provider: &dyn Provider,
        only: Option<&BTreeSet<DeviceId>>,
    ) -> Decision {
        let Self { now, settings, desired, requests, trust } = *self;
        let basis = Basis {
            now,
            settings,
            desired,
            recorded,
            requests,
            trust,
            accept_removals: None,
            heads: &[],
            clock: None,
            only,
        };
        decide(basis, wait_for(observe(provider, None, recorded)))
    }
}

/// Carries a decision out to its end. A wipe that is to be issued is read again by `reread`.
pub fn execute(
    decision: Decision,
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
    reread: &Reread<'_>,
) -> Outcome {
    let stop = &AtomicBool::new(false);
    let control = Control { stop, progress: &|_, _| (), revision: None, reread };
    wait_for(async {
        let (outcome, heard) = carry_out(decision, ledger, provider, &control).await?;
        match heard {
            Some(heard) => acknowledge(heard, ledger, provider).await.map(|()| outcome),
            None => Ok(outcome),
        }
    })
    .expect("an outcome")
}

/// As [`execute`], where no wipe can be issued.
pub fn execute_untrusted(
    decision: Decision,
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
) -> Outcome {
    execute(decision, ledger, provider, &|_| unreachable!("nobody is trusted"))
}

fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(work)
}
