//! What `show` says of devices in all sorts of trouble.

use std::sync::Arc;

use expect_test::expect;

use super::*;
use crate::domain::model::{Digest, Exemption};
use crate::ui::render::hindrance::Hindrance;
use crate::ui::render::testing::{Screen, logged, now, state};
use crate::ui::render::why::Why;

fn checks() -> Vec<ComplianceCheck> {
    let row = |name: &'static str, outcome, seen: &str, wanted: &str| ComplianceCheck {
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
    checks: &[ComplianceCheck],
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
          Push:        delivered
        Status:        Enrolled since 2026-11-20T09:30:00Z (2d ago): the device reported
        Enrollment:    1
        Manifest:      madrid/ana.yaml
        Last sync:     2026-11-22T09:00:00Z (1h ago)
        Access:        block due since 2026-11-21T09:30:00Z; it has not been ordered yet
        Compliance:    nonCompliant since 2026-11-20T09:30:00Z (2d ago)
          FAIL     encryption: off; wanted: on
          pass     osVersion: 10.0.26100.3000; wanted: at least 10.0.26100
          unknown  antivirus: not reported; wanted: on\u{1b}[2J

        Why:
            Enrolled since 2026-11-20T09:30:00Z: the device reported.
          ! Not compliant since 2026-11-20T09:30:00Z: fails encryption. A block of its access has been due since 2026-11-21T09:30:00Z: it has not been ordered yet.
              - Guide ana.ruiz@example.com to fix this; the device is checked again at its next report.

        History:
          2026-11-20T08:00:00.000Z  device.provisioned  ana-ruiz-laptop (PF3XK9Q2) for ana.ruiz@example.com: corporate windows 10.0.26100.2314, profile Standard 1900eab6c028 [intent 2]
          2026-11-20T08:00:01.000Z  profile.pushed      pushed profile Standard 1900eab6c028 [intent 2]
          2026-11-20T09:30:00.000Z  device.status       Pending → Enrolled: the device reported
          2026-11-20T09:30:00.000Z  compliance.changed  unknown → nonCompliant; failing: encryption; not reported: antivirus
    "#]].assert_eq(&shown("D001", &state(), &checks(), |s, out| s.text(out)));
}

#[test]
fn an_exemption_is_shown_with_its_reason_until_it_is_over_and_after() {
    let exempt = |until: &str| {
        let mut state = state();
        let device = state.devices.get_mut(&"D001".parse().unwrap()).unwrap();
        let (exempt_until, reason) = (until.parse().unwrap(), "waits\u{202e}".into());
        let exemption = Exemption { exempt_until, reason };
        Arc::make_mut(&mut device.spec).access = Some(Box::new(exemption));
        let shown = shown("D001", &state, &[], |s, out| s.text(out));
        let access = |line: &&str| line.starts_with("Access:") || line.starts_with("  Exempt:");
        shown.lines().filter(access).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        exempt("2026-11-30T00:00:00Z"),
        [
            "Access:        allowed by an exemption; will be blocked at 2026-11-30T00:00:00Z",
            "  Exempt:      until 2026-11-30T00:00:00Z: waits\\u{202e}",
        ]
    );
    assert_eq!(
        exempt("2026-11-01T00:00:00Z"),
        [
            "Access:        block due since 2026-11-21T09:30:00Z; it has not been ordered yet",
            "  Exempt:      until 2026-11-01T00:00:00Z (over): waits\\u{202e}",
        ]
    );
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
          Push:        in progress, or unknown until the next reconciliation
        Status:        Enrolled since 2026-11-20T09:31:00Z (2d ago): the device reported
        Enrollment:    1
        Manifest:      madrid/ana.yaml
        Orphaned:      since 2026-11-21T09:00:00Z (1d 1h ago): its manifest is gone; the device keeps its settings
        Last sync:     2026-11-20T09:31:00Z (2d ago); overdue since 2026-11-21T09:31:00Z
        Access:        allowed
        Compliance:    unknown since 2026-11-20T08:00:00Z (2d 2h ago)

        Why:
          ! Orphaned since 2026-11-21T09:00:00Z: no manifest has its serial number (it was in madrid/ana.yaml). The device keeps its settings, and is not changed.
              - If the device is still in use, restore its manifest: it is then adopted again.
            Enrolled since 2026-11-20T09:31:00Z: the device reported.
          ~ The profile Mobile is being pushed; whether it arrived is not known yet.
          ~ Compliance has been unknown since 2026-11-20T08:00:00Z: the device has not reported its checks.
          ! Its sync is delayed: the last report came 2d ago, one is expected every 8h, and it is overdue since 2026-11-21T09:31:00Z.
              - Verify that the device is turned on and online.
              - Check the service status of the MDM (for Intune: Microsoft 365 admin center, Service health).
              - Ask it to report now: fleetform sync D002, or Sync in the Company Portal app.

        History:
          2026-11-20T08:00:00.000Z  device.provisioned  bo-li-phone (C39ZZ1) for bo.li@example.com: corporate ios 10.0.26100.2314, profile Mobile 1900eab6c028 [intent 2]
          2026-11-20T09:31:00.000Z  device.status       Pending → Enrolled: the device reported
          2026-11-21T09:00:00.000Z  device.orphaned     its manifest is gone; the device keeps its settings
    "#]].assert_eq(&shown("D002", &state(), &[], |s, out| s.text(out)));
}

#[test]
fn failed_and_wiped() {
    let failed = shown("D003", &state(), &[], |s, out| s.text(out));
    assert!(failed.contains("  Push:        failed (permanent): no such group\n"), "{failed}");
    assert!(failed.contains("Last sync:     never\n"), "{failed}");
    let wiped = shown("D004", &state(), &[], |s, out| s.text(out));
    assert!(wiped.contains("Access:        none: the device is wiped\n"), "{wiped}");
    assert!(wiped.contains("Status:        Wiped since 2026-11-22T08:00:00Z (2h ago)"), "{wiped}");
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
