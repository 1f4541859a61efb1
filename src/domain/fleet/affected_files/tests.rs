use super::*;
use crate::domain::manifest::parse_file;

fn affected(text: &str) -> AffectedFiles {
    let mut affected = AffectedFiles::default();
    affected.learn_changed(&parse_file(&"x.yaml".into(), text.as_bytes()));
    affected
}

fn device(name: &str, serial: &str, profile: &str) -> String {
    format!(
        "apiVersion: fleetform/v1\nkind: Device\nmetadata: {{name: {name}}}\nspec:\n  \
         serialNumber: {serial}\n  userEmail: a@example.com\n  profile: {profile}\n  \
         osVersion: \"1.0\"\n"
    )
}

const PROFILE: &str = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\n\
                       spec: {platforms: [windows]}\n";

#[test]
fn a_device_touches_its_serial_its_name_and_what_may_define_its_profile() {
    let affected = affected(&device("ana-laptop", "PF3.x", "Standard"));
    for (text, touched) in [
        (device("bo-laptop", "PF4", "Standard"), false),
        (device("bo-laptop", "PF3.x1", "Mobile"), false),
        (device("bo-laptop", "pf3.X", "Mobile"), true),
        (device("bo-laptop", "'pf3.X'", "Mobile"), true),
        (device("bo-laptop", "|-\n    pf3.x", "Mobile"), true),
        (device("bo-laptop", "\"PF\\x33.x\"", "Mobile"), true),
        (device("ana-laptop", "PF4", "Mobile"), true),
        (device("xana-laptop", "PF4", "Mobile"), false),
        ("{metadata: {name: ana-laptop}}".into(), true),
        (PROFILE.into(), true),
        (PROFILE.replace("Standard", "Other"), true),
        // Neither kind nor an end: it may be the profile.
        ("metadata: {name: Standard}\nx: [".into(), true),
        ("metadata:\n  name:\n    Standard".into(), true),
        ("metadata: {name: !profile: Standard}".into(), true),
        ("metadata: {name: &profile: Standard}".into(), true),
        ("  profile: Standard".into(), false),
        ("profile: Standard".into(), false),
        ("x-profile: Standard".into(), true),
        ("kind: WipeRequest".into(), true),
        ("\u{feff}\0PF3.x\u{2028}".into(), true),
        (String::new(), false),
    ] {
        assert_eq!(affected.includes(text.as_bytes()), touched, "{text}");
    }
}

#[test]
fn a_serial_number_of_several_words_is_found_however_it_is_written() {
    let affected = affected(&device("esx", "VMware-56 4d/fa+72", "Standard"));
    for (text, touched) in [
        (device("bo", "PF4", "Standard"), false),
        (device("bo", "vmware-56 4D/FA+72", "Mobile"), true),
        (device("bo", "'VMware-56 4d/fa+72'", "Mobile"), true),
        (device("bo", "VMware-56\n    4d/fa+72", "Mobile"), true),
        (device("bo", "\"VMware-56\\\n    \\ 4d/fa+72\"", "Mobile"), true),
    ] {
        assert_eq!(affected.includes(text.as_bytes()), touched, "{text}");
    }
}

#[test]
fn a_profile_touches_its_devices() {
    let affected = affected(PROFILE);
    assert!(affected.includes(device("bo", "PF4", "Standard").as_bytes()));
    assert!(!affected.includes(device("bo", "PF4", "Mobile").as_bytes()));
    // A broken one is one, too.
    let affected = self::affected(&PROFILE.replace("windows", "dos"));
    assert!(affected.includes(device("bo", "PF4", "Standard").as_bytes()));
}

#[test]
fn what_was_searched_is_not_pending() {
    let mut affected = AffectedFiles::default();
    assert!(affected.has_pending(), "profiles and wipe requests are");
    affected.mark_searched();
    assert!(!affected.has_pending());
    let documents = parse_file(&"x.yaml".into(), device("a", "A", "P").as_bytes());
    affected.learn(&documents);
    assert!(affected.has_pending() && affected.includes(b"A"));
    affected.mark_searched();
    affected.learn(&documents);
    assert!(!affected.has_pending() && !affected.includes(b"A"));
}
