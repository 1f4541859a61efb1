//! Application permissions, by what they open.

pub(super) const READ_DEVICES: &[&str] =
    &["DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"];
pub(super) const WRITE_DEVICES: &[&str] = &["DeviceManagementManagedDevices.ReadWrite.All"];
/// ReadWrite.All is not enough for these, whatever some pages say.
pub(super) const PRIVILEGED: &[&str] = &["DeviceManagementManagedDevices.PrivilegedOperations.All"];
pub(super) const READ_STATES: &[&str] = &[
    "DeviceManagementConfiguration.Read.All",
    "DeviceManagementConfiguration.ReadWrite.All",
    "DeviceManagementManagedDevices.Read.All",
    "DeviceManagementManagedDevices.ReadWrite.All",
];
pub(super) const READ_CONFIGURATION: &[&str] =
    &["DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All"];
pub(super) const WRITE_CONFIGURATION: &[&str] = &["DeviceManagementConfiguration.ReadWrite.All"];
pub(super) const READ_APPS: &[&str] =
    &["DeviceManagementApps.Read.All", "DeviceManagementApps.ReadWrite.All"];
pub(super) const WRITE_APPS: &[&str] = &["DeviceManagementApps.ReadWrite.All"];
pub(super) const READ_SERVICE: &[&str] =
    &["DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All"];
pub(super) const WRITE_SERVICE: &[&str] = &["DeviceManagementServiceConfig.ReadWrite.All"];
pub(super) const READ_ROLES: &[&str] =
    &["DeviceManagementRBAC.Read.All", "DeviceManagementRBAC.ReadWrite.All"];
pub(super) const READ_GROUPS: &[&str] = &[
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
];
pub(super) const WRITE_MEMBERS: &[&str] = &["GroupMember.ReadWrite.All", "Group.ReadWrite.All"];
pub(super) const READ_USERS: &[&str] =
    &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All"];
pub(super) const WRITE_LICENSES: &[&str] =
    &["LicenseAssignment.ReadWrite.All", "User.ReadWrite.All"];
pub(super) const READ_LICENSES: &[&str] = &[
    "LicenseAssignment.Read.All",
    "LicenseAssignment.ReadWrite.All",
    "Organization.Read.All",
    "Directory.Read.All",
];
pub(super) const READ_ORGANIZATION: &[&str] = &["Organization.Read.All", "Directory.Read.All"];
pub(super) const READ_ENTRA_DEVICES: &[&str] =
    &["Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All"];
pub(super) const WRITE_ENTRA_DEVICES: &[&str] =
    &["Device.ReadWrite.All", "Directory.ReadWrite.All"];
pub(super) const SEND_MAIL: &[&str] = &["Mail.Send"];
pub(super) const READ_AUDIT: &[&str] = &["AuditLog.Read.All"];
pub(super) const READ_APPLICATIONS: &[&str] = &["Application.Read.All", "Directory.Read.All"];
