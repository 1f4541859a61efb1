//! What receivers of shared signals are told: CAEP 1.0 `device-compliance-change`, in a security event
//! token (RFC 8417) of SSF 1.0.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::model::{ComplianceState, DeviceId, Email, Timestamp};

const COMPLIANCE_CHANGE: &str =
    "https://schemas.openid.net/secevent/caep/event-type/device-compliance-change";
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// A change of a device, as receivers understand it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecurityEvent {
    pub(crate) device: DeviceId,
    pub(crate) user: Email,
    pub(crate) was_compliant: bool,
    pub(crate) is_compliant: bool,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// For an administrator.
    pub(crate) reason: String,
    /// The same for all tokens of one cause.
    pub(crate) cause: String,
}

/// The two words that there are: without evidence nobody is compliant.
#[must_use]
pub(crate) const fn is_compliant(state: ComplianceState) -> bool {
    matches!(state, ComplianceState::Compliant)
}

const fn word(compliant: bool) -> &'static str {
    if compliant { "compliant" } else { "not-compliant" }
}

impl SecurityEvent {
    /// The claims of its token: under the same `id` the same but for when it was issued.
    #[must_use]
    pub(crate) fn claims(
        &self,
        id: &str,
        (issuer, audience): (&str, &str),
        issued: i64,
        legacy_subject: bool,
    ) -> Value {
        let Self { device, user, was_compliant, is_compliant, at, reason, cause } = self;
        let subject = json!({
            "format": "complex",
            "device": {"format": "iss_sub", "iss": issuer, "sub": device},
            "user": {"format": "email", "email": user},
        });
        let mut event = json!({
            "previous_status": word(*was_compliant),
            "current_status": word(*is_compliant),
            "event_timestamp": at.millis() / 1000,
            "initiating_entity": "policy",
            "reason_admin": {"en": reason},
        });
        if legacy_subject {
            event["subject"] = subject.clone();
        }
        json!({
            "iss": issuer,
            "aud": audience,
            "iat": issued,
            "jti": id,
            "txn": cause,
            "sub_id": subject,
            "events": {COMPLIANCE_CHANGE: event},
        })
    }
}

/// The claims of a token that tries whether a stream works: nobody asked for it, so it has no state.
#[must_use]
pub(crate) fn verification(
    id: &str,
    (issuer, audience): (&str, &str),
    issued: i64,
    stream: &str,
) -> Value {
    json!({
        "iss": issuer,
        "aud": audience,
        "iat": issued,
        "jti": id,
        "sub_id": {"format": "opaque", "id": stream},
        "events": {VERIFICATION: {}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_those_that_the_specifications_have() {
        let event = SecurityEvent {
            device: "D007".parse().unwrap(),
            user: "ana.ruiz@example.com".parse().unwrap(),
            was_compliant: true,
            is_compliant: false,
            at: "2026-11-25T09:29:30Z".parse().unwrap(),
            reason: "compliant → nonCompliant; failing: encryption".into(),
            cause: "4f0c-1842".into(),
        };
        let between = ("https://fleet.example.com/", "https://idp.example.net/ssf");
        let claims = event.claims("4f0c-1842-idp", between, 1_795_599_000, false);
        assert_eq!(claims["sub_id"]["device"]["sub"], "D007");
        assert_eq!(claims["sub_id"]["user"]["email"], "ana.ruiz@example.com");
        let inner = &claims["events"][COMPLIANCE_CHANGE];
        assert_eq!(inner["previous_status"], "compliant");
        assert_eq!(inner["current_status"], "not-compliant");
        assert_eq!(inner["event_timestamp"], 1_795_598_970);
        assert!(inner["reason_admin"]["en"].is_string() && inner.get("subject").is_none());
        // RFC 8417 and SSF forbid them.
        assert!(claims.get("sub").is_none() && claims.get("exp").is_none());
        let older = event.claims("x", between, 1, true);
        assert_eq!(older["events"][COMPLIANCE_CHANGE]["subject"], older["sub_id"]);
        let verification = verification("v", between, 1, "idp");
        assert_eq!(verification["events"][VERIFICATION], json!({}));
        for state in ComplianceState::ALL {
            assert_eq!(is_compliant(*state), *state == ComplianceState::Compliant);
        }
    }
}
