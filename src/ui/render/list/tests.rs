use expect_test::expect;

use super::*;
use crate::domain::state::State;
use crate::domain::wipe::target::LedgerId;
use crate::ui::render::testing::{Screen, now, state};

fn listed(
    screen: &Screen,
    state: &State,
    write: impl Fn(&Listing, &mut Out) -> io::Result<()>,
) -> String {
    let devices: Vec<_> = state.devices.iter().map(|(id, device)| (*id, device)).collect();
    let settings = Settings::default();
    let mut out = screen.out();
    write(
        &Listing {
            devices: &devices,
            wipes: &state.wipes,
            ledger: state.lineage.map(LedgerId),
            undelivered: &[].into(),
            settings: &settings,
            now: now(),
        },
        &mut out,
    )
    .unwrap();
    screen.results()
}

/// The state of the tests, with a manifest path and a reason that no check would have let through.
fn hostile() -> State {
    let mut state = state();
    let device = state.devices.get_mut(&"D001".parse().unwrap()).unwrap();
    device.manifest.path = "a\u{1b}[2J\u{202e}.yaml".into();
    device.status_reason = "=1+1\u{9b}31m\n".into();
    let mut spec = (*device.spec).clone();
    spec.user_email = "=cmd|x@example.com".parse().unwrap();
    spec.serial_number = "-1".parse().unwrap();
    device.spec = spec.into();
    state
}

#[test]
fn piped() {
    expect![[r#"
        ID    NAME               SERIAL    USER                    PROFILE    PLATFORM  STATUS    COMPLIANCE    LAST-SYNC             NOTES
        D001  ana-ruiz-laptop    PF3XK9Q2  ana.ruiz@example.com    Standard   windows   Enrolled  nonCompliant  2026-11-22T09:00:00Z  block due
        D002  bo-li-phone        C39ZZ1    bo.li@example.com       Mobile     ios       Enrolled  unknown       2026-11-20T09:31:00Z  orphaned, overdue
        D003  cem-kaya-tablet    R52T      cem.kaya@example.com    Mobile     android   Failed    unknown       never                 push failed
        D004  dora-novak-laptop  PF9       dora.novak@example.com  Executive  windows   Wiped     compliant     never
    "#]].assert_eq(&listed(&Screen::piped(), &state(), |l, out| l.text(out)));
}

#[test]
fn at_80_and_200_columns() {
    let narrow = Screen::wide(80);
    expect![[r#"
        ID    NAME      SERIAL    USER      STATUS    COMPLIANCE    LAST-SYNC  NOTES
        D001  ana-rui…  PF3XK9Q2  ana.rui…  Enrolled  nonCompliant  1h ago     block due
        D002  bo-li-p…  C39ZZ1    bo.li@e…  Enrolled  unknown       2d ago     orphaned…
        D003  cem-kay…  R52T      cem.kay…  Failed    unknown       never      push fai…
        D004  dora-no…  PF9       dora.no…  Wiped     compliant     never
    "#]]
    .assert_eq(&listed(&narrow, &state(), |l, out| l.text(out)));
    expect![[r#"
        PROFILE, PLATFORM hidden: the terminal is too narrow; -o json has everything
    "#]]
    .assert_eq(&narrow.notes());
    expect![[r#"
        ID    NAME               SERIAL    USER                    PROFILE    PLATFORM  STATUS    COMPLIANCE    LAST-SYNC  NOTES
        D001  ana-ruiz-laptop    PF3XK9Q2  ana.ruiz@example.com    Standard   windows   Enrolled  nonCompliant  1h ago     block due
        D002  bo-li-phone        C39ZZ1    bo.li@example.com       Mobile     ios       Enrolled  unknown       2d ago     orphaned, overdue
        D003  cem-kaya-tablet    R52T      cem.kaya@example.com    Mobile     android   Failed    unknown       never      push failed
        D004  dora-novak-laptop  PF9       dora.novak@example.com  Executive  windows   Wiped     compliant     never
    "#]].assert_eq(&listed(&Screen::wide(200), &state(), |l, out| l.text(out)));
}

#[test]
fn as_json() {
    let text = listed(&Screen::piped(), &state(), |l, out| l.json(out));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["devices"].as_array().unwrap().len(), 4);
    // The fields of one device, among them all keys that the snapshot has.
    expect![[r#"
        {
          "compliance": {
            "failing": [],
            "missing": [],
            "since": "2026-11-20T08:00:00.000Z",
            "state": "unknown"
          },
          "enrollment": 1,
          "facts": null,
          "hardware": null,
          "id": "D003",
          "labels": {
            "site": "madrid"
          },
          "lastSync": null,
          "manifest": {
            "digest": "05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f",
            "path": "madrid/ana.yaml"
          },
          "name": "cem-kaya-tablet",
          "orphanedSince": null,
          "osVersion": "10.0.26100.2314",
          "overdue": false,
          "ownership": "corporate",
          "passedOver": 0,
          "platform": "android",
          "profile": "Mobile",
          "push": {
            "class": "permanent",
            "digest": "1900eab6c028483d7126599ee6f50de0d27907b5c65fa90524580b4b0f9852b0",
            "error": "no such group",
            "intent": 2,
            "state": "failed"
          },
          "serialNumber": "R52T",
          "status": "Failed",
          "statusReason": "the enrollment deadline of 30m passed",
          "statusSince": "2026-11-22T09:50:00.000Z",
          "unrequestedWipe": null,
          "userEmail": "cem.kaya@example.com",
          "wipe": null
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&value["devices"][2]).unwrap());
    assert_eq!(value["version"], 1);
    assert_eq!(value["devices"][1]["overdue"], true);
    assert_eq!(value["devices"][0]["facts"]["osVersion"], "10.0.26100.3000");
}

#[test]
fn yaml_says_what_json_says() {
    let json = listed(&Screen::piped(), &state(), |l, out| l.json(out));
    let yaml = listed(&Screen::piped(), &state(), |l, out| l.yaml(out));
    let from_json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let from_yaml: serde_json::Value = serde_yaml::from_str(&yaml).unwrap();
    assert_eq!(from_json, from_yaml);
    assert!(yaml.starts_with("version: 1\ndevices:\n- id: D001\n"), "{yaml}");
}

#[test]
fn as_csv() {
    expect![[r#"
        id,name,serialNumber,userEmail,profile,platform,osVersion,reportedOsVersion,ownership,labels,status,statusSince,statusReason,enrollment,compliance,complianceSince,failing,lastSync,overdue,orphanedSince,manifest,exemptUntil
        D001,ana-ruiz-laptop,PF3XK9Q2,ana.ruiz@example.com,Standard,windows,10.0.26100.2314,10.0.26100.3000,corporate,site=madrid,Enrolled,2026-11-20T09:30:00.000Z,the device reported,1,nonCompliant,2026-11-20T09:30:00.000Z,encryption,2026-11-22T09:00:00.000Z,false,,madrid/ana.yaml,
        D002,bo-li-phone,C39ZZ1,bo.li@example.com,Mobile,ios,10.0.26100.2314,10.0.26100.3000,corporate,site=madrid,Enrolled,2026-11-20T09:31:00.000Z,the device reported,1,unknown,2026-11-20T08:00:00.000Z,,2026-11-20T09:31:00.000Z,true,2026-11-21T09:00:00.000Z,madrid/ana.yaml,
        D003,cem-kaya-tablet,R52T,cem.kaya@example.com,Mobile,android,10.0.26100.2314,,corporate,site=madrid,Failed,2026-11-22T09:50:00.000Z,the enrollment deadline of 30m passed,1,unknown,2026-11-20T08:00:00.000Z,,,false,,madrid/ana.yaml,
        D004,dora-novak-laptop,PF9,dora.novak@example.com,Executive,windows,10.0.26100.2314,,corporate,site=madrid,Wiped,2026-11-22T08:00:00.000Z,the wipe was confirmed,1,compliant,2026-11-20T10:00:00.000Z,,,false,,madrid/ana.yaml,
    "#]].assert_eq(&listed(&Screen::piped(), &state(), |l, out| l.csv(out)));
}

#[test]
fn no_format_lets_a_hostile_text_through() {
    let is_hostile = |c: char| c != '\n' && crate::domain::model::is_deceptive(c);
    let state = hostile();
    for text in [
        listed(&Screen::piped(), &state, |l, out| l.text(out)),
        listed(&Screen::wide(80), &state, |l, out| l.text(out)),
        listed(&Screen::piped(), &state, |l, out| l.json(out)),
        listed(&Screen::piped(), &state, |l, out| l.yaml(out)),
        listed(&Screen::piped(), &state, |l, out| l.csv(out)),
    ] {
        assert!(!text.chars().any(is_hostile), "{text}");
    }
    let csv = listed(&Screen::piped(), &state, |l, out| l.csv(out));
    let row = csv.lines().nth(1).unwrap();
    for inert in ["'=cmd|x@example.com", "'-1", r"'=1+1\u{9b}31m\n"] {
        assert!(row.contains(inert), "{row}");
    }
    assert_eq!(csv.lines().count(), 5);
}

#[test]
fn nothing_is_no_header_in_text_and_an_empty_list_elsewhere() {
    let none = State::default();
    assert_eq!(listed(&Screen::piped(), &none, |l, out| l.text(out)), "");
    let json = listed(&Screen::piped(), &none, |l, out| l.json(out));
    assert_eq!(json, "{\n  \"version\": 1,\n  \"devices\": []\n}\n");
    assert_eq!(listed(&Screen::piped(), &none, |l, out| l.csv(out)).lines().count(), 1);
}
