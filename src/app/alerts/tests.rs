//! Alerts of a pass by itself, with a real ledger and sinks that answer what the test says.

use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::json;

use super::*;
use crate::app::deliveries::Ticketed;
use crate::app::wiring;
use crate::domain::notice::{Attempt, Job, Topic};
use crate::domain::settings::Settings;
use crate::domain::state::event::{Entry, Event};
use crate::edges::ledger::Expected;

/// Hears of each entry of some kind, and answers always the same.
struct Teller {
    name: &'static str,
    hears: &'static str,
    works: Mutex<bool>,
    heard: Mutex<Vec<String>>,
}

#[async_trait]
impl Sink for Teller {
    fn name(&self) -> &str {
        self.name
    }

    fn jobs(&self, entry: &Entry, _: &State, _: &Settings) -> Vec<Job> {
        let about = match &entry.event {
            Event::AlertBegan(alert) | Event::AlertEnded(alert) => alert.about.as_str(),
            _ => "",
        };
        let job = Job {
            id: format!("{}{}", self.name, entry.seq),
            entry: entry.seq,
            // Long ago.
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
            not_before: None,
            device: None,
            episode: None,
            topic: Topic::Entry,
            payload: json!(format!("{} {about}", entry.event.kind())),
        };
        entry.event.kind().starts_with(self.hears).then_some(job).into_iter().collect()
    }

    fn obsolete(&self, _: &Job, _: &State) -> Option<String> {
        None
    }

    async fn deliver(&self, jobs: &[Job], _: &State, _: bool) -> (Attempt, Option<Ticketed>) {
        if !*self.works.lock().unwrap() {
            return (Attempt::Retry { why: "503".into(), after: None }, None);
        }
        let texts = jobs.iter().map(|job| job.payload.as_str().unwrap().to_owned());
        self.heard.lock().unwrap().extend(texts);
        (Attempt::Done { reference: None }, None)
    }

    async fn test(&self) -> Attempt {
        Attempt::Done { reference: None }
    }
}

fn teller(name: &'static str, hears: &'static str, works: bool) -> Arc<Teller> {
    Arc::new(Teller { name, hears, works: Mutex::new(works), heard: Mutex::default() })
}

/// What `ops` hears of a run: of the sink that fails, in the order in which it came.
async fn heard(config: &Config, dead: &Arc<Teller>) -> Vec<String> {
    let ops = teller("webhook:ops", "alert.", true);
    let sinks: Vec<Arc<dyn Sink>> = vec![dead.clone(), ops.clone()];
    let mut ledger = wiring::open(config, Expected::Any, "test".into()).unwrap();
    let (mut watched, limit) = (Watched::default(), Duration::from_secs(20));
    let alone = (&mut watched, &[][..], Moment::default());
    tell_for(limit, sinks, config, &mut ledger, alone).await.unwrap();
    let heard = ops.heard.lock().unwrap();
    heard.iter().filter(|text| text.ends_with("dead")).cloned().collect()
}

#[tokio::test]
async fn a_run_by_itself_tells_at_its_end_who_cannot_be_told_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config { data: dir.path().join("data"), ..Config::default() };
    config.notify.alerts.webhooks = vec!["ops".parse().unwrap()];
    let happens = |kind, data: serde_json::Value| {
        let mut ledger = wiring::open(&config, Expected::Any, "test".into()).unwrap();
        ledger.append(vec![Event::parse(kind, &data.to_string()).unwrap().into()]).unwrap();
        ledger.end_pass().unwrap();
    };
    let dead = teller("webhook:dead", "pass.", false);
    happens("pass.frozen", json!({"cause": "empty", "removed": 1, "of": 1}));
    assert_eq!(heard(&config, &dead).await, [""; 0], "it begins with what comes");
    happens("pass.thawed", json!({}));
    assert_eq!(heard(&config, &dead).await, ["alert.began webhook:dead"], "in the same run");
    assert_eq!(heard(&config, &dead).await, [""; 0], "once");
    *dead.works.lock().unwrap() = true;
    assert_eq!(heard(&config, &dead).await, ["alert.ended webhook:dead"]);
    assert_eq!(heard(&config, &dead).await, [""; 0]);
}
