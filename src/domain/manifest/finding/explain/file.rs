//! Of a file as such.

use super::examples::profile;
use super::explanation::{Example, Explanation};
use crate::domain::manifest::finding::Code;

pub(super) const fn explain(code: Code) -> Explanation {
    match code {
        Code::Symlink => Explanation {
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
        Code::NotAFile => Explanation {
            title: "A FIFO, socket or device where a manifest should be",
            why: "Reading such a file may never end. It bears a manifest's name, so it is not \
                  ignored: remove it, or give it a name that does not end in .yaml or .yml.",
            wrong: Example::Shell("mkfifo queue.yaml\n"),
            right: Example::Shell("mkfifo queue\n"),
        },
        Code::GitDirectory => Explanation {
            title: "A Git repository inside the fleet directory",
            why: "Git takes a directory with `HEAD`, `objects` and `refs` for a repository, and \
                  the `config` of a repository can run commands for anybody who uses Git there. \
                  Fleetform never asks such a repository; other programs may. Remove it, and \
                  find out who added it. A `.git` at the top of the fleet directory is fine.",
            wrong: Example::Shell("mkdir objects refs && echo 'ref: refs/heads/main' > HEAD\n"),
            right: Example::Shell("rm -rf HEAD config objects refs\n"),
        },
        Code::FileTooLarge => Explanation {
            title: "A file over 1 MiB",
            why: "A megabyte is thousands of devices; larger files are mistakes or attacks, and \
                  reading them costs memory. Split the file.",
            wrong: Example::Shell("yes '# a comment' | head -c 1100000 > devices.yaml\n"),
            right: Example::Shell("rm -f devices.yaml\n"),
        },
        Code::InvalidPath => Explanation {
            title: "A path that is not UTF-8, is deceptive, or lies too deep",
            why: "A name with control or bidirectional characters can look like another one in a \
                  review, and paths go into the log. More than 32 directories are refused too. \
                  Rename or move it.",
            wrong: Example::Shell("touch \"$(printf 'ana\\001laptop.yaml')\"\n"),
            right: Example::Shell("touch ana-laptop.txt\n"),
        },
        Code::InvalidUtf8 => Explanation {
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
        Code::ForbiddenCharacter => Explanation {
            title: "A NUL, control or bidirectional character",
            why: "Such characters make a line read otherwise than it is: in the review, in a \
                  terminal, in the log. That holds for escapes in quotes, too, and for line \
                  breaks where one line is meant. Remove the character; retype the line if it \
                  cannot be seen.",
            wrong: profile!("description: \"kiosk \\u202Eretsam\"", "platforms: [windows]"),
            right: profile!("description: kiosk master", "platforms: [windows]"),
        },
        Code::EmptyFile => Explanation {
            title: "A file with nothing but white space",
            why: "An interrupted write or a power failure leaves such files, so an empty file is \
                  not taken for a wish to remove what was in it. Restore it from Git, or delete it.",
            wrong: Example::Shell(": > ana.yaml\n"),
            right: Example::Shell("rm -f ana.yaml\n"),
        },
        Code::MailTemplate => Explanation {
            title: "A text of which no mail can be made",
            why: "The files below `notify.mail.templates` replace texts of mails. Each is tried \
                  with every kind of device and check, so that a slip of the pen is found before \
                  somebody has to be told something. Correct the line, or remove the file: the \
                  built-in text counts then.",
            wrong: Example::Prose("{{ devices[0].nmae }}    (in texts/en/blocked.txt)\n"),
            right: Example::Prose("{{ devices[0].name }}\n"),
        },
        _ => Explanation {
            title: "A file or directory that cannot be read",
            why: "Permissions or the disk are in the way. Whatever was recorded from there is \
                  held, not removed: absence never destroys.",
            wrong: Example::Prose("chmod 000 madrid/ana.yaml    (as somebody other than root)\n"),
            right: Example::Prose("chmod 644 madrid/ana.yaml\n"),
        },
    }
}
