//! What no call may do: without its permission, with what it does not take, or in the wrong version.

use serde_json::json;

use super::*;

/// Every operation, with the permission that is least of those that open it.
const OPERATIONS: [(&str, &str, &str); 51] = [
    ("GET", "/v1.0/deviceManagement/managedDevices", "DeviceManagementManagedDevices.Read.All"),
    ("GET", "/v1.0/deviceManagement/managedDevices/1", "DeviceManagementManagedDevices.Read.All"),
    (
        "PATCH",
        "/v1.0/deviceManagement/managedDevices/1",
        "DeviceManagementManagedDevices.ReadWrite.All",
    ),
    (
        "DELETE",
        "/v1.0/deviceManagement/managedDevices/1",
        "DeviceManagementManagedDevices.ReadWrite.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/managedDevices/1/wipe",
        "DeviceManagementManagedDevices.PrivilegedOperations.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/managedDevices/1/retire",
        "DeviceManagementManagedDevices.PrivilegedOperations.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/managedDevices/1/syncDevice",
        "DeviceManagementManagedDevices.PrivilegedOperations.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/managedDevices/1/remoteLock",
        "DeviceManagementManagedDevices.PrivilegedOperations.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/managedDevices/1/rebootNow",
        "DeviceManagementManagedDevices.PrivilegedOperations.All",
    ),
    (
        "GET",
        "/v1.0/deviceManagement/managedDevices/1/deviceCompliancePolicyStates",
        "DeviceManagementManagedDevices.Read.All",
    ),
    (
        "GET",
        "/v1.0/deviceManagement/managedDevices/1/windowsProtectionState",
        "DeviceManagementManagedDevices.Read.All",
    ),
    ("GET", "/v1.0/users/1/managedDevices", "DeviceManagementManagedDevices.Read.All"),
    (
        "GET",
        "/v1.0/deviceManagement/troubleshootingEvents",
        "DeviceManagementManagedDevices.Read.All",
    ),
    (
        "GET",
        "/v1.0/deviceManagement/importedWindowsAutopilotDeviceIdentities",
        "DeviceManagementServiceConfig.Read.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/importedWindowsAutopilotDeviceIdentities/import",
        "DeviceManagementServiceConfig.ReadWrite.All",
    ),
    (
        "DELETE",
        "/v1.0/deviceManagement/importedWindowsAutopilotDeviceIdentities/1",
        "DeviceManagementServiceConfig.ReadWrite.All",
    ),
    (
        "GET",
        "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities",
        "DeviceManagementServiceConfig.Read.All",
    ),
    (
        "DELETE",
        "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/1",
        "DeviceManagementServiceConfig.ReadWrite.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/1/assignUserToDevice",
        "DeviceManagementServiceConfig.ReadWrite.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/1/unassignUserFromDevice",
        "DeviceManagementServiceConfig.ReadWrite.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/1/updateDeviceProperties",
        "DeviceManagementServiceConfig.ReadWrite.All",
    ),
    (
        "POST",
        "/beta/deviceManagement/windowsAutopilotSettings/sync",
        "DeviceManagementServiceConfig.ReadWrite.All",
    ),
    (
        "GET",
        "/beta/deviceManagement/importedDeviceIdentities",
        "DeviceManagementServiceConfig.Read.All",
    ),
    (
        "POST",
        "/beta/deviceManagement/importedDeviceIdentities/importDeviceIdentityList",
        "DeviceManagementServiceConfig.ReadWrite.All",
    ),
    (
        "POST",
        "/beta/deviceManagement/importedDeviceIdentities/searchExistingIdentities",
        "DeviceManagementServiceConfig.Read.All",
    ),
    (
        "DELETE",
        "/beta/deviceManagement/importedDeviceIdentities/1",
        "DeviceManagementServiceConfig.ReadWrite.All",
    ),
    (
        "GET",
        "/v1.0/deviceManagement/deviceCompliancePolicies",
        "DeviceManagementConfiguration.Read.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/deviceCompliancePolicies",
        "DeviceManagementConfiguration.ReadWrite.All",
    ),
    (
        "PATCH",
        "/v1.0/deviceManagement/deviceCompliancePolicies/1",
        "DeviceManagementConfiguration.ReadWrite.All",
    ),
    (
        "DELETE",
        "/v1.0/deviceManagement/deviceCompliancePolicies/1",
        "DeviceManagementConfiguration.ReadWrite.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/deviceCompliancePolicies/1/assign",
        "DeviceManagementConfiguration.ReadWrite.All",
    ),
    (
        "POST",
        "/v1.0/deviceManagement/deviceCompliancePolicies/1/scheduleActionsForRules",
        "DeviceManagementConfiguration.ReadWrite.All",
    ),
    (
        "GET",
        "/v1.0/deviceManagement/deviceConfigurations/1/assignments",
        "DeviceManagementConfiguration.Read.All",
    ),
    (
        "POST",
        "/beta/deviceManagement/configurationPolicies/1/assign",
        "DeviceManagementConfiguration.ReadWrite.All",
    ),
    ("GET", "/v1.0/deviceAppManagement/mobileApps/1/assignments", "DeviceManagementApps.Read.All"),
    ("POST", "/v1.0/deviceAppManagement/mobileApps/1/assign", "DeviceManagementApps.ReadWrite.All"),
    ("GET", "/v1.0/deviceManagement/auditEvents", "DeviceManagementApps.Read.All"),
    ("GET", "/beta/deviceManagement/operationApprovalRequests", "DeviceManagementRBAC.Read.All"),
    ("GET", "/beta/deviceManagement/operationApprovalPolicies", "DeviceManagementRBAC.Read.All"),
    ("GET", "/v1.0/users", "User.Read.All"),
    ("GET", "/v1.0/users/1", "User.Read.All"),
    ("POST", "/v1.0/users/1/assignLicense", "LicenseAssignment.ReadWrite.All"),
    ("POST", "/v1.0/users/1/sendMail", "Mail.Send"),
    ("GET", "/v1.0/subscribedSkus", "Organization.Read.All"),
    ("GET", "/v1.0/groups/1/members", "GroupMember.Read.All"),
    ("POST", "/v1.0/groups/1/members/$ref", "GroupMember.ReadWrite.All"),
    ("DELETE", "/v1.0/groups/1/members/1/$ref", "GroupMember.ReadWrite.All"),
    ("GET", "/v1.0/devices", "Device.Read.All"),
    ("PATCH", "/v1.0/devices/1", "Device.ReadWrite.All"),
    ("GET", "/v1.0/auditLogs/directoryAudits", "AuditLog.Read.All"),
    ("GET", "/v1.0/organization", "Organization.Read.All"),
];

#[test]
fn every_operation_needs_its_permission_and_no_other() {
    let mut world = World::new();
    let all: BTreeSet<&str> = OPERATIONS.iter().map(|(_, _, permission)| *permission).collect();
    for (method, address, permission) in OPERATIONS {
        // Who may write may read, and two lists are open to others as well.
        let also = match address.rsplit('/').next() {
            Some("deviceCompliancePolicyStates") => "DeviceManagementConfiguration.",
            Some("subscribedSkus") => "LicenseAssignment.",
            _ => permission,
        };
        let opens = |one: &str| {
            one.starts_with(also) || one.replace("Write", "") == permission.replace("Write", "")
        };
        let without: Vec<&str> = all.iter().copied().filter(|one| !opens(one)).collect();
        world.grant("without", EVERYDAY, &without);
        world.grant("with", EVERYDAY, &[permission]);
        let mut status = |token| {
            let request = World::request(token, method, address, Some(&json!({})));
            world.send(&request).answer.status
        };
        assert_eq!(status("without"), 403, "{method} {address}");
        assert_ne!(status("with"), 403, "{method} {address}");
    }
}

#[test]
fn reading_and_writing_devices_is_not_enough_to_wipe() {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "W1", "enrolled": true}));
    let id = world.device_id("W1");
    world.grant("some", EVERYDAY, &["DeviceManagementManagedDevices.ReadWrite.All"]);
    for action in ["wipe", "retire", "syncDevice", "remoteLock"] {
        let address = format!("{MANAGED}/{id}/{action}");
        let request = World::request("some", "POST", &address, Some(&json!({})));
        let (status, message) = error(&world.send(&request).answer);
        assert_eq!(status, 403, "{action}");
        assert!(message.contains("PrivilegedOperations.All"), "{message}");
    }
}

#[test]
fn unknown_properties_are_refused_everywhere() {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "W1", "enrolled": true, "registered": true}));
    let id = world.device_id("W1");
    let writes = OPERATIONS.iter().filter(|(method, _, _)| ["POST", "PATCH"].contains(method));
    for (method, address, _) in writes {
        let address = address.replace("managedDevices/1", &format!("managedDevices/{id}"));
        let body = json!({"keepEnrolmentData": false});
        let (status, message) = error(&world.call(method, &address, Some(&body)));
        assert!([400, 404].contains(&status), "{method} {address}: {status} {message}");
    }
    assert_eq!(world.tenant.accepted.len(), 0);
    assert_eq!(world.device("W1")["managementState"], "managed");
}

#[test]
fn a_wipe_takes_its_parameters_and_no_text_in_place_of_true() {
    let mut world = World::new();
    world.hardware(json!({"serialNumber": "W1", "enrolled": true}));
    let id = world.device_id("W1");
    for body in [
        "",
        "[]",
        "null",
        "{",
        r#"{"keepUserData":"false"}"#,
        r#"{"macOsUnlockCode":1}"#,
        r#"{"useProtectedWipe":true}"#,
    ] {
        let mut request = World::request("all", "POST", &format!("{MANAGED}/{id}/wipe"), None);
        request.body = body.as_bytes().to_vec();
        assert_eq!(world.send(&request).answer.status, 400, "{body}");
    }
    let mut request =
        World::request("all", "POST", &format!("{MANAGED}/{id}/wipe"), Some(&json!({})));
    request.headers.remove("content-type");
    assert_eq!(world.send(&request).answer.status, 400, "no content type");
    assert_eq!(world.tenant.accepted.len(), 0);
}

#[test]
fn what_is_not_there_is_said_in_graphs_own_way() {
    let mut world = World::new();
    for (method, address, status) in [
        ("GET", "/v1.0/deviceManagement/importedDeviceIdentities", 400),
        ("GET", "/v1.0/deviceManagement/configurationPolicies", 400),
        ("GET", "/v1.0/nothing", 400),
        ("GET", "/v2.0/users/1", 400),
        ("PUT", "/v1.0/users/1", 405),
        ("GET", "/v1.0/users/1", 404),
        ("GET", "/v1.0/groups/1", 404),
        ("GET", "/v1.0/deviceManagement/managedDevices/1", 404),
    ] {
        let answer = world.call(method, address, None);
        assert_eq!(answer.status, status, "{method} {address}");
        let error = &answer.body.unwrap()["error"];
        assert!(error["code"].is_string() && error["innerError"]["request-id"].is_string());
    }
}
