//! What keeps the log from being written is told without it: whoever has to fix that cannot wait for it.
//!
//! Nothing of it is kept. Once the log can be written, it tells the same in its own way.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::sink::Sink;
use crate::domain::backoff::BackoffPolicy;
use crate::domain::model::Timestamp;
use crate::domain::notice::{Attempt, Job};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::state::event::{AlertChanged, Entry, Event};

/// Between tries.
const TRIES: BackoffPolicy =
    BackoffPolicy { first: Duration::from_secs(15), most: Duration::from_secs(900), seed: 2 };

/// Those who are being told. Dropped, nobody is told any more.
#[derive(Default)]
pub(super) struct Unlogged {
    tasks: JoinSet<()>,
    begun: bool,
}

impl Unlogged {
    /// Tells those who hear alerts, each until they have it; nothing where that goes on already.
    pub(super) fn begin(
        &mut self,
        sinks: &[Arc<dyn Sink>],
        alert: AlertChanged,
        (recorded, settings): (&Arc<State>, &Settings),
        now: Timestamp,
    ) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let event = Event::AlertBegan(Box::new(alert));
        // No entry has this number.
        let entry =
            Entry { seq: 0, at: now, device: None, actor: "fleetform".into(), source: None, event };
        for sink in sinks {
            for (n, job) in sink.jobs(&entry, recorded, settings).into_iter().enumerate() {
                let id = format!("unlogged-{}-{n}", now.millis());
                let job = Job { id, ..job };
                self.tasks.spawn(tell(sink.clone(), job, recorded.clone()));
            }
        }
    }

    /// The log can be written.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }
}

async fn tell(sink: Arc<dyn Sink>, job: Job, recorded: Arc<State>) {
    let (mut tries, mut doubt) = (0, false);
    loop {
        let (attempt, _) = sink.deliver(std::slice::from_ref(&job), &recorded, doubt).await;
        let (why, after) = match attempt {
            Attempt::Done { .. } | Attempt::NotNeeded { .. } => return,
            Attempt::Refused { why } => {
                tracing::warn!(sink = sink.name(), why, "an alert is refused");
                return;
            }
            Attempt::Retry { why, after } => (why, after),
            Attempt::InDoubt { why } => {
                doubt = true;
                (why, None)
            }
            Attempt::Misconfigured { why } => (why, None),
        };
        tries += 1;
        let wait = TRIES.wait(&job.id, tries).max(after.unwrap_or_default());
        tracing::warn!(
            sink = sink.name(),
            why,
            ?wait,
            "an alert is not delivered; it is tried again"
        );
        tokio::time::sleep(wait).await;
    }
}
