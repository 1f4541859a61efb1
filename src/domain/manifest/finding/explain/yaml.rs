//! Of a file as YAML.

use super::examples::{GOOD_DEVICE, device, profile};
use super::explanation::{Example, Explanation};
use crate::domain::manifest::finding::Code;

pub(super) const fn explain(code: Code) -> Explanation {
    match code {
        Code::YamlAnchor => Explanation {
            title: "An anchor, an alias or a merge key",
            why: "They make a line mean what another line says, perhaps far from what the pull \
                  request shows, and a few of them can grow to gigabytes. Write the value out; \
                  what many devices share belongs into a profile.",
            wrong: profile!("platforms: &all [windows]", "settings: {kiosk: *all}",),
            right: profile!("platforms: [windows]", "settings: {kiosk: [windows]}",),
        },
        Code::YamlTag => Explanation {
            title: "A tag or a directive",
            why: "Tags such as `!!str` and directives such as `%YAML` change how a value is \
                  read. Manifests need none: quotes make a string of anything. Remove it.",
            wrong: profile!("description: !!str kiosk", "platforms: [windows]"),
            right: profile!("description: kiosk", "platforms: [windows]"),
        },
        Code::YamlTooComplex => Explanation {
            title: "Nested more than 32 levels deep, or more than 20,000 nodes",
            why: "Manifests need six levels and free-form settings rarely ten; more would only \
                  cost time and memory. Make the document flatter, or split it.",
            wrong: profile!(
                "platforms: [windows]",
                "settings: {a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
            ),
            right: profile!("platforms: [windows]", "settings: {a: [[[[1]]]]}"),
        },
        Code::DuplicateKey => Explanation {
            title: "A key that is given twice",
            why: "Which of the two counts is unclear, and a reviewer sees only one of \
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
