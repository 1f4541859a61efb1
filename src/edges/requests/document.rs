//! A request as its file spells it.

use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::model::{
    Asker, DeviceId, SerialNumber, SyncFile, SyncRequest, Timestamp, check_text,
};

const VERSION: u32 = 1;
const SYNC: &str = "sync";
/// Characters of who asked.
const ASKER_LIMIT: usize = 200;

/// The keys are sorted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    at: Timestamp,
    by: CompactString,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claims: Option<CompactString>,
    devices: Vec<Target>,
    id: Uuid,
    request: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Target {
    id: DeviceId,
    serial_number: SerialNumber,
}

pub(super) fn encode(
    request: &SyncRequest,
    devices: impl IntoIterator<Item = (DeviceId, SerialNumber)>,
) -> Vec<u8> {
    let SyncRequest { id, at, by: Asker { by, claims }, origin: _ } = request;
    let target = |(id, serial_number)| Target { id, serial_number };
    let document = Document {
        at: *at,
        by: by.clone(),
        claims: claims.clone(),
        devices: devices.into_iter().map(target).collect(),
        id: *id,
        request: SYNC.to_owned(),
        version: VERSION,
    };
    let mut bytes = serde_json::to_vec(&document).expect("plain data serialise");
    bytes.push(b'\n');
    bytes
}

/// What a file asks for; why it is no request, otherwise.
pub(super) fn decode(bytes: &[u8], owner: &Owner, origin: Arc<str>) -> Result<SyncFile, String> {
    let read = serde_json::from_slice(bytes);
    let document: Document = read.map_err(|error| format!("is not a request: {error}"))?;
    let Document { at, by, claims, devices, id, request, version } = document;
    if version != VERSION {
        return Err(format!("is of version {version}, not {VERSION}: a newer fleetform wrote it"));
    }
    if request != SYNC {
        return Err(format!("asks for {request:?}, and only {SYNC:?} can be requested"));
    }
    if devices.is_empty() {
        return Err("names no device".to_owned());
    }
    for text in [Some(&by), claims.as_ref()].into_iter().flatten() {
        let wrong = |why| format!("does not say who asked: its text {why}");
        check_text(text, ASKER_LIMIT).map_err(|why| wrong(why.0))?;
    }
    let by = owner.vouch(Asker { by, claims });
    let request = Arc::new(SyncRequest { id, at, by, origin });
    let devices = devices.into_iter().map(|target| (target.id, target.serial_number)).collect();
    Ok(SyncFile { request, devices })
}

/// Whose a file is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub uid: u32,
    /// Whether others may have written what is in it.
    pub shared: bool,
    /// Of the directory that it lies in.
    pub directory: u32,
}

impl Owner {
    /// Who asked, as far as the file's owner shows it. What the owner of the data directory or the
    /// superuser says is believed: either could write the log. So what the superuser hands in on
    /// behalf of the daemon's user, or a daemon writes anew, bears the name of whoever asked.
    fn vouch(self, said: Asker) -> Asker {
        let Self { uid, shared, directory } = self;
        let own = format!("uid={uid}");
        let rest = said.by.strip_prefix(own.as_str());
        let is_own = said.claims.is_none()
            && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('('));
        if !shared && (is_own || uid == 0 || uid == directory) {
            return said;
        }
        Asker { by: own.into(), claims: Some(said.by) }
    }
}
