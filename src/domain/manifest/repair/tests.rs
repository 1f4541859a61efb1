use super::*;

const DEVICE: &str = "apiVersion: fleetform/v1\nkind: Device\nmetadata:\n  name: ana\nspec:\n  \
    serialNumber: \"0123\"\n  userEmail: ana@example.com\n  profile: Standard\n  osVersion: \"10.10\"\n";

#[track_caller]
fn repaired(bytes: &[u8]) -> (String, Vec<&'static str>) {
    let done = repair(bytes).unwrap_or_else(|why| panic!("{why}"));
    let again = repair(done.text.as_bytes()).unwrap();
    assert_eq!(again, Repaired { text: done.text.clone(), repairs: Vec::new() });
    (done.text, done.repairs.into_iter().map(Repair::as_str).collect())
}

#[test]
fn whatever_an_editor_made_of_it_comes_back() {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(DEVICE.encode_utf16()).flat_map(bytes).collect()
    };
    let bare: Vec<u8> = DEVICE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, repairs) in [
        (DEVICE.as_bytes().to_vec(), vec![]),
        (utf16(u16::to_le_bytes), vec!["encoding"]),
        (utf16(u16::to_be_bytes), vec!["encoding"]),
        (bare, vec!["encoding"]),
        (format!("\u{feff}{DEVICE}").into_bytes(), vec!["byteOrderMark"]),
        (DEVICE.replace('\n', "\r\n").into_bytes(), vec!["lineBreaks"]),
        (DEVICE.replace("  ", "\t").into_bytes(), vec!["tabs"]),
        (DEVICE.replace("  ", "\u{a0}\u{a0}").into_bytes(), vec!["spaces"]),
        (DEVICE.replace("  n", "\u{a0} n").into_bytes(), vec!["spaces"]),
        (
            DEVICE.replace("  n", "\u{202f} n").replace("  ", "\t").into_bytes(),
            vec!["spaces", "tabs"],
        ),
        (DEVICE.replace("\"0123\"", "0123").into_bytes(), vec!["quotes"]),
        (DEVICE.replace("\"10.10\"", "10.10").into_bytes(), vec!["quotes"]),
        (DEVICE.replace(": ana\n", ": 'ana'\n").into_bytes(), vec!["layout"]),
        (
            format!(
                "\u{feff}{}",
                DEVICE.replace("  ", "\t").replace('"', "").replace('\n', "\r\n")
            )
            .into_bytes(),
            vec!["byteOrderMark", "lineBreaks", "tabs", "quotes"],
        ),
    ] {
        assert_eq!(repaired(&bytes), (DEVICE.to_owned(), repairs));
    }
}

#[test]
fn a_value_becomes_what_its_field_wants_and_keeps_its_text() {
    let device = |more: &str| format!("{DEVICE}  {more}\n");
    for (from, to) in [
        ("enrollment: \"2\"", "enrollment: 2"),
        ("enrollment: \"x\"", "enrollment: x"),
        ("enrollment: \"02\"", "enrollment: \"02\""),
        ("hardware: {model: 0x1F}", "hardware: {model: \"0x1F\"}"),
        ("hardware: {model: ~}", "hardware: {model: ~}"),
        ("unknown: 12", "unknown: 12"),
    ] {
        assert_eq!(repaired(device(from).as_bytes()).0, device(to));
    }
    let labels = "  name: ana\n  labels: {1: 2, a: true, b: ~}";
    let (text, _) = repaired(DEVICE.replace("  name: ana", labels).as_bytes());
    assert!(text.contains("labels: {\"1\": \"2\", a: \"true\", b: ~}\n"), "{text}");
    let profile = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: P}\nspec:\n  \
        platforms: [ios]\n  apps: [1]\n  settings: {a: 1, b: [2]}\n  compliance:\n    \
        minimumOsVersion: {ios: 18.10}\n    encryption: {required: \"true\"}\n";
    let (text, _) = repaired(profile.as_bytes());
    for part in ["apps: [\"1\"]", "{a: 1, b: [2]}", "{ios: \"18.10\"}", "{required: true}"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn what_may_mean_several_things_is_left_alone() {
    // By its width the tab makes `c` a sibling of `b`, or its child.
    let several = "a:\n    b:\n\tc: 1\n";
    assert_eq!(repair(several.as_bytes()), Err(Unformatted::Unreadable(1)));
    for bytes in [&b"a: \xff\n"[..], b"\xff\xfe\0\xd8a\0", b"\xff\xfe\0\0a\0\0\0"] {
        assert_eq!(repair(bytes), Err(Unformatted::NoText), "{bytes:?}");
    }
    assert_eq!(repair("a: \u{202e}x\n".as_bytes()), Err(Unformatted::Forbidden));
    // So wide are other spaces in no two editors.
    let wide = DEVICE.replace("  name", "\u{3000}name");
    assert_eq!(repair(wide.as_bytes()), Err(Unformatted::Misindented(4)));
    // A non-breaking space in a text is the text's.
    let text = "a: |\n  x\n  \u{a0}y\n";
    assert_eq!(repaired(text.as_bytes()), (text.to_owned(), vec![]));
    // A tab in a text is the text's.
    let text = "a: |\n  x\n  \ty\n";
    assert_eq!(repaired(text.as_bytes()), (text.to_owned(), vec![]));
}
