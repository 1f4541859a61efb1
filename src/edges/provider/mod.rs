//! The MDM that holds the devices, seen from the controller.
//!
//! Observing and applying are separate, and observing changes nothing. Calls are
//! asynchronous and bounded: by [`Limits`], and by the caller's time limit. An effect is
//! repeated only under the number of its intent, which a provider must take as an
//! idempotency key. What went wrong is transient, permanent, or unknown: never a guess.

mod diagnosis;
mod effect;
mod error;
mod interface;
pub(crate) mod intune;
pub mod local;
mod observed;
pub(crate) mod unmanaged;

pub use diagnosis::Diagnosis;
pub use effect::{
    FormerUser, Left, LicenseTarget, Licensed, Prepared, Presence, ProfileSetup, Push, PushTarget,
    Receipt, Target, WipeOrder, Withdrawn,
};
pub use error::Error;
pub use interface::{Cadence, Limits, Provider, WatchedDir};
pub use observed::{Acknowledgement, Asked, Cursor, Observation, Observed, ReportOutcome};
pub(crate) use observed::{ReadProblem, UnusableReport};
