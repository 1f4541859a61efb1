//! How much a wipe erases, and why.

use super::macros::words;

words! {
    /// How much a wipe erases.
    pub(crate) enum WipeScope {
        /// Everything: a factory reset.
        Full = "full",
        /// Corporate data only.
        Selective = "selective",
    }
}
words! {
    /// Why a device is wiped (docs/wipe-a-device.md).
    pub(crate) enum WipeReason { Lost = "lost", Stolen = "stolen", Termination = "termination", Breach = "breach" }
}
