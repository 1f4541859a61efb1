//! `kind: Device`.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use compact_str::CompactString;

use super::envelope::Envelope;
use super::fields::{self, EMAIL_HELP, NAME_HELP, SERIAL_HELP, TIME_HELP, VERSION_HELP};
use super::limits::{
    MAX_EXEMPTION_REASON, MAX_HARDWARE, MAX_HASH, MAX_LABEL_KEY, MAX_LABEL_VALUE, MAX_LABELS,
    MAX_LABELS_BYTES,
};
use super::reader::{Field, Object, Reader, Spot};
use crate::domain::manifest::finding::{Code, Span};
use crate::domain::model::{
    DesiredDevice, DesiredStatus, DeviceSpec, Exemption, Hardware, HardwareHash, Labels, Name,
    Ownership, Place, Platform, SerialNumber,
};
use crate::domain::wording::quote;

/// A device manifest that is valid by itself. What becomes of it is allocated already, where
/// it stays: that halves the memory of reading a fleet.
#[derive(Debug, Clone)]
pub(crate) struct DeviceDraft {
    /// Its `spec.platform` means nothing yet.
    pub(super) device: DesiredDevice,
    /// `spec.platform`, where it is given.
    pub(crate) platform: Option<Platform>,
    /// Of `metadata.name`.
    pub(crate) name_at: Spot,
    /// Of `spec.serialNumber`.
    pub(crate) serial_at: Spot,
    /// Of `spec.profile`.
    pub(crate) profile_at: Spot,
    /// Of `spec.platform`; where that is not given, of `spec.profile`.
    pub(crate) platform_at: Spot,
    /// Of `spec.access.exemptUntil`, where it is given.
    pub(super) exempt_at: Option<Box<Span>>,
}

impl DeviceDraft {
    #[must_use]
    pub(crate) fn serial_number(&self) -> &SerialNumber {
        &self.device.spec.serial_number
    }

    /// `metadata.name`.
    #[must_use]
    pub(crate) fn name(&self) -> &Name {
        &self.device.spec.name
    }

    #[must_use]
    pub(crate) fn ownership(&self) -> Ownership {
        self.device.spec.ownership
    }

    /// `spec.profile`: perhaps of no profile.
    #[must_use]
    pub(crate) fn profile(&self) -> &Name {
        &self.device.spec.profile
    }

    /// `spec.status`.
    #[must_use]
    pub(crate) fn status(&self) -> DesiredStatus {
        self.device.status
    }

    /// `spec.access`, and where its end is written.
    #[must_use]
    pub(crate) fn exemption(&self) -> Option<(&Exemption, &Span)> {
        self.device.spec.access.as_deref().zip(self.exempt_at.as_deref())
    }

    /// Of the document.
    #[must_use]
    pub(crate) fn place(&self) -> &Place {
        &self.device.place
    }

    /// With the platform that it is to have.
    #[must_use]
    pub(crate) fn finish(mut self, platform: Platform) -> DesiredDevice {
        if self.device.spec.platform != platform {
            Arc::make_mut(&mut self.device.spec).platform = platform;
        }
        self.device
    }

    /// Gives up its labels for equal ones that are known already. `last` has those of the
    /// device before it, and what they were given up for: mostly these are the very same.
    pub(super) fn share(&mut self, known: &mut HashSet<Labels>, last: &mut Option<[Labels; 2]>) {
        let own = &self.device.spec.labels;
        let [_, labels] = match last {
            Some(last) if Arc::ptr_eq(&last[0], own) => last,
            _ => {
                let labels = known.get(own).unwrap_or(own).clone();
                known.insert(labels.clone());
                last.insert([own.clone(), labels])
            }
        };
        if !Arc::ptr_eq(labels, own) {
            Arc::make_mut(&mut self.device.spec).labels = labels.clone();
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>, envelope: Envelope<'_>) -> Option<DeviceDraft> {
    let labels = match envelope.metadata.as_ref().and_then(|m| reader.field(m, "labels")) {
        Some(field) => labels(reader, field).unwrap_or_default(),
        None => Labels::default(),
    };
    let spec = reader.object(envelope.spec?, &fields::DEVICE)?;
    let serial = reader.field(&spec, "serialNumber");
    let serial_number = serial.and_then(|f| serial_number(reader, &f));
    let email = reader.field(&spec, "userEmail");
    let user_email = email.and_then(|f| reader.parsed(&f, EMAIL_HELP));
    let profile = reader.field(&spec, "profile");
    let profile_name = profile.and_then(|f| reader.parsed(&f, NAME_HELP));
    let platform = reader.field(&spec, "platform");
    let platform_word = platform.and_then(|f| reader.word(&f, Platform::WORDS));
    let version = reader.field(&spec, "osVersion");
    let os_version = version.and_then(|f| reader.parsed(&f, VERSION_HELP));
    let ownership =
        reader.field(&spec, "ownership").and_then(|f| reader.word(&f, Ownership::WORDS));
    let status = reader.field(&spec, "status").and_then(|f| status(reader, &f));
    let enrollment = reader.field(&spec, "enrollment");
    let enrollment = enrollment.and_then(|f| reader.whole(&f, (1, u32::MAX), Code::InvalidValue));
    let hardware = reader.field(&spec, "hardware").and_then(|f| hardware(reader, f));
    let access = reader.field(&spec, "access");
    let exempted = access.and_then(|f| exemption(reader, f));
    let (access, exempt_at) = exempted.unzip();
    let (name, name_at) = envelope.name?;
    let spec = DeviceSpec {
        name,
        serial_number: serial_number?,
        user_email: user_email?,
        profile: profile_name?,
        platform: platform_word.unwrap_or(Platform::Windows),
        os_version: os_version?,
        ownership: ownership.unwrap_or(Ownership::Corporate),
        labels,
        hardware,
        access,
    };
    let profile_at = reader.spot(&profile?, spec.profile.as_str());
    Some(DeviceDraft {
        name_at,
        serial_at: reader.spot(&serial?, spec.serial_number.as_str()),
        platform_at: match platform {
            Some(field) => reader.spot(&field, spec.platform.as_str()),
            None => profile_at.clone(),
        },
        profile_at,
        exempt_at,
        platform: platform_word,
        device: DesiredDevice {
            spec: Arc::new(spec),
            status: status.unwrap_or(DesiredStatus::Enrolled),
            enrollment: enrollment.unwrap_or(1),
            place: envelope.origin.place,
            digest: envelope.origin.digest,
        },
    })
}

/// A serial number that one machine has, not thousands.
pub(super) fn serial_number(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<SerialNumber> {
    let serial: SerialNumber = reader.parsed(field, SERIAL_HELP)?;
    if serial.is_placeholder() {
        let message = format!(
            "{field}: {} stands for a missing serial number; many machines have the same",
            quote(serial.as_str())
        );
        let help = "write a serial number of the device's own, or an asset tag, and have the device report \
                    itself by it";
        reader.report(Code::PlaceholderSerial, field.extent(), message, help);
        return None;
    }
    Some(serial)
}

fn status(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<DesiredStatus> {
    if field.value.text() == Some("Wiped") {
        let message = format!("{field}: a manifest cannot wipe a device");
        let help = "remove the line and write a WipeRequest (`fleetform wipe new`), which administrators sign";
        reader.report(Code::StatusWiped, field.extent(), message, help);
        return None;
    }
    reader.word(field, DesiredStatus::WORDS)
}

fn labels(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Labels> {
    let object = reader.open("metadata.labels", field)?;
    let mut labels = BTreeMap::new();
    for label in object.fields() {
        let Some(key) = label.key.text() else { continue };
        if !(1..=MAX_LABEL_KEY).contains(&key.len()) || key.contains(char::is_control) {
            let message = format!(
                "the label {} is {} bytes long; 1 to {MAX_LABEL_KEY} are allowed, none of them control characters",
                quote(key),
                key.len()
            );
            reader.report(Code::InvalidValue, label.key.extent, message, "choose another key");
        }
        let Some(value) = label_value(reader, &label) else { continue };
        labels.insert(CompactString::from(key), CompactString::from(value));
    }
    let count = object.fields().count();
    if count > MAX_LABELS {
        let message = format!("{field} has {count} labels; at most {MAX_LABELS} are allowed");
        reader.report(Code::InvalidValue, field.extent(), message, "remove some");
    }
    let bytes: usize = labels.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > MAX_LABELS_BYTES {
        let message = format!("{field} are {bytes} bytes; at most {MAX_LABELS_BYTES} are allowed");
        reader.report(Code::InvalidValue, field.extent(), message, "shorten some");
    }
    Some(labels.into())
}

/// Unlike other text a label's value may be empty: some labels only mark.
fn label_value<'n>(reader: &mut Reader<'_>, label: &Field<'n>) -> Option<&'n str> {
    match label.value.text() {
        Some("") => Some(""),
        _ => reader.prose(label, MAX_LABEL_VALUE),
    }
}

fn hardware(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Box<Hardware>> {
    let object = reader.object(field, &fields::HARDWARE)?;
    let mut text = |name| reader.field(&object, name).and_then(|f| reader.prose(&f, MAX_HARDWARE));
    let manufacturer = text("manufacturer").map(CompactString::from);
    let model = text("model").map(CompactString::from);
    let autopilot_hash = hash(reader, &object);
    Some(Box::new(Hardware { manufacturer, model, autopilot_hash }))
}

/// An exemption, and where its end is written. Whether it lasts too long depends on the time at
/// which that is asked.
fn exemption(reader: &mut Reader<'_>, field: Field<'_>) -> Option<(Box<Exemption>, Box<Span>)> {
    let object = reader.object(field, &fields::ACCESS)?;
    let until = reader.field(&object, "exemptUntil");
    let exempt_until = until.and_then(|f| reader.parsed(&f, TIME_HELP));
    let reason = reader.field(&object, "reason");
    let reason = reason.and_then(|f| reader.prose(&f, MAX_EXEMPTION_REASON));
    let exemption = Exemption { exempt_until: exempt_until?, reason: reason?.into() };
    let span = reader.span(until?.extent());
    Some((Box::new(exemption), Box::new(span)))
}

fn hash(reader: &mut Reader<'_>, hardware: &Object<'_>) -> Option<HardwareHash> {
    let field = reader.field(hardware, "autopilotHash")?;
    let text = reader.prose(&field, MAX_HASH)?;
    if !HardwareHash::is_base64(text) {
        // Without the text: nearly a hash may be enough of one.
        let message = format!("{field} is not base64");
        let help = "copy the hash as Get-WindowsAutopilotInfo prints it, on one line";
        reader.report(Code::InvalidValue, field.extent(), message, help);
        return None;
    }
    Some(HardwareHash::new(text))
}
