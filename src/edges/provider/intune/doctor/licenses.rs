//! Whether the tenant has the licenses that profiles give to users.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::Reading;
use crate::domain::diagnosis::Check;
use crate::domain::model::Profile;
use crate::domain::provider_settings::LicenseAssignment;
use crate::edges::provider::intune::licenses::{Sku, names, read};

const LICENSE: &str = "intune.license";

/// Each license that the profiles give.
pub(super) async fn look<'a>(
    reading: &Reading,
    profiles: impl IntoIterator<Item = &'a Profile>,
    assignment: LicenseAssignment,
) -> Vec<Check> {
    if assignment == LicenseAssignment::Groups {
        let detail = "somebody else assigns licenses (provider.licenses: groups)";
        return vec![Check::ok(LICENSE, detail)];
    }
    let wanted: BTreeSet<&str> =
        profiles.into_iter().flat_map(|profile| &profile.licenses).map(String::as_str).collect();
    if wanted.is_empty() {
        return vec![Check::ok(LICENSE, "no profile gives a license")];
    }
    let skus = reading.ask(LICENSE, read(&reading.everyday)).await;
    let each = |name: &&str| {
        let check = skus.as_ref().map(|skus| license(name, skus));
        check.unwrap_or_else(Clone::clone).about(*name)
    };
    wanted.iter().map(each).collect()
}

/// The check of licenses where the fleet directory cannot be read.
pub(super) fn skipped(because: &str) -> Check {
    Check::skipped(LICENSE, because)
}

/// Whether users can get it.
pub(super) fn license(wanted: &str, skus: &BTreeMap<String, Sku>) -> Check {
    let found = skus.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let Some((_, sku)) = found else {
        return Check::fails(
            LICENSE,
            format!("the tenant has no license {wanted}; it has {}", names(skus)),
            "correct the part number in `spec.licenses` of the profile, or buy the license",
        );
    };
    if !sku.usable {
        return Check::fails(
            LICENSE,
            format!("the subscription of license {wanted} is not active"),
            "look at it in the Microsoft 365 admin center, Billing > Your products",
        );
    }
    if sku.free < 1 {
        return Check::warning(
            LICENSE,
            format!("no unit of license {wanted} is free: no further user gets one"),
            "buy more, or take one from somebody who does not need it",
        );
    }
    Check::ok(LICENSE, format!("{} units of license {wanted} are free", sku.free))
}
