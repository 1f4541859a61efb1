//! One device, with all that there is to say about it.

use std::io::{self, Write};

use serde::Serialize;

use super::device::{Access, DeviceView, access, ago, overdue_since};
use super::episode;
use super::history::{EntryView, brief};
use super::json;
use super::list::{compliance_tone, status_tone};
use super::mdm;
use super::out::{Out, Tone};
use super::sync;
use super::text::{count, people};
use super::why::{Point, write_points};
use crate::domain::compliance::{Check, Outcome, Reported, checks};
use crate::domain::model::{DeviceId, Email, Profile, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::event::WipeSubject;
use crate::domain::state::{Approval, Device, Progress, PushState, State, Wipe, WipeState};
use crate::edges::ledger::Logged;

/// One device and what surrounds it.
#[derive(Debug, Clone)]
pub(crate) struct Shown<'a> {
    pub(crate) id: DeviceId,
    pub(crate) device: &'a Device,
    /// The recorded revision of its profile.
    pub(crate) profile: Option<&'a Profile>,
    /// Its compliance in parts.
    pub(crate) checks: Vec<Check>,
    /// Every wipe request about it that the ledger knows, oldest first.
    pub(crate) wipes: Vec<&'a Wipe>,
    /// Its entries of the log, in their order.
    pub(crate) history: &'a [Logged],
    /// Why it is as it is.
    pub(crate) why: Vec<Point>,
    /// For what is overdue or blocked.
    pub(crate) settings: &'a Settings,
    pub(crate) now: Timestamp,
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
        Self { id, device, profile, checks, wipes, history, why, settings, now }
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

    /// `{"version": 1, "device": {…}, "checks": […], "wipes": […], "history": […], "why": […]}`.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Document<'a> {
            version: u32,
            device: DeviceView<'a>,
            checks: &'a [Check],
            wipes: Vec<RecordedJson<'a>>,
            history: Vec<EntryView<'a>>,
            why: &'a [Point],
        }
        let document = Document {
            version: 1,
            device: DeviceView::new(self.id, self.device, self.settings, self.now),
            checks: &self.checks,
            wipes: self.wipes.iter().map(RecordedJson::from).collect(),
            history: self.history.iter().map(EntryView::from).collect(),
            why: &self.why,
        };
        json::pretty(out, &document)
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
                for (key, values) in [("  Apps", &profile.apps), ("  Licenses", &profile.licenses)]
                {
                    if !values.is_empty() {
                        fields.push((key, values.join(", "), Tone::Plain));
                    }
                }
            }
        }
        fields.push(match &self.device.push.state {
            PushState::Pushed => ("  Push", "the provider has it".into(), Tone::Added),
            PushState::Intended => {
                ("  Push", "under way, or in doubt until the next pass".into(), Tone::Changed)
            }
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
        fields.push(("Enrollment", format!("number {}", device.enrollment), Tone::Plain));
        fields.push(("Manifest", device.manifest.path.to_string(), Tone::Plain));
        if let Some(at) = device.orphaned_since {
            let text = format!("{}: its manifest is gone; nothing is done to it", since(at));
            fields.push(("Orphaned", text, Tone::Changed));
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
        fields.push(match access(device, self.settings, now) {
            Access::Allowed => ("Access", "allowed".into(), Tone::Plain),
            Access::BlocksAt(at) => ("Access", format!("blocks at {}", at.short()), Tone::Changed),
            Access::BlockedSince(at) => {
                ("Access", format!("blocked since {}", at.short()), Tone::Removed)
            }
            Access::Gone => ("Access", "none: the device is wiped".into(), Tone::Dim),
        });
        fields.extend(episode::of_device(device));
        if let Some(at) = device.unrequested_wipe.filter(|_| !device.is_wiped()) {
            let next = device.enrollment.saturating_add(1);
            let text = format!(
                "{}: the device reports that it was erased; nobody here asked for it. Find out who did, then set enrollment: {next}",
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
        if self.device.passed_over > 0 {
            let reports = count(self.device.passed_over, "report");
            let text = format!("{reports} that came after later ones");
            fields.push(("  Passed over", text, Tone::Plain));
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
        for Check { name, outcome, seen, wanted, evidence } in &self.checks {
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
        ("  Signed", format!("by {signed}; asked for by {requested_by}"), Tone::Plain),
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
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::domain::model::Digest;
    use crate::ui::render::testing::{Screen, logged, now, state};
    use crate::ui::render::why::{Hindrance, Why};

    fn checks() -> Vec<Check> {
        let row = |name: &'static str, outcome, seen: &str, wanted: &str| Check {
            name,
            outcome,
            seen: seen.into(),
            wanted: wanted.into(),
            evidence: None,
        };
        vec![
            row("encryption", Outcome::Fail, "off", "on"),
            row("osVersion", Outcome::Pass, "10.0.26100.3000", "at least 10.0.26100"),
            row("antivirus", Outcome::Unknown, "not reported", "on\u{1b}[2J"),
        ]
    }

    fn shown(
        id: &str,
        state: &State,
        checks: &[Check],
        write: impl Fn(&Shown, &mut Out) -> io::Result<()>,
    ) -> String {
        let id = id.parse().unwrap();
        let device = &state.devices[&id];
        let history: Vec<_> = logged().into_iter().filter(|l| l.entry.device == Some(id)).collect();
        let settings = Settings::default();
        let hindrance = &Hindrance::default();
        let why = Why { state, id, device, hindrance, settings: &settings, now: now() };
        let of = Shown::of(state, (id, device), &history, why.points(), &settings, now());
        let shown = Shown { checks: checks.to_vec(), wipes: vec![], ..of };
        let screen = Screen::piped();
        write(&shown, &mut screen.out()).unwrap();
        screen.results()
    }

    #[test]
    fn in_trouble() {
        expect![[r#"
            Device:        D001 ana-ruiz-laptop
            Serial:        PF3XK9Q2
            User:          ana.ruiz@example.com
            Ownership:     corporate
            Platform:      windows
            OS version:    10.0.26100.3000 (reported; provisioned with 10.0.26100.2314)
            Labels:        site=madrid
            Profile:       Standard: Windows 11 workstation
              Apps:        Microsoft 365 Apps, VPN
              Licenses:    SPE_E3
              Push:        the provider has it
            Status:        Enrolled since 2026-11-20T09:30:00Z (2d ago): the device reported
            Enrollment:    number 1
            Manifest:      madrid/ana.yaml
            Last sync:     2026-11-22T09:00:00Z (1h ago)
            Access:        blocked since 2026-11-21T09:30:00Z
            Compliance:    nonCompliant since 2026-11-20T09:30:00Z (2d ago)
              FAIL     encryption: off; wanted: on
              pass     osVersion: 10.0.26100.3000; wanted: at least 10.0.26100
              unknown  antivirus: not reported; wanted: on\u{1b}[2J

            Why:
                Enrolled since 2026-11-20T09:30:00Z: the device reported.
              ! Not compliant since 2026-11-20T09:30:00Z: fails encryption. Access is blocked since 2026-11-21T09:30:00Z.
                  - Guide ana.ruiz@example.com to fix this; the device is checked again at its next report.

            History:
              2026-11-20T08:00:00.000Z  device.provisioned  ana-ruiz-laptop (PF3XK9Q2) for ana.ruiz@example.com: corporate windows 10.0.26100.2314, profile Standard 1900eab6c028 [intent 2]
              2026-11-20T08:00:01.000Z  profile.pushed      pushed profile Standard 1900eab6c028 [intent 2]
              2026-11-20T09:30:00.000Z  device.status       Pending → Enrolled: the device reported
              2026-11-20T09:30:00.000Z  compliance.changed  unknown → nonCompliant; failing: encryption; not reported: antivirus
        "#]].assert_eq(&shown("D001", &state(), &checks(), |s, out| s.text(out)));
    }

    #[test]
    fn orphaned_and_overdue() {
        expect![[r#"
            Device:        D002 bo-li-phone
            Serial:        C39ZZ1
            User:          bo.li@example.com
            Ownership:     corporate
            Platform:      ios
            OS version:    10.0.26100.3000 (reported; provisioned with 10.0.26100.2314)
            Labels:        site=madrid
            Profile:       Mobile
              Push:        under way, or in doubt until the next pass
            Status:        Enrolled since 2026-11-20T09:31:00Z (2d ago): the device reported
            Enrollment:    number 1
            Manifest:      madrid/ana.yaml
            Orphaned:      since 2026-11-21T09:00:00Z (1d 1h ago): its manifest is gone; nothing is done to it
            Last sync:     2026-11-20T09:31:00Z (2d ago); overdue since 2026-11-21T09:31:00Z
            Access:        allowed
            Compliance:    unknown since 2026-11-20T08:00:00Z (2d 2h ago)

            Why:
              ! Orphaned since 2026-11-21T09:00:00Z: no manifest has its serial number any more (it was in madrid/ana.yaml). The device keeps its settings, and nothing is done to it.
                  - If the device is still in use, restore its manifest: it is then adopted again.
                Enrolled since 2026-11-20T09:31:00Z: the device reported.
              ~ The profile Mobile is being pushed; whether it arrived is not known yet.
              ~ Compliance is unknown since 2026-11-20T08:00:00Z: the device has not reported its checks.
              ! Its sync is delayed: the last report came 2d ago, one is expected every 8h, and it is overdue since 2026-11-21T09:31:00Z.
                  - Verify that the device is turned on and online.
                  - Check the service status of the MDM (for Intune: Microsoft 365 admin center, Service health).
                  - Ask it to report now: fleetform sync D002, or Sync in the Company Portal app.

            History:
              2026-11-20T08:00:00.000Z  device.provisioned  bo-li-phone (C39ZZ1) for bo.li@example.com: corporate ios 10.0.26100.2314, profile Mobile 1900eab6c028 [intent 2]
              2026-11-20T09:31:00.000Z  device.status       Pending → Enrolled: the device reported
              2026-11-21T09:00:00.000Z  device.orphaned     its manifest is gone; nothing is done to it
        "#]].assert_eq(&shown("D002", &state(), &[], |s, out| s.text(out)));
    }

    #[test]
    fn failed_and_wiped() {
        let failed = shown("D003", &state(), &[], |s, out| s.text(out));
        assert!(failed.contains("  Push:        failed (permanent): no such group\n"), "{failed}");
        assert!(failed.contains("Last sync:     never\n"), "{failed}");
        let wiped = shown("D004", &state(), &[], |s, out| s.text(out));
        assert!(wiped.contains("Access:        none: the device is wiped\n"), "{wiped}");
        assert!(
            wiped.contains("Status:        Wiped since 2026-11-22T08:00:00Z (2h ago)"),
            "{wiped}"
        );
    }

    #[test]
    fn as_json() {
        let text = shown("D001", &state(), &checks(), |s, out| s.json(out));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let keys: Vec<_> = value.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["checks", "device", "history", "version", "why", "wipes"]);
        assert_eq!(value["device"]["id"], "D001");
        assert_eq!(value["checks"][0]["outcome"], "fail");
        assert_eq!(value["history"][1]["kind"], "profile.pushed");
        assert_eq!(value["history"][1]["source"]["digest"], Digest::of(b"manifest").to_string());
    }
}
