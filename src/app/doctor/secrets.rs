//! Whether files with secrets can be used: tokens of clients, and what proves to others who tells them.

use std::path::Path;

use crate::app::wiring;
use crate::domain::diagnosis::Check;
use crate::edges::config::Config;
use crate::edges::fs::secret::Secret;
use crate::edges::notify;

const HELP: &str = "the file has to belong to the user as whom the daemon runs, and nobody else may read it: \
                    chown fleetform: FILE, then chmod 0600 FILE";

/// Of all that this configuration names; of what it does not name nothing is said.
pub(super) fn secrets(config: &Config) -> Vec<Check> {
    let token = |name, path: &Path| {
        let read = Secret::read(path, &config.fleet).map(drop);
        check(name, path, read.map_err(|why| format!("{}: {why}", path.display())))
    };
    let http = config.http_token_file.as_deref().map(|path| token("http.token", path));
    let access = config.access.as_ref().and_then(|access| access.token_file.as_deref());
    let access = access.map(|path| token("access.token", path));
    let of_notify = config.notify.secret_files().into_iter();
    let of_notify = of_notify.map(|path| check("notify.secret", path, notify::check_file(path)));
    // Also that a secret lies in the checkout.
    let sinks = wiring::sinks(config).err();
    let sinks = sinks.map(|error| Check::broken("notify", error.to_string()));
    http.into_iter().chain(access).chain(of_notify).chain(sinks).collect()
}

/// What is said where the files did not let themselves be read in time.
pub(super) fn took_too_long() -> Check {
    Check::broken("secrets", "the files with secrets could not be read in time")
}

fn check(name: &'static str, path: &Path, read: Result<(), String>) -> Check {
    let path = path.display();
    match read {
        Ok(()) => Check::ok(name, format!("{path} can be read")),
        Err(why) => Check::fails(name, why, HELP),
    }
}
