//! `sendMail`: a message goes out of a mailbox of the tenant, and stays here to be looked at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::call::{Call, Outcome, Route};
use super::permissions::SEND_MAIL;
use super::refusal::Refusal;
use crate::ui::emulator::tenant::{Answer, Sent, Tenant};

pub(super) const ROUTES: &[Route] = &[Route {
    method: "POST",
    path: "users/{}/sendMail",
    only_beta: false,
    permissions: SEND_MAIL,
    run: send_mail,
}];

/// Takes a whole message (MIME, in base64, as `text/plain`), and no other form.
fn send_mail(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let kind = call.request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if !kind.starts_with("text/plain") {
        let why =
            "This emulator takes a message as MIME only: base64 with Content-Type text/plain.";
        return Err(Refusal::bad(why));
    }
    let message = BASE64.decode(&call.request.body).ok();
    let message = message.and_then(|bytes| String::from_utf8(bytes).ok());
    let message = message.filter(|text| text.contains("\r\n\r\n"));
    let message = message.ok_or_else(|| {
        Refusal::new(
            400,
            "ErrorMimeContentInvalidBase64String",
            "Invalid base64 string for MIME content.",
        )
    })?;
    let user = tenant.directory.user(call.id()).ok_or_else(|| Refusal::missing(call.id()))?;
    let (from, at) = (user.upn.clone(), tenant.now);
    tenant.sent.push(Sent { at, from, message });
    Ok(Answer { status: 202, ..Answer::nothing() })
}
