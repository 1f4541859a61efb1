//! One of the two that are compared.

use std::path::PathBuf;
use std::sync::Arc;

use fleetform::app::execute::Reread;
use fleetform::app::reconcile::{Decision, reread};
use fleetform::domain::settings::Settings;
use fleetform::domain::wipe::WipeFile;
use fleetform::domain::wipe::trust_state::TrustState;
use fleetform::edges::ledger::{self, Ledger};
use fleetform::edges::provider::Provider;
use fleetform::edges::provider::local::Local;
use fleetform::edges::trust_files;

use crate::support::{Clock, Fixture, begin_ledger, execute};

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
        let (fleet, settings, log) =
            (fixture.path("fleet"), settings.clone(), ledger::file::reader(&data));
        let (signers, now) = (fixture.path("allowed_signers"), clock.reader());
        let reread = move |file: &WipeFile| {
            let trust = || {
                let read = trust_files::read(&signers, None, &fleet);
                read.map_or_else(|e| TrustState::Broken(e.to_string()), TrustState::Usable)
            };
            reread((&fleet, &*log), &settings, trust, &now, file)
        };
        // Both are the one that requests name.
        begin_ledger(&data, clock.now());
        let ledger =
            ledger::file::open(&data, "property".into(), clock.reader()).expect("a ledger");
        let provider = Arc::new(Local::new(&data));
        Self { ledger, provider, data, reread: Box::new(reread) }
    }

    pub fn carry_out(&mut self, decision: Decision) {
        let done = execute(decision, &mut self.ledger, &self.provider, &*self.reread);
        assert_eq!((done.left, &done.failed, &done.not_issued), (0, &vec![], &vec![]));
    }
}
