//! What is said of the devices of the test fleet, to the byte.

use std::sync::Arc;

use expect_test::expect;

use super::*;
use crate::domain::state::Frozen;
use crate::domain::state::event::{FreezeCause, PassFrozen};
use crate::ui::render::testing::{Screen, now, state, time};

fn said_of(id: &str, state: &State, hindrance: &Hindrance) -> String {
    let id = id.parse().unwrap();
    let settings =
        Settings { archive_after: Some(chrono::TimeDelta::days(90)), ..Settings::default() };
    let device = &state.devices[&id];
    let why = Why { state, id, device, hindrance, settings: &settings, now: now() };
    let screen = Screen::piped();
    why.said().text(&mut screen.out()).unwrap();
    screen.results()
}

fn said(id: &str) -> String {
    said_of(id, &state(), &Hindrance::default())
}

#[test]
fn a_device_that_fails_its_checks_is_told_what_to_fix() {
    expect![[r#"
        D001 ana-ruiz-laptop (PF3XK9Q2): Enrolled
            Enrolled since 2026-11-20T09:30:00Z: the device reported.
          ! Not compliant since 2026-11-20T09:30:00Z: fails encryption. A block of its access has been due since 2026-11-21T09:30:00Z: it has not been ordered yet.
              - Guide ana.ruiz@example.com to fix this; the device is checked again at its next report.
    "#]].assert_eq(&said("D001"));
}

#[test]
fn an_orphan_that_is_not_heard_from_is_told_both() {
    expect![[r#"
        D002 bo-li-phone (C39ZZ1): Enrolled
          ! Orphaned since 2026-11-21T09:00:00Z: no manifest has its serial number (it was in madrid/ana.yaml). The device keeps its settings, and is not changed.
              - If the device is still in use, restore its manifest: it is then adopted again.
              - If not, leave it: it is archived at 2027-02-19T09:00:00Z.
            Enrolled since 2026-11-20T09:31:00Z: the device reported.
          ~ The profile Mobile is being pushed; whether it arrived is not known yet.
          ~ Compliance has been unknown since 2026-11-20T08:00:00Z: the device has not reported its checks.
          ! Its sync is delayed: the last report came 2d ago, one is expected every 8h, and it is overdue since 2026-11-21T09:31:00Z.
              - Verify that the device is turned on and online.
              - Check the service status of the MDM (for Intune: Microsoft 365 admin center, Service health).
              - Ask it to report now: fleetform sync D002, or Sync in the Company Portal app.
    "#]].assert_eq(&said("D002"));
}

#[test]
fn a_failed_enrollment_gets_the_advice_of_the_procedure() {
    expect![[r#"
        D003 cem-kaya-tablet (R52T): Failed
          ! Failed since 2026-11-22T09:50:00Z: the enrollment deadline of 30m passed. It enrolls if the device reports after all.
              - Check the network connectivity of the device.
              - Verify that the account of cem.kaya@example.com is active.
              - To start the enrollment again: in your clone of the repository, fleetform set cem-kaya-tablet enrollment=+1, and have it merged.
          ! The MDM refused the profile Mobile: no such group.
              - Change the profile or the device in the fleet directory; it is then pushed again.
    "#]].assert_eq(&said("D003"));
}

#[test]
fn a_wiped_device_waits_for_nothing() {
    expect![[r#"
        D004 dora-novak-laptop (PF9): Wiped
            Wiped since 2026-11-22T08:00:00Z: the wipe was confirmed. This device ID is finished.
    "#]]
    .assert_eq(&said("D004"));
}

#[test]
fn a_frozen_fleet_and_then_an_invalid_manifest_are_told_first() {
    let mut state = state();
    let why = PassFrozen { cause: FreezeCause::Empty, removed: 4, of: 4 };
    state.frozen = Some(Frozen { since: time("2026-11-22T09:00:00Z"), why });
    let held = Held {
        reason: HoldReason::ManifestInvalid,
        detail: "the manifest is invalid; fix it to continue".into(),
        place: Some("madrid/ana.yaml:7".into()),
    };
    let hindrance = Hindrance {
        refused: state.frozen.as_ref().map(|frozen| frozen.why.clone()),
        held: vec![held],
        declared: None,
    };
    expect![[r#"
        D003 cem-kaya-tablet (R52T): Failed
          ! The whole fleet is frozen since 2026-11-22T09:00:00Z: the fleet directory holds no device (4 of 4 devices gone). Until that is fixed nothing is changed on any device.
              - Restore the manifests.
              - If these 4 removals are intended, stop the daemon and run: fleetform apply --accept-removals 4
          ! Its manifest cannot be used (madrid/ana.yaml:7): the manifest is invalid; fix it to continue. Until then the device keeps what was recorded.
              - fleetform check shows what is wrong, with line and column.
          ! Failed since 2026-11-22T09:50:00Z: the enrollment deadline of 30m passed. It stays Failed until it has a valid manifest.
          ! The MDM refused the profile Mobile: no such group.
              - Change the profile or the device in the fleet directory; it is then pushed again.
    "#]].assert_eq(&said_of("D003", &state, &hindrance));
}

#[test]
fn a_freeze_that_is_to_come_is_told_with_its_numbers() {
    let refused = Some(PassFrozen { cause: FreezeCause::Shrunken, removed: 9, of: 12 });
    let text = said_of("D004", &state(), &Hindrance { refused, ..Hindrance::default() });
    expect![[r#"
        D004 dora-novak-laptop (PF9): Wiped
          ! The next reconciliation will freeze the whole fleet: too many devices are gone from the fleet directory at once (9 of 12 devices gone). From then on nothing is changed on any device until that is fixed.
              - Restore the manifests.
              - If these 9 removals are intended, stop the daemon and run: fleetform apply --accept-removals 9
            Wiped since 2026-11-22T08:00:00Z: the wipe was confirmed. This device ID is finished.
    "#]].assert_eq(&text);
}

#[test]
fn a_device_that_has_not_reported_waits_and_nothing_is_wrong() {
    let mut state = state();
    let id = "D001".parse().unwrap();
    let device = state.devices.get_mut(&id).unwrap();
    device.status = Status::Pending;
    device.status_since = now();
    device.status_reason = "provisioned".into();
    device.compliance.state = ComplianceState::Unknown;
    device.spec = Arc::new(device.spec.as_ref().clone());
    let text = said_of("D001", &state, &Hindrance::default());
    expect![[r#"
        D001 ana-ruiz-laptop (PF3XK9Q2): Pending
          ~ Pending since 2026-11-22T10:00:00Z: provisioned. It enrolls when it reports for the first time; without a report it becomes Failed at 2026-11-22T10:30:00Z.
              - Turn the device on and connect it to a network; enrolling takes 15 to 30 minutes.
    "#]].assert_eq(&text);
    assert!(!text.contains("  ! "), "{text}");
}

#[test]
fn as_json() {
    let state = state();
    let (id, hindrance, settings) =
        ("D003".parse().unwrap(), Hindrance::default(), Settings::default());
    let device = &state.devices[&id];
    let why =
        Why { state: &state, id, device, hindrance: &hindrance, settings: &settings, now: now() };
    let mut text = Vec::new();
    why.said().json(&mut text).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!((&value["version"], &value["device"]), (&1.into(), &"D003".into()));
    assert_eq!(value["why"][0]["topic"], "status");
    assert_eq!(value["why"][0]["standing"], "attention");
    assert!(value["why"][0]["advice"][1].as_str().unwrap().contains("cem.kaya@example.com"));
}
