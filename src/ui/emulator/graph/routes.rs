//! Which operation an address is.

use super::call::Route;
use super::{assignments, autopilot, commands, devices, directory, events, groups, identifiers};
use super::{mail, policies, refusal::Refusal};
use crate::ui::emulator::tenant::decoded;

fn all() -> impl Iterator<Item = &'static Route> {
    let fixed = [
        devices::ROUTES,
        commands::ROUTES,
        autopilot::ROUTES,
        identifiers::ROUTES,
        policies::ROUTES,
        &assignments::COMPLIANCE,
        &assignments::CONFIGURATIONS,
        &assignments::CATALOG,
        &assignments::APPS,
        groups::ROUTES,
        directory::ROUTES,
        mail::ROUTES,
        events::ROUTES,
    ];
    fixed.into_iter().flatten()
}

/// A route, and what stands in the places of `{}`.
type Found = (&'static Route, Vec<String>);

/// Cuts an address into its parts; `users('1')` is `users/1`.
fn segments(path: &str) -> Vec<String> {
    let mut segments = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let part = decoded(part);
        match part.strip_suffix(')').and_then(|part| part.split_once('(')) {
            Some((name, key)) => {
                segments.push(name.to_owned());
                segments.push(key.replace('\'', ""));
            }
            None => segments.push(part),
        }
    }
    segments
}

fn fits(route: &Route, segments: &[String]) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut expected = route.path.split('/');
    for segment in segments {
        match expected.next()? {
            "{}" => params.push(segment.clone()),
            name if name.eq_ignore_ascii_case(segment) => {}
            _ => return None,
        }
    }
    expected.next().is_none().then_some(params)
}

/// How specific a route is: the fewer places that vary, the more.
fn places(found: &Found) -> usize {
    found.1.len()
}

/// Finds the operation of an address from the version on.
pub(super) fn find(method: &str, path: &str, beta: bool) -> Result<Found, Refusal> {
    let segments = segments(path);
    let here: Vec<Found> = all()
        .filter(|route| beta || !route.only_beta)
        .filter_map(|route| Some((route, fits(route, &segments)?)))
        .collect();
    let known = !here.is_empty();
    let meant = here.into_iter().filter(|(route, _)| route.method == method).min_by_key(places);
    meant.ok_or_else(|| {
        let last = segments.last().cloned().unwrap_or_default();
        if known {
            let message = format!("The method {method} is not allowed for '{last}'.");
            return Refusal::new(405, "MethodNotAllowed", message);
        }
        // What Intune says of a method that it documents and does not serve.
        Refusal::bad(format!("Resource not found for the segment '{last}'."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str, beta: bool) -> Option<(&'static str, Vec<String>)> {
        find(method, path, beta).ok().map(|(route, params)| (route.path, params))
    }

    #[test]
    fn addresses_lead_to_their_operation() {
        let one = |id: &str| vec![id.to_owned()];
        let devices = "deviceManagement/managedDevices/{}";
        for path in [
            "deviceManagement/managedDevices/7",
            "devicemanagement/MANAGEDDEVICES/7/",
            "deviceManagement/managedDevices('7')",
            "deviceManagement/managedDevices(%277%27)",
        ] {
            assert_eq!(found("GET", path, false), Some((devices, one("7"))), "{path}");
        }
        let imports = "deviceManagement/importedWindowsAutopilotDeviceIdentities/import";
        assert_eq!(found("POST", imports, false), Some((imports, Vec::new())));
        let principal = found("GET", "servicePrincipals(appId='1')", false);
        assert_eq!(principal, Some(("servicePrincipals/{}", one("appId=1"))));
        assert_eq!(found("PUT", "groups", false), None);
    }

    #[test]
    fn what_is_only_in_beta_is_not_in_the_first_version() {
        for path in [
            "deviceManagement/importedDeviceIdentities",
            "deviceManagement/configurationPolicies",
            "deviceManagement/operationApprovalRequests",
        ] {
            assert_eq!(find("GET", path, false).err().map(|error| error.status), Some(400));
            assert!(find("GET", path, true).is_ok(), "{path}");
        }
        // It is documented, and has no route in the real service.
        let post = find("POST", "deviceManagement/importedDeviceIdentities", true);
        assert_eq!(post.err().map(|error| error.status), Some(405));
    }
}
