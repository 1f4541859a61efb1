//! What each code means, with an example that is wrong and one that is right.
//!
//! `fleetform explain`, the rules of SARIF and the table in `docs/findings.md` are made from
//! these texts. They never drift from the program: a test runs every example, and the wrong
//! one gives its code and no other, the right one nothing at all.

use super::Code;

/// A longer explanation of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// One sentence without a full stop, as in a table.
    pub title: &'static str,
    /// Why it is refused and what to do: whole sentences, one paragraph.
    pub why: &'static str,
    /// What gives the finding.
    pub wrong: Example,
    /// The same, mended.
    pub right: Example,
}

/// An example, beside the profiles Standard (windows) and Mobile (ios, android).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Example {
    /// One YAML file.
    Manifest(&'static str),
    /// What a shell does in the fleet directory.
    Shell(&'static str),
    /// Something outside the fleet directory.
    Prose(&'static str),
}

impl Example {
    /// As it is typed.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Manifest(text) | Self::Shell(text) | Self::Prose(text) => text,
        }
    }

    /// The language of a fenced block of it.
    #[must_use]
    pub const fn language(self) -> &'static str {
        match self {
            Self::Manifest(_) => "yaml",
            Self::Shell(_) => "sh",
            Self::Prose(_) => "text",
        }
    }
}

/// A manifest of a device: its `spec`, line by line.
macro_rules! device {
    ($($line:literal),+ $(,)?) => {
        Example::Manifest(concat!(
            "apiVersion: fleetform/v1\nkind: Device\nmetadata: {name: ana-laptop}\nspec:\n",
            $("  ", $line, "\n"),+
        ))
    };
}

/// A manifest of a profile: its `spec`, line by line.
macro_rules! profile {
    ($($line:literal),+ $(,)?) => {
        Example::Manifest(concat!(
            "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Kiosk}\nspec:\n",
            $("  ", $line, "\n"),+
        ))
    };
}

/// Text as it stands, line by line.
macro_rules! lines {
    ($kind:ident: $($line:literal),+ $(,)?) => { Example::$kind(concat!($($line, "\n"),+)) };
}

/// The device that most examples are made right by.
const GOOD_DEVICE: Example = device!(
    "serialNumber: PF3XK9Q2",
    "userEmail: ana.ruiz@example.com",
    "profile: Standard",
    "osVersion: \"10.0.26100\"",
);

const TWO_DEVICES: Example = lines!(Manifest:
    "apiVersion: fleetform/v1",
    "kind: Device",
    "metadata: {name: ana-laptop}",
    "spec: {serialNumber: PF3XK9Q2, userEmail: ana@example.com, profile: Standard, osVersion: \"10.0\"}",
    "---",
    "apiVersion: fleetform/v1",
    "kind: Device",
    "metadata: {name: bo-laptop}",
    "spec: {serialNumber: PF9ZZ001, userEmail: bo@example.com, profile: Standard, osVersion: \"10.0\"}",
);

const WIPE: Example = lines!(Manifest:
    "apiVersion: fleetform/v1",
    "kind: WipeRequest",
    "metadata: {name: d007-lost}",
    "spec:",
    "  ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21",
    "  deviceId: D007",
    "  serialNumber: PF3XK9Q2",
    "  scope: full",
    "  reason: lost",
    "  requestedBy: bob@example.com",
    "  confirm: true",
    "  issuedAt: 2026-11-22T10:00:00Z",
    "  expiresAt: 2026-11-23T10:00:00Z",
);

const WIPE_AND_PROFILE: Example = lines!(Manifest:
    "apiVersion: fleetform/v1",
    "kind: WipeRequest",
    "metadata: {name: d007-lost}",
    "spec:",
    "  ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21",
    "  deviceId: D007",
    "  serialNumber: PF3XK9Q2",
    "  scope: full",
    "  reason: lost",
    "  requestedBy: bob@example.com",
    "  confirm: true",
    "  issuedAt: 2026-11-22T10:00:00Z",
    "  expiresAt: 2026-11-23T10:00:00Z",
    "---",
    "apiVersion: fleetform/v1",
    "kind: Profile",
    "metadata: {name: Kiosk}",
    "spec: {platforms: [windows]}",
);

impl Code {
    /// What it means; see [`Explanation`].
    #[must_use]
    pub const fn explain(self) -> Explanation {
        match self {
            Self::Unreadable
            | Self::Symlink
            | Self::NotAFile
            | Self::GitDirectory
            | Self::FileTooLarge
            | Self::InvalidPath
            | Self::InvalidUtf8
            | Self::ForbiddenCharacter
            | Self::EmptyFile => self.explain_file(),
            Self::YamlSyntax
            | Self::YamlAnchor
            | Self::YamlTag
            | Self::YamlTooComplex
            | Self::DuplicateKey => self.explain_yaml(),
            Self::UnknownField
            | Self::MissingField
            | Self::WrongType
            | Self::InvalidValue
            | Self::UnsupportedVersion
            | Self::UnknownKind
            | Self::StatusWiped
            | Self::PinTooShort
            | Self::ProfileTooLarge
            | Self::PlaceholderSerial => self.explain_field(),
            Self::DuplicateName
            | Self::DuplicateSerial
            | Self::LooksLikeId
            | Self::NameIsSerial
            | Self::UnknownProfile
            | Self::PlatformNotAllowed
            | Self::PlatformAmbiguous
            | Self::WipeNotAlone
            | Self::TooManyWipeRequests
            | Self::UnexpectedWipe => self.explain_fleet(),
        }
    }

    /// Of a file as such.
    const fn explain_file(self) -> Explanation {
        match self {
            Self::Symlink => Explanation {
                title: "A symbolic link below the root of the fleet directory",
                why: "A link can lead out of what was reviewed, so links are not followed; only the \
                      fleet directory itself may be one. Whatever was recorded from there is held, \
                      not removed. Replace the link by what it points to.",
                wrong: Example::Shell("ln -s /srv/shared/ana.yaml ana.yaml\n"),
                right: Example::Shell(
                    "printf '%s\\n' 'apiVersion: fleetform/v1' 'kind: Profile' \\\n  \
                     'metadata: {name: Kiosk}' 'spec: {platforms: [windows]}' > kiosk.yaml\n",
                ),
            },
            Self::NotAFile => Explanation {
                title: "A FIFO, socket or device where a manifest should be",
                why: "Reading such a file may never end. It bears a manifest's name, so it is not \
                      passed over: remove it, or give it a name that does not end in .yaml or .yml.",
                wrong: Example::Shell("mkfifo queue.yaml\n"),
                right: Example::Shell("mkfifo queue\n"),
            },
            Self::GitDirectory => Explanation {
                title: "A Git repository inside the fleet directory",
                why: "Git takes a directory with `HEAD`, `objects` and `refs` for a repository, and \
                      the `config` of a repository can run commands for whoever uses Git there. \
                      Fleetform never asks such a repository; other programs may. Remove it, and \
                      find out who added it. A `.git` at the top of the fleet directory is fine.",
                wrong: Example::Shell("mkdir objects refs && echo 'ref: refs/heads/main' > HEAD\n"),
                right: Example::Shell("rm -rf HEAD config objects refs\n"),
            },
            Self::FileTooLarge => Explanation {
                title: "A file over 1 MiB",
                why: "A megabyte is thousands of devices; larger files are mistakes or attacks, and \
                      reading them costs memory. Split the file.",
                wrong: Example::Shell("yes '# a comment' | head -c 1100000 > devices.yaml\n"),
                right: Example::Shell("rm -f devices.yaml\n"),
            },
            Self::InvalidPath => Explanation {
                title: "A path that is not UTF-8, is deceptive, or lies too deep",
                why: "A name with control or bidirectional characters can look like another one in a \
                      review, and paths go into the log. More than 32 directories are refused too. \
                      Rename or move it.",
                wrong: Example::Shell("touch \"$(printf 'ana\\001laptop.yaml')\"\n"),
                right: Example::Shell("touch ana-laptop.txt\n"),
            },
            Self::InvalidUtf8 => Explanation {
                title: "Bytes that are not UTF-8",
                why: "Manifests are UTF-8. The document with such bytes is not judged any further, \
                      since its text may not be what it seems. Save the file as UTF-8.",
                wrong: Example::Shell(
                    "printf 'apiVersion: fleetform/v1\\nkind: Profile\\nmetadata: {name: Kiosk}\\n\
                     spec: {description: Caf\\351, platforms: [windows]}\\n' > kiosk.yaml\n",
                ),
                right: Example::Shell(
                    "printf 'apiVersion: fleetform/v1\\nkind: Profile\\nmetadata: {name: Kiosk}\\n\
                     spec: {description: Caf\\303\\251, platforms: [windows]}\\n' > kiosk.yaml\n",
                ),
            },
            Self::ForbiddenCharacter => Explanation {
                title: "A NUL, control or bidirectional character",
                why: "Such characters make a line read otherwise than it is: in the review, in a \
                      terminal, in the log. That holds for escapes in quotes, too, and for line \
                      breaks where one line is meant. Remove the character; retype the line if it \
                      cannot be seen.",
                wrong: profile!("description: \"kiosk \\u202Eretsam\"", "platforms: [windows]"),
                right: profile!("description: kiosk master", "platforms: [windows]"),
            },
            Self::EmptyFile => Explanation {
                title: "A file with nothing but white space",
                why: "An interrupted write or a power failure leaves such files, so an empty file is \
                      not taken for a wish to remove what was in it. Restore it from Git, or delete it.",
                wrong: Example::Shell(": > ana.yaml\n"),
                right: Example::Shell("rm -f ana.yaml\n"),
            },
            _ => Explanation {
                title: "A file or directory that cannot be read",
                why: "Permissions or the disk are in the way. Whatever was recorded from there is \
                      held, not removed: absence never destroys.",
                wrong: Example::Prose(
                    "chmod 000 madrid/ana.yaml    (as somebody other than root)\n",
                ),
                right: Example::Prose("chmod 644 madrid/ana.yaml\n"),
            },
        }
    }

    /// Of YAML.
    const fn explain_yaml(self) -> Explanation {
        match self {
            Self::YamlAnchor => Explanation {
                title: "An anchor, an alias or a merge key",
                why: "They make a line mean what another line says, perhaps far from what the pull \
                      request shows, and a few of them can grow to gigabytes. Write the value out; \
                      what many devices share belongs into a profile.",
                wrong: profile!("platforms: &all [windows]", "settings: {kiosk: *all}",),
                right: profile!("platforms: [windows]", "settings: {kiosk: [windows]}",),
            },
            Self::YamlTag => Explanation {
                title: "A tag or a directive",
                why: "Tags such as `!!str` and directives such as `%YAML` change how a value is \
                      read. Manifests need none: quotes make a string of anything. Remove it.",
                wrong: profile!("description: !!str kiosk", "platforms: [windows]"),
                right: profile!("description: kiosk", "platforms: [windows]"),
            },
            Self::YamlTooComplex => Explanation {
                title: "Nested more than 32 levels deep, or more than 20,000 nodes",
                why: "Manifests need six levels and free-form settings rarely ten; more would only \
                      cost time and memory. Make the document flatter, or split it.",
                wrong: profile!(
                    "platforms: [windows]",
                    "settings: {a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
                ),
                right: profile!("platforms: [windows]", "settings: {a: [[[[1]]]]}"),
            },
            Self::DuplicateKey => Explanation {
                title: "A key that is given twice",
                why: "Which of the two counts is anybody's guess, and a reviewer sees only one of \
                      them. Delete one.",
                wrong: device!(
                    "serialNumber: PF3XK9Q2",
                    "userEmail: ana.ruiz@example.com",
                    "profile: Standard",
                    "osVersion: \"10.0.26100\"",
                    "osVersion: \"10.0.22631\"",
                ),
                right: GOOD_DEVICE,
            },
            _ => Explanation {
                title: "Text that is not YAML",
                why: "The document cannot be read from the place shown on, often because a quote or \
                      bracket is not closed or a line is not indented like those around it. Only \
                      this document is lost; whatever was recorded of it is held.",
                wrong: profile!("platforms: [windows"),
                right: profile!("platforms: [windows]"),
            },
        }
    }

    /// Of the fields of one manifest.
    const fn explain_field(self) -> Explanation {
        match self {
            Self::UnknownField => Explanation {
                title: "A field that the kind does not have",
                why: "A misspelt field would otherwise be passed over in silence, and the device be \
                      left without what it says. Correct or remove it; `fleetform schema` lists \
                      the fields of each kind.",
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
            Self::MissingField => Explanation {
                title: "A field that the kind needs and that is not there",
                why: "The manifest cannot mean anything without it. Add the field.",
                wrong: device!(
                    "userEmail: ana.ruiz@example.com",
                    "profile: Standard",
                    "osVersion: \"10.0.26100\"",
                ),
                right: GOOD_DEVICE,
            },
            Self::WrongType => Explanation {
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
            Self::UnsupportedVersion => Explanation {
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
            Self::UnknownKind => Explanation {
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
            Self::StatusWiped => Explanation {
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
            Self::PinTooShort => Explanation {
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
            Self::PlaceholderSerial => Explanation {
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
            Self::ProfileTooLarge => Explanation {
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

    /// Of several manifests together.
    const fn explain_fleet(self) -> Explanation {
        match self {
            Self::DuplicateName => Explanation {
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
            Self::DuplicateSerial => Explanation {
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
            Self::LooksLikeId => Explanation {
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
            Self::NameIsSerial => Explanation {
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
            Self::UnknownProfile => Explanation {
                title: "A device whose profile does not exist",
                why: "`profile` is the name of a Profile manifest anywhere in the fleet directory, \
                      spelt as it is there. Correct it, or add the profile.",
                wrong: device!(
                    "serialNumber: PF3XK9Q2",
                    "userEmail: ana.ruiz@example.com",
                    "profile: Standrad",
                    "osVersion: \"10.0.26100\"",
                ),
                right: GOOD_DEVICE,
            },
            Self::PlatformNotAllowed => Explanation {
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
            Self::PlatformAmbiguous => Explanation {
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
            Self::WipeNotAlone => Explanation {
                title: "A wipe request that shares its file with other documents",
                why: "Signatures are over the bytes of a whole file, and whoever signs has to see \
                      exactly one request. Move it into a file of its own.",
                wrong: WIPE_AND_PROFILE,
                right: WIPE,
            },
            Self::TooManyWipeRequests => Explanation {
                title: "More wipe requests that nobody signed than are recorded",
                why: "Whoever can write to the fleet directory can write requests without end. The \
                      first thousand that nobody signed are recorded, so that the log does not grow \
                      for ever; the others are not. A request that somebody trusted signed is always \
                      recorded. Remove those that nobody means to sign.",
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
}

#[cfg(test)]
pub(crate) mod tests;
