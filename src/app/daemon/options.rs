//! How the daemon runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::status::View;
use crate::edges::config::Config;
use crate::edges::watch::Pace;

/// Reads the configuration again, given the one that holds, and all that belongs to it and not
/// to the daemon; or says why nothing of it is taken.
pub(crate) type Reload = dyn Fn(&Config) -> Result<Config, String> + Send;

/// How the daemon runs; what it does is in the configuration.
pub struct Options {
    /// Who entries of the log name as having run the pass.
    pub actor: Arc<str>,
    /// How often to make a pass though nothing woke it.
    pub resync: Duration,
    /// When an event leads to a pass.
    pub pace: Pace,
    /// How the configuration is read again.
    pub reload: Box<Reload>,
    /// Where to publish what others read; without it nothing is kept for them.
    pub views: Option<watch::Sender<Arc<View>>>,
}
