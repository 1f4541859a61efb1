//! `access` of the configuration file: which resources ask whether a device may come in, and what
//! they ask for.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::values::{Span, Text, origin, spelled};
use crate::domain::access::{Requirement, Resource, Rules, Users};
use crate::domain::manifest::strict_map::StrictMap;
use crate::domain::state::event::{AccessRights, ResourceRights};

/// Two intervals of `sync` by their default: a device that missed one check-in keeps its access.
const MAX_AGE: TimeDelta = TimeDelta::hours(16);
/// With names of [`LONGEST_NAME`] a change of all of them fits a line of the log.
const MOST_RESOURCES: usize = 64;
const LONGEST_NAME: usize = 128;
/// Of a page for users.
const LONGEST_URL: usize = 1024;

/// Who may ask whether a device may come in, and what is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) rules: Rules,
    /// Scheme and host under which clients reach the daemon.
    pub(crate) public_url: Option<String>,
    /// The token of those who ask.
    pub(crate) token_file: Option<PathBuf>,
}

impl Access {
    /// What gives rights, for the log.
    pub(super) fn rights(&self) -> AccessRights {
        let Self { rules, public_url: _, token_file } = self;
        let Rules { resources, max_age, help_url: _ } = rules;
        let resource = |Resource { require, users }: &Resource| ResourceRights {
            require: require.iter().map(|word| word.as_str().to_owned()).collect(),
            users: users.as_str().to_owned(),
        };
        AccessRights {
            max_age: spelled(max_age),
            resources: resources.iter().map(|(name, of)| (name.clone(), resource(of))).collect(),
            token_file: token_file.as_ref().map(|path| path.display().to_string()),
        }
    }
}

/// The mapping, valid as a whole; its path is as written. Without it nobody is answered.
#[derive(Default)]
pub(super) struct WrittenAccess(Option<Access>);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Written {
    public_url: Option<Text>,
    resources: Resources,
    /// At least a second.
    max_age: Option<Span<1000>>,
    token_file: Option<Text>,
    help_url: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenResource {
    require: Vec<Requirement>,
    users: Option<Users>,
}

impl<'de> Deserialize<'de> for WrittenAccess {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StrictMap(written) = StrictMap::<Written>::deserialize(deserializer)?;
        written.access().map(Self).map_err(D::Error::custom)
    }
}

/// By name, none twice.
#[derive(Default)]
struct Resources(BTreeMap<String, StrictMap<WrittenResource>>);

impl<'de> Deserialize<'de> for Resources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByName;
        impl<'de> Visitor<'de> for ByName {
            type Value = Resources;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of names to {require, users}")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Resources, A::Error> {
                let mut resources = BTreeMap::new();
                while let Some((name, resource)) = map.next_entry::<String, _>()? {
                    if resources.contains_key(&name) {
                        return Err(A::Error::custom(format!("duplicate resource `{name}`")));
                    }
                    resources.insert(name, resource);
                }
                Ok(Resources(resources))
            }
        }
        deserializer.deserialize_map(ByName)
    }
}

impl WrittenAccess {
    /// With paths that are relative to `base`.
    pub(super) fn into_access(self, base: &Path) -> Option<Access> {
        let mut access = self.0?;
        access.token_file = access.token_file.map(|path| base.join(path));
        Some(access)
    }
}

impl Written {
    fn access(self) -> Result<Option<Access>, String> {
        let Self { public_url, resources: Resources(resources), max_age, token_file, help_url } =
            self;
        if resources.is_empty() {
            let given = [
                ("publicUrl", public_url.is_some()),
                ("maxAge", max_age.is_some()),
                ("tokenFile", token_file.is_some()),
                ("helpUrl", help_url.is_some()),
            ];
            return match given.into_iter().find(|(_, given)| *given) {
                None => Ok(None),
                Some((key, _)) => {
                    Err(format!("`{key}` without `resources` has no effect: name at least one"))
                }
            };
        }
        if resources.len() > MOST_RESOURCES {
            let count = resources.len();
            return Err(format!("{count} resources are too many; at most {MOST_RESOURCES}"));
        }
        let rules = Rules {
            resources: resources.into_iter().map(resource).collect::<Result<_, String>>()?,
            max_age: max_age.map_or(MAX_AGE, |Span(span)| span),
            help_url: help_url.map(help_url_of).transpose()?,
        };
        let token_file = token_file.map(|Text(path)| path.into());
        let public_url = public_url
            .map(|Text(url)| origin(&url).map_err(|why| format!("`publicUrl`: {url} {why}")));
        let public_url = public_url.transpose()?;
        Ok(Some(Access { rules, public_url, token_file }))
    }
}

fn resource(
    (name, StrictMap(written)): (String, StrictMap<WrittenResource>),
) -> Result<(String, Resource), String> {
    let plain = name.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if name.is_empty() || name.len() > LONGEST_NAME || !plain || name.trim() != name {
        return Err(format!(
            "`resources`: a name has 1 to {LONGEST_NAME} visible ASCII characters"
        ));
    }
    let WrittenResource { require, users } = written;
    let twice = require.iter().enumerate().find(|(n, word)| require[..*n].contains(word));
    if let Some((_, word)) = twice {
        return Err(format!("`resources.{name}.require` names {word} twice"));
    }
    if require.is_empty() {
        let words = Requirement::WORDS.join(", ");
        return Err(format!(
            "`resources.{name}.require` is empty, so any device could come in; name at least one \
             of {words}"
        ));
    }
    Ok((name, Resource { require, users: users.unwrap_or(Users::All) }))
}

/// It is shown to users as it is, so it must be a link and nothing else.
fn help_url_of(Text(url): Text) -> Result<String, String> {
    let plain = url.len() <= LONGEST_URL && url.bytes().all(|b| b.is_ascii_graphic());
    if plain && url.starts_with("https://") && url.len() > "https://".len() {
        return Ok(url);
    }
    Err("`helpUrl` must be a page like https://it.example.com/help".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Access>, String> {
        let read: Result<WrittenAccess, _> = serde_yaml::from_str(text);
        Ok(read.map_err(|error| error.to_string())?.into_access(Path::new("/etc/fleetform")))
    }

    #[test]
    fn rules_are_read_with_their_defaults() {
        let access = read(
            "{resources: {SAP: {require: [enrolled, compliant]}, Mail: {require: [notBlocked], users: any}},
              tokenFile: access.token}",
        );
        let Access { rules, public_url, token_file } = access.unwrap().unwrap();
        assert_eq!((public_url, rules.help_url), (None, None));
        assert_eq!(token_file, Some("/etc/fleetform/access.token".into()));
        assert_eq!(rules.max_age, TimeDelta::hours(16));
        let sap = &rules.resources["SAP"];
        assert_eq!(sap.require, [Requirement::Enrolled, Requirement::Compliant]);
        assert_eq!((sap.users, rules.resources["Mail"].users), (Users::All, Users::Any));
        assert_eq!(read("{}"), Ok(None));
    }

    #[test]
    fn what_would_let_anybody_in_by_mistake_is_refused() {
        let long = "x".repeat(129);
        let many: Vec<_> = (0..65).map(|n| format!("R{n}: {{require: [fresh]}}")).collect();
        let with = |more: &str| format!("{{resources: {{SAP: {{require: [fresh]}}}}, {more}}}");
        for (text, why) in [
            ("{resources: {SAP: {require: []}}}".to_owned(), "any device could come in"),
            ("{resources: {SAP: {}}}".to_owned(), "any device could come in"),
            ("{resources: {SAP: {require: [enroled]}}}".to_owned(), "must be one of enrolled"),
            ("{resources: {SAP: {require: [fresh, fresh]}}}".to_owned(), "names fresh twice"),
            ("{resources: {SAP: {requires: [fresh]}}}".to_owned(), "unknown field"),
            ("{resources: {SAP: {require: [fresh], users: some}}}".to_owned(), "one of all, any"),
            ("{resources: {' SAP': {require: [fresh]}}}".to_owned(), "visible ASCII"),
            (format!("{{resources: {{{long}: {{require: [fresh]}}}}}}"), "visible ASCII"),
            (format!("{{resources: {{{}}}}}", many.join(", ")), "too many"),
            (
                "{resources: {SAP: {require: [fresh]}, SAP: {require: [declared]}}}".to_owned(),
                "duplicate",
            ),
            ("{maxAge: 16h}".to_owned(), "`maxAge` without `resources`"),
            (with("maxAge: 16"), "a duration like"),
            (with("maxAge: 1ms"), "a duration like"),
            (with("publicUrl: 'http://fleet.example.com'"), "https://"),
            (with("publicUrl: 'https://fleet.example.com/x'"), "a scheme and a host"),
            (with("publicUrl: 'https://fleet.example.com?x=1'"), "a scheme and a host"),
            (with("helpUrl: 'javascript:alert(1)'"), "must be a page"),
            (with("helpUrl: 'https://a b'"), "must be a page"),
            (with("helpUrl: 'https://'"), "must be a page"),
        ] {
            let refused = read(&text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
