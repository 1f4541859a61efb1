use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use expect_test::expect_file;

use super::super::examples::examples;
use super::super::ids::letter_id;
use super::super::part::{Extras, Part};
use super::super::render::{Rendered, with};
use super::super::templates::{Source, Template, TemplateError};
use super::super::*;
use crate::domain::notice::Topic;

fn built_in() -> &'static Templates {
    static BUILT_IN: LazyLock<Templates> =
        LazyLock::new(|| load(Vec::new(), BTreeSet::new()).unwrap());
    &BUILT_IN
}

fn rendered(template: Template, language: &str, example: usize, extras: &Extras) -> Rendered {
    let examples = examples(template, language);
    let parts: Vec<Part<'_>> = examples[example]
        .iter()
        .map(|(topic, at, letter)| Part { topic: *topic, at: *at, letter })
        .collect();
    with(built_in(), template, &parts, extras).unwrap()
}

fn replaced(name: &str, text: &str) -> Result<Templates, Vec<TemplateError>> {
    load(vec![Source { name: name.into(), text: text.into() }], BTreeSet::new())
}

fn refusal(name: &str, text: &str) -> String {
    let errors = replaced(name, text).expect_err(name);
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Read these files when a text changes: users get them.
#[test]
fn every_mail_says_what_its_golden_file_says_in_every_language() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mail");
    for language in ["de", "en", "es"] {
        for template in Template::ALL {
            for (n, _) in examples(*template, language).iter().enumerate() {
                let Rendered { subject, text, .. } =
                    rendered(*template, language, n, &Extras::example());
                let name = if n == 0 { template.to_string() } else { format!("{template}-{n}") };
                expect_file![golden.join(language).join(name + ".txt")]
                    .assert_eq(&format!("Subject: {subject}\n\n{text}"));
            }
        }
    }
    for template in [Template::NonCompliant, Template::Digest] {
        let Rendered { html, .. } = rendered(template, "en", 1, &Extras::example());
        expect_file![golden.join(format!("{template}.html"))].assert_eq(&html);
    }
}

#[test]
fn lines_are_short_and_there_are_no_gaps() {
    for language in ["de", "en", "es"] {
        for template in Template::ALL {
            for n in 0..examples(*template, language).len() {
                let Rendered { subject, text, html } =
                    rendered(*template, language, n, &Extras::default());
                let place = format!("{language}/{template} {n}");
                assert!(!subject.contains("{{") && subject.len() < 160, "{place}: {subject}");
                assert!(text.lines().all(|line| line.chars().count() <= 100), "{place}: {text}");
                assert!(!text.contains("\n\n\n") && text.ends_with('\n'), "{place}: {text}");
                assert!(!text.contains("none") && !text.contains("undefined"), "{place}: {text}");
                assert!(html.contains("<html lang=\"") && html.contains("</html>"), "{place}");
            }
        }
    }
}

#[test]
fn nothing_that_a_stranger_wrote_is_markup_or_a_link() {
    let mut examples = examples(Template::EnrollmentFailed, "en");
    let letter = &mut examples[0][0].2;
    letter.reason = Some("<script>x</script> https://evil.example/?a=\"b\"".into());
    let parts = [Part { topic: examples[0][0].0, at: examples[0][0].1, letter: &examples[0][0].2 }];
    let Rendered { html, .. } = render(built_in(), &parts, &Extras::example()).unwrap();
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
    assert!(!html.contains("href=\"https:&#x2f;&#x2f;evil"), "{html}");
    assert_eq!(html.matches("<a ").count(), 1, "the configured address: {html}");
}

#[test]
fn a_file_replaces_a_text_and_the_rest_stays() {
    let templates = replaced(
        "es/compliant.txt",
        "Subject: Listo\n\n{% for device in devices %}{{ device.name }}{% endfor %}\n",
    )
    .unwrap();
    let examples = examples(Template::Compliant, "es");
    let parts: Vec<Part<'_>> = examples[0]
        .iter()
        .map(|(topic, at, letter)| Part { topic: *topic, at: *at, letter })
        .collect();
    let mail = render(&templates, &parts, &Extras::default()).unwrap();
    assert_eq!((&*mail.subject, &*mail.text), ("Listo", "ana-ruiz-laptop\n"));
    assert!(mail.html.contains("<title>Listo</title>"), "{}", mail.html);
    let own = replaced("es/compliant.html", "<b>{{ subject }} {{ devices[0].name }}</b>").unwrap();
    let mail = render(&own, &parts, &Extras::default()).unwrap();
    assert!(mail.html.starts_with("<b>Gracias"), "{}", mail.html);
}

#[test]
fn a_template_that_would_not_render_is_refused_with_its_file_and_line() {
    for (name, text, expected) in [
        ("en/test.txt", "Subject: x\n\n{{ att }}\n", "en/test.txt:3: undefined value"),
        ("en/test.txt", "Subject: x\n\n{% if %}\n", "en/test.txt:3: syntax error"),
        ("en/test.txt", "Hello\n", "en/test.txt:1: its first line must be `Subject: …`"),
        ("en/tset.txt", "Subject: x\n", "en/tset.txt: no mail is made of this file"),
        ("en/blocked.txt", "Subject: x\n\n{{ devices[0].colour }}", "en/blocked.txt:3: undefined"),
        // Wrong only where a device has such a check.
        (
            "en/blocked.txt",
            "Subject: x\n{% for c in devices[0].checks if c.name == 'firewall' %}\n{{ c.oops }}\n{% endfor %}",
            "en/blocked.txt:3: undefined",
        ),
        ("en/words.txt", "{% macro day(t) %}{% endmacro %}", "en/"),
        ("layout.html", "<p>{{ block }}</p>", "layout.html:1: undefined"),
    ] {
        let said = refusal(name, text);
        assert!(said.contains(expected), "{name}: {text:?}\n{said}");
    }
}

#[test]
fn a_language_of_ones_own_needs_all_its_files() {
    let words = "{% macro day(t) %}{{ t.day }}{% endmacro %}";
    let sources = vec![Source { name: "fr/words.txt".into(), text: words.into() }];
    let errors = load(sources, BTreeSet::from(["fr".to_owned()])).expect_err("it is not whole");
    assert!(errors.iter().any(|error| error.name == "fr/compliant.txt"), "{errors:?}");
    let all = Template::WORDS.iter().map(|word| Source {
        name: format!("fr/{word}.txt"),
        text: "Subject: Bonjour\n\nSalut.\n".into(),
    });
    load(all.collect(), BTreeSet::from(["fr".to_owned()])).unwrap();
}

#[test]
fn ids_say_nothing_of_people_and_are_the_same_again() {
    let id = |letter: &Letter| letter_id("4f0c6a1e-aaaa", 1790, Topic::WipeIssued, letter);
    let ana = Letter::to("ana.ruiz@example.com".parse().unwrap(), "en");
    let first = id(&ana);
    assert!(first.starts_with("mail:4f0c6a1e:1790:admin-wipeIssued:"), "{first}");
    assert!(!first.contains("ana"), "{first}");
    let upper = Letter { to: "Ana.Ruiz@Example.com".parse().unwrap(), ..ana.clone() };
    assert_eq!(first, id(&upper));
    let user = Letter { to_user: true, ..ana.clone() };
    let digest = Letter { digest: true, ..ana };
    assert!(first != id(&user) && first != id(&digest) && id(&user) != id(&digest));
    assert_eq!(group_id([&*first].into_iter()), first.replace(':', "."));
    let two = group_id([&*first, "mail:x"].into_iter());
    assert_ne!(two, group_id([&*first, "mail:y"].into_iter()));
    assert!(two.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')), "{two}");
}
