use super::*;

#[test]
fn a_language_comes_from_the_label_else_the_domain_else_the_default() {
    let languages = Languages {
        default: "en".into(),
        label: Some("language".into()),
        domains: [("example.es".into(), "es".into()), ("de".into(), "de".into())].into(),
    };
    let of = |label: Option<&'static str>, user: &str| {
        languages.of(|_| label, &user.parse().unwrap()).to_owned()
    };
    for (label, user, language) in [
        (None, "ana@example.com", "en"),
        (None, "ana@example.es", "es"),
        (None, "ana@madrid.Example.ES", "es"),
        (None, "ana@notexample.es", "en"),
        (None, "jan@firma.de", "de"),
        (Some("de"), "ana@example.es", "de"),
        (Some("../../etc"), "ana@example.es", "es"),
        (Some(""), "ana@example.com", "en"),
    ] {
        assert_eq!(of(label, user), language, "{label:?} {user}");
    }
}

#[test]
fn a_mailbox_is_an_address_with_or_without_a_name() {
    let read = |text: &str| text.parse::<Mailbox>().map(|mailbox| mailbox.to_string());
    assert_eq!(read("IT <it@example.com>").unwrap(), "IT <it@example.com>");
    assert_eq!(read("\"IT, Madrid\" <it@example.com>").unwrap(), "IT, Madrid <it@example.com>");
    assert_eq!(read("it@example.com").unwrap(), "it@example.com");
    for bad in [
        "IT it@example.com",
        "IT <it@example.com",
        "I\nT <it@example.com>",
        "<it>",
        "a\"b <it@example.com>",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn of_a_url_only_scheme_and_host_are_shown() {
    for (url, shown) in [
        ("https://hooks.example.com/T0/secret?sig=x", "https://hooks.example.com"),
        ("https://hooks.example.com?sig=x", "https://hooks.example.com"),
        ("https://hooks.example.com", "https://hooks.example.com"),
    ] {
        assert_eq!(origin(url), shown);
        assert!(!format!("{:?}", WebhookUrl::Plain(url.into())).contains("sig"));
    }
}
