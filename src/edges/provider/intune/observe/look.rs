//! One look at a tenant, put together.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::details::{self, Details, details};
use super::enrollment::{self, Awaited};
use super::list::{Listed, list};
use super::memory::KnownDevice;
use super::report::{Recorded, report};
use super::{approvals, wipes};
use crate::domain::model::{DeviceId, GraphId, Platform, ReportId, SerialNumber, Status};
use crate::domain::plan::News;
use crate::domain::state::{Device, State};
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::connection::again;
use crate::edges::provider::intune::graph::Failure;
use crate::edges::provider::intune::provider::Inner;
use crate::edges::provider::intune::rows::ManagedDevice;
use crate::edges::provider::observed::{Cursor, Observation, Observed, ReadProblem};
use crate::edges::provider::unmanaged::{self, Unmanaged};

/// How often the objects of profiles and the licenses of users are compared, which costs calls that grow
/// with the fleet.
const COMPARED: Duration = Duration::from_secs(3600);
/// How soon again where something of it could not be read.
const COMPARED_AGAIN: Duration = Duration::from_secs(600);

impl Inner {
    /// Looks at the tenant; changes nothing anywhere.
    ///
    /// # Errors
    /// If nothing of the list could be read.
    pub(in crate::edges::provider::intune) async fn observe(
        &self,
        recorded: &State,
    ) -> Result<Observed, Error> {
        let Listed { known: rows, unmanaged, records, failed } =
            list(&self.connection, recorded).await;
        if let Some(failure) = &failed
            && rows.is_empty()
            && unmanaged.count == 0
        {
            return Err(again(failure));
        }
        let complete = failed.is_none();
        let mut observed = Observed { complete, ..Observed::default() };
        observed.troubles.extend(failed.map(|failure| trouble("the list of devices", &failure)));
        self.remember(records, complete);

        let wanted = self.wanting_details(recorded, &rows);
        let asked = &wanted[..wanted.len().min(details::MOST)];
        observed.more = asked.len() < wanted.len();
        let (mut found, failure) = details(&self.connection, asked).await;
        observed.troubles.extend(failure.map(|failure| trouble("details of devices", &failure)));
        let present = presence(recorded, &rows, complete);
        // Each row ends here, so that not all of them and all reports are in memory at once.
        for (id, rows) in rows {
            let Some(device) = recorded.devices.get(&id) else { continue };
            observed.reports.extend(observation(device, &rows, found.remove(&id)));
        }

        let now = (self.now)();
        let (awaited, records) = self.remembered(recorded);
        let mut news = News::default();
        let (errors, failures) = match complete {
            true => enrollment::errors(&self.connection, &awaited).await,
            // Nobody knows who is not there.
            false => Default::default(),
        };
        news.enrollment_errors = errors;
        let what = "why devices do not enroll";
        observed.troubles.extend(failures.iter().map(|failure| trouble(what, failure)));
        let (wipes, failure) = wipes::follow(&self.connection, recorded, &records, now).await;
        observed.troubles.extend(failure.map(|failure| trouble("what became of wipes", &failure)));
        let (approved, failure) = approvals::follow(&self.connection, recorded).await;
        observed.troubles.extend(failure.map(|failure| trouble("requests for approval", &failure)));
        news.wipes.extend(wipes);
        news.wipes.extend(approved);
        (news.missing, news.found) = present;
        let deep = self.is_due_for_comparison();
        let (drift, mut troubles) = self.drift(recorded, deep).await;
        news.drift = drift;
        if deep {
            let (unlicensed, failure) = self.missing_licenses(recorded).await;
            news.unlicensed = unlicensed;
            troubles.extend(failure.map(|failure| trouble("the licenses of users", &failure)));
            let again = if troubles.is_empty() { COMPARED } else { COMPARED_AGAIN };
            self.lock_memory().compare_at = Some(Instant::now() + again);
        }
        observed.troubles.extend(troubles);
        observed.news = news;
        let changed = complete && self.has_other_unmanaged(&unmanaged);
        if changed {
            self.lock_memory().unmanaged = Some(unmanaged);
        }
        if changed || !observed.reports.is_empty() {
            observed.cursor = Some(Cursor::new(format!("look-{}", now.millis())));
        }
        Ok(observed)
    }

    /// Writes down which devices the fleet does not declare.
    ///
    /// # Errors
    /// If that cannot be written.
    pub(in crate::edges::provider::intune) fn acknowledge(&self) -> Result<(), Error> {
        let unmanaged = self.lock_memory().unmanaged.take();
        let Some(unmanaged) = unmanaged else { return Ok(()) };
        unmanaged::write(&self.data, &unmanaged).map_err(|error| {
            let class = crate::domain::state::event::ErrorClass::Transient;
            Error::new(class, format!("the devices that are not declared: {error}"))
        })
    }

    /// Of a device on a page that was not read, what was known before is still the best there is.
    fn remember(&self, records: HashMap<SerialNumber, Vec<KnownDevice>>, complete: bool) {
        let mut memory = self.lock_memory();
        if complete {
            memory.devices = records;
        } else {
            memory.devices.extend(records);
        }
        memory.complete = complete;
    }

    /// Devices that are not there and are waited for, and the records of those that are to be wiped.
    fn remembered(
        &self,
        recorded: &State,
    ) -> (Vec<Awaited>, HashMap<SerialNumber, Vec<KnownDevice>>) {
        let memory = self.lock_memory();
        let there = |serial: &SerialNumber| !memory.devices_of(serial).is_empty();
        let wipes = recorded.wipes.values().filter(|wipe| wipe.may_be_confirmed());
        let serials = wipes.map(|wipe| &wipe.subject.serial_number);
        let records = serials.map(|serial| (serial.clone(), memory.devices_of(serial).to_vec()));
        (enrollment::awaited(recorded, there), records.collect())
    }

    /// Devices whose details are not those of their row, those that somebody waits for first.
    fn wanting_details(&self, recorded: &State, rows: &Rows) -> Vec<(DeviceId, GraphId, Platform)> {
        let wanting = rows.iter().filter_map(|(id, rows)| {
            let (device, row) = (recorded.devices.get(id)?, rows.first()?);
            let known = device.facts.as_ref().and_then(|facts| facts.mdm.as_ref());
            let detailed = known.and_then(|mdm| mdm.detailed.as_ref());
            let stale = detailed != Some(&row.fingerprint());
            let urgent = device.status != Status::Enrolled;
            stale.then_some((!urgent, *id, row.graph_id()?, device.spec.platform))
        });
        let mut wanting: Vec<_> = wanting.collect();
        wanting.sort_by_key(|(later, id, ..)| (*later, *id));
        wanting.into_iter().map(|(_, id, graph, platform)| (id, graph, platform)).collect()
    }

    fn is_due_for_comparison(&self) -> bool {
        self.lock_memory().compare_at.is_none_or(|at| Instant::now() >= at)
    }

    /// Whether others than those that were written down last are not declared.
    fn has_other_unmanaged(&self, unmanaged: &Unmanaged) -> bool {
        // A file that cannot be used is replaced, and none at all says that nobody looked.
        unmanaged::read(&self.data).ok().flatten().as_ref() != Some(unmanaged)
    }
}

type Rows = std::collections::BTreeMap<DeviceId, Vec<ManagedDevice>>;

/// What a device's row says that the ledger does not know yet.
fn observation(
    device: &Device,
    rows: &[ManagedDevice],
    details: Option<Details>,
) -> Option<Observation> {
    let recorded = Recorded { serial: &device.spec.serial_number, facts: device.facts.as_deref() };
    let known = device.facts.as_ref().and_then(|facts| facts.mdm.as_ref());
    let report = report(recorded, rows, details)?;
    let mdm = report.mdm.as_ref()?;
    if known == Some(mdm) {
        return None;
    }
    let origin = format!("intune/{}", mdm.id);
    Some(Observation { id: ReportId::new(origin.clone()), origin: origin.into(), report })
}

/// Which devices a complete list does not have any more, and which it has again.
fn presence(
    recorded: &State,
    rows: &Rows,
    complete: bool,
) -> (BTreeSet<SerialNumber>, BTreeSet<SerialNumber>) {
    let (mut missing, mut found) = (BTreeSet::new(), BTreeSet::new());
    for (id, device) in recorded.devices.iter() {
        if device.is_wiped() {
            continue;
        }
        let serial = &device.spec.serial_number;
        if rows.contains_key(id) {
            if device.rare.missing_since.is_some() {
                found.insert(serial.clone());
            }
            continue;
        }
        let facts = device.facts.as_ref().is_some_and(|facts| facts.mdm.is_some());
        let was_there = facts || device.status == Status::Enrolled;
        if complete && was_there && !is_being_erased(recorded, *id) {
            missing.insert(serial.clone());
        }
    }
    (missing, found)
}

/// Whether its record is to go: Intune has our command.
fn is_being_erased(recorded: &State, id: DeviceId) -> bool {
    let mut wipes = recorded.wipes.values().filter(|wipe| wipe.subject.device_id == id);
    wipes.any(|wipe| wipe.may_be_confirmed() && wipe.progress.is_some())
}

/// Something that could not be looked at.
pub(super) fn trouble(what: &str, failure: &Failure) -> ReadProblem {
    ReadProblem {
        path: "intune".to_owned(),
        message: format!("{what} cannot be read: {failure}"),
        help:
            "nothing is concluded from it, and it is read again; `fleetform doctor` says what is \
               missing"
                .to_owned(),
    }
}
