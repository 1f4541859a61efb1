//! `spec.access`: shown wherever the device is, and never for longer than a month.

use chrono::{TimeDelta, Utc};

use crate::support::{Device, Fixture, text};

/// So many days from now, as a manifest spells it.
fn in_days(days: i64) -> String {
    (Utc::now() + TimeDelta::days(days)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn exempt(until: &str) -> String {
    let access = format!("{{exemptUntil: {until}, reason: waits for a new disk}}");
    Device::new("A1").with("access", access).yaml()
}

#[test]
fn an_exemption_is_shown_wherever_its_device_is() {
    let fixture = Fixture::of(&["A1"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    let until = in_days(20);
    fixture.write("fleet/A1.yaml", exempt(&until));
    fixture.run(&["check"]).exits(0);
    let plan = fixture.json(&["plan"]);
    let change = &plan["actions"][0]["changes"][0];
    assert_eq!((text(&change["field"]), &change["from"]), ("access", &serde_json::Value::Null));
    assert_eq!(change["to"]["reason"], "waits for a new disk");
    assert!(fixture.run(&["plan"]).exits(0).stdout.contains("waits for a new disk"));
    fixture.run(&["apply", "--yes"]).exits(0);
    assert!(fixture.run(&["list"]).exits(0).stdout.contains("exempt"));
    let access = &fixture.json(&["list"])["devices"][0]["access"];
    assert_eq!(text(&access["exemptUntil"])[..19], until[..19]);
    assert_eq!(*access, fixture.state()["devices"]["D001"]["access"], "as it is recorded");
    assert!(fixture.run(&["list", "-o", "csv"]).exits(0).stdout.contains(&until[..19]));
    let shown = fixture.run(&["show", "A1"]).exits(0).stdout;
    assert!(
        shown.contains(&format!("  Exempt:      until {until}: waits for a new disk")),
        "{shown}"
    );
    let log = fixture.run(&["audit", "log", "--device", "D001"]).exits(0).stdout;
    assert!(log.contains("reason=waits for a new disk"), "{log}");
}

#[test]
fn an_exemption_of_more_than_a_month_is_a_finding_and_holds_its_device() {
    let fixture = Fixture::of(&["A1", "B2"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    let before = fixture.path("before");
    std::fs::create_dir(&before).expect("a directory");
    std::fs::write(before.join("A1.yaml"), exempt(&in_days(3))).expect("a file");
    fixture.write("fleet/A1.yaml", exempt(&in_days(31)));
    let found = fixture.run(&["check", "-o", "json"]).exits(1).json();
    let finding = &found["findings"][0];
    assert_eq!((text(&finding["code"]), &finding["line"]), ("invalid-value", &9.into()));
    assert!(text(&finding["message"]).contains("at most 30 days from now"), "{finding}");
    let plan = fixture.run(&["plan", "-o", "json"]).exits(1).json();
    assert_eq!(plan["holds"][0]["reason"], "manifestInvalid");
    assert_eq!(plan["findings"][0]["code"], "invalid-value");
    fixture.run(&["apply", "--yes"]).exits(1);
    assert_eq!(fixture.json(&["list"])["devices"][0].get("access"), None);
    let (before, after) =
        (before.display().to_string(), fixture.path("fleet").display().to_string());
    let diff = fixture.json(&["diff", &before, &after]);
    assert_eq!(diff["findings"]["new"][0]["code"], "invalid-value", "{diff}");
    // `set` writes none, and takes one of a month.
    let set =
        |until: &str| ["set", "A1", &format!("access.exemptUntil={until}")].map(str::to_owned);
    let run = |until: &str| {
        let args = set(until);
        fixture.run(&args.each_ref().map(String::as_str))
    };
    run(&in_days(29)).exits(0);
    run(&in_days(32)).exits(1).complains(&["Nothing is written"]);
    fixture.run(&["apply", "--yes"]).exits(0);
    assert!(fixture.run(&["list"]).exits(0).stdout.contains("exempt"));
}
