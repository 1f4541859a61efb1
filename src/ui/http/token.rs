//! The bearer token that clients must send, read again with the configuration.

use std::path::PathBuf;

use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use super::error::Error;
use crate::domain::model::Digest;
use crate::edges::fs::secret::Secret;

/// The token that clients must send, if any. Copies share it: all see it change.
#[derive(Clone)]
pub(crate) struct Token {
    file: Option<PathBuf>,
    /// The fleet directory, whose checkout it must not lie in.
    fleet: PathBuf,
    /// Only the digest is kept and compared: neither content nor length shows in the time.
    digest: watch::Sender<Option<Digest>>,
}

impl Token {
    /// From its file; without one clients need to know nothing.
    ///
    /// # Errors
    /// If the file cannot be read, or what it holds can be guessed.
    pub(crate) fn read(file: Option<PathBuf>, fleet: PathBuf) -> Result<Self, Error> {
        let token = Self { file, fleet, digest: watch::Sender::default() };
        token.take(token.held()?);
        Ok(token)
    }

    /// What the files of these hold by now counts from the next request on, of all or of none.
    ///
    /// # Errors
    /// As for [`Token::read`]; the old ones stay.
    pub(crate) fn read_again(tokens: &[Self]) -> Result<(), Error> {
        let held: Vec<_> = tokens.iter().map(Self::held).collect::<Result<_, _>>()?;
        tokens.iter().zip(held).for_each(|(token, held)| token.take(held));
        Ok(())
    }

    fn take(&self, held: Option<Digest>) {
        self.digest.send_replace(held);
    }

    /// What its file holds by now.
    fn held(&self) -> Result<Option<Digest>, Error> {
        let read = |path: &PathBuf| {
            let secret = Secret::read(path, &self.fleet).map(|secret| secret.digest());
            secret.map_err(|why| Error::Token { path: path.clone(), why })
        };
        self.file.as_ref().map(read).transpose()
    }

    /// Whether clients must send one.
    pub(super) fn is_needed(&self) -> bool {
        self.file.is_some()
    }

    /// Whether a client that sends this may ask.
    pub(super) fn admits(&self, given: &[u8]) -> bool {
        let Some(wanted) = *self.digest.borrow() else { return true };
        let given = Digest::of(given).to_string();
        given.as_bytes().ct_eq(wanted.to_string().as_bytes()).into()
    }
}

/// The token of an `Authorization`: RFC 9110 §11.1, whose schemes have no case.
pub(super) fn bearer(credentials: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = credentials.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii_start())
}
