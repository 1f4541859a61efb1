//! Manifests as written, made into typed drafts or findings: one file at a time.
//!
//! A draft is valid by itself; what depends on other files is judged by [`crate::domain::fleet`].
//! A document with any finding gives no draft but [`UnusableKind`], with as much of its identity as
//! can be read, so that whatever is recorded of it is held. All findings come at once, up to
//! [`MAX_FINDINGS`] a file. Where a document cannot be read to its end, or holds characters
//! that make it look other than it is, its fields are not judged: they may not be what they seem.

pub mod edit;
pub mod encoding;
pub mod finding;
pub mod schema;
pub mod strict_map;
pub mod yaml;

mod device;
mod profile;
mod reader;
mod wipe_request;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::str::FromStr;
use std::sync::Arc;

pub use device::DeviceDraft;
pub use profile::ProfileDraft;
pub use reader::Spot;
pub use wipe_request::WipeDraft;

use crate::domain::fleet::{UnusableKind, Unusable};
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::manifest::yaml::{Extent, Node, Piece, Position, Scalar, Value};
use crate::domain::model::{
    Digest, Labels, Name, Ownership, Place, Platform, SerialNumber, is_deceptive,
};
use crate::domain::wording::{closest, quote};
use reader::{Field, Lines, Object, Reader, small};

/// Most findings of one file; the last one says how many were left out.
pub const MAX_FINDINGS: usize = 200;

const API_VERSION: &str = "fleetform/v1";
const KINDS: &[&str] = &["Device", "Profile", "WipeRequest"];
const NAME_HELP: &str = "choose a name like ana-ruiz-laptop";
const SERIAL_HELP: &str = "write what the device reports as its serial number; where that has other characters, \
     replace each by `-`, both here and in what the device reports";
const EMAIL_HELP: &str = "write the user's address in full";
const VERSION_HELP: &str = "write it like \"10.0.26100\"";

/// What one file holds, or many.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    /// Valid by themselves.
    pub devices: Vec<DeviceDraft>,
    /// Valid by themselves.
    pub profiles: Vec<ProfileDraft>,
    /// Valid by themselves.
    pub wipes: Vec<WipeDraft>,
    /// What could not be used.
    pub unusable: Vec<Unusable>,
    /// Unusable devices that can be read well enough to say what else is wrong with them.
    pub partial_devices: Vec<PartialDevice>,
    /// Unusable devices that say plainly that they are corporate.
    pub corporate: BTreeSet<Place>,
    /// Names of unusable documents that are or may be profiles.
    pub unusable_profiles: Vec<Name>,
    /// In no particular order.
    pub findings: Vec<Finding>,
    /// As [`crate::domain::fleet::Desired::device_documents`].
    pub device_documents: u64,
    labels: HashSet<Labels>,
}

/// What of an unusable device the rules over all documents can still judge, so that all
/// findings come at once; each with the place of its value.
#[derive(Debug, Clone)]
pub struct PartialDevice {
    /// `spec.serialNumber`.
    pub serial: Option<(SerialNumber, Span)>,
    /// `metadata.name`.
    pub name: Option<(Name, Span)>,
    /// `spec.profile`.
    pub profile: Option<(Name, Span)>,
    /// `spec.platform`.
    pub platform: Option<(Platform, Span)>,
}

impl Documents {
    /// Takes in what another file holds; equal labels are shared from then on.
    pub fn absorb(&mut self, other: Self) {
        let Self {
            mut devices,
            profiles,
            wipes,
            unusable,
            partial_devices,
            unusable_profiles,
            corporate,
            findings,
            device_documents,
            labels: _,
        } = other;
        let mut last = None;
        for device in &mut devices {
            device.share(&mut self.labels, &mut last);
        }
        self.devices.append(&mut devices);
        self.profiles.extend(profiles);
        self.wipes.extend(wipes);
        self.unusable.extend(unusable);
        self.partial_devices.extend(partial_devices);
        self.unusable_profiles.extend(unusable_profiles);
        self.corporate.extend(corporate);
        self.findings.extend(findings);
        self.device_documents += device_documents;
    }

    /// Whether it is valid devices and nothing else.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let Self {
            devices: _,
            profiles,
            wipes,
            unusable,
            partial_devices,
            unusable_profiles,
            // Only of what is unusable.
            corporate: _,
            findings,
            device_documents: _,
            labels: _,
        } = self;
        profiles.is_empty()
            && wipes.is_empty()
            && unusable.is_empty()
            && partial_devices.is_empty()
            && unusable_profiles.is_empty()
            && findings.is_empty()
    }

    /// Notes something that could not be read at all, with the finding that says why.
    pub fn lose(&mut self, what: UnusableKind, path: &Arc<str>, code: Code, message: String, help: &str) {
        if what == UnusableKind::File {
            self.device_documents += 1;
        }
        self.unusable.push(Unusable { place: Place { path: path.clone(), line: 1 }, what });
        self.findings.push(Finding {
            code,
            severity: Severity::Error,
            message,
            help: help.to_owned(),
            span: Span::whole(path),
            related: None,
        });
    }
}

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
        omitted += read_document(path, piece, own, (digest, alone), &mut documents);
    }
    for draft in &mut documents.wipes {
        draft.file.bytes = bytes.to_vec();
    }
    if let (1.., Some(last)) = (omitted, documents.findings.last_mut()) {
        last.message += &format!(" (and {omitted} more findings in this file)");
    }
    documents
}

/// How many findings had no room.
fn read_document(
    path: &Arc<str>,
    piece: &Piece,
    bytes: &[u8],
    (digest, alone): (Digest, bool),
    documents: &mut Documents,
) -> usize {
    let (text, forbidden) = decode(piece.line, bytes);
    let lines = Lines::new(&text, piece.line);
    let parsed = yaml::parse(lines.from(piece.body_line), piece.body_line);
    let room = MAX_FINDINGS - documents.findings.len();
    let mut reader = Reader::new(path, lines, room);
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
    let line = root.map_or(piece.body_line, |root| root.extent.start.line);
    let place = Place { path: path.clone(), line };
    let draft = if honest && parsed.complete {
        read_root(&mut reader, root, Frame { place: place.clone(), digest, alone })
    } else {
        None
    };
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

/// Where a text is not what it seems.
struct Forbidden {
    line: u32,
    /// From 1.
    column: u32,
    /// Which character; none where it is not UTF-8.
    character: Option<char>,
}

impl Forbidden {
    fn report(&self, reader: &mut Reader<'_>) {
        let Self { line, column, character } = *self;
        let start = Position { line, column };
        let extent = Extent { start, end: Position { line, column: column.saturating_add(1) } };
        let (code, message, help) = match character {
            None => {
                let message = "the file is not UTF-8 here".to_owned();
                (Code::InvalidUtf8, message, "save the file as UTF-8")
            }
            Some('\u{FEFF}') if (line, column) == (1, 1) => {
                let message = "the file begins with a byte order mark".to_owned();
                (Code::ForbiddenCharacter, message, "save it as UTF-8 without one")
            }
            Some(c) => {
                let c = u32::from(c);
                let message = format!("the control or bidirectional character U+{c:04X}");
                let help = "remove it; retype the line if it cannot be seen";
                (Code::ForbiddenCharacter, message, help)
            }
        };
        reader.report(code, extent, message, help);
    }
}

/// The text of a document, and what in it is forbidden, at most once a line; such characters
/// are replaced one for one, so that lines and columns stay.
fn decode(first_line: u32, bytes: &[u8]) -> (Cow<'_, str>, Vec<Forbidden>) {
    let mut forbidden = Vec::new();
    let plain = |b: &u8| matches!(b, b' '..=b'~' | b'\n' | b'\t');
    let text = match str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(plain) => return (text.into(), forbidden),
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = first_line.saturating_add(small(valid.matches('\n').count()));
            let before = valid.rsplit('\n').next().unwrap_or_default().chars().count();
            forbidden.push(Forbidden { line, column: small(before + 1), character: None });
            String::from_utf8_lossy(bytes)
        }
    };
    let mut clean = String::with_capacity(text.len());
    for (number, line) in (first_line..).zip(text.split_inclusive('\n')) {
        let content = line.strip_suffix("\r\n").or(line.strip_suffix('\n')).unwrap_or(line);
        let bad = |c: &char| is_deceptive(*c) && *c != '\t';
        if let Some((n, c)) = content.chars().enumerate().find(|(_, c)| bad(c)) {
            forbidden.push(Forbidden { line: number, column: small(n + 1), character: Some(c) });
        }
        clean
            .extend(content.chars().map(|c| if bad(&c) { char::REPLACEMENT_CHARACTER } else { c }));
        clean.push_str(&line[content.len()..]);
    }
    if forbidden.is_empty() { (text, forbidden) } else { (clean.into(), forbidden) }
}

fn whole_line(line: u32) -> Extent {
    Extent { start: Position { line, column: 1 }, end: Position { line, column: u32::MAX } }
}

/// What a document is, besides its content.
struct Frame {
    place: Place,
    digest: Digest,
    alone: bool,
}

/// What all kinds have in common.
struct Head<'n> {
    kind: Extent,
    metadata: Option<Object<'n>>,
    name: Option<(Name, Spot)>,
    spec: Option<Field<'n>>,
    place: Place,
    digest: Digest,
    alone: bool,
}

enum Draft {
    Device(DeviceDraft),
    Profile(Box<ProfileDraft>),
    Wipe(Box<WipeDraft>),
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

fn read_root(reader: &mut Reader<'_>, root: Option<&Node<'_>>, frame: Frame) -> Option<Draft> {
    let line = frame.place.line;
    let Some(node) = root.filter(|node| matches!(node.value, Value::Map(_))) else {
        let extent = root.map_or(whole_line(line), |node| node.extent);
        let message =
            "a manifest is a mapping of `apiVersion`, `kind`, `metadata` and `spec`".into();
        reader.report(Code::WrongType, extent, message, "write `key: value` lines");
        return None;
    };
    let field = Field { owner: "", key: node, value: node, index: None };
    let root = reader.object("", field, &["apiVersion", "kind", "metadata", "spec"])?;
    if let Some(version) = reader.need(&root, "apiVersion") {
        api_version(reader, &version);
    }
    let kind_at = reader.need(&root, "kind");
    let kind = kind_at.and_then(|field| kind(reader, &field));
    let known: &[&str] =
        if matches!(kind, None | Some("Device")) { &["name", "labels"] } else { &["name"] };
    let metadata = reader.need(&root, "metadata");
    let metadata = metadata.and_then(|field| reader.object("metadata", field, known));
    let named = metadata.as_ref().and_then(|metadata| reader.need(metadata, "name"));
    let name = named.and_then(|field| {
        let name: Name = reader.parsed(&field, NAME_HELP)?;
        let spot = reader.spot(&field, name.as_str());
        Some((name, spot))
    });
    let spec = reader.need(&root, "spec");
    let Frame { place, digest, alone } = frame;
    let head = Head { kind: kind_at?.extent(), metadata, name, spec, place, digest, alone };
    match kind? {
        "Device" => device::read(reader, head).map(Draft::Device),
        "Profile" => profile::read(reader, head).map(Box::new).map(Draft::Profile),
        _ => wipe_request::read(reader, head).map(Box::new).map(Draft::Wipe),
    }
}

fn api_version(reader: &mut Reader<'_>, field: &Field<'_>) {
    if let Some(version) = reader.string(field).filter(|version| *version != API_VERSION) {
        let message = format!("{field}: {} is not supported", quote(version));
        let help = format!("write `{API_VERSION}`");
        reader.report(Code::UnsupportedVersion, field.extent(), message, help);
    }
}

fn kind(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<&'static str> {
    let text = reader.string(field)?;
    let known = KINDS.iter().find(|kind| **kind == text).copied();
    if known.is_none() {
        let help = match closest(text, KINDS.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("write one of {}", KINDS.join(", ")),
        };
        let message = format!("unknown kind {}", quote(text));
        reader.report(Code::UnknownKind, field.extent(), message, help);
    }
    known
}

/// Notes a document that cannot be used, with as much of its identity as can be read.
fn note_unusable(documents: &mut Documents, root: Option<&Node<'_>>, place: Place) {
    let kind = root.and_then(|root| root.get("kind")?.text());
    let name = root.and_then(|root| written(root.get("metadata")?.get("name")?)?.parse().ok());
    match kind {
        Some("WipeRequest") => {}
        Some("Profile") => documents.unusable_profiles.extend(name),
        _ => {
            let serial: Option<SerialNumber> =
                root.and_then(|root| written(root.get("spec")?.get("serialNumber")?)?.parse().ok());
            // What bears a serial number is a device, whatever its kind is misspelt as.
            if kind != Some("Device") && serial.is_none() {
                documents.unusable_profiles.extend(name.clone());
            }
            documents.device_documents += 1;
            if root.is_some_and(says_corporate) {
                documents.corporate.insert(place.clone());
            }
            documents.unusable.push(Unusable { place, what: UnusableKind::Device { serial, name } });
        }
    }
}

/// Whether the document says in a way that leaves no doubt that the device is corporate: also by
/// leaving it out, where no other line can be a misspelt one.
fn says_corporate(root: &Node<'_>) -> bool {
    let Value::Map(fields) = &root.value else { return false };
    let mut specs = fields.iter().filter(|(key, _)| key.text() == Some("spec"));
    let (Some((_, spec)), None) = (specs.next(), specs.next()) else { return false };
    let Value::Map(fields) = &spec.value else { return false };
    fields.iter().all(|(key, value)| match key.text() {
        Some("ownership") => written(value) == Some(Ownership::Corporate.as_str()),
        Some(key) => device::SPEC.contains(&key),
        None => false,
    })
}

fn partial_device(reader: &Reader<'_>, root: &Node<'_>) -> Option<PartialDevice> {
    if root.get("kind")?.text() != Some("Device") {
        return None;
    }
    let (metadata, spec) = (root.get("metadata"), root.get("spec"));
    Some(PartialDevice {
        serial: judged(reader, spec, "serialNumber"),
        name: judged(reader, metadata, "name"),
        profile: judged(reader, spec, "profile"),
        platform: judged(reader, spec, "platform"),
    })
}

fn judged<T: FromStr>(
    reader: &Reader<'_>,
    owner: Option<&Node<'_>>,
    key: &str,
) -> Option<(T, Span)> {
    let node = owner?.get(key)?;
    Some((written(node)?.parse().ok()?, reader.span(node.extent)))
}

/// As it stands there: a serial number that lacks its quotes still identifies the device.
fn written<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    match (&node.value, node.scalar()) {
        (Value::Scalar(text, _), Some(scalar)) if scalar != Scalar::Null => Some(text),
        _ => None,
    }
}
