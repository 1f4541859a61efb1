//! Of one document.

use super::examples::{GOOD_DEVICE, device, lines, profile};
use super::explanation::{Example, Explanation};
use crate::domain::manifest::finding::Code;

pub(super) const fn explain(code: Code) -> Explanation {
    match code {
        Code::UnknownField => Explanation {
            title: "A field that the kind does not have",
            why: "A misspelt field would otherwise be ignored silently, and the device would lack \
                  what it says. Correct or remove it; `fleetform schema` lists the fields of each \
                  kind.",
            wrong: device!(
                "serialNumber: PF3XK9Q2",
                "userEmail: ana.ruiz@example.com",
                "profile: Standard",
                "osVersion: \"10.0.26100\"",
                "ownreship: personal",
            ),
            right: device!(
                "serialNumber: PF3XK9Q2",
                "userEmail: ana.ruiz@example.com",
                "profile: Standard",
                "osVersion: \"10.0.26100\"",
                "ownership: personal",
            ),
        },
        Code::MissingField => Explanation {
            title: "A field that the kind needs and that is not there",
            why: "The manifest cannot mean anything without it. Add the field.",
            wrong: device!(
                "userEmail: ana.ruiz@example.com",
                "profile: Standard",
                "osVersion: \"10.0.26100\"",
            ),
            right: GOOD_DEVICE,
        },
        Code::WrongType => Explanation {
            title: "A number, boolean, null, list or mapping where something else belongs",
            why: "YAML reads 10.0 as a number, yes-like words as booleans and nothing as null. \
                  Where a string belongs, put it in quotes.",
            wrong: device!(
                "serialNumber: PF3XK9Q2",
                "userEmail: ana.ruiz@example.com",
                "profile: Standard",
                "osVersion: 10.0",
            ),
            right: device!(
                "serialNumber: PF3XK9Q2",
                "userEmail: ana.ruiz@example.com",
                "profile: Standard",
                "osVersion: \"10.0\"",
            ),
        },
        Code::UnsupportedVersion => Explanation {
            title: "An `apiVersion` other than fleetform/v1",
            why: "This program does not know what the fields of another version mean.",
            wrong: lines!(Manifest:
                "apiVersion: fleetform/v2",
                "kind: Profile",
                "metadata: {name: Kiosk}",
                "spec: {platforms: [windows]}",
            ),
            right: lines!(Manifest:
                "apiVersion: fleetform/v1",
                "kind: Profile",
                "metadata: {name: Kiosk}",
                "spec: {platforms: [windows]}",
            ),
        },
        Code::UnknownKind => Explanation {
            title: "A `kind` that is neither Device, Profile nor WipeRequest",
            why: "Kind decides what a manifest means, not its path. Kinds are written with a \
                  capital letter.",
            wrong: lines!(Manifest:
                "apiVersion: fleetform/v1",
                "kind: profile",
                "metadata: {name: Kiosk}",
                "spec: {platforms: [windows]}",
            ),
            right: lines!(Manifest:
                "apiVersion: fleetform/v1",
                "kind: Profile",
                "metadata: {name: Kiosk}",
                "spec: {platforms: [windows]}",
            ),
        },
        Code::StatusWiped => Explanation {
            title: "`status: Wiped` in a device manifest",
            why: "No edit of a manifest wipes a device: a wipe needs a WipeRequest with fresh \
                  signatures of administrators. Write one with `fleetform wipe new`.",
            wrong: device!(
                "serialNumber: PF3XK9Q2",
                "userEmail: ana.ruiz@example.com",
                "profile: Standard",
                "osVersion: \"10.0.26100\"",
                "status: Wiped",
            ),
            right: device!(
                "serialNumber: PF3XK9Q2",
                "userEmail: ana.ruiz@example.com",
                "profile: Standard",
                "osVersion: \"10.0.26100\"",
                "status: Failed",
            ),
        },
        Code::PinTooShort => Explanation {
            title: "A `minPinLength` below 6",
            why: "The procedure allows no PIN of fewer than six digits. Raise it, or leave it \
                  out: 6 is the default.",
            wrong: profile!(
                "platforms: [windows]",
                "compliance: {screenLock: {required: true, minPinLength: 4}}",
            ),
            right: profile!(
                "platforms: [windows]",
                "compliance: {screenLock: {required: true, minPinLength: 6}}",
            ),
        },
        Code::PlaceholderSerial => Explanation {
            title: "A serial number that stands for a missing one",
            why: "Firmware says `To be filled by O.E.M.`, `0` or `123456789` where the vendor \
                  wrote no serial number, and thousands of machines say the same. A command \
                  for one of them, a wipe above all, would be a command for all. Write a \
                  serial number into the firmware with the vendor's tool, or choose one of \
                  your own (an asset tag, say), have the device report itself by it, and \
                  write it here.",
            wrong: device!(
                "serialNumber: To be filled by O.E.M.",
                "userEmail: ana.ruiz@example.com",
                "profile: Standard",
                "osVersion: \"10.0.26100\"",
            ),
            right: device!(
                "serialNumber: ASSET-004711",
                "userEmail: ana.ruiz@example.com",
                "profile: Standard",
                "osVersion: \"10.0.26100\"",
            ),
        },
        Code::ProfileTooLarge => Explanation {
            title: "A profile of more than 48 KiB as JSON",
            why: "A profile is recorded in one line of the audit log, and lines stay below \
                  64 KiB. Move large values out of `settings`, or split the profile.",
            wrong: Example::Shell(
                "{ printf 'apiVersion: fleetform/v1\\nkind: Profile\\n\
                 metadata: {name: Kiosk}\\nspec:\\n  platforms: [windows]\\n  apps:\\n'; \\\n  \
                 yes '  - An app with a name of forty-eight characters ...' | head -n 1000; } \
                 > kiosk.yaml\n",
            ),
            right: Example::Shell(
                "{ printf 'apiVersion: fleetform/v1\\nkind: Profile\\n\
                 metadata: {name: Kiosk}\\nspec:\\n  platforms: [windows]\\n  apps:\\n'; \\\n  \
                 yes '  - An app with a name of forty-eight characters ...' | head -n 100; } \
                 > kiosk.yaml\n",
            ),
        },
        _ => Explanation {
            title: "A value of the right type that breaks a rule",
            why: "The message says which rule: the form of a name, serial number, address or \
                  version, a number out of range, a word that is none of those allowed.",
            wrong: device!(
                "serialNumber: PF3XK9Q2",
                "userEmail: ana.ruiz at example.com",
                "profile: Standard",
                "osVersion: \"10.0.26100\"",
            ),
            right: GOOD_DEVICE,
        },
    }
}
