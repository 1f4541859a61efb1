//! Where the recorded state is, and in which layout.

/// The path of the resource.
pub(crate) const PATH: &str = "/api/v1/state";
/// The layout of `state.json`, of this version. A client that knows another one stops here.
pub(crate) const KIND: &str = "application/vnd.fleetform.state+json; version=1";
