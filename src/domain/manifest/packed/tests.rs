use std::sync::Arc;

use super::*;
use crate::domain::manifest::parse_file;

const FULL: &str = "\
# A comment before it
apiVersion: fleetform/v1
kind: Device
metadata:
  name: ana
  labels: {site: madrid, empty: \"\"}
spec:
  serialNumber: VMware-564d
  userEmail: a.very.long.address.of.somebody@example.com
  profile: Standard
  platform: macos
  osVersion: \"10.0.1\"
  ownership: personal
  status: Failed
  enrollment: 7
  hardware: {manufacturer: Acme, model: X 1}
---
apiVersion: fleetform/v1
kind: Device
metadata:
  name: bob
  labels: {site: madrid, empty: \"\"}
spec:
  serialNumber: B2
  userEmail: b@example.com
  profile: Standard
  osVersion: \"10.0\"
";

const ONE: &str = "apiVersion: fleetform/v1\nkind: Device\nmetadata:\n  name: c\n  labels:\n    a: b\nspec:\n  \
                   serialNumber: C3\n  userEmail: c@example.com\n  profile: P\n  osVersion: \"1\"\n";

fn parsed(text: &str) -> Documents {
    parse_file(&Arc::from("a/b.yaml"), text.as_bytes())
}

/// All that two documents are compared by; labels that are shared are no difference.
fn shown(documents: &Documents) -> String {
    format!("{documents:#?}")
}

#[test]
fn what_is_unpacked_is_what_the_file_says() {
    // What is not alone on its line is shown as it is written.
    let flow = ONE.replace("metadata:\n  name: c\n  labels:\n    a: b", "metadata: {name: c}  # ñ");
    assert_ne!(flow, ONE);
    for text in [FULL, ONE, &flow] {
        let packed = pack(&parsed(text)).expect("nothing but valid devices");
        let mut unpacker = Unpacker::default();
        for path in ["a/b.yaml", "moved.yaml"] {
            let path = Arc::from(path);
            let expected = parse_file(&path, text.as_bytes());
            assert_eq!(shown(&unpacker.unpack(&path, &packed).unwrap()), shown(&expected));
        }
    }
}

#[test]
fn what_only_the_file_can_say_is_not_packed() {
    let profile =
        "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: P}\nspec: {platforms: [ios]}\n";
    assert!(pack(&parsed(ONE)).is_some());
    for text in [
        String::new(),
        "][".to_owned(),
        profile.to_owned(),
        format!("{ONE}---\n{profile}"),
        format!("{ONE}  color: red\n"),
        format!("{ONE}  hardware: {{autopilotHash: AAAA}}\n"),
    ] {
        assert_eq!(pack(&parsed(&text)), None, "{text}");
    }
}

#[test]
fn bytes_that_were_cut_or_changed_give_other_devices_or_none_and_never_a_panic() {
    let packed = pack(&parsed(ONE)).unwrap();
    let path = Arc::from("x.yaml");
    for length in 0..packed.len() {
        assert!(Unpacker::default().unpack(&path, &packed[..length]).is_none(), "{length}");
    }
    let longer = [&packed[..], &[0]].concat();
    assert!(Unpacker::default().unpack(&path, &longer).is_none());
    for at in 0..packed.len() {
        for bit in 0..8 {
            let mut changed = packed.clone();
            changed[at] ^= 1 << bit;
            let _ = Unpacker::default().unpack(&path, &changed);
        }
    }
}
