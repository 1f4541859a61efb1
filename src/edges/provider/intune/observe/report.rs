//! From a row, and what else is known of its device, to a report.

use super::details::Details;
use crate::domain::model::{
    EncryptionFact, Facts, MdmFacts, Report, ReportedVersion, SerialNumber, Timestamp,
};
use crate::edges::provider::intune::rows::ManagedDevice;

/// What the ledger has of the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recorded<'a> {
    pub(super) serial: &'a SerialNumber,
    pub(super) facts: Option<&'a Facts>,
}

/// The report of the newest of these rows. Without new details those of before stay, as far as they are
/// of the same record. Nothing where the device never came by, or is not managed yet.
pub(super) fn report(
    recorded: Recorded<'_>,
    rows: &[ManagedDevice],
    details: Option<Details>,
) -> Option<Report> {
    let row = rows.first()?;
    let at: Timestamp = row.last_sync_date_time.0?;
    let id = row.graph_id()?;
    if row.management() == "discovered" {
        return None;
    }
    let fingerprint = row.fingerprint();
    let before = recorded.facts.filter(|facts| facts.mdm.as_ref().is_some_and(|mdm| mdm.id == id));
    let detailed = match (&details, before.and_then(|facts| facts.mdm.as_ref())) {
        (Some(_), _) => Some(fingerprint.clone()),
        (None, before) => before.and_then(|mdm| mdm.detailed.clone()),
    };
    let Details { policies, judged, antivirus, protection } = match (details, before) {
        (Some(details), _) => details,
        (None, Some(facts)) => kept(facts),
        (None, None) => Details::default(),
    };
    let records = if rows.len() > 1 {
        rows.iter().filter_map(ManagedDevice::graph_id).collect()
    } else {
        Vec::new()
    };
    Some(Report {
        serial_number: recorded.serial.clone(),
        at: Some(at),
        os_version: row
            .os_version
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(ReportedVersion::new),
        antivirus,
        encryption: row.is_encrypted.map(|enabled| EncryptionFact { enabled: Some(enabled) }),
        screen_lock: None,
        enrollment_error: None,
        wiped: false,
        completed: Vec::new(),
        unreadable: Default::default(),
        mdm: Some(Box::new(MdmFacts {
            detailed,
            enrolled_at: row.enrolled_date_time.0,
            grace_until: row.compliance_grace_period_expiration_date_time.0,
            id,
            judged,
            management: row.management().into(),
            ownership: row.ownership(),
            policies,
            protection,
            records,
            row: fingerprint,
            verdict: row.verdict(),
        })),
    })
}

fn kept(facts: &Facts) -> Details {
    let mdm = facts.mdm.as_deref();
    Details {
        policies: mdm.map_or(0, |mdm| mdm.policies),
        judged: mdm.map(|mdm| mdm.judged.clone()).unwrap_or_default(),
        antivirus: facts.antivirus,
        protection: mdm.and_then(|mdm| mdm.protection),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::model::{MdmOwnership, MdmVerdict};

    fn row(changes: Value) -> ManagedDevice {
        let mut row = json!({"id": "705c-1", "serialNumber": "PF3XK9Q2",
            "operatingSystem": "Windows", "osVersion": "10.0.26100.4652",
            "enrolledDateTime": "2026-08-01T09:12:44Z", "lastSyncDateTime": "2026-08-20T06:31:07Z",
            "complianceState": "compliant", "managementState": "managed",
            "complianceGracePeriodExpirationDateTime": "9999-12-31T23:59:59Z",
            "managedDeviceOwnerType": "company", "isEncrypted": true});
        row.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(row).unwrap()
    }

    fn of(
        rows: &[ManagedDevice],
        facts: Option<&Facts>,
        details: Option<Details>,
    ) -> Option<Report> {
        let serial = "PF3XK9Q2".parse().unwrap();
        report(Recorded { serial: &serial, facts }, rows, details)
    }

    #[test]
    fn a_row_is_a_report_of_its_last_sync() {
        let report = of(&[row(json!({}))], None, None).unwrap();
        assert_eq!(report.at, Some("2026-08-20T06:31:07Z".parse().unwrap()));
        assert_eq!(report.encryption.unwrap().enabled, Some(true));
        assert_eq!(report.os_version.unwrap().as_str(), "10.0.26100.4652");
        let mdm = report.mdm.unwrap();
        assert_eq!((mdm.verdict, mdm.ownership), (MdmVerdict::Compliant, MdmOwnership::Company));
        assert_eq!((mdm.grace_until, mdm.detailed, mdm.policies), (None, None, 0));
    }

    #[test]
    fn who_never_came_by_or_is_not_managed_yet_reports_nothing() {
        for changes in [
            json!({"lastSyncDateTime": "0001-01-01T00:00:00Z"}),
            json!({"managementState": "discovered"}),
            json!({"id": "no id / at all"}),
        ] {
            assert_eq!(of(&[row(changes.clone())], None, None), None, "{changes}");
        }
    }

    #[test]
    fn details_stay_until_there_are_new_ones_and_never_pass_to_another_record() {
        let details = Details {
            policies: 2,
            judged: [("screenLock".into(), true)].into(),
            ..Details::default()
        };
        let first = of(&[row(json!({}))], None, Some(details)).unwrap();
        let facts = first.facts(true);
        let mdm = first.mdm.unwrap();
        assert_eq!(mdm.detailed.as_ref(), Some(&mdm.row));
        let later = row(json!({"lastSyncDateTime": "2026-08-20T14:31:07Z"}));
        let kept = of(std::slice::from_ref(&later), Some(&facts), None).unwrap().mdm.unwrap();
        assert_eq!((kept.policies, &kept.judged), (2, &mdm.judged));
        assert_eq!(kept.detailed, mdm.detailed, "they are of the row before");
        assert_ne!(kept.row, mdm.row);
        let other = row(json!({"id": "705c-2"}));
        let other = of(&[other], Some(&facts), None).unwrap().mdm.unwrap();
        assert_eq!((other.policies, other.judged.len(), other.detailed), (0, 0, None));
    }

    #[test]
    fn of_several_records_the_first_counts_and_all_are_named() {
        let rows = [row(json!({"id": "new"})), row(json!({"id": "old", "isEncrypted": false}))];
        let mdm = of(&rows, None, None).unwrap().mdm.unwrap();
        assert_eq!(mdm.id.as_str(), "new");
        let ids: Vec<_> = mdm.records.iter().map(|id| id.as_str()).collect();
        assert_eq!(ids, ["new", "old"]);
    }
}
