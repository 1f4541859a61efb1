//! Faults on command: rules, and which of them a call meets.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which calls a rule is about. `*` in a path stands for anything.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app: Option<String>,
}

/// When something happens: before the call takes effect, or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum When {
    Before,
    After,
    /// In the middle of the answer.
    During,
}

/// Something that is done to the tenant by the control API, as if somebody did it just then.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Deed {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) body: Value,
    #[serde(default = "before")]
    pub(crate) when: When,
}

fn before() -> When {
    When::Before
}

/// What happens to a call.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Action {
    /// Answer with this status instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// The code of the error, over the usual one of the status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// `Retry-After`, as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<String>,
    /// Whether a call that is answered with a status takes effect all the same.
    pub(crate) takes_effect: bool,
    /// Close the connection without an answer, or in its middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cut: Option<When>,
    /// Answer so much later, in real milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delay_ms: Option<u64>,
    /// Leave a page out: the link leads to the page after the next one.
    pub(crate) drop_page: bool,
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub(crate) deed: Option<Deed>,
}

/// What a test asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Asked {
    #[serde(default, rename = "match")]
    pub(crate) matches: Match,
    /// How many matching calls go by first.
    #[serde(default)]
    pub(crate) skip: u64,
    /// How many calls meet it; for ever if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u64>,
    pub(crate) action: Action,
}

/// A rule that is in force.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rule {
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) asked: Asked,
    /// How many calls have met it.
    pub(crate) met: u64,
}

/// All rules, in the order in which they are tried.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    pub(crate) rules: Vec<Rule>,
    given: u64,
}

/// Whether `*` in the pattern can stand for what makes the two equal; letter case does not count.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

impl Faults {
    pub(crate) fn add(&mut self, asked: Asked) -> u64 {
        self.given += 1;
        self.rules.push(Rule { id: self.given, asked, met: 0 });
        self.given
    }

    /// The first rule that this call meets; it is counted.
    pub(crate) fn meet(&mut self, method: &str, path: &str, app: &str) -> Option<(u64, Action)> {
        for rule in &mut self.rules {
            let Match { method: m, path: p, app: a } = &rule.asked.matches;
            let meets = m.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(method))
                && p.as_ref().is_none_or(|p| fits(p, path))
                && a.as_ref().is_none_or(|a| a == app);
            if !meets {
                continue;
            }
            if rule.asked.skip > 0 {
                rule.asked.skip -= 1;
                continue;
            }
            match &mut rule.asked.times {
                Some(0) => continue,
                Some(times) => *times -= 1,
                None => {}
            }
            rule.met += 1;
            return Some((rule.id, rule.asked.action.clone()));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*/wipe", "/v1.0/deviceManagement/managedDevices/1/wipe", true),
            ("*/WIPE", "/v1.0/deviceManagement/managedDevices/1/wipe", true),
            ("*/wipe", "/v1.0/deviceManagement/managedDevices/1/wipes", false),
            ("/v1.0/groups/*/members/*", "/v1.0/groups/1/members/$ref", true),
            ("/v1.0/groups/*/members/*", "/v1.0/groups/1/owners/$ref", false),
            ("/v1.0/users", "/v1.0/users", true),
            ("/v1.0/users", "/v1.0/users/1", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_rule_lets_calls_by_and_is_met_as_often_as_it_says() {
        let mut faults = Faults::default();
        let rule = json!({
            "match": {"method": "POST", "path": "*/wipe"}, "skip": 1, "times": 2,
            "action": {"status": 429, "retryAfter": "2.128"},
        });
        faults.add(serde_json::from_value(rule).unwrap());
        let mut meets = |method| faults.meet(method, "/v1.0/x/wipe", "app").is_some();
        let met = [meets("GET"), meets("POST"), meets("POST"), meets("post"), meets("POST")];
        assert_eq!(met, [false, false, true, true, false]);
    }
}
