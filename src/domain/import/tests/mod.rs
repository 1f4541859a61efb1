//! Lists as vendors and spreadsheets write them, and what becomes of them.

mod lists;
mod merging;

use super::*;
use crate::domain::fleet::{Desired, assemble};
use crate::domain::manifest::parse_file;
use std::collections::BTreeMap;

const PROFILES: &str = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\nspec: {platforms: [windows]}\n---\n\
    apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Mobile}\nspec: {platforms: [ios, android]}\n";

/// A fleet directory in memory.
#[derive(Default)]
struct World(BTreeMap<String, String>);

impl World {
    fn new() -> Self {
        Self(BTreeMap::from([("profiles.yaml".to_owned(), PROFILES.to_owned())]))
    }

    fn fleet(&self) -> Desired {
        assemble(
            self.0.iter().map(|(path, text)| parse_file(&path.as_str().into(), text.as_bytes())),
        )
    }

    fn merge(&self, list: Records, options: &Options) -> Merged {
        merge(&list, &self.fleet(), options, &|path| Ok(self.0.get(path).cloned()))
    }

    /// Merges, and writes what came of it: the fleet has no finding then.
    #[track_caller]
    fn take(&mut self, list: Records, options: &Options) -> Merged {
        let merged = self.merge(list, options);
        for file in &merged.files {
            assert_eq!(self.0.get(&file.path), file.old.as_ref());
            self.0.insert(file.path.clone(), file.new.clone());
        }
        assert_eq!(self.fleet().findings, []);
        merged
    }
}

fn options(layout: &str) -> Options {
    let defaults = [
        (Field::UserEmail, "it@example.com"),
        (Field::Profile, "Standard"),
        (Field::OsVersion, "10.0.26100"),
    ];
    Options {
        layout: layout.parse().unwrap(),
        name: "{user}-{serial}".parse().unwrap(),
        defaults: defaults.map(|(field, text)| (field, text.to_owned())).into(),
        required: &[(Field::Profile, "--profile")],
    }
}

fn problems(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{}: {}", problem.at, problem.what)).collect()
}
