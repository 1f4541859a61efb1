//! The two app registrations, as two types: what takes one of them cannot be given the other.

use std::ops::Deref;
use std::sync::Arc;

use super::client::{Graph, Role};
use super::credentials::Credentials;
use super::tenant::Tenant;

/// Graph, asked by the registration for everything that destroys nothing.
#[derive(Debug, Clone)]
pub(crate) struct Everyday(Graph);

/// Graph, asked by the one registration that may wipe and retire, and does nothing else.
#[derive(Debug, Clone)]
pub(crate) struct Wiping(Graph);

impl Everyday {
    pub(crate) fn new(tenant: Arc<Tenant>, credentials: Credentials) -> Self {
        Self(Graph::new(tenant, credentials, Role::Everyday))
    }
}

impl Wiping {
    pub(crate) fn new(tenant: Arc<Tenant>, credentials: Credentials) -> Self {
        Self(Graph::new(tenant, credentials, Role::Wiping))
    }
}

impl Deref for Everyday {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        &self.0
    }
}

impl Deref for Wiping {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        &self.0
    }
}
