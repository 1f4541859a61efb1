use serde_json::json;

use super::server::{Server, certificates, send};
use crate::domain::notice::Attempt;
use crate::domain::notify_settings::{MailLogin, MailServer, MailTls};
use crate::edges::notify::mail::Smtp;

const ANA: &str = "ana.ruiz@example.com";
const PASSWORD: &str = "correct horse, battery";

fn misconfigured(attempt: Attempt) -> String {
    match attempt {
        Attempt::Misconfigured { why } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn encrypted_from_the_first_byte_or_by_starttls() {
    for tls in [MailTls::Implicit, MailTls::Starttls] {
        let server = Server::start(tls, &json!({}));
        let done = send(&server.smtp(), ANA).await;
        assert!(matches!(done, Attempt::Done { .. }), "{tls}: {done:?}");
        assert_eq!(server.envelope(1)["tls"], true, "{tls}");
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let server = Server::plain();
    let settings = MailServer { tls: MailTls::Starttls, ..server.settings() };
    let why = misconfigured(send(&Smtp::new(settings, "example.com"), ANA).await);
    assert!(why.contains("STARTTLS") && why.contains("notify.mail.tls"), "{why}");
    assert_eq!(server.taken().len(), 0);
}

#[tokio::test]
async fn a_certificate_of_a_stranger_or_one_that_expired_is_not_trusted() {
    let files = certificates();
    for tls in [MailTls::Implicit, MailTls::Starttls] {
        let server = Server::start(tls, &json!({}));
        for ca_file in [None, Some(files.join("other-ca.pem"))] {
            let settings = MailServer { ca_file, ..server.settings() };
            let why = misconfigured(send(&Smtp::new(settings, "example.com"), ANA).await);
            assert!(why.contains("certificate") && why.contains("caFile"), "{why}");
        }
        let expired = Server::start(tls, &json!({"cert": files.join("expired.pem")}));
        let why = misconfigured(send(&expired.smtp(), ANA).await);
        assert!(why.contains("expired"), "{why}");
        let settings = MailServer { host: "localhost".into(), ..server.settings() };
        let why = misconfigured(send(&Smtp::new(settings, "example.com"), ANA).await);
        assert!(why.contains("not valid for"), "another name than the certificate's: {why}");
        assert_eq!(server.taken().len() + expired.taken().len(), 0);
    }
}

#[tokio::test]
async fn a_login_by_each_mechanism() {
    for (mechanism, login) in [
        ("PLAIN", None),
        ("LOGIN", None),
        ("PLAIN", Some(MailLogin::Plain)),
        ("LOGIN", Some(MailLogin::Login)),
        ("XOAUTH2", Some(MailLogin::Xoauth2)),
    ] {
        let options = json!({"mechanisms": [mechanism], "user": "fleet", "password": PASSWORD});
        let server = Server::start(MailTls::Starttls, &options);
        let done = send(&server.with_login(login, "fleet\n", &format!("{PASSWORD}\n")), ANA).await;
        assert!(matches!(done, Attempt::Done { .. }), "{mechanism}: {done:?}");
        let why =
            misconfigured(send(&server.with_login(login, "fleet", "hunter2-wrong"), ANA).await);
        assert!(why.contains("535") && why.contains("passwordFile"), "{mechanism}: {why}");
        assert!(!why.contains("hunter2"), "{why}");
        assert_eq!(server.taken().len(), 1, "{mechanism}");
    }
}

#[tokio::test]
async fn a_login_that_is_missing_or_of_another_kind_is_a_matter_of_the_configuration() {
    let options = json!({"mechanisms": ["LOGIN"], "user": "fleet", "password": PASSWORD});
    let server = Server::start(MailTls::Starttls, &options);
    let why = misconfigured(send(&server.smtp(), ANA).await);
    assert!(why.contains("530"), "{why}");
    let other = server.with_login(Some(MailLogin::Plain), "fleet", PASSWORD);
    let why = misconfigured(send(&other, ANA).await);
    assert!(why.contains("notify.mail.login"), "{why}");
    let two_lines = server.with_login(None, "fleet", "a\nb");
    let why = misconfigured(send(&two_lines, ANA).await);
    assert!(why.contains("holds more than one line"), "{why}");
}

#[tokio::test]
async fn a_secret_that_others_can_read_is_not_used() {
    let options = json!({"mechanisms": ["PLAIN"], "user": "fleet", "password": PASSWORD});
    let server = Server::start(MailTls::Starttls, &options);
    let smtp = server.with_login(None, "fleet", PASSWORD);
    let path = server.secret_file();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&path, open).unwrap();
    let why = misconfigured(send(&smtp, ANA).await);
    assert!(why.contains("can be read by every user"), "{why}");
    std::fs::remove_file(&path).unwrap();
    let why = misconfigured(send(&smtp, ANA).await);
    assert!(why.contains("No such file"), "{why}");
}
