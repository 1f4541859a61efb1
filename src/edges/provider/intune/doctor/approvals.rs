//! Which policies of Multi Admin Approval are in force: some commands then wait for an administrator.

use serde::Deserialize;

use super::answers::Reading;
use crate::domain::diagnosis::Check;
use crate::domain::wording::{harmless_within, quote};
use crate::edges::provider::intune::graph::{Call, Everyday, Failure, Version};

const APPROVALS: &str = "intune.approvals";
/// Bytes of a list of policies that are shown.
const SHOWN: usize = 600;

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policy {
    display_name: Option<String>,
    policy_type: Option<String>,
}

/// What of them is worth to be known; none of it stops anything.
pub(super) async fn look(reading: &Reading) -> Check {
    let policies = reading.ask(APPROVALS, read(&reading.everyday)).await;
    policies.map_or_else(|check| check, |policies| in_force(&policies))
}

async fn read(everyday: &Everyday) -> Result<Vec<Policy>, Failure> {
    let mut all = Vec::new();
    let call = Call::get("/deviceManagement/operationApprovalPolicies").of(Version::Beta);
    everyday.pages(call, |page: Vec<Policy>| all.extend(page)).await?;
    Ok(all)
}

pub(super) fn in_force(policies: &[Policy]) -> Check {
    if policies.is_empty() {
        return Check::ok(APPROVALS, "no policy of Multi Admin Approval is in force");
    }
    let one = |Policy { display_name, policy_type }: &Policy| {
        let name = quote(display_name.as_deref().unwrap_or("without a name"));
        format!("{name} ({})", policy_type.as_deref().unwrap_or("of unknown type"))
    };
    let all: Vec<String> = policies.iter().map(one).collect();
    let detail = format!(
        "Multi Admin Approval is in force: {}; what such a policy covers waits for a second \
         administrator in the Intune admin center",
        all.join(", ")
    );
    Check::ok(APPROVALS, harmless_within(&detail, SHOWN))
}
