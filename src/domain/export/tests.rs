use std::collections::BTreeMap;

use super::*;
use crate::domain::fleet::{Desired, assemble};
use crate::domain::import::{
    Field, Mapping, Options, merge, read_autopilot, read_corporate_ids, read_csv,
};
use crate::domain::manifest::parse_file;

const PROFILE: &str = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: P}\n\
    spec: {platforms: [windows, ios]}\n---\n";

/// A device for each of these parts of a `spec`.
fn fleet(specs: &[&str]) -> Desired {
    let mut text = PROFILE.to_owned();
    for (n, spec) in specs.iter().enumerate() {
        text += &format!(
            "apiVersion: fleetform/v1\nkind: Device\nmetadata: {{name: dev-{n}, labels: {{site: \"a, b\"}}}}\nspec:\n  \
             serialNumber: PF3X.{n:04}\n  userEmail: ana@example.com\n  profile: P\n  osVersion: \"1.0\"\n  {spec}\n---\n"
        );
    }
    let fleet = assemble([parse_file(&"all.yaml".into(), text.as_bytes())]);
    assert_eq!(fleet.findings, []);
    fleet
}

fn devices(fleet: &Desired) -> impl Iterator<Item = &crate::domain::model::DesiredDevice> + Clone {
    fleet.devices.iter()
}

fn why(exported: &Exported) -> Vec<String> {
    exported.refused.iter().map(|refused| format!("{}: {}", refused.name, refused.why)).collect()
}

const HASH: &str = "platform: windows\n  hardware: {autopilotHash: aGFyZHdhcmUgaGFzaA==}";

#[test]
fn hardware_hashes_are_written_to_the_letter_and_read_again() {
    let fleet = fleet(&[HASH, "platform: ios", "platform: windows"]);
    let exported = autopilot(devices(&fleet));
    assert_eq!((exported.devices, exported.others, why(&exported).len()), (1, 2, 0));
    assert_eq!(
        exported.sheets[0].text,
        "Device Serial Number,Windows Product ID,Hardware Hash,Group Tag,Assigned User\r\n\
         PF3X.0000,,aGFyZHdhcmUgaGFzaA==,P,ana@example.com\r\n"
    );
    let profiles = ["P".parse().unwrap()];
    let read = read_autopilot(exported.sheets[0].text.as_bytes(), &Mapping::default(), &profiles);
    assert_eq!((read.problems.len(), read.records.len()), (0, 1));
    assert_eq!(read.records[0].values[&Field::Profile].text, "P");
}

#[test]
fn a_list_is_split_where_its_reader_takes_no_more() {
    let many = fleet(&[HASH; 1001]);
    let rows = |exported: &Exported| -> Vec<usize> {
        exported.sheets.iter().map(|sheet| sheet.text.matches("\r\n").count()).collect()
    };
    // Each with its header.
    assert_eq!(rows(&autopilot(devices(&many))), [501, 501, 2]);
    let many = fleet(&["platform: ios"; 5001]);
    assert_eq!(rows(&corporate_ids(devices(&many))), [5000, 1]);
}

#[test]
fn corporate_identifiers_are_one_kind_a_file() {
    let hardware =
        |m: &str| format!("platform: windows\n  hardware: {{manufacturer: {m}, model: Book 5}}");
    let (good, comma, formula, wide) =
        (hardware("Contoso"), hardware("\"Dell, Inc.\""), hardware("\"=1\""), hardware("Münch"));
    let fleet = fleet(&[
        &good,
        "platform: ios",
        "platform: ios\n  ownership: personal",
        &comma,
        &formula,
        &wide,
        "platform: windows",
    ]);
    let exported = corporate_ids(devices(&fleet));
    let sheets: Vec<_> = exported.sheets.iter().map(|s| (s.kind, s.text.as_str())).collect();
    assert_eq!(
        sheets,
        [("windows", "Contoso,Book 5,PF3X0000\r\n"), ("serial", "PF3X0001,dev-1\r\n")]
    );
    assert_eq!((exported.devices, exported.others), (2, 1));
    let why = why(&exported);
    for (refused, part) in why.iter().zip([
        "has a comma",
        "is a formula",
        "not plain ASCII",
        "needs more than its serial",
    ]) {
        assert!(refused.contains(part), "{refused}");
    }
    assert_eq!(why.len(), 4);
    let read = read_corporate_ids(exported.sheets[0].text.as_bytes());
    assert_eq!((read.problems.len(), read.records.len()), (0, 1));
}

#[test]
fn what_a_table_says_changes_nothing_when_it_is_read_again() {
    let fleet = fleet(&[
        HASH,
        "platform: ios\n  ownership: personal\n  hardware: {model: \"say \\\"x\\\", y\"}",
    ]);
    let exported = csv(devices(&fleet)).unwrap();
    assert_eq!((exported.devices, why(&exported).len()), (2, 0));
    let list = read_csv(exported.sheets[0].text.as_bytes(), &Mapping::default());
    assert_eq!(list.problems, []);
    let options = Options {
        layout: "{name}.yaml".parse().unwrap(),
        name: "{serial}".parse().unwrap(),
        defaults: BTreeMap::new(),
        required: &[],
    };
    let merged = merge(&list, &fleet, &options, &|_| Ok(None));
    assert_eq!((merged.unchanged, merged.files, merged.problems), (2, vec![], vec![]));
}
