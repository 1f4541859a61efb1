//! A managed device as Graph shows it.

use serde_json::{Value, json};

use super::filter::Op::{Contains, Eq, Gt, Lt, Ne};
use super::query::{Row, Shape};
use crate::domain::model::{Platform, Timestamp};
use crate::ui::emulator::tenant::{
    AsOf, Compliance, ManagedDevice, Management, PolicyState, Tenant, operating_system,
};

/// What is in place of a time that there is none of.
const NEVER: &str = "0001-01-01T00:00:00Z";
const FOR_EVER: &str = "9999-12-31T23:59:59Z";
const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// `managedDevice`
pub(crate) const DEVICE: Shape = Shape {
    name: "managedDevice",
    properties: &[
        "activationLockBypassCode",
        "androidSecurityPatchLevel",
        "azureADDeviceId",
        "azureADRegistered",
        "complianceGracePeriodExpirationDateTime",
        "complianceState",
        "configurationManagerClientEnabledFeatures",
        "deviceActionResults",
        "deviceCategoryDisplayName",
        "deviceEnrollmentType",
        "deviceHealthAttestationState",
        "deviceName",
        "deviceRegistrationState",
        "easActivated",
        "easActivationDateTime",
        "easDeviceId",
        "emailAddress",
        "enrolledDateTime",
        "enrollmentProfileName",
        "ethernetMacAddress",
        "exchangeAccessState",
        "exchangeAccessStateReason",
        "exchangeLastSuccessfulSyncDateTime",
        "freeStorageSpaceInBytes",
        "iccid",
        "id",
        "imei",
        "isEncrypted",
        "isSupervised",
        "jailBroken",
        "lastSyncDateTime",
        "managedDeviceName",
        "managedDeviceOwnerType",
        "managementAgent",
        "managementCertificateExpirationDate",
        "managementState",
        "manufacturer",
        "meid",
        "model",
        "notes",
        "operatingSystem",
        "osVersion",
        "partnerReportedThreatState",
        "phoneNumber",
        "physicalMemoryInBytes",
        "remoteAssistanceSessionErrorDetails",
        "remoteAssistanceSessionUrl",
        "requireUserEnrollmentApproval",
        "serialNumber",
        "subscriberCarrier",
        "totalStorageSpaceInBytes",
        "udid",
        "userDisplayName",
        "userId",
        "userPrincipalName",
        "wiFiMacAddress",
    ],
    filters: &[
        ("azureADDeviceId", &[Eq]),
        ("complianceGracePeriodExpirationDateTime", &[Lt, Gt]),
        ("complianceState", &[Eq]),
        ("deviceCategoryDisplayName", &[Eq]),
        ("deviceName", &[Eq, Contains]),
        ("emailAddress", &[Contains]),
        ("enrolledDateTime", &[Lt, Gt]),
        ("imei", &[Eq]),
        ("jailBroken", &[Eq]),
        ("lastSyncDateTime", &[Lt, Gt]),
        ("managementAgent", &[Eq]),
        ("managementState", &[Eq]),
        ("manufacturer", &[Eq]),
        ("model", &[Eq, Contains]),
        ("operatingSystem", &[Eq]),
        ("osVersion", &[Contains]),
        ("phoneNumber", &[Contains]),
        ("serialNumber", &[Eq]),
        ("userPrincipalName", &[Eq, Ne]),
    ],
    or_within_a_property: true,
    order: &["deviceName", "enrolledDateTime", "lastSyncDateTime"],
    expand: &["deviceCompliancePolicyStates", "windowsProtectionState"],
};

/// A record, and what its answer depends on besides.
pub(crate) struct DeviceRow<'a> {
    record: &'a ManagedDevice,
    at: AsOf,
    compliance: Compliance,
    /// Lists leave some properties out.
    alone: bool,
    silent_days: u32,
    by_default: bool,
}

impl<'a> DeviceRow<'a> {
    pub(crate) fn new(record: &'a ManagedDevice, tenant: &Tenant, alone: bool) -> Self {
        let at = tenant.at();
        let (by_default, silent_days) =
            (tenant.settings.compliant_without_policy, tenant.settings.silent_days);
        let compliance = record.compliance(at.now, by_default, silent_days);
        Self { record, at, compliance, alone, silent_days, by_default }
    }

    fn management(&self) -> Option<&Management> {
        self.record.management.seen(self.at)
    }

    fn state(&self) -> &'static str {
        self.management().map_or("managed", |management| management.state)
    }

    fn results(&self) -> Value {
        let results = self.management().filter(|_| self.alone).map(|one| one.results.as_slice());
        let results = results.unwrap_or_default().iter().map(|one| {
            json!({
                "actionName": one.name,
                "actionState": one.state,
                "startDateTime": one.started.short(),
                "lastUpdatedDateTime": one.updated.short(),
            })
        });
        Value::Array(results.collect())
    }

    /// `deviceCompliancePolicyStates`: assigned policies, and the one that every tenant has.
    pub(crate) fn policy_states(&self) -> Vec<Value> {
        let Some(reported) = &self.record.reported else { return Vec::new() };
        let states = reported.policies.iter().map(|state| self.policy_state(state));
        let silent = self.at.now - self.record.last_sync
            > chrono::TimeDelta::days(i64::from(self.silent_days));
        let settings = vec![
            ("DefaultDeviceCompliancePolicy.RequireRemainContact", !silent),
            (
                "DefaultDeviceCompliancePolicy.RequireDeviceCompliancePolicyAssigned",
                self.by_default || !reported.policies.is_empty(),
            ),
            ("DefaultDeviceCompliancePolicy.RequireUserExistence", !self.record.user_id.is_empty()),
        ];
        let default = PolicyState {
            policy: "default".into(),
            display_name: "Default Device Compliance Policy".into(),
            platform: "all",
            version: 1,
            settings,
        };
        let default = self.policy_state(&default);
        std::iter::once(default).chain(states).collect()
    }

    fn policy_state(&self, state: &PolicyState) -> Value {
        let word = |holds| if holds { "compliant" } else { "nonCompliant" };
        let settings = state.settings.iter().map(|(setting, holds)| {
            let name = setting.rsplit('.').next().unwrap_or(setting);
            json!({
                "setting": setting,
                "settingName": name,
                "instanceDisplayName": Value::Null,
                "state": word(*holds),
                "errorCode": if *holds { 0 } else { -2_016_281_112 },
                "errorDescription": Value::Null,
                "userId": self.record.user_id,
                "userName": self.record.user_name,
                "userEmail": self.record.upn,
                "userPrincipalName": self.record.upn,
                "currentValue": Value::Null,
                "sources": [],
            })
        });
        json!({
            "id": format!("{}_{}", state.policy, self.record.id),
            "displayName": state.display_name,
            "version": state.version,
            "platformType": state.platform,
            "state": word(state.holds()),
            "settingCount": state.settings.len(),
            "settingStates": settings.collect::<Vec<_>>(),
        })
    }

    /// `windowsProtectionState`, once a Windows device has reported.
    pub(crate) fn protection(&self) -> Option<Value> {
        let reported = self.record.reported.as_ref()?;
        let facts = &reported.facts;
        let at = self.record.last_sync.short();
        let clean = facts.antivirus && facts.signatures_current;
        (self.record.platform == Platform::Windows).then(|| {
            json!({
                "id": self.record.id,
                "malwareProtectionEnabled": facts.antivirus,
                "realTimeProtectionEnabled": facts.antivirus,
                "networkInspectionSystemEnabled": facts.antivirus,
                "tamperProtectionEnabled": facts.antivirus,
                "controlledConfigurationEnabled": false,
                "signatureUpdateOverdue": !facts.signatures_current,
                "quickScanOverdue": false,
                "fullScanOverdue": false,
                "fullScanRequired": false,
                "rebootRequired": false,
                "isVirtualMachine": false,
                "deviceState": if clean { "clean" } else { "critical" },
                "productStatus": if clean { "noStatusFlagsSet" } else { "productExpired" },
                "antiMalwareVersion": "4.18.26080.3",
                "engineVersion": "1.1.26080.1",
                "signatureVersion": "1.451.1.0",
                "lastQuickScanDateTime": at,
                "lastQuickScanSignatureVersion": "1.451.1.0",
                "lastFullScanDateTime": NEVER,
                "lastFullScanSignatureVersion": "",
                "lastReportedDateTime": at,
            })
        })
    }
}

fn or_never(time: Option<Timestamp>) -> Value {
    time.map_or(json!(FOR_EVER), |time| json!(time.short()))
}

impl Row for DeviceRow<'_> {
    fn id(&self) -> &str {
        &self.record.id
    }

    fn get(&self, property: &str) -> Value {
        let record = self.record;
        let facts = record.reported.as_ref().map(|reported| &reported.facts);
        match property {
            "id" => json!(record.id),
            "azureADDeviceId" => json!(record.entra_device_id),
            "complianceState" => json!(self.compliance.state),
            "complianceGracePeriodExpirationDateTime" => or_never(self.compliance.grace_ends),
            "deviceActionResults" => self.results(),
            "deviceEnrollmentType" => json!(record.enrollment_type),
            "deviceName" => json!(record.name),
            "enrolledDateTime" => json!(record.enrolled.short()),
            "lastSyncDateTime" => json!(record.last_sync.short()),
            "isEncrypted" => json!(facts.is_some_and(|facts| facts.encrypted)),
            "isSupervised" => {
                json!(record.platform == Platform::Ios && record.owner == "company")
            }
            "jailBroken" => json!(match facts {
                Some(facts) if facts.jailbroken => "True",
                Some(_) => "False",
                None => "Unknown",
            }),
            "managedDeviceName" => record.managed_name.as_ref().map_or_else(
                || json!(format!("{}_{}", record.upn, record.name)),
                |name| json!(name),
            ),
            "managedDeviceOwnerType" => json!(record.owner),
            "managementState" => json!(self.state()),
            "manufacturer" => json!(record.manufacturer),
            "model" => json!(record.model),
            "notes" if self.alone => json!(record.notes),
            "operatingSystem" => json!(operating_system(record.platform)),
            "osVersion" => json!(facts.map(|facts| facts.os_version.as_str()).unwrap_or_default()),
            "serialNumber" => json!(record.serial),
            "userDisplayName" => json!(record.user_name),
            "userId" => json!(record.user_id),
            "userPrincipalName" | "emailAddress" => json!(record.upn),
            "deviceCompliancePolicyStates" => Value::Array(self.policy_states()),
            "windowsProtectionState" => self.protection().unwrap_or_default(),
            other => constant(other),
        }
    }
}

/// What is the same for all devices here.
fn constant(property: &str) -> Value {
    match property {
        "azureADRegistered" => json!(true),
        "deviceRegistrationState" => json!("registered"),
        "managementAgent" => json!("mdm"),
        "exchangeAccessState" | "exchangeAccessStateReason" => json!("none"),
        "partnerReportedThreatState" => json!("unknown"),
        "deviceCategoryDisplayName" => json!("Unknown"),
        "easActivated" => json!(false),
        "easActivationDateTime" | "exchangeLastSuccessfulSyncDateTime" => json!(NEVER),
        "managementCertificateExpirationDate" => json!("2027-12-31T00:00:00Z"),
        "freeStorageSpaceInBytes" | "totalStorageSpaceInBytes" | "physicalMemoryInBytes" => {
            json!(0)
        }
        "enrollmentProfileName"
        | "easDeviceId"
        | "imei"
        | "meid"
        | "iccid"
        | "udid"
        | "phoneNumber"
        | "subscriberCarrier"
        | "wiFiMacAddress"
        | "androidSecurityPatchLevel" => {
            json!("")
        }
        _ => Value::Null,
    }
}

/// `deviceCompliancePolicyState`
pub(crate) const POLICY_STATE: Shape = Shape {
    name: "deviceCompliancePolicyState",
    properties: &[
        "displayName",
        "id",
        "platformType",
        "settingCount",
        "settingStates",
        "state",
        "version",
    ],
    filters: &[],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

/// `windowsProtectionState`
pub(crate) const PROTECTION: Shape = Shape {
    name: "windowsProtectionState",
    properties: &[
        "antiMalwareVersion",
        "controlledConfigurationEnabled",
        "deviceState",
        "engineVersion",
        "fullScanOverdue",
        "fullScanRequired",
        "id",
        "isVirtualMachine",
        "lastFullScanDateTime",
        "lastFullScanSignatureVersion",
        "lastQuickScanDateTime",
        "lastQuickScanSignatureVersion",
        "lastReportedDateTime",
        "malwareProtectionEnabled",
        "networkInspectionSystemEnabled",
        "productStatus",
        "quickScanOverdue",
        "realTimeProtectionEnabled",
        "rebootRequired",
        "signatureUpdateOverdue",
        "signatureVersion",
        "tamperProtectionEnabled",
    ],
    filters: &[],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

/// As an id that is none.
pub(crate) fn id_or_none(id: Option<&str>) -> Value {
    json!(id.unwrap_or(NO_ID))
}

/// As a time that may not have come.
pub(crate) fn time_or_never(time: Option<Timestamp>) -> Value {
    time.map_or(json!(NEVER), |time| json!(time.short()))
}
