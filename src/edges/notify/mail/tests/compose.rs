use expect_test::expect;

use super::server::{Server, composed, mail};
use crate::domain::notice::Attempt;
use crate::edges::notify::mail::{Mail, compose};

#[test]
fn a_mail_is_the_same_to_the_byte_each_time() {
    let first = composed("ana.ruiz@example.com");
    assert_eq!(first, composed("ana.ruiz@example.com"));
    let text = String::from_utf8(first.bytes).unwrap();
    assert!(text.is_ascii(), "any server takes it");
    expect![[r#"
        From: "Fleet notices" <fleet@example.com>
        To: ana.ruiz@example.com
        Subject: Ihr =?utf-8?b?R2Vyw6R0?= D007 braucht Ihre Aufmerksamkeit
        Date: Wed, 25 Nov 2026 09:30:00 +0000
        Message-ID: <mail.4f0c6a1e.1790.nonCompliant.ab12cd34@example.com>
        Reply-To: it@example.com
        In-Reply-To: <mail.4f0c6a1e.1780.nonCompliant.ab12cd34@example.com>
        References: <mail.4f0c6a1e.1780.nonCompliant.ab12cd34@example.com>
        Auto-Submitted: auto-generated
        X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply
        MIME-Version: 1.0
    "#]]
    .assert_eq(text.replace('\r', "").split("Content-Type").next().unwrap());
    let plain = text.find("Content-Type: text/plain").unwrap();
    assert!(plain < text.find("Content-Type: text/html").unwrap(), "{text}");
}

#[test]
fn whatever_is_in_it_begins_no_header() {
    let evil = Mail {
        subject: "x\r\nBcc: everybody@example.com\n\nbody".into(),
        text: "x".repeat(5000),
        ..mail("ana.ruiz@example.com")
    };
    let text = String::from_utf8(compose(&evil).unwrap().bytes).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("\nBcc:"), "{head}");
    assert!(text.lines().all(|line| line.len() <= 998), "RFC 5322 §2.1.1");
}

#[tokio::test]
async fn what_arrives_is_what_was_sent() {
    let server = Server::plain();
    let done = server.smtp().send(composed("ana.ruiz@example.com")).await;
    assert_eq!(done, Attempt::Done { reference: Some("OK queued as 1".into()) });
    let [taken] = &server.taken()[..] else { panic!("one mail") };
    let sent = String::from_utf8(composed("ana.ruiz@example.com").bytes).unwrap();
    assert_eq!(taken.trim_end(), sent.trim_end());
    let envelope = server.envelope(1);
    assert_eq!(envelope["from"], "fleet@example.com");
    assert_eq!(envelope["to"], serde_json::json!(["ana.ruiz@example.com"]));
}
