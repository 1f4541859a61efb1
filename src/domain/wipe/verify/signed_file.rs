//! One signature or veto file by itself: what it was made for, and who signed.

use std::collections::BTreeMap;

use super::judgement::Discounted;
use crate::domain::model::{Email, Timestamp};
use crate::domain::wipe::request::Namespace;
use crate::domain::wipe::sshsig;
use crate::domain::wipe::trust::Trust;
use crate::domain::wording::escape;

/// Signature and veto files beside one request that are looked at: checking one takes about
/// 0.2 ms, so that nobody can keep a pass busy with files. Beyond that the request is refused,
/// not the surplus ignored: a veto might be in it.
pub(crate) const MAX_FILES: usize = 256;

/// One signature or veto file, as far as it can be judged without a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedFile {
    /// Its name, harmless to show.
    pub(crate) name: String,
    /// What it was made for, as far as it says.
    pub(crate) purpose: Namespace,
    /// The fingerprint of the key that signed these very bytes, or why none did.
    pub(crate) key: Result<String, Discounted>,
    /// Where there is a trust file: whose key that is, or why it gives no right.
    pub(crate) person: Option<Result<Email, Discounted>>,
}

/// Who signed `bytes`, by each of these files: at most [`MAX_FILES`] of them are looked at.
#[must_use]
pub(crate) fn signed_files(
    bytes: &[u8],
    (files, named): (&BTreeMap<String, Vec<u8>>, Namespace),
    trust: Option<&Trust>,
    now: Timestamp,
) -> Vec<SignedFile> {
    let signed_file = |(name, file): (&String, &Vec<u8>)| {
        let purpose = purpose(file, named);
        let (key, person) = match sshsig::check(file, bytes, purpose) {
            Ok(checked) => {
                let person = trust.map(|trust| trust.who(checked.key(), now, purpose));
                let person = person.map(|person| person.cloned().map_err(Discounted::from));
                (Ok(sshsig::fingerprint(checked.key())), person)
            }
            Err(fault) => (Err(fault.into()), None),
        };
        SignedFile { name: escape(name), purpose, key, person }
    };
    files.iter().take(MAX_FILES).map(signed_file).collect()
}

/// A veto is one whatever its file is called; a signature for the wipe only where its file is not
/// called a veto: whoever named it so did not mean to agree.
pub(super) fn purpose(file: &[u8], named: Namespace) -> Namespace {
    let said = sshsig::purpose(file).filter(|said| *said == Namespace::Veto);
    said.unwrap_or(named)
}
