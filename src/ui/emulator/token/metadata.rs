//! `GET /{tenant}/v2.0/.well-known/openid-configuration`: where tokens come from, for the libraries that
//! ask first. <https://openid.net/specs/openid-connect-discovery-1_0.html>

use serde_json::json;

use crate::ui::emulator::tenant::{Answer, Request, Tenant};

const PATH: &str = "/v2.0/.well-known/openid-configuration";

/// The tenant as the path has it, if the path asks for this.
#[must_use]
pub(crate) fn asks_for_metadata(request: &Request) -> Option<&str> {
    let tenant = request.path.strip_suffix(PATH)?.strip_prefix('/')?;
    let one = !tenant.is_empty() && !tenant.contains('/');
    (one && request.method == "GET").then_some(tenant)
}

/// Answers with what is there: no keys, since tokens are signed for this tenant alone, and nobody can sign
/// in.
pub(crate) fn metadata(tenant: &Tenant, named: &str, base: &str) -> Answer {
    Answer::ok(json!({
        "token_endpoint": format!("{base}/{named}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "authorization_endpoint": format!("{base}/{named}/oauth2/v2.0/authorize"),
        "issuer": format!("{base}/{}/v2.0", tenant.id),
        "subject_types_supported": ["pairwise"],
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}
