//! From the bytes of a file to [`Documents`].

use std::sync::Arc;

use super::device::{self, DeviceDraft};
use super::documents::Documents;
use super::encoding;
use super::envelope::{self, Origin, whole_line};
use super::fields::Kind;
use super::finding::Code;
use super::partial_device::{partial_device, says_corporate, written};
use super::profile::{self, ProfileDraft};
use super::reader::{Lines, Reader};
use super::text::decode;
use super::unusable::{Unusable, UnusableKind};
use super::wipe_request::{self, WipeDraft};
use super::yaml::{self, Node, Piece};
use crate::domain::model::{Digest, Place, SerialNumber};

/// Most findings of one file; the last one says how many were left out.
pub(crate) const MAX_FINDINGS: usize = 200;

/// Reads one file.
#[must_use]
pub fn parse_file(path: &Arc<str>, bytes: &[u8]) -> Documents {
    let mut documents = Documents::default();
    if bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0) {
        let message = "the file is empty".to_owned();
        let help = "restore it from Git, or delete it; an interrupted write leaves such files";
        documents.lose(UnusableKind::File, path, Code::EmptyFile, message, help);
        return documents;
    }
    if let Some(encoding) = encoding::wide(bytes) {
        let message = format!("the file is {encoding}, not UTF-8");
        documents.lose(UnusableKind::File, path, Code::InvalidUtf8, message, encoding::HELP);
        return documents;
    }
    let pieces = yaml::cut(bytes);
    let alone = pieces.len() == 1;
    let mut omitted = 0;
    for piece in &pieces {
        let own = &bytes[piece.bytes.clone()];
        let digest = Digest::of(if alone { bytes } else { own });
        let place = Place { path: path.clone(), line: piece.body_line };
        let origin = Origin { place, digest, alone, file: bytes };
        omitted += read_document(piece, own, origin, &mut documents);
    }
    if let (1.., Some(last)) = (omitted, documents.findings.last_mut()) {
        last.message += &format!(" (and {omitted} more findings in this file)");
    }
    documents
}

/// How many findings had no room.
fn read_document(
    piece: &Piece,
    bytes: &[u8],
    mut origin: Origin<'_>,
    documents: &mut Documents,
) -> usize {
    let path = origin.place.path.clone();
    let (text, forbidden) = decode(piece.line, bytes);
    let lines = Lines::new(&text, piece.line);
    let parsed = yaml::parse(lines.from(piece.body_line), piece.body_line);
    let room = MAX_FINDINGS - documents.findings.len();
    let mut reader = Reader::new(&path, lines, room);
    for line in &piece.directives {
        let message = "a directive is not allowed".to_owned();
        reader.report(Code::YamlTag, whole_line(*line), message, "remove the line");
    }
    // What is not the text that it seems to be would only give findings that mislead.
    let honest = forbidden.is_empty();
    forbidden.iter().for_each(|forbidden| forbidden.report(&mut reader));
    let problems = parsed.problems.into_iter().filter(|_| honest);
    problems.for_each(|problem| reader.problem(problem));

    let root = parsed.root.as_ref();
    if let Some(root) = root {
        origin.place.line = root.extent.start.line;
    }
    let place = origin.place.clone();
    let draft =
        if honest && parsed.complete { read_draft(&mut reader, root, origin) } else { None };
    match draft {
        Some(draft) if reader.is_content() => draft.put(documents),
        _ => {
            let whole = root.filter(|_| honest && parsed.complete);
            documents.partial_devices.extend(whole.and_then(|root| partial_device(&reader, root)));
            note_unusable(documents, root, place);
        }
    }
    documents.findings.append(&mut reader.findings);
    reader.omitted
}

enum Draft {
    Device(DeviceDraft),
    Profile(Box<ProfileDraft>),
    Wipe(Box<WipeDraft>),
}

fn read_draft<'n>(
    reader: &mut Reader<'_>,
    root: Option<&'n Node<'n>>,
    origin: Origin<'n>,
) -> Option<Draft> {
    let (kind, envelope) = envelope::read(reader, root, origin)?;
    match kind {
        Kind::Device => device::read(reader, envelope).map(Draft::Device),
        Kind::Profile => profile::read(reader, envelope).map(Box::new).map(Draft::Profile),
        Kind::WipeRequest => wipe_request::read(reader, envelope).map(Box::new).map(Draft::Wipe),
    }
}

impl Draft {
    fn put(self, documents: &mut Documents) {
        match self {
            Self::Device(draft) => {
                documents.device_documents += 1;
                documents.devices.reserve_exact(1);
                documents.devices.push(draft);
            }
            Self::Profile(draft) => documents.profiles.push(*draft),
            Self::Wipe(draft) => documents.wipes.push(*draft),
        }
    }
}

/// Notes a document that cannot be used, with as much of its identity as can be read.
fn note_unusable(documents: &mut Documents, root: Option<&Node<'_>>, place: Place) {
    let kind: Option<Kind> = root.and_then(|root| root.get("kind")?.text()?.parse().ok());
    let name = root.and_then(|root| written(root.get("metadata")?.get("name")?)?.parse().ok());
    match kind {
        Some(Kind::WipeRequest) => {}
        Some(Kind::Profile) => documents.unusable_profiles.extend(name),
        _ => {
            let serial: Option<SerialNumber> =
                root.and_then(|root| written(root.get("spec")?.get("serialNumber")?)?.parse().ok());
            // What bears a serial number is a device, whatever its kind is misspelt as.
            if kind != Some(Kind::Device) && serial.is_none() {
                documents.unusable_profiles.extend(name.clone());
            }
            documents.device_documents += 1;
            if root.is_some_and(says_corporate) {
                documents.corporate.insert(place.clone());
            }
            documents
                .unusable
                .push(Unusable { place, what: UnusableKind::Device { serial, name } });
        }
    }
}
