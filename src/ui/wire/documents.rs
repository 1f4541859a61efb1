//! Where documents are that lie in the daemon's directories: as the commands write them with
//! `-o json`, which read them again with `--server`.

/// As `deliveries -o json`.
pub(crate) const DELIVERIES: &str = "/api/v1/deliveries";
/// As `reports rejected -o json`.
pub(crate) const REJECTED: &str = "/api/v1/reports/rejected";
/// As `trust check -o json`.
pub(crate) const TRUST: &str = "/api/v1/trust";
/// As `list --unmanaged -o json`.
pub(crate) const UNMANAGED: &str = "/api/v1/unmanaged";
