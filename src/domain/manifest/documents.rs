//! What one file holds, or many: drafts, and what could not be used.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::device::DeviceDraft;
use super::finding::{Code, Finding, Severity, Span};
use super::partial_device::PartialDevice;
use super::profile::ProfileDraft;
use super::unusable::{Unusable, UnusableKind};
use super::wipe_request::WipeDraft;
use crate::domain::model::{Labels, Name, Place};
use crate::domain::state::State;

/// What one file holds, or many.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    /// Valid by themselves.
    pub(crate) devices: Vec<DeviceDraft>,
    /// Valid by themselves.
    pub(crate) profiles: Vec<ProfileDraft>,
    /// Valid by themselves.
    pub(crate) wipes: Vec<WipeDraft>,
    pub(crate) unusable: Vec<Unusable>,
    /// Unusable devices that can be read well enough to say what else is wrong with them.
    pub(crate) partial_devices: Vec<PartialDevice>,
    /// Unusable devices that say plainly that they are corporate.
    pub(crate) corporate: BTreeSet<Place>,
    /// Names of unusable documents that are or may be profiles.
    pub(crate) unusable_profiles: Vec<Name>,
    /// In no particular order.
    pub(crate) findings: Vec<Finding>,
    /// As [`crate::domain::fleet::Desired::device_documents`].
    pub(crate) device_documents: u64,
    labels: HashSet<Labels>,
}

impl Documents {
    /// Of so many files that hold a device: memory that growing leaves behind is not given back.
    pub(crate) fn with_capacity(devices: usize) -> Self {
        Self { devices: Vec::with_capacity(devices), ..Self::default() }
    }

    /// Takes in what another file holds; equal labels are shared from then on.
    pub(crate) fn absorb(&mut self, other: Self) {
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
        if self.devices.capacity() == 0 {
            self.devices = devices;
        } else {
            self.devices.append(&mut devices);
        }
        self.profiles.extend(profiles);
        self.wipes.extend(wipes);
        self.unusable.extend(unusable);
        self.partial_devices.extend(partial_devices);
        self.unusable_profiles.extend(unusable_profiles);
        self.corporate.extend(corporate);
        self.findings.extend(findings);
        self.device_documents += device_documents;
    }

    /// Devices that are recorded in the very same words share the memory of that.
    pub(crate) fn share(&mut self, recorded: &State) {
        for draft in &mut self.devices {
            recorded.share_with(&mut draft.device);
        }
    }

    /// Whether it is valid devices and nothing else.
    #[must_use]
    pub(crate) fn is_plain(&self) -> bool {
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
    pub(crate) fn lose(
        &mut self,
        what: UnusableKind,
        path: &Arc<str>,
        code: Code,
        message: String,
        help: &str,
    ) {
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
