//! Of several documents, or of what devices report.

use super::examples::{GOOD_DEVICE, TWO_DEVICES, WIPE, WIPE_AND_PROFILE, device, lines};
use super::explanation::{Example, Explanation};
use crate::domain::manifest::finding::Code;

pub(super) const fn explain(code: Code) -> Explanation {
    match code {
        Code::DuplicateName => Explanation {
            title: "Two manifests of a kind with one name",
            why: "Names are unique among devices, among profiles and among wipe requests. None \
                  of those in conflict wins, whatever the order of files: all are held until \
                  one is renamed.",
            wrong: lines!(Manifest:
                "apiVersion: fleetform/v1",
                "kind: Device",
                "metadata: {name: ana-laptop}",
                "spec: {serialNumber: PF3XK9Q2, userEmail: ana@example.com, profile: Standard, osVersion: \"10.0\"}",
                "---",
                "apiVersion: fleetform/v1",
                "kind: Device",
                "metadata: {name: ana-laptop}",
                "spec: {serialNumber: PF9ZZ001, userEmail: bo@example.com, profile: Standard, osVersion: \"10.0\"}",
            ),
            right: TWO_DEVICES,
        },
        Code::DuplicateSerial => Explanation {
            title: "Two device manifests with one serial number",
            why: "The serial number is what a device is known by, without regard to case, so a \
                  device has one manifest. None of those in conflict wins: all are held until \
                  the others are deleted or corrected.",
            wrong: lines!(Manifest:
                "apiVersion: fleetform/v1",
                "kind: Device",
                "metadata: {name: ana-laptop}",
                "spec: {serialNumber: PF3XK9Q2, userEmail: ana@example.com, profile: Standard, osVersion: \"10.0\"}",
                "---",
                "apiVersion: fleetform/v1",
                "kind: Device",
                "metadata: {name: bo-laptop}",
                "spec: {serialNumber: pf3xk9q2, userEmail: bo@example.com, profile: Standard, osVersion: \"10.0\"}",
            ),
            right: TWO_DEVICES,
        },
        Code::LooksLikeId => Explanation {
            title: "A device's name or serial number that looks like a device id",
            why: "Ids are D001, D002 and so on. Commands take an id, a serial number or a \
                  name, so a device that is named like the id of another one can be taken \
                  for it. A word that fits several devices is refused; `id=D002`, \
                  `serial=D002` and `name=D002` say which is meant. Choose another name. A \
                  serial number with seven digits or more is accepted: no id is that long \
                  before the fleet has had a million devices.",
            wrong: lines!(Manifest:
                "apiVersion: fleetform/v1",
                "kind: Device",
                "metadata: {name: D002}",
                "spec: {serialNumber: PF3XK9Q2, userEmail: ana@example.com, profile: Standard, osVersion: \"10.0\"}",
            ),
            right: GOOD_DEVICE,
        },
        Code::NameIsSerial => Explanation {
            title: "A device's name that is another device's serial number",
            why: "Commands take a serial number or a name, so one device can be taken for the \
                  other: a wipe would erase the wrong one. A word that fits several devices \
                  is refused. Choose another name; a device's own serial number is a good one.",
            wrong: lines!(Manifest:
                "apiVersion: fleetform/v1",
                "kind: Device",
                "metadata: {name: pf9zz001}",
                "spec: {serialNumber: PF3XK9Q2, userEmail: ana@example.com, profile: Standard, osVersion: \"10.0\"}",
                "---",
                "apiVersion: fleetform/v1",
                "kind: Device",
                "metadata: {name: bo-laptop}",
                "spec: {serialNumber: PF9ZZ001, userEmail: bo@example.com, profile: Standard, osVersion: \"10.0\"}",
            ),
            right: TWO_DEVICES,
        },
        Code::UnknownProfile => Explanation {
            title: "A device whose profile does not exist",
            why: "`profile` is the name of a Profile manifest anywhere in the fleet directory, \
                  spelled as it is there. Correct it, or add the profile.",
            wrong: device!(
                "serialNumber: PF3XK9Q2",
                "userEmail: ana.ruiz@example.com",
                "profile: Standrad",
                "osVersion: \"10.0.26100\"",
            ),
            right: GOOD_DEVICE,
        },
        Code::PlatformNotAllowed => Explanation {
            title: "A device whose platform is none of its profile's",
            why: "A profile's settings are for the platforms that it lists. Choose another \
                  profile, correct the platform, or add it to the profile.",
            wrong: device!(
                "serialNumber: C39ZZ1",
                "userEmail: ana.ruiz@example.com",
                "profile: Standard",
                "platform: ios",
                "osVersion: \"18.1\"",
            ),
            right: device!(
                "serialNumber: C39ZZ1",
                "userEmail: ana.ruiz@example.com",
                "profile: Mobile",
                "platform: ios",
                "osVersion: \"18.1\"",
            ),
        },
        Code::PlatformAmbiguous => Explanation {
            title: "No platform is given, and the profile has several",
            why: "`platform` may be left out only where the profile serves a single one. Add it.",
            wrong: device!(
                "serialNumber: C39ZZ1",
                "userEmail: ana.ruiz@example.com",
                "profile: Mobile",
                "osVersion: \"18.1\"",
            ),
            right: device!(
                "serialNumber: C39ZZ1",
                "userEmail: ana.ruiz@example.com",
                "profile: Mobile",
                "platform: ios",
                "osVersion: \"18.1\"",
            ),
        },
        Code::WipeNotAlone => Explanation {
            title: "A wipe request that shares its file with other documents",
            why: "Signatures are over the bytes of a whole file, and a signer has to see exactly \
                  one request. Move it into a file of its own.",
            wrong: WIPE_AND_PROFILE,
            right: WIPE,
        },
        Code::TooManyWipeRequests => Explanation {
            title: "More unsigned wipe requests than are recorded",
            why: "Anybody who can write to the fleet directory can write requests without end. \
                  The first thousand unsigned ones are recorded, so that the log does not grow \
                  without limit; the others are not. A request with a trusted signature is always \
                  recorded. Remove the requests that will not be signed.",
            wrong: Example::Prose(
                "More than 1,000 wipe requests without a signature that counts.\n",
            ),
            right: Example::Prose("Requests that somebody means to sign, and no others.\n"),
        },
        _ => Explanation {
            title: "A device reports that it was wiped, and no wipe was issued",
            why: "Somebody may have erased the device by hand, or through the MDM's own console. \
                  The log keeps it as wipe.unrequested, and the device is Failed, whatever it reports \
                  later. Find out who erased it; then raise `enrollment` or remove the manifest.",
            wrong: lines!(Prose:
                "A report, with no wipe of the device issued before:",
                "{\"serialNumber\":\"PF3XK9Q2\",\"at\":\"2026-11-22T09:00:00Z\",\"wiped\":true}",
            ),
            right: lines!(Prose:
                "{\"serialNumber\":\"PF3XK9Q2\",\"at\":\"2026-11-22T09:00:00Z\",\"wiped\":false}",
            ),
        },
    }
}
