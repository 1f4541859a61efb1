//! Names and paths with holes: `{user}-{serial}`, `{site}/{name}.yaml`.

use std::str::FromStr;

use super::slug::slug;
use crate::domain::model::Invalid;

/// Longest way to a file, in directories.
const DEEPEST: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole(String),
}

/// A text with holes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Template(Vec<Piece>);

impl Template {
    fn parse(text: &str) -> Result<Self, Invalid> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let unclosed = || Invalid("has a `{` without its `}`".to_owned());
            let (hole, after) = after.split_once('}').ok_or_else(unclosed)?;
            if hole.is_empty() || hole.contains('{') || before.contains('}') {
                return Err(Invalid("has braces that are no hole like {name}".to_owned()));
            }
            pieces.extend([Piece::Text(before.to_owned()), Piece::Hole(hole.to_owned())]);
            rest = after;
        }
        if rest.contains('}') {
            return Err(Invalid("has a `}` without its `{`".to_owned()));
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    fn text(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Hole(_) => "x".to_owned(),
        };
        self.0.iter().map(piece).collect()
    }

    /// With its holes filled.
    fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => Ok(text.clone()),
            Piece::Hole(hole) => {
                value(hole).and_then(|value| slug(&value)).ok_or_else(|| hole.clone())
            }
        };
        self.0.iter().map(piece).collect()
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains(&Piece::Hole(name.to_owned()))
    }
}

/// Where manifests go, from the fleet directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout(Template);

impl Layout {
    /// The path of a file: it lies in the fleet directory, whatever fills the holes.
    ///
    /// # Errors
    /// The hole for which there is nothing.
    pub(super) fn path(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
        self.0.fill(value)
    }

    /// Whether each device has a file of its own.
    pub(super) fn is_single(&self) -> bool {
        self.0.has("name") || self.0.has("serial")
    }
}

impl FromStr for Layout {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let template = Template::parse(text)?;
        let example = template.text();
        let parts: Vec<&str> = example.split('/').collect();
        let is_inside = parts.iter().all(|part| !part.is_empty() && !part.starts_with('.'));
        let is_manifest = example.ends_with(".yaml") || example.ends_with(".yml");
        let is_plain = !text.contains(|c: char| c.is_control() || c == '\\');
        if !is_inside || !is_manifest || !is_plain || parts.len() > DEEPEST {
            return Err(Invalid(
                "is not a .yaml path inside the fleet directory, with no part that begins with a \
                 dot"
                .to_owned(),
            ));
        }
        Ok(Self(template))
    }
}

/// What devices are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameTemplate(Template);

impl NameTemplate {
    /// A name in lower case.
    ///
    /// # Errors
    /// The hole for which there is nothing; empty where there is nothing at all.
    pub(super) fn name(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
        let filled = self.0.fill(value)?;
        slug(&filled)
            .map(|name| name.to_ascii_lowercase().replace(['.', '_'], "-"))
            .ok_or_else(String::new)
    }
}

impl FromStr for NameTemplate {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Template::parse(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_leads_out_of_the_fleet_directory() {
        let layout: Layout = "{site}/{room}/{name}.yaml".parse().unwrap();
        for (site, path) in [
            ("Madrid", Ok("Madrid/r1/x.yaml")),
            ("../../etc", Ok("etc/r1/x.yaml")),
            ("/etc/cron.d", Ok("etc-cron.d/r1/x.yaml")),
            (".git", Ok("git/r1/x.yaml")),
            ("a/../../b", Ok("a-.-.-b/r1/x.yaml")),
            ("..", Err("site")),
            ("\u{202e}", Err("site")),
            ("", Err("site")),
        ] {
            let value = |hole: &str| match hole {
                "site" => Some(site.to_owned()),
                "room" => Some("r1".to_owned()),
                _ => Some("x".to_owned()),
            };
            let expected = path.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(layout.path(value), expected, "{site:?}");
        }
    }

    #[test]
    fn a_layout_is_a_path_in_the_fleet_directory() {
        for text in ["{name}.yaml", "a/{site}/{name}.yml", "{site}/devices.yaml", "all.yaml"] {
            assert!(text.parse::<Layout>().is_ok(), "{text}");
        }
        for text in [
            "/{name}.yaml",
            "../{name}.yaml",
            "a/../{name}.yaml",
            "{name}",
            "{name}.txt",
            ".{name}.yaml",
            "a//{name}.yaml",
            "{name.yaml",
            "name}.yaml",
            "{}.yaml",
            "{a{b}}.yaml",
            "a\\{name}.yaml",
            "./{name}.yaml",
            "a\n/{name}.yaml",
        ] {
            assert!(text.parse::<Layout>().is_err(), "{text}");
        }
    }
}
