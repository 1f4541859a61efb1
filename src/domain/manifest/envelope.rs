//! What all kinds of manifests have in common: `apiVersion`, `kind` and `metadata.name`.

use super::fields::{API_VERSION, DEVICE_METADATA, Kind, METADATA, NAME_HELP, ROOT};
use super::finding::Code;
use super::reader::{Field, Object, Reader, Spot};
use super::yaml::{Extent, Node, Position, Value};
use crate::domain::model::{Digest, Name, Place};
use crate::domain::wording::{closest, quote};

/// Where a document is from.
pub(super) struct Origin<'n> {
    pub(super) place: Place,
    /// Over its bytes; over the whole file's where it is alone in it.
    pub(super) digest: Digest,
    /// Whether the file holds no other document.
    pub(super) alone: bool,
    /// The whole file.
    pub(super) file: &'n [u8],
}

/// What all kinds have in common.
pub(super) struct Envelope<'n> {
    /// Where `kind` is written.
    pub(super) kind_at: Extent,
    pub(super) metadata: Option<Object<'n>>,
    pub(super) name: Option<(Name, Spot)>,
    pub(super) spec: Option<Field<'n>>,
    pub(super) origin: Origin<'n>,
}

/// Reads what is the same in all kinds; its `spec` is for who knows the kind.
pub(super) fn read<'n>(
    reader: &mut Reader<'_>,
    root: Option<&'n Node<'n>>,
    origin: Origin<'n>,
) -> Option<(Kind, Envelope<'n>)> {
    let line = origin.place.line;
    let Some(node) = root.filter(|node| matches!(node.value, Value::Map(_))) else {
        let extent = root.map_or(whole_line(line), |node| node.extent);
        let message =
            "a manifest is a mapping of `apiVersion`, `kind`, `metadata` and `spec`".into();
        reader.report(Code::WrongType, extent, message, "write `key: value` lines");
        return None;
    };
    let field = Field { owner: "", key: node, value: node, index: None };
    let root = reader.object(field, &ROOT)?;
    if let Some(version) = reader.field(&root, "apiVersion") {
        api_version(reader, &version);
    }
    let kind_at = reader.field(&root, "kind");
    let kind = kind_at.and_then(|field| kind(reader, &field));
    let fields =
        if matches!(kind, None | Some(Kind::Device)) { &DEVICE_METADATA } else { &METADATA };
    let metadata = reader.field(&root, "metadata");
    let metadata = metadata.and_then(|field| reader.object(field, fields));
    let named = metadata.as_ref().and_then(|metadata| reader.field(metadata, "name"));
    let name = named.and_then(|field| {
        let name: Name = reader.parsed(&field, NAME_HELP)?;
        let spot = reader.spot(&field, name.as_str());
        Some((name, spot))
    });
    let spec = reader.field(&root, "spec");
    Some((kind?, Envelope { kind_at: kind_at?.extent(), metadata, name, spec, origin }))
}

fn api_version(reader: &mut Reader<'_>, field: &Field<'_>) {
    if let Some(version) = reader.string(field).filter(|version| *version != API_VERSION) {
        let message = format!("{field}: {} is not supported", quote(version));
        let help = format!("write `{API_VERSION}`");
        reader.report(Code::UnsupportedVersion, field.extent(), message, help);
    }
}

fn kind(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Kind> {
    let text = reader.string(field)?;
    let known = text.parse().ok();
    if known.is_none() {
        let help = match closest(text, Kind::WORDS.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("write one of {}", Kind::WORDS.join(", ")),
        };
        let message = format!("unknown kind {}", quote(text));
        reader.report(Code::UnknownKind, field.extent(), message, help);
    }
    known
}

/// All of one line.
pub(super) fn whole_line(line: u32) -> Extent {
    Extent { start: Position { line, column: 1 }, end: Position { line, column: u32::MAX } }
}
