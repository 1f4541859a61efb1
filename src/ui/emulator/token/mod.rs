//! Entra's token endpoint: client credentials by secret, by certificate, or by the token of another
//! issuer.

mod assertion;
mod endpoint;
mod error;
mod metadata;

pub(super) use endpoint::serve_token;
pub(super) use metadata::{asks_for_metadata, metadata};
