//! One of the two that are compared.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use fleetform::app::execute::{Control, Reread};
use fleetform::app::reconcile::{Decision, carry_out, reread};
use fleetform::domain::settings::Settings;
use fleetform::domain::wipe::WipeFile;
use fleetform::domain::wipe::trust_state::TrustState;
use fleetform::edges::ledger::{self, Ledger};
use fleetform::edges::provider::Provider;
use fleetform::edges::provider::local::Local;
use fleetform::edges::trust_files;

use crate::support::{Clock, Fixture, begin_ledger};

/// A ledger and a provider of its own, and the clock of both.
pub struct Side {
    pub ledger: Ledger,
    pub provider: Arc<dyn Provider>,
    pub data: PathBuf,
    reread: Box<Reread<'static>>,
}

impl Side {
    pub fn new(fixture: &Fixture, name: &str, clock: &Clock, settings: &Settings) -> Self {
        let data = fixture.path(name);
        let (fleet, settings, log) = (fixture.path("fleet"), settings.clone(), data.clone());
        let (signers, now) = (fixture.path("allowed_signers"), clock.reader());
        let reread = move |file: &WipeFile| {
            let trust = || {
                let read = trust_files::read(&signers, None, &fleet);
                read.map_or_else(|e| TrustState::Broken(e.to_string()), TrustState::Usable)
            };
            reread((&fleet, &log), &settings, trust, &now, file)
        };
        // Both are the one that requests name.
        begin_ledger(&data, clock.now());
        let ledger =
            ledger::file::open(&data, "property".into(), clock.reader()).expect("a ledger");
        let provider = Arc::new(Local::new(&data));
        Self { ledger, provider, data, reread: Box::new(reread) }
    }

    pub fn carry_out(&mut self, decision: Decision) {
        let stop = AtomicBool::new(false);
        let control =
            Control { stop: &stop, progress: &|_, _| (), revision: None, reread: &*self.reread };
        let done = wait_for(carry_out(decision, &mut self.ledger, &self.provider, &control));
        assert_eq!((done.left, &done.failed, &done.not_issued), (0, &vec![], &vec![]));
    }
}

pub fn wait_for<T, E: Debug>(work: impl Future<Output = Result<T, E>>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(work).expect("it works")
}
