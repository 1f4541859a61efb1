//! The tenant, and both app registrations towards it.

use super::graph::{Credentials, Endpoints, Everyday, Failure, Proof, Tenant, Wiping};
use crate::domain::model::Timestamp;
use crate::domain::provider_settings::{AppRegistration, Credential, IntuneSettings};
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::error::Error;

/// The settings name no tenant that can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("provider: {0}")]
pub(crate) struct InvalidConnection(String);

/// Graph, as both registrations ask it. Copies share everything.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    /// Everything that destroys nothing.
    pub(super) everyday: Everyday,
    /// Only what does; nothing where it is not configured.
    pub(super) wiping: Option<Wiping>,
}

impl Connection {
    /// Nobody is asked anything yet.
    ///
    /// # Errors
    /// If the settings name no tenant that can be asked.
    pub(super) fn new(
        settings: &IntuneSettings,
        now: fn() -> Timestamp,
    ) -> Result<Self, InvalidConnection> {
        let IntuneSettings { tenant, app, wipe_app, login_url, graph_url, .. } = settings;
        let endpoints = Endpoints::new(login_url, graph_url, tenant)
            .map_err(|why| InvalidConnection(why.to_string()))?;
        let tenant = Tenant::new(endpoints, now);
        let everyday = Everyday::new(tenant.clone(), credentials(app));
        let wiping = wipe_app.as_ref().map(|app| Wiping::new(tenant, credentials(app)));
        Ok(Self { everyday, wiping })
    }

    /// A pass begins: it may wait for Microsoft as long as any other.
    pub(super) fn begin_pass(&self) {
        self.everyday.begin_pass();
        if let Some(wiping) = &self.wiping {
            wiping.begin_pass();
        }
    }
}

fn credentials(app: &AppRegistration) -> Credentials {
    let proof = match &app.credential {
        Credential::Secret(path) => Proof::Secret(path.clone()),
        Credential::Certificate(path) => Proof::Certificate(path.clone()),
        Credential::FederatedToken(path) => Proof::FederatedToken(path.clone()),
    };
    Credentials::new(app.client_id.clone(), proof)
}

/// As the controller takes it: what of it may have happened is unknown.
pub(super) fn told(failure: &Failure) -> Error {
    Error { retry_after: failure.retry_after(), ..Error::new(failure.class(), failure.to_string()) }
}

/// Likewise of a call that may be repeated without harm: it is tried again, whatever became of it.
pub(super) fn again(failure: &Failure) -> Error {
    let class = match failure.class() {
        ErrorClass::Permanent => ErrorClass::Permanent,
        ErrorClass::Transient | ErrorClass::Unknown => ErrorClass::Transient,
    };
    Error { retry_after: failure.retry_after(), ..Error::new(class, failure.to_string()) }
}

/// Likewise of a call on something that is there, by all that was read: Graph does not know what is new
/// everywhere at once.
pub(super) fn soon(failure: &Failure) -> Error {
    let error = again(failure);
    if failure.is_absent() { Error { class: ErrorClass::Transient, ..error } } else { error }
}
