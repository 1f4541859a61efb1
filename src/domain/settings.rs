//! The numbers that decisions depend on, with their defaults (docs/reference.md).

use chrono::TimeDelta;

use crate::domain::model::words;
use crate::domain::wipe::quorum::Tiers;

/// What the pure core needs to know of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Pending longer than this becomes Failed.
    pub(crate) enrollment_deadline: TimeDelta,
    /// How often a device should be heard from; overdue after three of these.
    pub(crate) sync_interval: TimeDelta,
    /// How long after becoming non-compliant a device loses access.
    pub(crate) block_after: TimeDelta,
    /// How long after it was wiped or orphaned a device is archived; never where nothing is set.
    pub(crate) archive_after: Option<TimeDelta>,
    /// A device that fails again within this time after it was compliant goes on with its last episode.
    pub(crate) settle: TimeDelta,
    /// How long it may be unknown whether a device is compliant.
    pub(crate) unknown_after: TimeDelta,
    /// When the guard freezes the controller.
    pub limits: FreezeLimits,
    /// What a wipe needs.
    pub wipes: Wipes,
    /// What the provider can do, and how much.
    pub provider: ProviderRules,
}

/// What the provider can do, and how much: part of every decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRules {
    /// Why it cannot wipe at all, without a full stop; nothing where it can.
    pub cannot_wipe: Option<String>,
    /// How many wipes it takes in a day (UTC).
    pub per_day: Option<DailyWipes>,
    /// From when on the user of a device gets the licenses of its profile; nothing where somebody else
    /// assigns them.
    pub licenses: Option<LicenseStart>,
    /// Whether it has to be told when the user or the hardware of a device changes, and not only
    /// when its profile does.
    pub follows_users: bool,
}

impl Default for ProviderRules {
    /// Those of the provider `local`.
    fn default() -> Self {
        let licenses = Some(LicenseStart::Enrolled);
        Self { cannot_wipe: None, per_day: None, licenses, follows_users: false }
    }
}

words! {
    /// From when on the user of a device gets the licenses of its profile.
    pub enum LicenseStart {
        /// As soon as the device is declared: without them nobody can enroll it.
        Declared = "declared",
        /// Once it is enrolled.
        Enrolled = "enrolled",
    }
}

/// How many wipes of each scope a provider takes in a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyWipes {
    /// Of scope `full`.
    pub full: usize,
    /// Of scope `selective`.
    pub selective: usize,
}

impl DailyWipes {
    /// Those that Microsoft documents for an Intune tenant.
    pub const INTUNE: Self = Self { full: 500, selective: 1000 };
}

/// What a wipe needs besides signatures that hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wipes {
    /// Whether a request must name a recent entry of the log.
    pub require_head: bool,
    /// How far `expiresAt` may be from `issuedAt`.
    pub max_validity: TimeDelta,
    /// Cooling off between acceptance and issue.
    pub delay: TimeDelta,
    /// Signatures needed, by the number of wipes in a window.
    pub quorum: Tiers,
}

impl Default for Wipes {
    fn default() -> Self {
        Self {
            require_head: false,
            max_validity: TimeDelta::hours(72),
            delay: TimeDelta::zero(),
            quorum: Tiers::default(),
        }
    }
}

/// When a fleet that shrank is frozen (docs/concepts.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreezeLimits {
    /// More than this share of the active devices gone at once freezes.
    pub(crate) max_removed_percent: u8,
    /// Below this many active devices only an empty directory freezes.
    pub(crate) min_fleet: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enrollment_deadline: TimeDelta::minutes(30),
            sync_interval: TimeDelta::hours(8),
            block_after: TimeDelta::hours(24),
            archive_after: None,
            settle: TimeDelta::minutes(10),
            unknown_after: TimeDelta::hours(24),
            limits: FreezeLimits { max_removed_percent: 30, min_fleet: 10 },
            wipes: Wipes::default(),
            provider: ProviderRules::default(),
        }
    }
}

impl Settings {
    /// A device not heard from for longer than this is overdue: three intervals.
    #[must_use]
    pub(crate) fn overdue_after(&self) -> TimeDelta {
        self.sync_interval * 3
    }
}
