//! Mail through Microsoft Graph, with the credentials of the provider.
//!
//! Graph takes a whole message, so that its headers are ours; it gives no name for it, and has nothing
//! by which a repeat is recognized but the message's own name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::connection::{Connection, InvalidConnection};
use super::graph::{Call, Failure, segment};
use crate::domain::model::{Email, Timestamp};
use crate::domain::notice::Attempt;
use crate::domain::provider_settings::IntuneSettings;

/// Sends from mailboxes of the tenant. It needs the application permission `Mail.Send`.
#[derive(Debug, Clone)]
pub(crate) struct Mailing {
    connection: Connection,
}

impl Mailing {
    /// Nobody is asked anything yet.
    ///
    /// # Errors
    /// If the settings name no tenant that can be asked.
    pub(crate) fn new(
        settings: &IntuneSettings,
        now: fn() -> Timestamp,
    ) -> Result<Self, InvalidConnection> {
        Ok(Self { connection: Connection::new(settings, now)? })
    }

    /// Tries once to send a message (MIME) from this mailbox.
    pub(crate) async fn send(&self, from: &Email, message: &[u8]) -> Attempt {
        let path = format!("/users/{}/sendMail", segment(from.as_str()));
        self.connection.begin_pass();
        let call = Call::post_text(path, BASE64.encode(message));
        match self.connection.everyday.write_once(call).await {
            // Accepted: whether it is delivered is told to the mailbox.
            Ok(_) => Attempt::Done { reference: None },
            Err(failure) => attempt(&failure),
        }
    }
}

fn attempt(failure: &Failure) -> Attempt {
    let (why, after) = (failure.to_string(), failure.retry_after());
    let retry = |why| Attempt::Retry { why, after };
    match failure {
        Failure::Secret { .. } => Attempt::Misconfigured { why },
        Failure::Token(error) if error.may_pass() => retry(why),
        Failure::Token(_) => Attempt::Misconfigured { why },
        Failure::NotSent { .. } | Failure::OverBudget { sent: false, .. } => retry(why),
        Failure::NoAnswer { .. } | Failure::OverBudget { .. } | Failure::Unreadable { .. } => {
            Attempt::InDoubt { why }
        }
        Failure::Refused(refusal) => match refusal.status {
            401 | 403 => Attempt::Misconfigured {
                why: format!(
                    "{why}; provider.app needs the application permission Mail.Send, for the mailbox \
                     of notify.mail.from"
                ),
            },
            404 => Attempt::Misconfigured {
                why: format!("{why}; is notify.mail.from a mailbox of this tenant?"),
            },
            409 | 412 | 423 | 429 => retry(why),
            // What answers may stand before what sent it already.
            408 | 500.. => Attempt::InDoubt { why },
            _ => Attempt::Refused { why },
        },
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::time::Duration;

    use serde_json::json;

    use super::super::graph::tests::server::{Reply, Server, throttled};
    use super::*;
    use crate::domain::provider_settings::{
        AppRegistration, Assign, Credential, LicenseAssignment,
    };

    fn now() -> Timestamp {
        "2026-11-26T10:00:00Z".parse().unwrap()
    }

    fn mailing(server: &Server, dir: &Path) -> Mailing {
        let secret = dir.join("secret");
        std::fs::write(&secret, "s3cr3t~of.the-registration").unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let settings = IntuneSettings {
            tenant: "contoso.onmicrosoft.com".into(),
            app: AppRegistration {
                client_id: "11111111-1111-4111-8111-111111111111".into(),
                credential: Credential::Secret(secret),
            },
            wipe_app: None,
            poll: Duration::from_secs(300),
            assign: Assign::Users,
            licenses: LicenseAssignment::Direct,
            block_attribute: None,
            block_after: chrono::TimeDelta::hours(24),
            login_url: server.url(),
            graph_url: server.url(),
        };
        Mailing::new(&settings, now).unwrap()
    }

    async fn sent(reply: Reply) -> (Attempt, Server) {
        let (dir, server) = (tempfile::tempdir().unwrap(), Server::of(vec![reply]));
        let from = "fleet@example.com".parse().unwrap();
        let attempt =
            mailing(&server, dir.path()).send(&from, b"Subject: x\r\n\r\nHello\r\n").await;
        (attempt, server)
    }

    #[tokio::test]
    async fn the_whole_message_is_posted_once_to_the_mailbox_of_the_sender() {
        let (attempt, server) = sent(Reply::Json(202, json!(null))).await;
        assert_eq!(attempt, Attempt::Done { reference: None });
        let [call] = &server.calls()[..] else { panic!("one call") };
        assert_eq!(
            (&*call.method, &*call.target),
            ("POST", "/v1.0/users/fleet@example.com/sendMail")
        );
        assert_eq!(call.header("content-type"), Some("text/plain"));
        assert_eq!(BASE64.decode(&call.body).unwrap(), b"Subject: x\r\n\r\nHello\r\n");
    }

    #[tokio::test]
    async fn each_answer_is_told_apart_and_no_mail_is_sent_twice_by_itself() {
        let error = |status, code: &str| {
            Reply::Json(status, json!({"error": {"code": code, "message": "no"}}))
        };
        for (reply, expected) in [
            (error(400, "ErrorInvalidRecipients"), "refused"),
            (error(403, "ErrorAccessDenied"), "misconfigured: Mail.Send"),
            (error(404, "ErrorInvalidUser"), "misconfigured: mailbox of this tenant"),
            (throttled(Some("7")), "retry after 7s"),
            (error(503, "serviceNotAvailable"), "in doubt"),
            (Reply::Cut, "in doubt"),
        ] {
            let (attempt, server) = sent(reply).await;
            let told = match attempt {
                Attempt::Done { .. } => "done".to_owned(),
                Attempt::Retry { after, .. } => {
                    format!("retry after {:?}", after.unwrap_or_default())
                }
                Attempt::NotNeeded { .. } => "not needed".to_owned(),
                Attempt::InDoubt { .. } => "in doubt".to_owned(),
                Attempt::Refused { .. } => "refused".to_owned(),
                Attempt::Misconfigured { why } => format!("misconfigured: {why}"),
            };
            let mut parts = expected.split(": ");
            assert!(parts.all(|part| told.contains(part)), "{expected}: {told}");
            assert_eq!(server.calls().len(), 1, "{expected}");
        }
    }
}
