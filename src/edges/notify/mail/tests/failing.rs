use std::time::Duration;

use super::server::{Server, send};
use crate::domain::notice::Attempt;
use crate::domain::notify_settings::{MailServer, MailTls};
use crate::edges::notify::mail::Smtp;

const ANA: &str = "ana.ruiz@example.com";

/// One word, and the text.
fn told(attempt: Attempt) -> (&'static str, String) {
    match attempt {
        Attempt::Done { reference } => ("done", reference.unwrap_or_default()),
        Attempt::NotNeeded { why } => ("not needed", why),
        Attempt::Retry { why, .. } => ("retry", why),
        Attempt::InDoubt { why } => ("in doubt", why),
        Attempt::Refused { why } => ("refused", why),
        Attempt::Misconfigured { why } => ("misconfigured", why),
    }
}

#[tokio::test]
async fn what_the_server_says_of_a_recipient_or_a_mail_is_the_outcome_with_its_text() {
    let server = Server::plain();
    for (mode, to, outcome, text) in [
        ("", "soft@example.com", "retry", "451 4.3.0 try again later"),
        ("", "hard@example.com", "refused", "550 5.1.1 no such mailbox here"),
        ("soft-content", ANA, "retry", "452 4.2.2 mailbox full"),
        ("hard-content", ANA, "refused", "554 5.7.1 this looks like spam"),
        ("refuse-sender", ANA, "misconfigured", "550 5.7.60 you may not send as this sender"),
    ] {
        server.mode(mode);
        let (word, why) = told(send(&server.smtp(), to).await);
        assert_eq!(word, outcome, "{mode} {to}: {why}");
        assert!(why.contains(text), "{mode} {to}: {why}");
    }
    assert_eq!(server.taken().len(), 0);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_in_time_and_only_after_the_content_it_is_in_doubt() {
    let server = Server::plain();
    let soon = Duration::from_millis(300);
    let long = Duration::from_secs(60);
    for (mode, outcome) in
        [("hang-connect", "retry"), ("hang-data", "retry"), ("hang-content", "in doubt")]
    {
        server.mode(mode);
        for (whole, answer) in [(long, soon), (soon, long)] {
            let (word, why) = told(send(&server.smtp().within(whole, answer), ANA).await);
            assert_eq!(word, outcome, "{mode}: {why}");
        }
    }
    // What was given up before its content went is not sent later.
    server.mode("");
    assert_eq!(told(send(&server.smtp(), ANA).await), ("done", "OK queued as 1".into()));
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn an_answer_lost_after_the_mail_was_taken_is_in_doubt_and_the_repeat_has_the_same_name() {
    let server = Server::plain();
    server.mode("cut-content");
    let (word, why) = told(send(&server.smtp(), ANA).await);
    assert_eq!(word, "in doubt", "{why}");
    server.mode("");
    assert_eq!(told(send(&server.smtp(), ANA).await).0, "done");
    let taken = server.taken();
    assert_eq!((taken.len(), &taken[0]), (2, &taken[1]), "the same to the byte");
    assert!(
        taken[0].contains("Message-ID: <mail.4f0c6a1e.1790.nonCompliant.ab12cd34@example.com>")
    );
}

#[tokio::test]
async fn who_is_not_there_or_speaks_another_language_is_tried_again() {
    let gone = Server::plain().settings();
    let (word, why) = told(send(&Smtp::new(gone, "example.com"), ANA).await);
    assert_eq!(word, "retry", "{why}");
    // Answers in no language that a mail server speaks.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let talk = std::thread::spawn(move || {
        use std::io::Write as _;
        for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", "554 go away\r\n", ""] {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let settings = MailServer {
        host: "127.0.0.1".into(),
        port,
        tls: MailTls::None,
        ca_file: None,
        login: None,
    };
    let smtp = Smtp::new(settings, "example.com");
    for outcome in ["retry", "misconfigured", "retry"] {
        let (word, why) = told(send(&smtp, ANA).await);
        assert_eq!(word, outcome, "{why}");
    }
    talk.join().unwrap();
}
