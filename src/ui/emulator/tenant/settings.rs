//! What a test may set about the tenant and the service around it.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// All that can be set, by `PATCH /emulator/settings`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Settings {
    /// The most entries of a page.
    pub(crate) page_size: usize,
    /// How long readers do not see what was written, in emulated seconds.
    pub(crate) consistency_lag_seconds: f64,
    pub(crate) tokens: Tokens,
    /// Whether a device without any policy counts as compliant.
    pub(crate) compliant_without_policy: bool,
    /// A device that is silent for so many days is not compliant.
    pub(crate) silent_days: u32,
    pub(crate) throttle: Throttle,
    pub(crate) caps: Caps,
    pub(crate) approvals: Approvals,
}

/// How long tokens hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tokens {
    pub(crate) lifetime_seconds: u32,
    /// Whether these seconds are of emulated time instead of real time, by which clients live.
    pub(crate) emulated_time: bool,
}

/// How many calls an application may make.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Throttle {
    pub(crate) enabled: bool,
    /// Calls that write, for each application.
    pub(crate) writes: usize,
    /// Calls of any kind, for each application.
    pub(crate) requests: usize,
    pub(crate) window_seconds: f64,
    /// Whether the window is of emulated time instead of real time.
    pub(crate) emulated_time: bool,
}

/// How many commands a tenant takes in a day.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Caps {
    pub(crate) wipe: u64,
    pub(crate) retire: u64,
    /// What is answered beyond them.
    pub(crate) status: u16,
}

/// How Multi Admin Approval answers: Microsoft's pages and reports from the field differ.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Approvals {
    /// Of a call that needs approval: 403 as documented, 412 as reported.
    pub(crate) status: u16,
    /// Whether a first call without a justification is refused with 400.
    pub(crate) justification_required: bool,
    /// Of a second call while one waits: 403 gives the same code again, 409 gives none.
    pub(crate) pending_status: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            page_size: 1000,
            consistency_lag_seconds: 2.0,
            tokens: Tokens { lifetime_seconds: 3599, emulated_time: false },
            compliant_without_policy: true,
            silent_days: 30,
            throttle: Throttle {
                enabled: true,
                writes: 100,
                requests: 1000,
                window_seconds: 20.0,
                emulated_time: false,
            },
            caps: Caps { wipe: 500, retire: 1000, status: 429 },
            approvals: Approvals {
                status: 403,
                justification_required: false,
                pending_status: 403,
            },
        }
    }
}

impl Settings {
    pub(crate) fn lag(&self) -> TimeDelta {
        seconds(self.consistency_lag_seconds)
    }

    /// What makes no sense together.
    pub(crate) fn check(&self) -> Result<(), String> {
        let error = |status: u16| (400..600).contains(&status);
        let sound = |seconds: f64| (0.0..=1e9).contains(&seconds);
        if self.page_size == 0 {
            return Err("pageSize: a page has at least one entry".into());
        }
        if !sound(self.consistency_lag_seconds) || !sound(self.throttle.window_seconds) {
            return Err(
                "consistencyLagSeconds and throttle.windowSeconds: 0 or more seconds".into()
            );
        }
        if ![self.caps.status, self.approvals.status, self.approvals.pending_status]
            .into_iter()
            .all(error)
        {
            return Err("every status that refuses is between 400 and 599".into());
        }
        Ok(())
    }
}

/// As many seconds, to the millisecond.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds of at most decades")]
pub(crate) fn seconds(seconds: f64) -> TimeDelta {
    TimeDelta::milliseconds((seconds * 1000.0).round() as i64)
}
