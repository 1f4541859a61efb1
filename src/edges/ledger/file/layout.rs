//! The files of a data directory, by name.

/// The log: JSON Lines, only ever appended to.
pub const LOG: &str = "audit.jsonl";
pub(crate) const STATE: &str = "state.json";
/// The lock of the one writer, and up to where the log is of whole passes.
pub(super) const LOCK: &str = "lock";
/// The highest time that writers have seen.
pub(super) const CLOCK: &str = "clock";
/// Where cut ends of lines go.
pub(super) const BROKEN: &str = "audit.jsonl.broken";

/// What to do where the end of the log is missing.
pub(crate) const CUT: &str = "was the log rotated (logrotate), renamed, cut or restored from an old backup? Put the newest \
                       copy of audit.jsonl back. To continue without the missing entries: first \
                       delete every wipe request that was issued by then, or it could be issued \
                       again; then remove lock, state.json and outbox";
