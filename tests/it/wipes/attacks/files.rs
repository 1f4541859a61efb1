//! Files that say more than one thing, or are not the files that were signed.

use std::fs;
use std::os::unix::fs::symlink;

use super::attack::{attack, unusable};
use crate::support::{Request, write};

#[test]
fn confirmation_taken_back() {
    unusable(|lab, text| lab.put("r1.yaml", text.replace("true", "false")));
}

#[test]
fn another_document_in_the_file() {
    unusable(|lab, text| {
        let both = format!("{text}---\n{}", Request::of(2).yaml());
        lab.request("r1.yaml", &both, &["bob"]);
    });
}

#[test]
fn a_device_manifest_in_the_same_file() {
    unusable(|lab, text| {
        let device = fs::read_to_string(lab.path("fleet/dev-1.yaml")).unwrap();
        lab.remove("dev-1.yaml");
        lab.request("r1.yaml", &format!("{device}---\n{text}"), &["bob"]);
    });
}

#[test]
fn a_request_through_a_symlink() {
    unusable(|lab, text| {
        write(lab.path("etc/elsewhere.yaml"), text);
        lab.remove("r1.yaml");
        symlink(lab.path("etc/elsewhere.yaml"), lab.path("fleet/r1.yaml")).unwrap();
    });
}

#[test]
fn a_signature_through_a_symlink() {
    attack(
        |lab, _| {
            let (there, here) = (lab.path("etc/x.sig"), lab.path("fleet/r1.yaml.bob.sig"));
            fs::rename(&here, &there).unwrap();
            symlink(there, here).unwrap();
        },
        "held signatureUnreadable",
    );
}
