//! What can be read of a document that cannot be used.

use std::str::FromStr;

use super::fields::{self, Kind};
use super::finding::Span;
use super::reader::Reader;
use super::yaml::{Node, Scalar, Value};
use crate::domain::model::{Name, Ownership, Platform, SerialNumber};

/// What of an unusable device the rules over all documents can still judge, so that all
/// findings come at once; each with the place of its value.
#[derive(Debug, Clone)]
pub(crate) struct PartialDevice {
    /// `spec.serialNumber`.
    pub(crate) serial: Option<(SerialNumber, Span)>,
    /// `metadata.name`.
    pub(crate) name: Option<(Name, Span)>,
    /// `spec.profile`.
    pub(crate) profile: Option<(Name, Span)>,
    /// `spec.platform`.
    pub(crate) platform: Option<(Platform, Span)>,
}

pub(super) fn partial_device(reader: &Reader<'_>, root: &Node<'_>) -> Option<PartialDevice> {
    if root.get("kind")?.text() != Some(Kind::Device.as_str()) {
        return None;
    }
    let (metadata, spec) = (root.get("metadata"), root.get("spec"));
    Some(PartialDevice {
        serial: parsed(reader, spec, "serialNumber"),
        name: parsed(reader, metadata, "name"),
        profile: parsed(reader, spec, "profile"),
        platform: parsed(reader, spec, "platform"),
    })
}

fn parsed<T: FromStr>(
    reader: &Reader<'_>,
    owner: Option<&Node<'_>>,
    key: &str,
) -> Option<(T, Span)> {
    let node = owner?.get(key)?;
    Some((written(node)?.parse().ok()?, reader.span(node.extent)))
}

/// Whether the document says in a way that leaves no doubt that the device is corporate: also by
/// leaving it out, where no other line can be a misspelt one.
pub(super) fn says_corporate(root: &Node<'_>) -> bool {
    let Value::Map(fields) = &root.value else { return false };
    let mut specs = fields.iter().filter(|(key, _)| key.text() == Some("spec"));
    let (Some((_, spec)), None) = (specs.next(), specs.next()) else { return false };
    let Value::Map(fields) = &spec.value else { return false };
    fields.iter().all(|(key, value)| match key.text() {
        Some("ownership") => written(value) == Some(Ownership::Corporate.as_str()),
        Some(key) => fields::DEVICE.all.contains(&key),
        None => false,
    })
}

/// As it stands there: a serial number that lacks its quotes still identifies the device.
pub(super) fn written<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    match (&node.value, node.scalar()) {
        (Value::Scalar(text, _), Some(scalar)) if scalar != Scalar::Null => Some(text),
        _ => None,
    }
}
