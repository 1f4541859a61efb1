//! `kind: WipeRequest`.

use super::device;
use super::envelope::Envelope;
use super::fields::{self, EMAIL_HELP, TIME_HELP};
use super::reader::{Reader, Spot};
use crate::domain::manifest::finding::Code;
use crate::domain::model::{Timestamp, WipeReason, WipeScope};
use crate::domain::wipe::{Request, WipeFile};

const ID_HELP: &str = "`fleetform show` names the id of a device by its serial number";
const LEDGER_HELP: &str = "`fleetform wipe new` writes it where the ledger is; `fleetform plan -o json` \
                           shows it as ledger.lineage";
const HEAD_HELP: &str = "`fleetform wipe new` writes it where the ledger is; leave it out where \
                         `wipes.requireHead` is not set";

/// A wipe request that is valid by itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WipeDraft {
    /// The request; whoever can read the files beside it adds them.
    pub(crate) file: WipeFile,
    /// Of `metadata.name`.
    pub(crate) name_at: Spot,
}

pub(super) fn read(reader: &mut Reader<'_>, envelope: Envelope<'_>) -> Option<WipeDraft> {
    if !envelope.origin.alone {
        let message = "a WipeRequest shares its file with other documents".to_owned();
        let help = "move it into a file of its own: signatures are over the whole file";
        reader.report(Code::WipeNotAlone, envelope.kind_at, message, help);
    }
    let spec = reader.object(envelope.spec?, &fields::WIPE_REQUEST)?;
    let ledger = reader.field(&spec, "ledger").and_then(|f| reader.parsed(&f, LEDGER_HELP));
    let head_field = reader.field(&spec, "head");
    let log_head = head_field.map(|f| reader.parsed(&f, HEAD_HELP));
    let device_id = reader.field(&spec, "deviceId").and_then(|f| reader.parsed(&f, ID_HELP));
    let serial = reader.field(&spec, "serialNumber");
    let serial_number = serial.and_then(|f| device::serial_number(reader, &f));
    let scope = reader.field(&spec, "scope").and_then(|f| reader.word(&f, WipeScope::WORDS));
    let reason = reader.field(&spec, "reason").and_then(|f| reader.word(&f, WipeReason::WORDS));
    let by = reader.field(&spec, "requestedBy").and_then(|f| reader.parsed(&f, EMAIL_HELP));
    if let Some(confirm) = reader.field(&spec, "confirm")
        && reader.boolean(&confirm) == Some(false)
    {
        let message = format!("{confirm} must be `true`");
        let help = "check the device id, then write true: a wipe cannot be undone";
        reader.report(Code::InvalidValue, confirm.extent(), message, help);
    }
    let issued = reader.field(&spec, "issuedAt").and_then(|f| reader.parsed(&f, TIME_HELP));
    let expires = reader.field(&spec, "expiresAt");
    let expires_at: Option<Timestamp> = expires.and_then(|f| reader.parsed(&f, TIME_HELP));
    if let (Some(issued), Some(until), Some(field)) = (issued, expires_at, expires)
        && until <= issued
    {
        let message = format!("{field} is not after `spec.issuedAt`");
        reader.report(Code::InvalidValue, field.extent(), message, "write a later time");
    }
    let (name, name_at) = envelope.name?;
    let request = Request {
        name,
        path: envelope.origin.place.path.clone(),
        ledger: ledger?,
        head: log_head.map_or(Some(None), |read| read.map(Some))?,
        device_id: device_id?,
        serial: serial_number?,
        scope: scope?,
        reason: reason?,
        requested_by: by?,
        confirm: true,
        issued_at: issued?,
        expires_at: expires_at?,
        digest: envelope.origin.digest,
    };
    let file = WipeFile::new(request, envelope.origin.place, envelope.origin.file.to_vec());
    Some(WipeDraft { file, name_at })
}
