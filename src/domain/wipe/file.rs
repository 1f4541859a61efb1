//! A wipe request together with the signatures and vetoes that lie beside it.
//!
//! Whoever reads files says only what each holds; which of them belong to the request, and which
//! of those are vetoes, is decided here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::request::Request;
use crate::domain::model::Place;
use crate::domain::wording::harmless;

/// How files are named that object to a request.
const VETO: &str = ".veto.sig";

/// A wipe request and all that is said about it: read once, and judged as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WipeFile {
    /// As parsed from `bytes`.
    pub request: Request,
    /// Where it is written.
    pub place: Place,
    /// The whole file: what is signed.
    pub(crate) bytes: Vec<u8>,
    /// Where else the same bytes lie: what is beside a copy counts as well, above all a veto.
    pub(crate) copies: Vec<Arc<str>>,
    /// Signature files beside it, by name.
    pub signatures: BTreeMap<String, Vec<u8>>,
    /// Veto files beside it, by name.
    pub vetoes: BTreeMap<String, Vec<u8>>,
    /// Files beside it that could not be read, directories that could not be listed: and why.
    pub(crate) unreadable: BTreeMap<String, String>,
}

impl WipeFile {
    /// A request that was parsed from `bytes`, of which nothing else is known yet.
    #[must_use]
    pub(crate) fn new(request: Request, place: Place, bytes: Vec<u8>) -> Self {
        Self {
            request,
            place,
            bytes,
            copies: Vec::new(),
            signatures: BTreeMap::new(),
            vetoes: BTreeMap::new(),
            unreadable: BTreeMap::new(),
        }
    }

    /// Takes in what a `.sig` file in the directory of the request or of a copy holds, or why it
    /// cannot be read. It belongs to the request if its name begins with `request`, the name of
    /// the file that it lies beside. `shown` goes before its name: beside a copy a file may be
    /// called as one beside another.
    pub(crate) fn add_beside(
        &mut self,
        (request, shown): (&str, &str),
        name: &str,
        content: Result<Arc<[u8]>, String>,
    ) {
        let Some(rest) = name.strip_prefix(request) else { return };
        let files = if rest.ends_with(VETO) { &mut self.vetoes } else { &mut self.signatures };
        let name = harmless(&format!("{shown}{name}"));
        match content {
            Ok(bytes) => drop(files.insert(name, bytes.to_vec())),
            Err(why) => drop(self.unreadable.insert(name, why)),
        }
    }

    /// Notes that there are files of this pattern that nobody has seen: they may be vetoes.
    pub(crate) fn add_unseen(&mut self, pattern: &str, why: String) {
        self.unreadable.insert(harmless(pattern), why);
    }
}
