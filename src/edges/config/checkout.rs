//! Whether a merged change could have written the configuration file: then it gives no rights.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::edges::fs::work_tree::{self, Checkout};

/// The directory in which a merged change could have written the file at `path`. One that was
/// found and not named gives no rights in any work tree: it chooses the fleet directory itself.
pub(super) fn checkout(path: &Path, fleet: &Path, named: bool) -> Result<Option<PathBuf>, Error> {
    let unknown =
        |error: std::io::Error| Error::Place { path: path.into(), why: error.to_string() };
    let around = Checkout::of(fleet).map_err(unknown)?;
    if let Some(reviewed) = around.holding(path).map_err(unknown)? {
        return Ok(Some(reviewed.path.clone()));
    }
    if named { Ok(None) } else { work_tree::holding(path).map_err(unknown) }
}

/// The keys that a valid file gives and that do not count in a checkout: all but `fleet`.
pub(super) fn given(bytes: &[u8]) -> Vec<String> {
    let all: BTreeMap<String, serde_yaml::Value> =
        serde_yaml::from_slice(bytes).unwrap_or_default();
    let given = all.into_iter().filter(|(key, value)| key != "fleet" && !value.is_null());
    given.map(|(key, _)| key).collect()
}
