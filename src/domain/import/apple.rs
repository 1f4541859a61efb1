//! Devices of an organization as the API of Apple Business or School Manager lists them, from a saved
//! answer: one page, several one after another, or a list of pages.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::decode::decode;
use super::field::Field;
use super::problem::{Cell, Problem};
use super::record::{Draft, Record, Records};
use crate::domain::wording::quote;

#[derive(Deserialize)]
struct Page<'t> {
    #[serde(borrow)]
    data: Vec<&'t RawValue>,
    #[serde(default)]
    links: Option<Links>,
}

#[derive(Deserialize)]
struct Links {
    next: Option<String>,
}

#[derive(Deserialize)]
struct Device<'t> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    attributes: Attributes<'t>,
}

/// As they stand in the text, so that each has its place there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes<'t> {
    #[serde(borrow)]
    serial_number: Option<&'t RawValue>,
    #[serde(borrow)]
    device_model: Option<&'t RawValue>,
    #[serde(borrow)]
    product_family: Option<&'t RawValue>,
}

const SAVED: &str = "save the answer of GET https://api-business.apple.com/v1/orgDevices as it is";

/// Reads it.
pub(crate) fn read(bytes: &[u8]) -> Records {
    let mut read = Records::default();
    let Some(text) = decode(bytes) else {
        let problem = Problem::new(&Cell::line(1), "the file is not text", SAVED);
        return Records { problems: vec![problem], ..read };
    };
    let place = Places::of(&text);
    let mut records = Vec::new();
    let (mut rest, mut next) = (&text[..], None);
    while !rest.trim_start().is_empty() {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let raw = match values.next() {
            Some(Ok(raw)) => raw,
            Some(Err(error)) => {
                let mut at = place.cell(rest, "");
                at.line += error.line() as u64 - 1;
                at.column = match error.line() {
                    1 => at.column + error.column() - 1,
                    _ => error.column(),
                };
                read.problems.push(Problem::new(&at, "the file is not valid JSON", SAVED));
                break;
            }
            None => break,
        };
        rest = &rest[values.byte_offset()..];
        let pages = match serde_json::from_str::<Vec<Page<'_>>>(raw.get()) {
            Ok(pages) => Ok(pages),
            Err(_) => serde_json::from_str::<Page<'_>>(raw.get()).map(|page| vec![page]),
        };
        let Ok(pages) = pages else {
            let at = place.cell(raw.get(), "");
            let what = "this is not a page of devices: it has no list `data`";
            read.problems.push(Problem::new(&at, what, SAVED));
            continue;
        };
        for Page { data, links } in pages {
            next = links.and_then(|links| links.next);
            records.extend(data.iter().filter_map(|raw| device(&place, raw, &mut read.problems)));
        }
    }
    if records.is_empty() && read.problems.is_empty() {
        read.problems.push(Problem::new(&Cell::line(1), "there is no device in it", SAVED));
    }
    if next.is_some() {
        let note =
            "The last page says that there are more devices: save the pages that follow, too.";
        read.notes.push(note.to_owned());
    }
    read.keep(records);
    read
}

/// Where parts of a text are.
struct Places<'t> {
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl<'t> Places<'t> {
    fn of(text: &'t str) -> Self {
        let next = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, lines: std::iter::once(0).chain(next).collect() }
    }

    /// Of a part of the text.
    fn cell(&self, part: &str, header: &str) -> Cell {
        let at = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let at = at.min(self.text.len());
        let line = self.lines.partition_point(|begin| *begin <= at);
        let column = self.text[self.lines[line - 1]..at].chars().count() + 1;
        Cell { line: line as u64, column, header: header.to_owned() }
    }
}

fn device(place: &Places<'_>, raw: &RawValue, problems: &mut Vec<Problem>) -> Option<Record> {
    let own = |header: &str| place.cell(raw.get(), header);
    let mut draft = Draft::new(own(""), problems);
    let parsed: Option<Device<'_>> = serde_json::from_str(raw.get()).ok();
    let Some(device) = parsed.filter(|device| device.kind == "orgDevices") else {
        draft.refuse(&own(""), "this is not an entry of type orgDevices with attributes", SAVED);
        return None;
    };
    let Attributes { serial_number, device_model, product_family } = device.attributes;
    let mut read = |value: Option<&RawValue>, header: &str| {
        let at = value.map_or_else(|| own(header), |value| place.cell(value.get(), header));
        match value.map(|value| serde_json::from_str::<Option<String>>(value.get())) {
            Some(Err(_)) => draft.refuse(&at, "this is not a text", SAVED),
            Some(Ok(Some(text))) => return (text, at),
            Some(Ok(None)) | None => {}
        }
        (String::new(), at)
    };
    let (serial, serial_at) = read(serial_number, "serialNumber");
    let (model, model_at) = read(device_model, "deviceModel");
    let (family, family_at) = read(product_family, "productFamily");
    draft.put(Field::SerialNumber, &serial, serial_at);
    draft.put(Field::Manufacturer, "Apple", own(""));
    draft.put(Field::Model, &model, model_at);
    let platform = match family.as_str() {
        "Mac" => Some("macos"),
        "iPhone" | "iPad" | "iPod" => Some("ios"),
        _ => None,
    };
    match platform {
        Some(platform) => draft.put(Field::Platform, platform, family_at),
        None => {
            let what = format!("{} is not a product family that can be managed", quote(&family));
            let help = "only Macs, iPhones and iPads are; leave the others out with --partial";
            draft.refuse_field(Field::Platform, family_at, what, help);
        }
    }
    Some(draft.finish())
}
