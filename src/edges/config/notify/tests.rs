use std::path::Path;

use chrono::TimeDelta;

use super::Notify;
use crate::domain::notify_settings::{
    AlertSettings, EventSettings, MailKind, MailLogin, MailSettings, MailTls, MailTransport,
    NotifySettings, ServiceNowLogin, WebhookFormat, WebhookUrl,
};

fn read(text: &str) -> Result<NotifySettings, String> {
    let read: Result<Notify, _> = serde_yaml::from_str(text);
    Ok(read.map_err(|error| error.to_string())?.into_settings(Path::new("/etc/fleetform")))
}

const MAIL: &str = "server: 'smtp.example.com:587', from: it@example.com";

#[test]
fn nothing_is_configured_where_nothing_is_written() {
    for text in ["{}", "", "{mail: null, webhooks: null}", "{webhooks: [], alerts: {}}"] {
        assert_eq!(read(text), Ok(NotifySettings::default()), "{text}");
    }
}

#[test]
fn every_key_is_read() {
    let all = "
mail: {server: 'smtp.example.com:2525', tls: starttls, caFile: ca.pem, login: plain, userFile: user,
    passwordFile: /run/password, from: 'IT <it@example.com>', replyTo: help@example.com,
    cc: [boss@example.com], it: [ops@example.com], contact: 'the service desk, extension 1234',
    helpUrl: 'https://it.example.com/fix', send: [nonCompliant, compliant], tellUserOfWipe: true,
    reminderBefore: 2h, gather: 1m, perHour: 9, perUserPerHour: 2, digestAt: '06:30', templates: texts,
    language: {default: es, label: language, domains: {Example.DE: de}}}
serviceNow: {url: 'https://example.service-now.com/', clientIdFile: id, clientSecretFile: secret,
    caFile: ca.pem, table: u_device, fields: {assignment_group: abc, description: \"a\\nb\"},
    profiles: {Executive: {urgency: '1'}}, close: true, closeFields: {close_code: Solved}}
webhooks:
  - {name: siem, url: 'https://siem.example.com/hook?a=b', secretFile: s, previousSecretFile: p, caFile: c,
     kinds: ['wipe.*', compliance.changed], profiles: [Executive], labels: {site: madrid}, format: cloudevents,
     source: fleet}
  - {name: chat, urlFile: chat.url, format: teams}
events:
  - {name: idp, url: 'https://idp.example.net/ssf/events', audience: aud, issuer: 'https://fleet.example.com/',
     tokenFile: token, keyFile: key.pem, otherKeyFile: old.pem, caFile: c, legacySubject: true}
alerts: {mail: [ops@example.com], webhooks: [siem], unreconciledAfter: 2h, stuckAfter: 5m}
";
    let NotifySettings { mail, service_now, webhooks, events, alerts } = read(all).unwrap();
    let MailSettings {
        transport,
        server,
        from,
        reply_to,
        cc,
        it,
        contact,
        help_url,
        send,
        tell_user_of_wipe,
        reminder_before,
        gather,
        per_hour,
        per_user_per_hour,
        digest_at,
        language,
        templates,
    } = *mail.unwrap();
    let server = server.unwrap();
    let login = server.login.unwrap();
    assert_eq!((transport, tell_user_of_wipe), (MailTransport::Smtp, true));
    assert_eq!(
        (&*server.host, server.port, server.tls),
        ("smtp.example.com", 2525, MailTls::Starttls)
    );
    assert_eq!(server.ca_file.unwrap(), Path::new("/etc/fleetform/ca.pem"));
    assert_eq!(login.login, Some(MailLogin::Plain));
    assert_eq!(login.user_file, Path::new("/etc/fleetform/user"));
    assert_eq!(login.secret_file, Path::new("/run/password"));
    assert_eq!(from.to_string(), "IT <it@example.com>");
    assert_eq!(reply_to.unwrap().as_str(), "help@example.com");
    assert_eq!((cc[0].as_str(), it[0].as_str()), ("boss@example.com", "ops@example.com"));
    assert_eq!(contact.unwrap(), "the service desk, extension 1234");
    assert_eq!(help_url.unwrap(), "https://it.example.com/fix");
    assert_eq!(send, [MailKind::NonCompliant, MailKind::Compliant]);
    assert_eq!((reminder_before, gather), (TimeDelta::hours(2), TimeDelta::minutes(1)));
    assert_eq!((per_hour, per_user_per_hour), (9, 2));
    assert_eq!(digest_at, TimeDelta::minutes(390));
    assert_eq!((&*language.default, language.label.as_deref()), ("es", Some("language")));
    assert_eq!(language.domains["example.de"], "de");
    assert_eq!(templates.unwrap(), Path::new("/etc/fleetform/texts"));

    let service_now = service_now.unwrap();
    assert_eq!(service_now.url, "https://example.service-now.com");
    assert!(matches!(service_now.login, ServiceNowLogin::Client { .. }));
    assert_eq!((&*service_now.table, service_now.close), ("u_device", true));
    assert_eq!(service_now.fields["description"], "a\nb");
    assert_eq!(service_now.profiles.values().next().unwrap()["urgency"], "1");
    assert_eq!(service_now.close_fields["close_code"], "Solved");

    let [siem, chat] = &webhooks[..] else { panic!("two") };
    assert_eq!(siem.url, WebhookUrl::Plain("https://siem.example.com/hook?a=b".into()));
    assert_eq!(siem.kinds, ["wipe.*", "compliance.changed"]);
    assert_eq!((siem.format, chat.format), (WebhookFormat::Cloudevents, WebhookFormat::Teams));
    assert_eq!(siem.labels["site"], "madrid");
    assert_eq!(siem.source.as_deref(), Some("fleet"));
    assert_eq!(siem.previous_secret_file.as_deref(), Some(Path::new("/etc/fleetform/p")));
    assert_eq!(chat.url, WebhookUrl::File("/etc/fleetform/chat.url".into()));

    let [
        EventSettings {
            url,
            audience,
            issuer,
            token_file,
            key_file,
            other_key_file,
            legacy_subject,
            ..
        },
    ] = &events[..]
    else {
        panic!("one")
    };
    assert_eq!((&**url, &**audience), ("https://idp.example.net/ssf/events", "aud"));
    assert_eq!(issuer.as_deref(), Some("https://fleet.example.com/"));
    assert_eq!(key_file, Path::new("/etc/fleetform/key.pem"));
    assert!(token_file.is_some() && other_key_file.is_some() && *legacy_subject);

    let AlertSettings { mail, webhooks, unreconciled_after, stuck_after } = alerts;
    assert_eq!((mail[0].as_str(), webhooks[0].as_str()), ("ops@example.com", "siem"));
    assert_eq!((unreconciled_after, stuck_after), (TimeDelta::hours(2), TimeDelta::minutes(5)));
}

#[test]
fn the_least_that_must_be_written_has_defaults_for_the_rest() {
    let mail = read(&format!("{{mail: {{{MAIL}}}}}")).unwrap().mail.unwrap();
    let server = mail.server.as_ref().unwrap();
    assert_eq!((server.tls, server.login.is_some()), (MailTls::Starttls, false));
    assert_eq!((mail.per_hour, mail.per_user_per_hour), (500, 5));
    assert_eq!((mail.reminder_before, mail.digest_at), (TimeDelta::hours(4), TimeDelta::hours(7)));
    assert_eq!(mail.send, MailKind::ALL);
    assert_eq!(mail.language.default, "en");
    assert!(!mail.tell_user_of_wipe);
    for (server, tls, port) in
        [("a.example", "implicit", 465), ("a.example", "starttls", 587), ("'[::1]'", "none", 25)]
    {
        let text = format!("{{mail: {{server: {server}, tls: {tls}, from: it@example.com}}}}");
        assert_eq!(read(&text).unwrap().mail.unwrap().server.unwrap().port, port, "{server}");
    }
    let graph = read("{mail: {transport: graph, from: it@example.com}}").unwrap().mail.unwrap();
    assert_eq!(graph.server, None);
}

#[test]
fn what_is_wrong_is_refused_with_its_reason() {
    let hook = |rest: &str| format!("{{webhooks: [{{name: a, {rest}}}]}}");
    let mail = |rest: &str| format!("{{mail: {{{MAIL}, {rest}}}}}");
    let cases = [
        ("{mail: {from: it@example.com}}".to_owned(), "`notify.mail.server` is missing"),
        ("{mail: {server: 'a:1'}}".to_owned(), "`notify.mail.from` is missing"),
        ("{mail: {server: 'smtp example', from: it@example.com}}".to_owned(), "not a host and a port"),
        ("{mail: {server: 'a:0', from: it@example.com}}".to_owned(), "not a host and a port"),
        ("{mail: {server: '[::1]x', from: it@example.com}}".to_owned(), "not a host and a port"),
        (mail("tls: none"), "none is for loopback only"),
        (mail("tls: maybe"), "must be one of implicit, starttls, none"),
        (mail("userFile: u"), "needs userFile and passwordFile"),
        (mail("passwordFile: u"), "needs userFile and passwordFile"),
        (mail("login: xoauth2, userFile: u, passwordFile: p"), "takes a tokenFile"),
        (mail("login: xoauth2"), "needs userFile and tokenFile"),
        (mail("userFile: u, tokenFile: p"), "only for `login: xoauth2`"),
        (mail("transport: graph"), "`notify.mail.server` is only for `transport: smtp`"),
        (mail("digestAt: '25:00'"), "not a time of the day"),
        (mail("digestAt: 420"), "a time of the day"),
        (mail("perHour: 0"), "a whole number from 1"),
        (mail("cc: [nobody]"), "is not an e-mail address"),
        (mail("helpUrl: 'http://it.example.com'"), "must begin with https://"),
        (mail("language: {default: '../etc'}"), "is not a language"),
        (mail("language: {domains: {a: de, a: es}}"), "duplicate key"),
        (mail("sent: [compliant]"), "unknown field `sent`"),
        ("{serviceNow: {url: 'https://a.example'}}".to_owned(), "needs one login"),
        (
            "{serviceNow: {url: 'https://a.example/x', apiKeyFile: k}}".to_owned(),
            "must have a scheme and a host only",
        ),
        (
            "{serviceNow: {url: 'https://a.example', apiKeyFile: k, fields: {correlation_id: x}}}"
                .to_owned(),
            "cannot be set",
        ),
        (
            "{serviceNow: {url: 'https://a.example', apiKeyFile: k, table: 'a/b'}}".to_owned(),
            "is not a table",
        ),
        (hook("secretFile: s"), "needs one of url and urlFile"),
        (hook("url: 'https://a', urlFile: b, secretFile: s"), "needs one of url and urlFile"),
        (hook("url: 'http://a.example', secretFile: s"), "plain http is for loopback only"),
        (hook("url: 'https://a.example'"), "secretFile` is missing"),
        (hook("urlFile: u, format: slack, secretFile: s"), "which has no signatures"),
        (hook("urlFile: u, format: slack, kinds: ['wipe/x']"), "fits no kind of entry"),
        ("{webhooks: [{urlFile: u}]}".to_owned(), "has no `name`"),
        (
            "{webhooks: [{name: a, urlFile: u, format: slack}, {name: a, urlFile: v, format: slack}]}"
                .to_owned(),
            "two entries with the name a",
        ),
        ("{events: [{name: a, url: 'https://a', audience: b}]}".to_owned(), "keyFile` is missing"),
        ("{alerts: {mail: [a@example.com]}}".to_owned(), "needs `notify.mail`"),
        ("{alerts: {webhooks: [siem]}}".to_owned(), "there is no such webhook"),
        ("{sms: {}}".to_owned(), "unknown field `sms`"),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        match read(&text) {
            Ok(_) => wrong.push(format!("{text}: taken")),
            Err(why) if why.contains(expected) => {}
            Err(why) => wrong.push(format!("{text}: {why}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_url_that_is_refused_is_not_shown_whole() {
    let text = "{webhooks: [{name: a, url: 'http://a.example/hook?sig=hidden', secretFile: s}]}";
    let why = read(text).unwrap_err();
    assert!(why.contains("http://a.example") && !why.contains("hidden"), "{why}");
}

#[test]
fn the_log_hears_where_each_sink_leads_and_no_secret() {
    let text = "{mail: {server: 'smtp.example.com:587', from: it@example.com, cc: [a@example.com]},
        serviceNow: {url: 'https://a.service-now.com', apiKeyFile: k},
        webhooks: [{name: siem, url: 'https://siem.example.com/hidden', secretFile: s},
            {name: chat, urlFile: /run/chat.url, format: slack}],
        events: [{name: idp, url: 'https://idp.example.net/hidden', audience: b, keyFile: k}],
        alerts: {webhooks: [siem]}}";
    let settings = read(text).unwrap();
    let rights: Vec<String> =
        settings.rights().into_iter().map(|(sink, to)| format!("{sink}={to}")).collect();
    assert_eq!(
        rights,
        [
            "alerts=webhook:siem",
            "events:idp=https://idp.example.net",
            "mail=smtp.example.com:587 (starttls) from it@example.com, a@example.com",
            "serviceNow=https://a.service-now.com",
            "webhook:chat=the URL in /run/chat.url",
            "webhook:siem=https://siem.example.com",
        ]
    );
    let files: Vec<_> =
        settings.secret_files().iter().map(|path| path.display().to_string()).collect();
    assert_eq!(
        files,
        ["/etc/fleetform/k", "/etc/fleetform/s", "/run/chat.url", "/etc/fleetform/k"]
    );
}
