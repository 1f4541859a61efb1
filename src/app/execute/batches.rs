//! Batch after batch: intents, effects, outcomes.
//!
//! Two are under way at a time: while one has its effects, what came of the last one is logged, and then
//! the intents of the next one.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::batch::{Begun, Done};
use super::control::{Control, Patience};
use super::outcome::Outcome;
use super::{profiles, wipes};
use crate::domain::guard::ApprovedPlan;
use crate::domain::model::Digest;
use crate::domain::plan::effect::Effect;
use crate::domain::plan::{Action, ActionKind, Telemetry};
use crate::edges::ledger::{self, Ledger};
use crate::edges::provider::Provider;

/// Actions between two fsyncs of the log: enough that the fsync (4 ms) does not count, few
/// enough that a stop is quick. A provider that takes more at once gets more.
const BATCH: usize = 2048;

/// Does what the plan says, and takes its telemetry in.
///
/// # Errors
/// If the log cannot be written; what is durable by then is carried on by the next pass.
pub(crate) async fn execute(
    approved: ApprovedPlan,
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
    control: &Control<'_>,
) -> Result<Outcome, ledger::Error> {
    let plan = approved.into_plan();
    let mut telemetry = plan.telemetry.as_slice();
    let total = plan.actions.len();
    let going_on = wipes::going_on(&plan.wipes);
    let new = plan.actions.iter().filter(|action| action.kind() == ActionKind::Provision).count();
    ledger.expect_devices(new);
    let mut pass = Pass {
        ledger,
        provider,
        control,
        patience: Patience::new(control.stop),
        total,
        outcome: Outcome::default(),
        done: 0,
        begun: None,
        over: None,
    };
    let carried_out = pass.all(plan.actions, &mut telemetry, &going_on).await;
    // Also where it could not go on: what was done belongs into the log.
    let ended = pass.end();
    carried_out.and(ended)?;
    let Pass { ledger, mut outcome, done, .. } = pass;
    ledger.sync()?;
    outcome.left = total - done;
    if outcome.left == 0 {
        observe(telemetry, ledger);
    }
    Ok(outcome)
}

/// A plan that is being carried out.
struct Pass<'a> {
    ledger: &'a mut Ledger,
    provider: &'a Arc<dyn Provider>,
    control: &'a Control<'a>,
    patience: Patience<'a>,
    /// How many actions there are, and how many are done.
    total: usize,
    done: usize,
    outcome: Outcome,
    /// A batch whose effects are still to come.
    begun: Option<Begun>,
    /// A batch whose effects are over: what came of them is still to be logged.
    over: Option<Done>,
}

impl Pass<'_> {
    /// All actions, up to a stop.
    async fn all(
        &mut self,
        actions: Vec<Action>,
        telemetry: &mut &[Telemetry],
        going_on: &HashSet<Digest>,
    ) -> Result<(), ledger::Error> {
        for batch in batches(actions, BATCH.max(self.provider.limits().batch)) {
            let alone = batch.first().filter(|action| goes_alone(action));
            if alone.is_some() {
                self.go_on(None).await?;
                self.end()?;
            }
            if self.control.stop.load(Ordering::Relaxed) {
                break;
            }
            // What a device said goes in with its actions: were it taken in ahead of a stop, its
            // report would be old news to the next pass, and what follows from it be lost.
            let last = batch.last().and_then(|action| action.device());
            let due = telemetry.partition_point(|said| Some(said.device) <= last);
            let said = telemetry.split_off(..due).unwrap_or_default();
            match alone {
                Some(action) => {
                    observe(said, self.ledger);
                    self.alone(action, going_on).await?;
                }
                None => self.go_on(Some((batch, said))).await?,
            }
        }
        self.go_on(None).await
    }

    /// Has the effects of the batch that was begun, and meanwhile ends the one before it and begins the next
    /// one, with what its devices said.
    async fn go_on(
        &mut self,
        next: Option<(Vec<Action>, &[Telemetry])>,
    ) -> Result<(), ledger::Error> {
        let begin = |ledger: &mut Ledger, control: &Control<'_>| {
            let begun = next.map(|(batch, said)| {
                observe(said, ledger);
                Begun::begin(batch, ledger, control.revision.as_ref())
            });
            begun.transpose()
        };
        let Some(begun) = self.begun.take() else {
            self.begun = begin(self.ledger, self.control)?;
            return Ok(());
        };
        if begun.rests_on_others(self.ledger.state()) {
            self.end()?;
        }
        let Self { ledger, provider, control, patience, outcome, .. } = self;
        let ready = begun.prepare(ledger, provider, patience).await?;
        let effects = ready.carry_out(provider, patience);
        let over = self.over.take();
        let logging = async {
            let ended = over.map(|over| over.end(ledger, outcome)).transpose()?;
            Ok::<_, ledger::Error>((ended, begin(ledger, control)))
        };
        // The effects first: their threads go on while the log is written.
        let (over, logged) = tokio::join!(biased; effects, logging);
        self.over = Some(over);
        let (ended, next) = logged?;
        self.advance(ended.unwrap_or(0));
        self.begun = next?;
        Ok(())
    }

    /// Ends the batch whose effects are over.
    fn end(&mut self) -> Result<(), ledger::Error> {
        let Some(over) = self.over.take() else { return Ok(()) };
        let ended = over.end(self.ledger, &mut self.outcome)?;
        self.advance(ended);
        Ok(())
    }

    /// Does what is a batch of its own.
    async fn alone(
        &mut self,
        action: &Action,
        going_on: &HashSet<Digest>,
    ) -> Result<(), ledger::Error> {
        let Self { ledger, provider, control, outcome, .. } = self;
        match action.effect() {
            Some(Effect::Restore { profile }) => {
                profiles::restore(action, profile, ledger, provider, outcome).await?;
            }
            _ => {
                let issuing = wipes::Issuing { provider, control, going_on };
                issuing.run(action, ledger, outcome).await?;
            }
        }
        self.advance(1);
        Ok(())
    }

    fn advance(&mut self, actions: usize) {
        self.done += actions;
        (self.control.progress)(self.done, self.total);
    }
}

fn observe(telemetry: &[Telemetry], ledger: &mut Ledger) {
    for Telemetry { device, last, passed_over } in telemetry {
        if let Some((at, facts)) = last {
            ledger.observe(*device, *at, facts);
        }
        ledger.pass_over(*device, *passed_over);
    }
}

/// All actions in their order, in batches of their own, so that each is freed once it is
/// done: the record grows into the memory that the plan leaves.
fn batches(mut actions: Vec<Action>, most: usize) -> impl Iterator<Item = Vec<Action>> {
    let mut begins = vec![0];
    while let Some(end) = begins.last().map(|begin| batch_end(&actions, *begin, most))
        && end < actions.len()
    {
        begins.push(end);
    }
    let mut split = |begin| {
        let batch = actions.split_off(begin);
        actions.shrink_to_fit();
        batch
    };
    let mut batches: Vec<_> = begins.into_iter().rev().map(&mut split).collect();
    std::iter::from_fn(move || batches.pop()).filter(|batch| !batch.is_empty())
}

/// Whether it is a batch of its own: all that has to do with orders to erase, and what is about no
/// device.
fn goes_alone(action: &Action) -> bool {
    matches!(
        action.effect(),
        Some(Effect::Wipe { .. } | Effect::Withdraw { .. } | Effect::Restore { .. })
    )
}

/// A batch ends where a device's actions end, so that a stop leaves no device half done, and
/// before and after what goes alone.
fn batch_end(actions: &[Action], begin: usize, most: usize) -> usize {
    let full = (begin + most).min(actions.len());
    if let Some(alone) = actions[begin..full].iter().position(goes_alone) {
        return begin + alone.max(1);
    }
    let mut end = full;
    while end < actions.len()
        && !goes_alone(&actions[end])
        && actions[end].device().is_some()
        && actions[end].device() == actions[end - 1].device()
    {
        end += 1;
    }
    end
}
