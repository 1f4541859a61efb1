//! A provider that does what a script says: it refuses, takes its time before or after it has
//! taken a command, and dies. Whatever it does, each request is taken at most once.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use fleetform::domain::diagnosis::Check;
use fleetform::domain::model::Digest;
use fleetform::domain::plan::IssuableWipe;
use fleetform::domain::state::event::ErrorClass;
use fleetform::edges::provider::{
    Acknowledgement, Asked, Cadence, Cursor, Diagnosis, Error, LicenseTarget, Licensed, Limits,
    Observed, Prepared, Presence, ProfileSetup, Provider, Push, Receipt, Target, WipeOrder,
    Withdrawn,
};

use crate::support::{Lab, Request, start};

/// What becomes of a call that gives a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Takes,
    RefusesForNow,
    RefusesForGood,
    IsSilentBeforeTaking,
    IsSilentAfterTaking,
    DiesBeforeTaking,
    DiesAfterTaking,
}

const CALLS: [Call; 7] = [
    Call::Takes,
    Call::RefusesForNow,
    Call::RefusesForGood,
    Call::IsSilentBeforeTaking,
    Call::IsSilentAfterTaking,
    Call::DiesBeforeTaking,
    Call::DiesAfterTaking,
];

/// How it answers whether it has a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Truth,
    NobodyKnows,
    Fails,
}

const ANSWERS: [Answer; 3] = [Answer::Truth, Answer::NobodyKnows, Answer::Fails];

struct Scripted {
    calls: Mutex<VecDeque<Call>>,
    answer: Answer,
    taken: Mutex<Vec<(Digest, u64)>>,
}

impl Scripted {
    fn take(&self, wipe: &IssuableWipe, intent: u64) {
        self.taken.lock().expect("no panic").push((wipe.wipe().request().digest, intent));
    }

    fn taken(&self) -> Vec<(Digest, u64)> {
        self.taken.lock().expect("no panic").clone()
    }
}

#[async_trait]
impl Provider for Scripted {
    fn limits(&self) -> Limits {
        // Who is not done at once is silent.
        Limits { batch: 10, concurrency: 1, timeout: Duration::ZERO }
    }

    fn cadence(&self) -> Cadence {
        Cadence::default()
    }

    async fn observe(&self, _: Asked<'_>) -> Result<Observed, Error> {
        Ok(Observed { complete: true, ..Observed::default() })
    }

    async fn prepare(&self, _: &ProfileSetup) -> Result<Prepared, Error> {
        Ok(Prepared::default())
    }

    async fn push(&self, push: Push) -> Vec<Result<(), Error>> {
        vec![Ok(()); push.targets.len()]
    }

    async fn assign_license(
        &self,
        _: &str,
        targets: Vec<LicenseTarget>,
        _: u64,
    ) -> Vec<Result<Licensed, Error>> {
        vec![Ok(Licensed::Assigned); targets.len()]
    }

    async fn sync(&self, targets: Vec<Target>, _: u64) -> Vec<Result<(), Error>> {
        vec![Ok(()); targets.len()]
    }

    async fn set_access(&self, targets: Vec<Target>, _: bool, _: u64) -> Vec<Result<(), Error>> {
        vec![Ok(()); targets.len()]
    }

    async fn wipe(&self, wipe: &IssuableWipe, order: WipeOrder<'_>) -> Result<Receipt, Error> {
        let intent = order.intent;
        let call = self.calls.lock().expect("no panic").pop_front().unwrap_or(Call::Takes);
        let refused = |class, retry_after| Err(Error { retry_after, ..Error::new(class, "no") });
        match call {
            Call::Takes => self.take(wipe, intent),
            Call::RefusesForNow => {
                return refused(ErrorClass::Transient, Some(Duration::from_secs(300)));
            }
            Call::RefusesForGood => return refused(ErrorClass::Permanent, None),
            Call::IsSilentBeforeTaking => std::future::pending().await,
            Call::IsSilentAfterTaking => {
                self.take(wipe, intent);
                std::future::pending().await
            }
            Call::DiesBeforeTaking => panic!("dies"),
            Call::DiesAfterTaking => {
                self.take(wipe, intent);
                panic!("dies")
            }
        }
        Ok(Receipt::default())
    }

    async fn has(&self, _: &Target, intent: u64, _: Option<u64>) -> Result<Presence, Error> {
        match self.answer {
            Answer::Truth if self.taken().iter().any(|(_, taken)| *taken == intent) => {
                Ok(Presence::There)
            }
            Answer::Truth => Ok(Presence::NotThere),
            Answer::NobodyKnows => Ok(Presence::Unknown),
            Answer::Fails => Err(Error::new(ErrorClass::Transient, "busy")),
        }
    }

    async fn withdraw(&self, _: &Target, _: u64) -> Result<Withdrawn, Error> {
        Ok(Withdrawn::NotPossible("it has no such call".to_owned()))
    }

    async fn acknowledge(&self, _: &Cursor, _: Vec<Acknowledgement>) -> Result<(), Error> {
        Ok(())
    }

    async fn diagnose(&self, _: Diagnosis<'_>) -> Vec<Check> {
        Vec::new()
    }
}

/// A signed request, the calls that become of it, and all that must hold.
fn run(prepared: &Lab, calls: &[Call], answer: Answer) {
    let at = format!("{calls:?}, asked: {answer:?}");
    let provider = Arc::new(Scripted {
        calls: Mutex::new(calls.iter().copied().collect()),
        answer,
        taken: Mutex::default(),
    });
    let mut lab = prepared.copy(|_| ());
    lab.at(start());
    lab.provider = provider.clone();
    for _ in 0..calls.len() + 2 {
        // Who dies leaves a lock that its drop lets go of, as the end of a process does.
        let _ = catch_unwind(AssertUnwindSafe(|| lab.pass()));
        let taken = provider.taken();
        assert!(taken.len() <= 1, "{at}: {taken:?}");
        lab.wait(TimeDelta::minutes(6));
    }
    // By the calls alone: the first that takes it, refuses it for good, or leaves it in doubt.
    let (mut taken, mut deferred) = (true, 0);
    for call in calls {
        match call {
            Call::RefusesForNow => {}
            // Every pass of the lab is a process of its own, which asks about what is open.
            Call::IsSilentBeforeTaking | Call::DiesBeforeTaking if answer == Answer::Truth => {}
            Call::Takes | Call::IsSilentAfterTaking | Call::DiesAfterTaking => break,
            Call::RefusesForGood | Call::IsSilentBeforeTaking | Call::DiesBeforeTaking => {
                taken = false;
                break;
            }
        }
        deferred += 1;
    }
    let kinds = lab.kinds();
    assert_eq!(provider.taken().len(), usize::from(taken), "{at}: {kinds:?}");
    let count = |kind| kinds.iter().filter(|said| *said == kind).count();
    assert_eq!((count("wipe.issued"), count("wipe.deferred")), (deferred + 1, deferred), "{at}");
    for (_, intent) in provider.taken() {
        let announced = lab
            .log()
            .into_iter()
            .filter(|(kind, data)| kind == "wipe.issued" && data["intent"] == intent);
        assert_eq!(announced.count(), 1, "{at}: none without its line");
    }
    // Long after its end nothing is given, and what was given is told as not taken back.
    lab.at(start() + TimeDelta::hours(25));
    lab.pass();
    assert_eq!(provider.taken().len(), usize::from(taken), "{at}");
    let refused = lab.kinds().contains(&"wipe.failed".to_owned());
    let (kind, data) = lab.log().pop().expect("an entry");
    assert!(refused || (kind == "wipe.expired" && data["code"] == "notWithdrawn"), "{at}: {kind}");
}

#[test]
fn whatever_a_provider_does_in_whatever_order_each_request_is_taken_at_most_once() {
    std::thread::scope(|scope| {
        for answer in ANSWERS {
            scope.spawn(move || {
                // With a clock of its own, which its copies share.
                let lab = Lab::with(1);
                lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
                for first in CALLS {
                    for second in CALLS {
                        run(&lab, &[first, second], answer);
                    }
                }
            });
        }
    });
}
