//! What a provider knows beside the reports of devices.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use crate::domain::model::{Digest, Email, GraphId, Name, SerialNumber, Timestamp};
use crate::domain::state::event::WipeStage;
use crate::domain::state::{License, State};

/// What a provider knows beside the reports of devices: nothing where it was not asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct News {
    /// Devices that a complete look did not find, though they were there before.
    pub(crate) missing: BTreeSet<SerialNumber>,
    /// Devices that were missing, and are there again.
    pub(crate) found: BTreeSet<SerialNumber>,
    /// Why a device cannot enroll, without a full stop.
    pub(crate) enrollment_errors: BTreeMap<SerialNumber, String>,
    /// How wipes go on.
    pub(crate) wipes: Vec<WipeNews>,
    /// What somebody changed in the provider.
    pub(crate) drift: Vec<Drift>,
    /// Licenses that users do not have, though the ledger says so: by user and part number as they are
    /// recorded, each with the reason, without a full stop.
    pub(crate) unlicensed: BTreeMap<Email, BTreeMap<CompactString, String>>,
}

/// Nothing was asked, or nothing was heard.
pub static NO_NEWS: News = News {
    missing: BTreeSet::new(),
    found: BTreeSet::new(),
    enrollment_errors: BTreeMap::new(),
    wipes: Vec::new(),
    drift: Vec::new(),
    unlicensed: BTreeMap::new(),
};

/// How a wipe goes on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WipeNews {
    /// The request.
    pub(crate) request: Digest,
    /// Of the command that it is about; nothing where it waits for approval.
    pub(crate) intent: Option<u64>,
    /// What became of it.
    pub(crate) step: WipeStep,
    /// The provider's name for the device.
    pub(crate) target: Option<GraphId>,
    /// For people, without a full stop.
    pub(crate) detail: String,
}

/// What became of a wipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WipeStep {
    /// It has come so far.
    Stage(WipeStage),
    /// The approval that it needs was refused, taken back, or not given in time: a stable code.
    NotApproved(&'static str),
    /// The device is erased, as of then.
    Done(Timestamp),
    /// The provider surely never took the command: it may be given again.
    NotTaken,
    /// It will not happen, for good.
    Failed,
}

/// Something that is not as Fleetform left it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drift {
    /// What drifted.
    pub(crate) subject: DriftSubject,
    /// A clause without a full stop.
    pub(crate) what: String,
    /// Who changed it, where the provider tells.
    pub(crate) by: Option<String>,
    /// The setting that it is compared with, where that may as well have changed.
    pub(crate) setting: Option<&'static str>,
}

/// A profile or a device.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DriftSubject {
    /// The objects that a profile is made of.
    Profile(Name),
    /// A device, for instance its membership in a group.
    Device(SerialNumber),
}

impl News {
    /// The devices that it is about.
    pub(crate) fn devices<'a>(
        &'a self,
        recorded: &'a State,
    ) -> impl Iterator<Item = crate::domain::model::DeviceId> + 'a {
        let drifted = self.drift.iter().filter_map(|drift| match &drift.subject {
            DriftSubject::Device(serial) => Some(serial),
            DriftSubject::Profile(_) => None,
        });
        let serials = self.missing.iter().chain(&self.found).chain(drifted);
        let serials = serials.chain(self.enrollment_errors.keys());
        let named = serials.filter_map(|serial| Some(recorded.by_serial(serial)?.0));
        let wipes = self.wipes.iter().filter_map(|news| recorded.wipes.get(&news.request));
        // Nearly always there is nothing of the kind, and then no device is looked at.
        let devices = (!self.unlicensed.is_empty()).then(|| recorded.devices.iter());
        let unlicensed = devices.into_iter().flatten().filter(|(_, device)| {
            device.licenses.iter().any(|license| self.unlicensed(license).is_some())
        });
        let named = named.chain(unlicensed.map(|(id, _)| *id));
        named.chain(wipes.map(|wipe| wipe.subject.device_id))
    }

    /// What it says of a wipe request.
    pub(crate) fn of(&self, request: Digest) -> impl Iterator<Item = &WipeNews> {
        self.wipes.iter().filter(move |news| news.request == request)
    }

    /// Why the user does not have a license that is recorded as given.
    pub(crate) fn unlicensed(&self, license: &License) -> Option<&str> {
        let why = self.unlicensed.get(&license.user)?.get(&license.sku)?;
        license.is_given().then_some(why)
    }

    /// Why a device is not as Fleetform left it.
    pub(crate) fn drift_of(&self, serial: &SerialNumber) -> Option<&Drift> {
        let of = |drift: &&Drift| matches!(&drift.subject, DriftSubject::Device(s) if s == serial);
        self.drift.iter().find(of)
    }
}
