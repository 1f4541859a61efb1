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

    /// The same request, of which it is not known what is beside it and its copies.
    #[must_use]
    pub(crate) fn alone(&self) -> Self {
        let Self { request, place, bytes, copies, signatures: _, vetoes: _, unreadable: _ } = self;
        let alone = Self::new(request.clone(), place.clone(), bytes.clone());
        Self { copies: copies.clone(), ..alone }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::{Digest, Timestamp, WipeReason, WipeScope};

    fn a_wipe_request() -> WipeFile {
        let request = Request {
            name: "lost".parse().unwrap(),
            path: "wipes/lost.yaml".into(),
            ledger: "4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21".parse().unwrap(),
            head: None,
            device_id: "D007".parse().unwrap(),
            serial: "PF3XK9Q2".parse().unwrap(),
            scope: WipeScope::Full,
            reason: WipeReason::Lost,
            requested_by: "bob@example.com".parse().unwrap(),
            confirm: true,
            issued_at: Timestamp::EPOCH,
            expires_at: Timestamp::EPOCH,
            digest: Digest::ZERO,
        };
        let place = Place { path: request.path.clone(), line: 1 };
        WipeFile::new(request, place, Vec::new())
    }

    #[test]
    fn what_lies_beside_a_request_is_a_veto_by_its_name_and_never_lost() {
        let mut file = a_wipe_request();
        let bytes = |text: &str| Ok(Arc::from(text.as_bytes()));
        let beside = ("lost.yaml", "");
        file.add_beside(beside, "lost.yaml.sig", bytes("one"));
        file.add_beside(beside, "lost.yaml.bob.sig", bytes("two"));
        file.add_beside(beside, "lost.yaml.veto.sig", bytes("three"));
        file.add_beside(beside, "lost.yaml.bob.veto.sig", bytes("four"));
        file.add_beside(("lost.yaml", "copies/"), "lost.yaml.sig", bytes("five"));
        file.add_beside(beside, "lost.yaml.x.sig", Err("permission denied".to_owned()));
        file.add_beside(beside, "lost.yaml.x.veto.sig", Err("permission denied".to_owned()));
        // Beside another file.
        file.add_beside(beside, "other.yaml.sig", bytes("six"));
        file.add_beside(beside, "other.yaml.veto.sig", Err("permission denied".to_owned()));
        file.add_unseen("copies/*.sig", "it cannot be listed".to_owned());
        let held = |files: &BTreeMap<String, Vec<u8>>| -> Vec<(String, String)> {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            files.iter().map(|(name, bytes)| (name.clone(), text(bytes))).collect()
        };
        let expected = |files: &[(&str, &str)]| -> Vec<(String, String)> {
            files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let signatures = [
            ("copies/lost.yaml.sig", "five"),
            ("lost.yaml.bob.sig", "two"),
            ("lost.yaml.sig", "one"),
        ];
        let vetoes = [("lost.yaml.bob.veto.sig", "four"), ("lost.yaml.veto.sig", "three")];
        assert_eq!(held(&file.signatures), expected(&signatures));
        assert_eq!(held(&file.vetoes), expected(&vetoes));
        let unreadable: Vec<_> = file.unreadable.keys().map(String::as_str).collect();
        assert_eq!(unreadable, ["copies/*.sig", "lost.yaml.x.sig", "lost.yaml.x.veto.sig"]);
        assert_eq!(file.unreadable["copies/*.sig"], "it cannot be listed");
    }
}
