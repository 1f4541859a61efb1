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
#[serde(rename_all = "camelCase")]
struct Device {
    #[serde(rename = "type")]
    kind: String,
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    serial_number: Option<String>,
    device_model: Option<String>,
    product_family: Option<String>,
}

const SAVED: &str = "save the answer of GET https://api-business.apple.com/v1/orgDevices as it is";

/// Reads it.
pub(crate) fn read(bytes: &[u8]) -> Records {
    let mut read = Records::default();
    let Some(text) = decode(bytes) else {
        let problem = Problem::new(&Cell::line(1), "the file is not text", SAVED);
        return Records { problems: vec![problem], ..read };
    };
    let mut records = Vec::new();
    let (mut rest, mut next) = (&text[..], None);
    while !rest.trim_start().is_empty() {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let raw = match values.next() {
            Some(Ok(raw)) => raw,
            Some(Err(error)) => {
                let (line, column) = place(&text, rest);
                let column =
                    if error.line() == 1 { column + error.column() } else { error.column() };
                let at =
                    Cell { line: line + error.line() as u64 - 1, column, header: String::new() };
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
            let (line, column) = place(&text, raw.get());
            let at = Cell { line, column: column + 1, header: String::new() };
            let what = "this is not a page of devices: it has no list `data`";
            read.problems.push(Problem::new(&at, what, SAVED));
            continue;
        };
        for Page { data, links } in pages {
            next = links.and_then(|links| links.next);
            records.extend(data.iter().filter_map(|raw| device(&text, raw, &mut read.problems)));
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

/// Line, from 1, and characters before it in its line, of a part of the text.
fn place(text: &str, part: &str) -> (u64, usize) {
    let at = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    let before = &text[..at];
    let line = before.matches('\n').count() as u64 + 1;
    (line, before.rsplit('\n').next().unwrap_or_default().chars().count())
}

fn device(text: &str, raw: &RawValue, problems: &mut Vec<Problem>) -> Option<Record> {
    let (line, column) = place(text, raw.get());
    let at = |header: &str| Cell { line, column: column + 1, header: header.to_owned() };
    let mut draft = Draft::new(line, problems);
    let parsed: Option<Device> = serde_json::from_str(raw.get()).ok();
    let Some(device) = parsed.filter(|device| device.kind == "orgDevices") else {
        draft.refuse(&at(""), "this is not an entry of type orgDevices with attributes", SAVED);
        return None;
    };
    let Attributes { serial_number, device_model, product_family } = device.attributes;
    draft.put(Field::SerialNumber, &serial_number.unwrap_or_default(), at("serialNumber"));
    draft.put(Field::Manufacturer, "Apple", at(""));
    draft.put(Field::Model, &device_model.unwrap_or_default(), at("deviceModel"));
    let family = product_family.unwrap_or_default();
    let platform = match family.as_str() {
        "Mac" => Some("macos"),
        "iPhone" | "iPad" | "iPod" => Some("ios"),
        _ => None,
    };
    match platform {
        Some(platform) => draft.put(Field::Platform, platform, at("productFamily")),
        None => {
            let what = format!("{} is not a product family that can be managed", quote(&family));
            let help = "only Macs, iPhones and iPads are; leave the others out with --partial";
            draft.refuse(&at("productFamily"), what, help);
        }
    }
    draft.finish()
}
