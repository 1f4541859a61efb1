//! Answers that come in time, or why there are none.

use std::fmt;
use std::future::Future;

use tokio::time::{Instant, timeout_at};

use crate::domain::diagnosis::{Check, Needed};
use crate::edges::provider::intune::graph::{Everyday, Failure};

/// Why something is not known.
#[derive(Debug)]
pub(super) enum Unknown {
    /// Nobody answered in time.
    Late,
    /// What was answered instead.
    Failed(Failure),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("there was no answer in time; try again"),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl Unknown {
    fn is_forbidden(&self) -> bool {
        let Self::Failed(failure) = self else { return false };
        failure.refusal().is_some_and(|refusal| refusal.status == 403)
    }

    /// What a check comes to that needed the answer.
    pub(super) fn check(&self, name: &'static str) -> Check {
        Check::broken(name, self.to_string())
    }
}

/// What is answered until then.
pub(super) async fn until<T>(
    deadline: Instant,
    asked: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Unknown> {
    match timeout_at(deadline, asked).await {
        Ok(answered) => answered.map_err(Unknown::Failed),
        Err(_) => Err(Unknown::Late),
    }
}

/// Reading of Graph, if it can be read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) everyday: Everyday,
    /// Whether there is anything to ask with.
    pub(super) ready: Needed<()>,
    /// The check that says already which permissions are missing, where some are.
    pub(super) lacks: Option<&'static str>,
    pub(super) until: Instant,
}

impl Reading {
    /// What is answered, or the check that says why nothing is.
    pub(super) async fn ask<T>(
        &self,
        name: &'static str,
        asked: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Check> {
        self.ready.map_err(|because| Check::skipped(name, because))?;
        until(self.until, asked).await.map_err(|unknown| match self.lacks {
            Some(permissions) if unknown.is_forbidden() => Check::skipped(name, permissions),
            _ => unknown.check(name),
        })
    }
}
