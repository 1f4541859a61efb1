use std::path::Path;

use crate::domain::notify_settings::{Languages, MailSettings, MailTransport};
use crate::edges::notify::mail::templates;

fn settings(folder: &Path) -> MailSettings {
    MailSettings {
        transport: MailTransport::Graph,
        server: None,
        from: "it@example.com".parse().unwrap(),
        reply_to: None,
        cc: Vec::new(),
        it: Vec::new(),
        contact: None,
        help_url: None,
        send: Vec::new(),
        tell_user_of_wipe: false,
        reminder_before: chrono::TimeDelta::zero(),
        gather: chrono::TimeDelta::zero(),
        per_hour: 1,
        per_user_per_hour: 1,
        digest_at: chrono::TimeDelta::zero(),
        language: Languages { default: "en".into(), label: None, domains: [].into() },
        templates: Some(folder.to_owned()),
    }
}

#[test]
fn files_are_read_from_the_folder_of_each_language_and_told_by_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let check = || templates(&settings(dir.path())).map(drop).map_err(|error| error.to_string());
    assert_eq!(check(), Ok(()), "an empty folder replaces nothing");
    std::fs::create_dir(dir.path().join("en")).unwrap();
    let file = dir.path().join("en/test.txt");
    std::fs::write(&file, "Subject: Hello\n\nYes.\n").unwrap();
    std::fs::write(dir.path().join("en/.test.txt.swp"), "x").unwrap();
    assert_eq!(check(), Ok(()));
    std::fs::write(&file, "Subject: Hello\n\n{{ whatever }}\n").unwrap();
    let why = check().unwrap_err();
    assert!(why.starts_with(&format!("{}:3: undefined value", file.display())), "{why}");
    std::fs::write(dir.path().join("README.md"), "x").unwrap();
    assert!(check().unwrap_err().contains("README.md: no mail is made of this file"));
    let gone = templates(&settings(&dir.path().join("gone"))).unwrap_err().to_string();
    assert!(gone.contains("No such file"), "{gone}");
}
