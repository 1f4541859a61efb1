//! What a file of valid devices holds, in a few bytes: so that a file that was read once need not
//! be parsed again.
//!
//! [`pack`] takes only what is valid devices and nothing else, no exemption, which few have and whose
//! place is told again and again, and no hardware hash, which is kept nowhere but in its manifest; `unpack` checks whatever it is given, as a parser would, and
//! gives the very same documents, or none.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::device::DeviceDraft;
use super::documents::Documents;
use super::finding::Span;
use super::reader::Spot;
use crate::domain::model::{
    DesiredDevice, DesiredStatus, DeviceSpec, Hardware, Labels, Ownership, Place, Platform,
};
use crate::domain::packing::{Packed, Packer};

/// What a file holds, but for its path; `None` where only the file itself can say it.
#[must_use]
pub(crate) fn pack(documents: &Documents) -> Option<Vec<u8>> {
    if !documents.is_plain() || documents.devices.is_empty() {
        return None;
    }
    let mut packed = FilePacker(Packer::default());
    packed.0.number(u32::try_from(documents.devices.len()).ok()?);
    for draft in &documents.devices {
        packed.device(draft)?;
    }
    Some(packed.0.finish())
}

/// Of one file.
struct FilePacker(Packer);

impl FilePacker {
    fn spot(&mut self, path: &str, spot: &Spot) -> Option<()> {
        match spot {
            Spot::Plain { line, column } => {
                self.0.flag(true);
                self.0.number(*line);
                self.0.number(*column);
                Some(())
            }
            Spot::Other(span) => {
                let Span { path: at, line, column, width, text, offset } = &**span;
                // It is written in this file.
                (**at == *path).then_some(())?;
                self.0.flag(false);
                for number in [line, column, width, offset] {
                    self.0.number(*number);
                }
                self.0.text(text)
            }
        }
    }

    fn device(&mut self, draft: &DeviceDraft) -> Option<()> {
        let DeviceDraft {
            device,
            platform,
            name_at,
            serial_at,
            profile_at,
            platform_at,
            exempt_at,
        } = draft;
        let DesiredDevice { spec, status, enrollment, place, digest } = device;
        let DeviceSpec {
            name,
            serial_number,
            user_email,
            profile,
            // Means nothing before the profile is known.
            platform: _,
            os_version,
            ownership,
            labels,
            hardware,
            access,
        } = &**spec;
        if access.is_some() || exempt_at.is_some() {
            return None;
        }
        self.0.number(place.line);
        self.0.digest(digest);
        self.0.number(*enrollment);
        self.0.word(DesiredStatus::ALL, *status)?;
        self.0.word(Ownership::ALL, *ownership)?;
        self.0.flag(platform.is_some());
        if let Some(platform) = platform {
            self.0.word(Platform::ALL, *platform)?;
        }
        for spot in [name_at, serial_at, profile_at, platform_at] {
            self.spot(&place.path, spot)?;
        }
        self.0.text(name.as_str())?;
        self.0.text(serial_number.as_str())?;
        self.0.text(user_email.as_str())?;
        self.0.text(profile.as_str())?;
        self.0.text(os_version.as_str())?;
        self.hardware(hardware.as_deref())?;
        // Last, so that they can be compared with those of the device before.
        self.0.number(u32::try_from(labels.len()).ok()?);
        for (key, value) in &**labels {
            self.0.text(key)?;
            self.0.text(value)?;
        }
        Some(())
    }

    fn hardware(&mut self, hardware: Option<&Hardware>) -> Option<()> {
        self.0.flag(hardware.is_some());
        let Some(Hardware { manufacturer, model, autopilot_hash }) = hardware else {
            return Some(());
        };
        if autopilot_hash.is_some() {
            return None;
        }
        self.0.optional(manufacturer.as_deref())?;
        self.0.optional(model.as_deref())
    }
}

/// Unpacks file after file: equal labels in a row are made once.
#[derive(Debug, Default)]
pub(crate) struct Unpacker {
    last: Option<(Vec<u8>, Labels)>,
}

impl Unpacker {
    /// What the file at this path holds; `None` if these bytes are not from [`pack`].
    pub(crate) fn unpack(&mut self, path: &Arc<str>, packed: &[u8]) -> Option<Documents> {
        let mut from = Packed::of(packed);
        let count = from.number()?;
        let mut documents = Documents::default();
        for _ in 0..count {
            documents.devices.push(self.device(path, &mut from)?);
        }
        documents.device_documents = u64::from(count);
        (count > 0 && from.is_empty()).then_some(documents)
    }

    fn device(&mut self, path: &Arc<str>, from: &mut Packed<'_>) -> Option<DeviceDraft> {
        let line = from.number()?;
        let digest = from.digest()?;
        let enrollment = from.number()?;
        let status = from.word(DesiredStatus::ALL)?;
        let ownership = from.word(Ownership::ALL)?;
        let platform = if from.flag()? { Some(from.word(Platform::ALL)?) } else { None };
        let [name_at, serial_at, profile_at, platform_at] =
            [spot(path, from)?, spot(path, from)?, spot(path, from)?, spot(path, from)?];
        let spec = DeviceSpec {
            name: from.text()?.parse().ok()?,
            serial_number: from.text()?.parse().ok()?,
            user_email: from.text()?.parse().ok()?,
            profile: from.text()?.parse().ok()?,
            platform: platform.unwrap_or(Platform::Windows),
            os_version: from.text()?.parse().ok()?,
            ownership,
            hardware: hardware(from)?,
            access: None,
            labels: self.labels(from)?,
        };
        let place = Place { path: path.clone(), line };
        let spec = Arc::new(spec);
        Some(DeviceDraft {
            device: DesiredDevice { spec, status, enrollment, place, digest },
            platform,
            name_at,
            serial_at,
            profile_at,
            platform_at,
            exempt_at: None,
        })
    }

    fn labels(&mut self, from: &mut Packed<'_>) -> Option<Labels> {
        if let Some((bytes, labels)) = &self.last
            && from.skip(bytes)
        {
            return Some(labels.clone());
        }
        let before = from.rest();
        let count = from.number()?;
        let mut labels = BTreeMap::new();
        for _ in 0..count {
            labels.insert(CompactString::from(from.text()?), CompactString::from(from.text()?));
        }
        let labels = Labels::from(labels);
        let bytes = before[..before.len() - from.rest().len()].to_vec();
        self.last = Some((bytes, labels.clone()));
        Some(labels)
    }
}

fn spot(path: &Arc<str>, from: &mut Packed<'_>) -> Option<Spot> {
    if from.flag()? {
        return Some(Spot::Plain { line: from.number()?, column: from.number()? });
    }
    let [line, column, width, offset] =
        [from.number()?, from.number()?, from.number()?, from.number()?];
    let text = from.text()?.into();
    Some(Spot::Other(Box::new(Span { path: path.clone(), line, column, width, text, offset })))
}

fn hardware(from: &mut Packed<'_>) -> Option<Option<Box<Hardware>>> {
    if !from.flag()? {
        return Some(None);
    }
    let (manufacturer, model) = (from.optional()?, from.optional()?);
    let (manufacturer, model) = (manufacturer.map(Into::into), model.map(Into::into));
    Some(Some(Box::new(Hardware { manufacturer, model, autopilot_hash: None })))
}

#[cfg(test)]
mod tests;
