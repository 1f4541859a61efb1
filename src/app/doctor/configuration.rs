//! Whether the configuration file can be used.

use std::path::Path;

use crate::domain::diagnosis::Check;
use crate::edges::config::{Error, Ignored, Loaded};

pub(super) const CONFIGURATION: &str = "configuration";

/// Of the file at this path, which need not be there.
pub(super) fn configuration(path: &Path, loaded: &Result<Loaded, Error>) -> Check {
    let path = path.display();
    match loaded {
        Err(error) => Check::broken(CONFIGURATION, error.to_string()),
        Ok(Loaded { ignored: Some(ignored), .. }) => {
            Check::fails(CONFIGURATION, ignored.to_string(), Ignored::HELP)
        }
        Ok(Loaded { config, ignored: None }) if config.digest.is_some() => {
            let kind = config.provider.kind();
            Check::ok(CONFIGURATION, format!("{path} is valid; the provider is {kind}"))
        }
        Ok(_) => Check::ok(CONFIGURATION, format!("there is no {path}: the defaults apply")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnosis::CheckState;
    use crate::domain::model::Digest;
    use crate::edges::config::Config;

    #[test]
    fn a_file_that_cannot_count_fails_and_none_at_all_is_well() {
        let loaded = |digest, ignored| {
            Ok(Loaded { config: Config { digest, ..Config::default() }, ignored })
        };
        let ignored = Ignored {
            path: "fleetform.yaml".into(),
            checkout: "/srv/fleet".into(),
            keys: vec!["trust".into()],
        };
        let invalid = Error::Invalid {
            path: "fleetform.yaml".into(),
            line: 3,
            column: 1,
            message: "unknown field `tust`".into(),
        };
        for (loaded, state, says) in [
            (loaded(None, None), CheckState::Ok, "the defaults apply"),
            (loaded(Some(Digest::of(b"x")), None), CheckState::Ok, "the provider is local"),
            (
                loaded(Some(Digest::of(b"x")), Some(ignored)),
                CheckState::Fails,
                "must not set trust",
            ),
            (Err(invalid), CheckState::Fails, "fleetform.yaml:3:1: unknown field `tust`"),
        ] {
            let check = configuration(Path::new("fleetform.yaml"), &loaded);
            assert_eq!(check.state, state, "{check:?}");
            assert!(check.detail.contains(says), "{check:?}");
        }
    }
}
