//! Numbers about the daemon, as Prometheus reads them.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use super::access::Counts as Decided;
use crate::app::deliveries::SinkStatus;
use crate::app::reconcile::ReportCounts;
use crate::app::status::{BUCKETS, Counts, Histogram, Metrics, View};
use crate::domain::access::Reason;
use crate::domain::backoff::Admission;
use crate::domain::model::{ComplianceState, Status as DeviceStatus, Timestamp};
use crate::domain::plan::{ActionKind, HoldReason};
use crate::domain::wipe::trust_state::TrustWord;

/// The text format, one sample a line.
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(self.0, "# HELP fleetform_{name} {help}\n# TYPE fleetform_{name} {kind}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        let _ = writeln!(self.0, "fleetform_{name} {value}");
    }

    fn by(&mut self, name: &str, label: &str, samples: &[(&str, u64)]) {
        for (word, value) in samples {
            let _ = writeln!(self.0, "fleetform_{name}{{{label}=\"{word}\"}} {value}");
        }
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let mut total = 0;
        for (end, count) in BUCKETS.iter().zip(histogram.counts) {
            total += count;
            let _ = writeln!(self.0, "fleetform_{name}_bucket{{le=\"{end}\"}} {total}");
        }
        let Histogram { count, sum, .. } = histogram;
        let _ = writeln!(
            self.0,
            "fleetform_{name}_bucket{{le=\"+Inf\"}} {count}\nfleetform_{name}_sum {sum}\n\
             fleetform_{name}_count {count}"
        );
    }
}

/// What is looked up when somebody asks, and costs next to nothing.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Seconds since the snapshot was written, where there is one.
    pub(super) snapshot_age: Option<f64>,
    /// When Git last fetched into the checkout, in seconds since 1970, where that can be told.
    pub(super) fetched_at: Option<f64>,
}

/// All of it.
pub(super) fn text(view: &View, decisions: &Decided, looked: &Looked) -> String {
    let mut text = Text(String::new());
    let none = Counts::default();
    let counts = view.status.as_ref().map_or(&none, |status| &status.counts);
    devices(&mut text, counts);
    let Metrics {
        passes,
        failed_passes,
        pass,
        lag,
        done,
        fell_short,
        reports,
        watching,
        backing_off,
        breaker,
        trust,
        signers,
        committed_at,
    } = &view.metrics;
    text.family("passes_total", "counter", "Reconciliations (passes), by outcome.");
    text.by("passes_total", "outcome", &[("done", *passes), ("failed", *failed_passes)]);
    text.histogram("pass_duration_seconds", "Duration of reconciliations (passes).", pass);
    text.histogram("apply_lag_seconds", "From a change to the end of its reconciliation.", lag);
    let help = "Actions, by kind; failed if the provider did not carry them out.";
    text.family("actions_total", "counter", help);
    for kind in ActionKind::ALL {
        let [all, failed] = [done, fell_short].map(|of| of.get(kind).copied().unwrap_or_default());
        let label = format!("kind=\"{}\",outcome", kind.as_str());
        text.by("actions_total", &label, &[("done", all - failed), ("failed", failed)]);
    }
    let ReportCounts { taken, passed_over, rejected } = *reports;
    text.one("reports_taken_total", "counter", "Reports of known devices.", taken);
    let help = "Of these, reports that arrived after newer ones and changed nothing.";
    text.one("reports_passed_over_total", "counter", help, passed_over);
    let help = "Lines and files of reports that were rejected as invalid.";
    text.one("reports_rejected_total", "counter", help, rejected);
    text.family("holds", "gauge", "Desired changes that are held, by reason.");
    let holds: Vec<_> = HoldReason::ALL
        .iter()
        .map(|reason| {
            let of = |holds: &BTreeMap<_, u64>| holds.get(reason).copied().unwrap_or_default();
            (reason.as_str(), of(&counts.holds) + of(&view.held_back))
        })
        .collect();
    text.by("holds", "reason", &holds);
    text.one("findings", "gauge", "Findings of manifests and reports.", view.findings);
    // No counter: a backup that is restored sets it back.
    text.one("log_sequence", "gauge", "The last entry of the log.", view.recorded.seq);
    let Looked { snapshot_age, fetched_at } = looked;
    if let Some(age) = snapshot_age {
        text.one("snapshot_age_seconds", "gauge", "Seconds since the snapshot was written.", age);
    }
    if let Some(at) = committed_at {
        let help = "Time of the commit that was last applied.";
        text.one("revision_timestamp_seconds", "gauge", help, at.millis() / 1000);
    }
    if let Some(at) = fetched_at {
        let help = "When Git last fetched into the checkout; absent where the last fetch failed.";
        text.one("checkout_fetched_timestamp_seconds", "gauge", help, at);
    }
    text.one(
        "ready",
        "gauge",
        "Whether the daemon is ready and reconciles.",
        u8::from(view.not_ready.is_empty()),
    );
    text.one(
        "frozen",
        "gauge",
        "Whether the fleet is frozen (safety stop).",
        u8::from(view.recorded.frozen.is_some()),
    );
    text.one(
        "watching",
        "gauge",
        "Whether file system events work; 0 if the daemon polls.",
        u8::from(*watching),
    );
    let words = [TrustWord::Usable, TrustWord::Broken].map(|word| u8::from(*trust == Some(word)));
    let help = "Whether signatures of wipe requests can be checked.";
    text.one("trust_usable", "gauge", help, words[0]);
    let help =
        "Whether trust files are configured that cannot be relied on: every wipe is refused.";
    text.one("trust_broken", "gauge", help, words[1]);
    let help = "People whose signatures of wipe requests count.";
    text.one("trust_signers", "gauge", help, signers);
    text.one(
        "devices_backing_off",
        "gauge",
        "Devices that are retried later, after \
                                              failures.",
        backing_off,
    );
    deliveries(&mut text, &view.statuses.all());
    let open = matches!(breaker, Some(Admission::Nothing(_) | Admission::One));
    text.one(
        "breaker_open",
        "gauge",
        "Whether calls to the provider are paused after many \
                                       failures.",
        u8::from(open),
    );
    access(&mut text, view, decisions);
    text.0
}

fn access(text: &mut Text, view: &View, decisions: &Decided) {
    let Decided { by_resource, by_reason, mistakes } = decisions;
    let configured = view.config.access.as_ref().map(|access| &access.rules.resources);
    let names = configured.into_iter().flat_map(|resources| resources.keys());
    let mut all: BTreeMap<&str, [u64; 2]> = names.map(|name| (&**name, [0, 0])).collect();
    all.extend(by_resource.iter().map(|(name, counts)| (&**name, *counts)));
    let help = "Access decisions, by resource and outcome.";
    text.family("access_decisions_total", "counter", help);
    for (name, [allowed, denied]) in all {
        // Visible ASCII, by the configuration.
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        let label = format!("resource=\"{name}\",outcome");
        text.by("access_decisions_total", &label, &[("allowed", allowed), ("denied", denied)]);
    }
    text.family(
        "access_denials_total",
        "counter",
        "Access decisions that denied access, by \
                                                    reason.",
    );
    let of = |reason: &Reason| by_reason.get(reason).copied().unwrap_or_default();
    let reasons: Vec<_> = Reason::ALL.iter().map(|reason| (reason.as_str(), of(reason))).collect();
    text.by("access_denials_total", "reason", &reasons);
    let help = "Access requests that were malformed.";
    text.one("access_mistakes_total", "counter", help, mistakes);
}

/// How those stand who are told what happens; declared also where nobody is.
fn deliveries(text: &mut Text, all: &BTreeMap<String, SinkStatus>) {
    let help = "Notifications, by sink and outcome; failed attempts included.";
    text.family("deliveries_total", "counter", help);
    for (sink, status) in all {
        let SinkStatus {
            known: _,
            waiting: _,
            oldest: _,
            delivered,
            failed,
            given_up,
            dropped,
            stuck: _,
            failing: _,
            telling: _,
        } = status;
        let label = format!("sink=\"{sink}\",outcome");
        let samples = [
            ("delivered", *delivered),
            ("failed", *failed),
            ("givenUp", *given_up),
            ("dropped", *dropped),
        ];
        text.by("deliveries_total", &label, &samples);
    }
    text.family("deliveries_waiting", "gauge", "Notifications that are waiting, by sink.");
    let waiting: Vec<_> =
        all.iter().map(|(sink, status)| (sink.as_str(), status.waiting as u64)).collect();
    text.by("deliveries_waiting", "sink", &waiting);
    let help = "Since when the oldest due notification has been waiting, by sink; 0 if none is.";
    text.family("deliveries_oldest_timestamp_seconds", "gauge", help);
    let seconds = |at: Timestamp| u64::try_from(at.millis() / 1000).unwrap_or_default();
    let oldest: Vec<_> = all
        .iter()
        .map(|(sink, status)| (sink.as_str(), status.oldest.map_or(0, seconds)))
        .collect();
    text.by("deliveries_oldest_timestamp_seconds", "sink", &oldest);
    text.family(
        "deliveries_stuck",
        "gauge",
        "Whether a sink is paused after failures, or cannot \
                                              continue.",
    );
    let stuck: Vec<_> = all
        .iter()
        .map(|(sink, status)| (sink.as_str(), u64::from(status.stuck.is_some())))
        .collect();
    text.by("deliveries_stuck", "sink", &stuck);
}

fn devices(text: &mut Text, counts: &Counts) {
    let Counts {
        holds: _,
        devices,
        compliance,
        orphaned,
        archived,
        missing,
        awaiting_approval,
        erased,
    } = counts;
    let help = "Devices that report that they were erased without a wipe request.";
    text.one("unrequested_wipes", "gauge", help, *erased);
    let help = "Devices that the MDM no longer lists.";
    text.one("devices_missing", "gauge", help, *missing);
    let help = "Wipes that wait for another administrator's approval in the MDM.";
    text.one("wipes_awaiting_approval", "gauge", help, *awaiting_approval);
    text.family("devices", "gauge", "Devices, by status.");
    let counts =
        DeviceStatus::ALL.iter().map(|s| (s.as_str(), devices.get(s).copied().unwrap_or(0)));
    text.by("devices", "status", &counts.collect::<Vec<_>>());
    text.family("devices_compliance", "gauge", "Devices, by verdict.");
    let counts =
        ComplianceState::ALL.iter().map(|s| (s.as_str(), compliance.get(s).copied().unwrap_or(0)));
    text.by("devices_compliance", "state", &counts.collect::<Vec<_>>());
    let help = "Devices whose manifest is gone, without archived ones.";
    text.one("devices_orphaned", "gauge", help, orphaned);
    text.one("devices_archived", "gauge", "Archived devices, which lists leave out.", archived);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn buckets_are_cumulative() {
        let mut histogram = Histogram::default();
        for millis in [5, 10, 20, 700, 500_000] {
            histogram.observe(Duration::from_millis(millis));
        }
        let mut text = Text(String::new());
        text.histogram("x", "X.", &histogram);
        for line in [
            "# TYPE fleetform_x histogram",
            "fleetform_x_bucket{le=\"0.01\"} 2",
            "fleetform_x_bucket{le=\"0.05\"} 3",
            "fleetform_x_bucket{le=\"1\"} 4",
            "fleetform_x_bucket{le=\"120\"} 4",
            "fleetform_x_bucket{le=\"+Inf\"} 5",
            "fleetform_x_count 5",
        ] {
            assert!(text.0.lines().any(|l| l == line), "{line}\n{}", text.0);
        }
    }

    #[test]
    fn every_word_has_a_sample_from_the_beginning() {
        let view = View::first(crate::edges::config::Config::default());
        let looked = Looked { snapshot_age: Some(1.5), fetched_at: Some(3.0) };
        let text = text(&view, &Decided::default(), &looked);
        for line in [
            "fleetform_devices{status=\"Wiped\"} 0",
            "fleetform_actions_total{kind=\"wipe\",outcome=\"failed\"} 0",
            "fleetform_holds{reason=\"frozen\"} 0",
            "fleetform_snapshot_age_seconds 1.5",
            "fleetform_checkout_fetched_timestamp_seconds 3",
            "fleetform_trust_signers 0",
            "fleetform_ready 0",
            "fleetform_unrequested_wipes 0",
            "fleetform_devices_missing 0",
            "fleetform_wipes_awaiting_approval 0",
            "fleetform_reports_passed_over_total 0",
            "fleetform_reports_rejected_total 0",
            "fleetform_access_denials_total{reason=\"evidence-stale\"} 0",
            "fleetform_access_mistakes_total 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
