//! One device, with all that there is to say about it.

use std::io::{self, Write};

use serde::Serialize;

use super::deliveries::Delivery;
use super::device::{DeviceView, ago, exemption, overdue_since};
use super::episode;
use super::history::{EntryView, brief};
use super::json;
use super::jsonpath::Template;
use super::license;
use super::list::{compliance_tone, status_tone};
use super::mdm;
use super::out::{Out, Tone};
use super::sync;
use super::why::{Point, write_points};
use crate::domain::compliance::{ComplianceCheck, Outcome, Reported, checks};
use crate::domain::model::{DeviceId, Email, Profile, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::event::WipeSubject;
use crate::domain::state::{Approval, Device, Progress, PushState, State, Wipe, WipeState};
use crate::domain::wording::{count, people};
use crate::edges::ledger::Logged;

/// One device and what surrounds it.
#[derive(Debug, Clone)]
pub(crate) struct Shown<'a> {
    pub(crate) id: DeviceId,
    pub(crate) device: &'a Device,
    /// The recorded revision of its profile.
    pub(crate) profile: Option<&'a Profile>,
    /// Its compliance in parts.
    pub(crate) checks: Vec<ComplianceCheck>,
    /// Every wipe request about it that the ledger knows, oldest first.
    pub(crate) wipes: Vec<&'a Wipe>,
    /// Its entries of the log, in their order.
    pub(crate) history: &'a [Logged],
    /// Why it is as it is.
    pub(crate) why: Vec<Point>,
    /// What nobody has been told of it yet, though it is time.
    pub(crate) undelivered: Vec<Delivery>,
    /// For what is overdue or blocked.
    pub(crate) settings: &'a Settings,
    pub(crate) now: Timestamp,
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    device: DeviceView<'a>,
    checks: &'a [ComplianceCheck],
    wipes: Vec<RecordedJson<'a>>,
    history: Vec<EntryView<'a>>,
    why: &'a [Point],
    #[serde(skip_serializing_if = "<[Delivery]>::is_empty")]
    undelivered: &'a [Delivery],
}

impl<'a> Shown<'a> {
    /// A recorded device, with its entries of the log.
    #[must_use]
    pub(crate) fn of(
        state: &'a State,
        (id, device): (DeviceId, &'a Device),
        history: &'a [Logged],
        why: Vec<Point>,
        settings: &'a Settings,
        now: Timestamp,
    ) -> Self {
        let profile = state.profiles.get(&device.spec.profile).map(AsRef::as_ref);
        let reported = device.facts.as_deref().zip(device.last_sync);
        let reported = reported.map(|(facts, at)| Reported { facts, at });
        let checks = profile.map_or_else(Vec::new, |profile| {
            checks(&profile.compliance, device.spec.platform, reported)
        });
        let mut wipes: Vec<_> = state.wipes_of(id).collect();
        wipes.sort_by_key(|wipe| (wipe.since, wipe.subject.request));
        let undelivered = Vec::new();
        Self { id, device, profile, checks, wipes, history, why, undelivered, settings, now }
    }
}

impl Shown<'_> {
    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        for (key, value, tone) in self.fields() {
            let key = format!("{:<15}", format!("{key}:"));
            let value = out.paint(tone, &value).to_string();
            writeln!(out, "{}{value}", out.paint(Tone::Strong, &key))?;
        }
        self.write_checks(out)?;
        writeln!(out, "\n{}", out.paint(Tone::Strong, "Why:"))?;
        write_points(&self.why, out)?;
        if !self.history.is_empty() {
            writeln!(out, "\n{}", out.paint(Tone::Strong, "History:"))?;
            for logged in self.history {
                brief(&logged.entry, out)?;
            }
        }
        Ok(())
    }

    /// `{"version": 1, "device": {…}, "checks": […], "wipes": […], "history": […], "why": […], …}`.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::pretty(out, &self.document())
    }

    /// As [`Shown::json`].
    pub(crate) fn yaml(&self, out: &mut Out) -> io::Result<()> {
        json::yaml(out, &self.document())
    }

    /// What a template says of the JSON.
    pub(crate) fn template(&self, template: &Template, out: &mut Out) -> io::Result<()> {
        let document = serde_json::to_value(self.document()).map_err(io::Error::other)?;
        writeln!(out, "{}", template.fill(&document))
    }

    fn document(&self) -> Document<'_> {
        Document {
            version: 1,
            device: DeviceView::new(self.id, self.device, self.settings, self.now),
            checks: &self.checks,
            wipes: self.wipes.iter().map(RecordedJson::from).collect(),
            history: self.history.iter().map(EntryView::from).collect(),
            why: &self.why,
            undelivered: &self.undelivered,
        }
    }

    fn fields(&self) -> Vec<(&'static str, String, Tone)> {
        let spec = &self.device.spec;
        let mut fields = vec![
            ("Device", format!("{} {}", self.id, spec.name), Tone::Strong),
            ("Serial", spec.serial_number.to_string(), Tone::Plain),
            ("User", spec.user_email.to_string(), Tone::Plain),
            ("Ownership", spec.ownership.to_string(), Tone::Plain),
            ("Platform", spec.platform.to_string(), Tone::Plain),
            ("OS version", self.os_version(), Tone::Plain),
        ];
        if let Some(hardware) = &spec.hardware {
            let parts = [hardware.manufacturer.as_deref(), hardware.model.as_deref()];
            let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
            fields.extend((!text.is_empty()).then_some(("Hardware", text, Tone::Plain)));
        }
        if !spec.labels.is_empty() {
            let labels: Vec<_> = spec.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
            fields.push(("Labels", labels.join(", "), Tone::Plain));
        }
        fields.extend(self.profile_fields());
        fields.extend(self.life_fields());
        fields
    }

    fn profile_fields(&self) -> Vec<(&'static str, String, Tone)> {
        let mut fields = Vec::new();
        let name = &self.device.spec.profile;
        match self.profile {
            None => fields.push(("Profile", name.to_string(), Tone::Plain)),
            Some(profile) => {
                fields.push(("Profile", format!("{name}: {}", profile.description), Tone::Plain));
                if !profile.apps.is_empty() {
                    fields.push(("  Apps", profile.apps.join(", "), Tone::Plain));
                }
                fields.extend(license::of_device(self.device, profile));
            }
        }
        fields.push(match &self.device.push.progress.state {
            PushState::Pushed => ("  Push", "delivered".into(), Tone::Added),
            PushState::Intended => (
                "  Push",
                "in progress, or unknown until the next \
                            reconciliation"
                    .into(),
                Tone::Changed,
            ),
            PushState::Failed(class, error) => {
                ("  Push", format!("failed ({class}): {error}"), Tone::Removed)
            }
        });
        fields
    }

    fn life_fields(&self) -> Vec<(&'static str, String, Tone)> {
        let Self { device, now, .. } = *self;
        let since = |at: Timestamp| format!("since {} ({})", at.short(), ago(Some(at), now));
        let mut fields = vec![(
            "Status",
            format!("{} {}: {}", device.status, since(device.status_since), device.status_reason),
            status_tone(device.status),
        )];
        fields.push(("Enrollment", device.enrollment.to_string(), Tone::Plain));
        fields.push(("Manifest", device.manifest.path.to_string(), Tone::Plain));
        if let Some(at) = device.rare.orphaned_since {
            let text = format!(
                "{}: its manifest is gone; the device keeps its \
                                settings",
                since(at)
            );
            fields.push(("Orphaned", text, Tone::Changed));
        }
        if let Some(at) = device.rare.archived_since {
            fields.push(("Archived", since(at), Tone::Dim));
        }
        let synced = device.last_sync.map_or_else(
            || "never".into(),
            |at| format!("{} ({})", at.short(), ago(Some(at), now)),
        );
        fields.push(match overdue_since(device, self.settings, now) {
            None => ("Last sync", synced, Tone::Plain),
            Some(at) => {
                ("Last sync", format!("{synced}; overdue since {}", at.short()), Tone::Changed)
            }
        });
        fields.extend(sync::of_device(device, now));
        fields.extend(self.report_fields());
        fields.push(episode::access(device, self.settings, now));
        if let Some(exemption) = exemption(device) {
            let over = if exemption.holds(now) { "" } else { " (over)" };
            let until = exemption.exempt_until.short();
            let text = format!("until {until}{over}: {}", exemption.reason);
            let tone = if over.is_empty() { Tone::Changed } else { Tone::Dim };
            fields.push(("  Exempt", text, tone));
        }
        fields.extend(episode::of_device(device));
        let late = self.undelivered.iter();
        fields.extend(late.map(|late| ("Not told yet", late.brief(), Tone::Removed)));
        if let Some(at) = device.rare.unrequested_wipe.filter(|_| !device.is_wiped()) {
            let next = device.enrollment.saturating_add(1);
            let text = format!(
                "{}: the device reports that it was erased without a wipe request. Find out who \
                 did, then set enrollment: {next}",
                since(at)
            );
            fields.push(("Erased", text, Tone::Removed));
        }
        fields.extend(mdm::of_device(device));
        for wipe in &self.wipes {
            fields.extend(told(wipe));
            fields.extend(mdm::of_wipe(wipe));
        }
        let verdict = &device.compliance;
        fields.push((
            "Compliance",
            format!("{} {}", verdict.state, since(verdict.since)),
            compliance_tone(verdict.state),
        ));
        fields
    }

    /// What is odd about its reports.
    fn report_fields(&self) -> Vec<(&'static str, String, Tone)> {
        let mut fields = Vec::new();
        let facts = self.device.facts.as_deref();
        if let Some(at) = facts.and_then(|facts| facts.dated) {
            let text = format!("says {}; the report counts as of its arrival", at.short());
            fields.push(("  Clock", text, Tone::Changed));
        }
        for (field, text) in facts.into_iter().flat_map(|facts| &facts.unreadable) {
            let text = format!("`{field}` of the last report: {text}");
            fields.push(("  Unreadable", text, Tone::Changed));
        }
        if self.device.rare.passed_over > 0 {
            let reports = count(self.device.rare.passed_over, "report");
            let text = format!("{reports} that came after later ones");
            fields.push(("  Ignored", text, Tone::Plain));
        }
        fields
    }

    fn os_version(&self) -> String {
        let recorded = &self.device.spec.os_version;
        let facts = self.device.facts.as_ref();
        match facts.and_then(|facts| facts.os_version.as_ref()) {
            None => format!("{recorded} (provisioned; none reported)"),
            Some(seen) if seen.as_str() == recorded.as_str() => format!("{recorded} (reported)"),
            Some(seen) => format!("{seen} (reported; provisioned with {recorded})"),
        }
    }

    fn write_checks(&self, out: &mut Out) -> io::Result<()> {
        let mdm = self.device.facts.as_ref().is_some_and(|facts| facts.mdm.is_some());
        for ComplianceCheck { name, outcome, seen, wanted, evidence } in &self.checks {
            // Where there is but one source, nobody asks which it was.
            let evidence = evidence.filter(|_| mdm);
            let evidence = evidence.map_or_else(String::new, |word| format!(" ({word})"));
            let (mark, tone) = match outcome {
                Outcome::Pass => ("pass   ", Tone::Added),
                Outcome::Fail => ("FAIL   ", Tone::Removed),
                Outcome::Unknown => ("unknown", Tone::Changed),
            };
            writeln!(
                out,
                "  {}  {}: {}{evidence}; wanted: {}",
                out.paint(tone, mark),
                out.paint(Tone::Plain, name),
                out.paint(Tone::Plain, seen),
                out.paint(Tone::Plain, wanted)
            )?;
        }
        Ok(())
    }
}

/// One wipe request: how it stands, who stands behind it, until when.
fn told(wipe: &Wipe) -> Vec<(&'static str, String, Tone)> {
    let Wipe { subject, path, state, since, code, detail, signers, issue_at, .. } = wipe;
    let WipeSubject { name, scope, reason, requested_by, expires_at, .. } = subject;
    let tone = match state {
        WipeState::Accepted | WipeState::Issued | WipeState::Failed => Tone::Removed,
        WipeState::Held | WipeState::Refused | WipeState::RefusedForGood => Tone::Changed,
        WipeState::Confirmed | WipeState::Expired | WipeState::Vetoed => Tone::Dim,
    };
    let signed = people(signers);
    let mut rows = vec![
        ("Wipe", format!("{state} since {}: {scope}, {reason}", since.short()), tone),
        ("  Request", format!("{name}  {path}"), Tone::Plain),
        ("  Signed", format!("by {signed}; requested by {requested_by}"), Tone::Plain),
        ("  Expires", expires_at.short(), Tone::Plain),
    ];
    if let Some(at) = issue_at.filter(|_| *state == WipeState::Accepted) {
        rows.push(("  Issued", format!("not before {}", at.short()), Tone::Plain));
    }
    if !detail.is_empty() {
        let code = code.as_deref().map(|code| format!(" [{code}]")).unwrap_or_default();
        rows.push(("  Because", format!("{detail}{code}"), Tone::Plain));
    }
    rows
}

/// A wipe request of the ledger, in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordedJson<'a> {
    #[serde(flatten)]
    subject: &'a WipeSubject,
    path: &'a str,
    state: WipeState,
    since: Timestamp,
    code: Option<&'a str>,
    detail: &'a str,
    signers: &'a [Email],
    issue_at: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<&'a Progress>,
}

impl<'a> From<&&'a Wipe> for RecordedJson<'a> {
    fn from(wipe: &&'a Wipe) -> Self {
        let Wipe {
            subject,
            path,
            state,
            since,
            code,
            detail,
            signers,
            issue_at,
            issued_at,
            intent: _,
            approval,
            progress,
        } = *wipe;
        Self {
            subject,
            path,
            state: *state,
            since: *since,
            code: code.as_deref(),
            detail,
            signers,
            issue_at: *issue_at,
            issued_at: *issued_at,
            approval: approval.as_ref(),
            progress: progress.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests;
