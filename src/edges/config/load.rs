//! Reading the configuration file.

use std::path::Path;

use super::checkout::{checkout, given};
use super::error::{Error, Ignored};
use super::file_format::Written;
use super::settings::Config;
use crate::domain::manifest::encoding;
use crate::domain::manifest::strict_map::StrictMap;
use crate::domain::model::Digest;
use crate::edges::fs::guarded::{self, Guarded};

/// Looked for in the working directory.
pub(crate) const FILE_NAME: &str = "fleetform.yaml";
/// A hundred times what anyone needs.
const FILE_LIMIT: usize = 1 << 20;

/// A configuration, and what of its file does not count.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loaded {
    /// Without what does not count.
    pub(crate) config: Config,
    /// Where the file may say less than it does.
    pub(crate) ignored: Option<Ignored>,
}

impl Config {
    /// From the file named, which must exist; or else from `fleetform.yaml` in the working
    /// directory, where there is one; or else the defaults. `fleet` is the fleet directory where
    /// it is not the configuration that says so.
    ///
    /// # Errors
    /// If the file cannot be read, or says what it may not.
    pub(crate) fn load(explicit: Option<&Path>, fleet: Option<&Path>) -> Result<Loaded, Error> {
        let path = explicit.unwrap_or(Path::new(FILE_NAME));
        let Some(bytes) = read(path)? else {
            return match explicit {
                None => Ok(Loaded { config: Self::default(), ignored: None }),
                Some(_) => Err(Error::Unreadable {
                    path: path.into(),
                    why: "no such file; --config names a file that exists".into(),
                }),
            };
        };
        let config = Self::parse(&bytes, path)?;
        let fleet = fleet.unwrap_or(&config.fleet).to_owned();
        let Some(checkout) = checkout(path, &fleet, explicit.is_some())? else {
            return Ok(Loaded { config, ignored: None });
        };
        let keys = given(&bytes);
        if keys.is_empty() {
            return Ok(Loaded { config, ignored: None });
        }
        let base = path.parent().unwrap_or(Path::new(""));
        let config = Self { fleet: config.fleet, ..Written::default().into_config(base) };
        Ok(Loaded { config, ignored: Some(Ignored { path: path.into(), checkout, keys }) })
    }

    /// From the content of the file at `path`, whose directory is what paths are relative to.
    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        if let Some(encoding) = encoding::wide(bytes) {
            let message = format!("the file is {encoding}, not UTF-8: {}", encoding::HELP);
            return Err(Error::Invalid { path: path.into(), line: 1, column: 1, message });
        }
        let written: Option<StrictMap<Written>> =
            serde_yaml::from_slice(bytes).map_err(|error| {
                let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
                let text = error.to_string();
                let place = format!(" at line {line} column {column}");
                let message = text.strip_suffix(&place).unwrap_or(&text);
                let message =
                    message.chars().filter(|c| !crate::domain::model::is_deceptive(*c)).collect();
                Error::Invalid { path: path.into(), line, column, message }
            })?;
        let StrictMap(written) = written.unwrap_or_default();
        let config = written.into_config(path.parent().unwrap_or(Path::new("")));
        if let Some(message) = config.contradiction() {
            return Err(Error::Invalid { path: path.into(), line: 1, column: 1, message });
        }
        Ok(Self { digest: Some(Digest::of(bytes)), ..config })
    }
}

/// The bytes of a regular file, or `None` where there is nothing. Links are followed: it is the
/// operator's own file, and mounted configuration comes as links.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let unreadable =
        |why: guarded::Refused| Error::Unreadable { path: path.into(), why: why.to_string() };
    let Some(file) = Guarded::up_to(FILE_LIMIT).open_if_there(path).map_err(unreadable)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.read(&mut bytes).map_err(unreadable)?;
    Ok(Some(bytes))
}
