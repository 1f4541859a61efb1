//! Which permissions an app registration should have, and which it has.

use std::collections::BTreeSet;

use super::registrations::{APP, WIPE_APP};
use crate::domain::diagnosis::Check;
use crate::domain::provider_settings::LicenseAssignment;
use crate::domain::wording::harmless_within;

/// With it a registration can wipe and retire, and ask for a sync.
pub(super) const PRIVILEGED: &str = "DeviceManagementManagedDevices.PrivilegedOperations.All";
const LICENSES: &str = "LicenseAssignment.ReadWrite.All";
const MARKS: &str = "Device.ReadWrite.All";
/// Bytes of a list of permissions that are shown.
const SHOWN: usize = 600;

/// A permission of Microsoft Graph, and what it is needed for.
struct Need {
    role: &'static str,
    why: &'static str,
    /// Permissions that allow all of it, and more.
    broader: &'static [&'static str],
}

/// What the everyday registration needs.
const EVERYDAY: &[Need] = &[
    Need {
        role: "DeviceManagementManagedDevices.Read.All",
        why: "devices, their compliance, enrollment errors",
        broader: &["DeviceManagementManagedDevices.ReadWrite.All"],
    },
    Need {
        role: "DeviceManagementServiceConfig.ReadWrite.All",
        why: "Autopilot and corporate identifiers",
        broader: &[],
    },
    Need {
        role: "DeviceManagementConfiguration.ReadWrite.All",
        why: "compliance policies, assignments of policies",
        broader: &[],
    },
    Need {
        role: "DeviceManagementApps.ReadWrite.All",
        why: "assignments of apps, and who changed a policy",
        broader: &[],
    },
    Need {
        role: "DeviceManagementRBAC.Read.All",
        why: "requests for Multi Admin Approval",
        broader: &["DeviceManagementRBAC.ReadWrite.All"],
    },
    Need {
        role: "GroupMember.ReadWrite.All",
        why: "members of the profiles' groups",
        broader: &["Group.ReadWrite.All", "Directory.ReadWrite.All"],
    },
    Need {
        role: "User.Read.All",
        why: "users of devices",
        broader: &["User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
    },
    Need {
        role: "Device.Read.All",
        why: "devices as members of groups",
        broader: &["Device.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
    },
    Need {
        role: MARKS,
        why: "the mark of devices whose mail is blocked, provider.blockAttribute",
        broader: &["Directory.ReadWrite.All"],
    },
    Need {
        role: "Organization.Read.All",
        why: "free licenses",
        broader: &["Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
    },
    Need {
        role: LICENSES,
        why: "licenses of users",
        broader: &["User.ReadWrite.All", "Directory.ReadWrite.All"],
    },
];

/// Whom a permission is to be given to, or taken from.
fn grant(role: &str, client: &str) -> String {
    format!(
        "in the Entra admin center, App registrations > {client} > API permissions: add the \
         application permission {role} of Microsoft Graph, and grant admin consent"
    )
}

fn take(client: &str) -> String {
    format!(
        "remove them in the Entra admin center, Enterprise applications > {client} > Permissions, and \
         from its app registration"
    )
}

/// Each permission that the everyday registration needs, and those that it should not have; whether it
/// assigns licenses, and `marks` devices that are blocked.
pub(super) fn everyday(
    roles: &BTreeSet<String>,
    client: &str,
    licenses: LicenseAssignment,
    marks: bool,
) -> Vec<Check> {
    let needed = || {
        EVERYDAY.iter().filter(|need| match need.role {
            LICENSES => licenses == LicenseAssignment::Direct,
            MARKS => marks,
            _ => true,
        })
    };
    let mut checks: Vec<Check> = needed().map(|need| need.check(roles, client)).collect();
    checks.push(everyday_privileged(roles, client));
    let known: BTreeSet<&str> = needed().map(|need| need.role).chain([PRIVILEGED]).collect();
    checks.push(surplus(APP.surplus, roles, &known, client));
    checks
}

/// Likewise of the registration that wipes.
pub(super) fn wiping(roles: &BTreeSet<String>, client: &str) -> Vec<Check> {
    let need = Need { role: PRIVILEGED, why: "wipe and retire", broader: &[] };
    let check = Check { name: WIPE_APP.permission, ..need.check(roles, client) };
    vec![check, surplus(WIPE_APP.surplus, roles, &BTreeSet::from([PRIVILEGED]), client)]
}

impl Need {
    fn check(&self, roles: &BTreeSet<String>, client: &str) -> Check {
        let Self { role, why, broader } = self;
        let check = if roles.contains(*role) {
            Check::ok(APP.permission, format!("{role} is granted"))
        } else if let Some(broader) = broader.iter().find(|role| roles.contains(**role)) {
            Check::ok(APP.permission, format!("{role} is part of {broader}, which is granted"))
        } else {
            let detail = format!("{role} is missing ({why})");
            Check::fails(APP.permission, detail, grant(role, client))
        };
        check.about(*role)
    }
}

/// The one right too many that somebody may want.
fn everyday_privileged(roles: &BTreeSet<String>, client: &str) -> Check {
    let check = if roles.contains(PRIVILEGED) {
        Check::warning(
            APP.permission,
            format!(
                "{PRIVILEGED} is granted: fleetform asks devices to sync with it and never wipes with \
                 it, but anybody who steals this credential can"
            ),
            format!(
                "keep it only if you need a sync on demand; otherwise remove it in the Entra admin \
                 center, Enterprise applications > {client} > Permissions, and from its app \
                 registration"
            ),
        )
    } else {
        Check::ok(
            APP.permission,
            format!(
                "{PRIVILEGED} is not granted: this registration cannot wipe, nor sync on demand"
            ),
        )
    };
    check.about(PRIVILEGED)
}

fn surplus(
    name: &'static str,
    roles: &BTreeSet<String>,
    known: &BTreeSet<&str>,
    client: &str,
) -> Check {
    let more: Vec<&str> =
        roles.iter().map(String::as_str).filter(|role| !known.contains(role)).collect();
    if more.is_empty() {
        return Check::ok(name, format!("{client} has no permission that is not needed"));
    }
    let detail = format!("{client} has more rights than it needs: {}", more.join(", "));
    Check::warning(name, harmless_within(&detail, SHOWN), take(client))
}
