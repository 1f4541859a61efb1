//! Which entries a webhook hears of.

use crate::domain::notify_settings::WebhookSettings;
use crate::domain::state::Device;
use crate::domain::state::event::Event;

impl WebhookSettings {
    /// Whether it hears of an entry of this kind about this device. Where it asks for profiles or labels,
    /// it hears of nothing that is about no device.
    #[must_use]
    pub(crate) fn hears(&self, kind: &str, device: Option<&Device>) -> bool {
        let named = self.kinds.is_empty() || self.kinds.iter().any(|glob| matches(glob, kind));
        if !named || (self.profiles.is_empty() && self.labels.is_empty()) {
            return named;
        }
        let Some(spec) = device.map(|device| &device.spec) else { return false };
        let bears = |(key, value): (&String, &String)| {
            spec.labels.get(key.as_str()).is_some_and(|given| given == value)
        };
        (self.profiles.is_empty() || self.profiles.contains(&spec.profile))
            && self.labels.iter().all(bears)
    }
}

/// Whether a word fits a pattern, in which `*` stands for any part of it.
#[must_use]
pub(crate) fn matches(glob: &str, word: &str) -> bool {
    let Some((before, rest)) = glob.split_once('*') else { return glob == word };
    let Some(mut word) = word.strip_prefix(before) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let after = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, behind)) = word.split_once(part) else { return false };
        word = behind;
    }
    word.ends_with(after)
}

/// Whether some kind of entry fits a pattern: one that none fits is a slip of the pen.
#[must_use]
pub(crate) fn is_known(glob: &str) -> bool {
    Event::KINDS.iter().any(|kind| matches(glob, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_part_of_a_kind() {
        for (glob, word, fits) in [
            ("wipe.*", "wipe.issued", true),
            ("wipe.*", "wipe.", true),
            ("wipe.*", "swipe.issued", false),
            ("*", "pass.frozen", true),
            ("*.failed", "wipe.failed", true),
            ("*.failed", "wipe.failed.again", false),
            ("*i*e*", "wipe.issued", true),
            ("compliance.changed", "compliance.changed", true),
            ("compliance.changed", "compliance.change", false),
            ("compliance", "compliance.changed", false),
            ("w*d*d", "wipe.issued", false),
            ("wi*pe", "wipe", true),
            ("wip*pe", "wipe", false),
            ("", "wipe", false),
        ] {
            assert_eq!(matches(glob, word), fits, "{glob} {word}");
        }
        assert!(is_known("wipe.*") && !is_known("whipe.*"));
    }
}
