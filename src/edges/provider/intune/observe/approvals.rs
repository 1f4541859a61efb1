//! Multi Admin Approval: what became of requests that wipes wait for.

use crate::domain::plan::{WipeNews, WipeStep};
use crate::domain::state::event::WipeStage;
use crate::domain::state::{State, WipeState};
use crate::domain::wording::harmless_within;
use crate::edges::provider::intune::connection::Connection;
use crate::edges::provider::intune::graph::{Call, Failure, Version};
use crate::edges::provider::intune::rows::ApprovalRequest;

/// Bytes of what an approver wrote that are kept.
const WORDS: usize = 500;

/// Asks about every approval that a wipe waits for; nothing where none does.
pub(super) async fn follow(
    connection: &Connection,
    recorded: &State,
) -> (Vec<WipeNews>, Option<Failure>) {
    let awaited: Vec<_> = recorded
        .wipes
        .iter()
        .filter(|(_, wipe)| wipe.state == WipeState::Accepted)
        .filter_map(|(request, wipe)| Some((*request, wipe.approval.as_ref()?)))
        .filter(|(_, approval)| !approval.given)
        .collect();
    if awaited.is_empty() {
        return (Vec::new(), None);
    }
    let call = Call::get("/deviceManagement/operationApprovalRequests").of(Version::Beta);
    let mut news = Vec::new();
    let read = connection.everyday.pages(call, |rows: Vec<ApprovalRequest>| {
        for row in rows {
            // Microsoft's documentation and its users disagree on which of the two the code is.
            let named = [&row.id, &row.request_id];
            let ours = awaited.iter().filter(|(_, approval)| {
                named.iter().any(|id| id.as_deref() == Some(approval.code.as_str()))
            });
            for (request, _) in ours {
                news.extend(step(&row).map(|(step, detail)| WipeNews {
                    request: *request,
                    intent: None,
                    step,
                    target: None,
                    detail,
                }));
            }
        }
    });
    let failed = read.await.err();
    (news, failed)
}

fn step(row: &ApprovalRequest) -> Option<(WipeStep, String)> {
    let words = row.approval_justification.as_deref().unwrap_or_default();
    let words = if words.is_empty() {
        String::new()
    } else {
        format!(": {}", harmless_within(words, WORDS))
    };
    let no = |code, what: &str| Some((WipeStep::NotApproved(code), format!("{what}{words}")));
    match row.status.as_deref()? {
        "approved" => {
            let step = WipeStep::Stage(WipeStage::Approved);
            Some((step, format!("approved in Intune{words}")))
        }
        "rejected" => no("approvalRejected", "its approval was rejected in Intune"),
        "cancelled" | "canceled" => no("approvalCancelled", "its approval was cancelled in Intune"),
        "expired" => no("approvalExpired", "its approval expired in Intune"),
        "completed" => no("approvalUsed", "its approval in Intune was used for another call"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_word_of_an_approval_means_one_thing() {
        let of = |status: &str| {
            let row = json!({"id": "1", "status": status, "approvalJustification": "no\u{1b}"});
            step(&serde_json::from_value(row).unwrap())
        };
        let approved = of("approved").unwrap();
        assert_eq!(approved.0, WipeStep::Stage(WipeStage::Approved));
        for (status, code) in [
            ("rejected", "approvalRejected"),
            ("cancelled", "approvalCancelled"),
            ("expired", "approvalExpired"),
            ("completed", "approvalUsed"),
        ] {
            let (step, detail) = of(status).unwrap();
            assert_eq!(step, WipeStep::NotApproved(code), "{status}");
            assert!(detail.ends_with(": no\u{FFFD}"), "{detail:?}");
        }
        for status in ["needsApproval", "unknown", "unknownFutureValue"] {
            assert_eq!(of(status), None, "{status}");
        }
    }
}
