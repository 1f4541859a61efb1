//! Why nothing listens.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The address cannot be had.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    /// Anyone could read the fleet.
    #[error(
        "{0} is not loopback: name a file with a bearer token (--token-file or http.tokenFile)"
    )]
    Open(SocketAddr),
    /// The token cannot be used.
    #[error("the token file {}: {why}", path.display())]
    Token { path: PathBuf, why: String },
}
