//! How much the fields of a device may hold; in bytes, where nothing else is said.

/// How many there may be.
pub(crate) const MAX_LABELS: usize = 32;
pub(crate) const MAX_LABEL_KEY: usize = 128;
pub(crate) const MAX_LABEL_VALUE: usize = 256;
/// All keys and values: a change of them, before and after, in JSON twice as long, has to fit
/// a line of the log (64 KiB) beside two hardware hashes and a path.
pub(crate) const MAX_LABELS_BYTES: usize = 6 * 1024;
pub(crate) const MAX_HARDWARE: usize = 256;
pub(crate) const MAX_HASH: usize = 8 * 1024;
pub(crate) const MAX_EXEMPTION_REASON: usize = 256;
