//! Entra's token endpoint: client credentials by secret, by certificate, or by the token of another
//! issuer.

mod assertion;
mod endpoint;
mod error;

pub(super) use endpoint::serve_token;
