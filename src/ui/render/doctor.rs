//! What `doctor` found: a line for each check, and what to do below it.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use crate::domain::diagnosis::{Check, CheckState};
use crate::domain::wording::count;

/// Each check on one line, with what to do below it; and a line that sums up.
pub(crate) fn text(checks: &[Check], out: &mut Out) -> io::Result<()> {
    let names = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    for Check { name, subject, state, detail, help } in checks {
        let (word, tone) = label(*state);
        let word = format!("{word:<7}");
        // What was found names it.
        let unnamed = subject.as_deref().filter(|_| *state == CheckState::Skipped);
        let detail = match unnamed {
            Some(subject) => &format!("{subject}: {detail}"),
            None => detail,
        };
        let line = format!("{name:<names$}  {detail}");
        writeln!(out, "{}  {}", out.paint(tone, &word), out.paint(Tone::Plain, &line))?;
        if let Some(help) = help {
            let help = format!("help: {help}");
            writeln!(out, "{:9}{}", "", out.paint(Tone::Plain, &help))?;
        }
    }
    let of = |state| checks.iter().filter(|check| check.state == state).count() as u64;
    let (fails, warnings) = (of(CheckState::Fails), of(CheckState::Warning));
    let summary = format!(
        "{}: {} ok, {}, {}, {} skipped",
        count(checks.len() as u64, "check"),
        of(CheckState::Ok),
        count(warnings, "warning"),
        if fails == 1 { "1 fails".to_owned() } else { format!("{fails} fail") },
        of(CheckState::Skipped),
    );
    let tone = match (fails, warnings) {
        (0, 0) => Tone::Added,
        (0, _) => Tone::Changed,
        _ => Tone::Removed,
    };
    writeln!(out, "{}", out.paint(tone, &summary))
}

/// `{"version": 1, "checks": [{"name", "subject", "state", "detail", "help"}, …]}`, in the order of
/// the text; `subject` and `help` may be null.
pub(crate) fn json(checks: &[Check], out: &mut Out) -> io::Result<()> {
    let checks = checks.iter().map(|Check { name, subject, state, detail, help }| View {
        name,
        subject: subject.as_deref(),
        state: *state,
        detail,
        help: help.as_deref(),
    });
    json::pretty(out, &Document { version: 1, checks: checks.collect() })
}

const fn label(state: CheckState) -> (&'static str, Tone) {
    match state {
        CheckState::Ok => ("ok", Tone::Added),
        CheckState::Warning => ("warning", Tone::Changed),
        CheckState::Fails => ("FAILS", Tone::Removed),
        CheckState::Skipped => ("skipped", Tone::Dim),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    checks: Vec<View<'a>>,
}

#[derive(Serialize)]
struct View<'a> {
    name: &'a str,
    subject: Option<&'a str>,
    state: CheckState,
    detail: &'a str,
    help: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::ui::render::out::Presentation;
    use crate::ui::render::testing::Screen;

    fn checks() -> Vec<Check> {
        vec![
            Check::ok("fleet", "./fl\u{1b}eet has 12 devices and 3 profiles, and no findings"),
            Check::warning("trust", "no trust file is configured", "name one"),
            Check::fails("intune.group", "the tenant has no group g-1", "make one").about("g-1"),
            Check::skipped("intune.license", "intune.app.token").about("EMS"),
        ]
    }

    #[test]
    fn as_text() {
        let screen = Screen::piped();
        text(&checks(), &mut screen.out()).unwrap();
        expect![[r#"
            ok       fleet           ./fl\u{1b}eet has 12 devices and 3 profiles, and no findings
            warning  trust           no trust file is configured
                     help: name one
            FAILS    intune.group    the tenant has no group g-1
                     help: make one
            skipped  intune.license  EMS: not checked: see intune.app.token
            4 checks: 1 ok, 1 warning, 1 fails, 1 skipped
        "#]]
        .assert_eq(&screen.results());
    }

    #[test]
    fn color_says_nothing_that_the_words_do_not_say() {
        let colored = Screen::new(Presentation { color: true, ..Presentation::default() });
        text(&checks(), &mut colored.out()).unwrap();
        let words = colored.results();
        for word in ["ok     ", "warning", "FAILS  ", "skipped"] {
            assert!(words.contains(word), "{words}");
        }
        assert!(words.contains("\u{1b}[31mFAILS"), "{words}");
    }

    #[test]
    fn as_json() {
        let screen = Screen::piped();
        json(&checks()[1..3], &mut screen.out()).unwrap();
        expect![[r#"
            {
              "version": 1,
              "checks": [
                {
                  "name": "trust",
                  "subject": null,
                  "state": "warning",
                  "detail": "no trust file is configured",
                  "help": "name one"
                },
                {
                  "name": "intune.group",
                  "subject": "g-1",
                  "state": "fails",
                  "detail": "the tenant has no group g-1",
                  "help": "make one"
                }
              ]
            }
        "#]]
        .assert_eq(&screen.results());
    }
}
