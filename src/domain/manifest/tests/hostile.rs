//! What hostile hands may put into a file.

use super::*;

#[test]
fn long_lines_are_shown_by_a_window() {
    let text = DEVICE.replace("{site: madrid}", &format!("{{é{}: x, k: 5}}", "é".repeat(60)));
    let text = text.replace("k: 5", &format!("{}k: 5", " ".repeat(400)));
    let span = &parse(&text).findings[0].span;
    let shown = span.text.chars().nth((span.column - 1 - span.offset) as usize);
    assert_eq!((span.column, span.offset, shown, span.width), (481, 380, Some('5'), 1));
    assert!(span.text.chars().count() <= 300);
}

#[test]
fn findings_of_a_file_are_bounded() {
    let text = DEVICE.to_owned() + &(0..5000).map(|n| format!("x{n}: y\n")).collect::<String>();
    let parsed = parse(text);
    assert_eq!(parsed.findings.len(), MAX_FINDINGS);
    assert!(
        parsed.findings.last().unwrap().message.ends_with("(and 4800 more findings in this file)")
    );
}

#[test]
fn large_hostile_files_end_soon() {
    // A quadratic path through this many bytes would take minutes.
    const SIZE: usize = 1 << 18;
    let units = [
        "[",
        "{",
        "- ",
        "? ",
        "[a, ",
        "{a: ",
        "a, ",
        "\"",
        "'",
        "|\n",
        "&a ",
        "!a ",
        "*a ",
        "a: ",
        "a:\n ",
        "#",
        "\n",
        "-\n",
        "\t",
        "\\",
        "\"\\u202e\", ",
        "%a\n",
        "---\n",
        "--- a\n",
        "a\n",
        "\u{feff}",
        "\0\n",
        "é",
        "? a\n",
        "- a\n",
        "[[]],",
        "a: b\n",
    ];
    for (unit, open) in units.iter().flat_map(|unit| ["", "[", "\"", "a: |\n "].map(|o| (unit, o)))
    {
        let text = format!("{open}{}", unit.repeat(SIZE / unit.len()));
        let started = std::time::Instant::now();
        let _ = parse(&text);
        assert!(started.elapsed().as_secs() < 20, "{open:?} {unit:?} took {:?}", started.elapsed());
    }
}

#[test]
fn an_alias_bomb_is_refused() {
    let level = |n: u32| format!("a{n}: &a{n} [{}]\n", format!("*a{},", n - 1).repeat(9));
    let bomb: String = (1..20).map(level).collect();
    assert!(found("a0: &a0 lol\n".to_owned() + &bomb).iter().all(|f| f.0 == Code::YamlAnchor
        || f.0 == Code::UnknownField
        || f.0 == Code::MissingField));
}

mod arbitrary {
    use proptest::prelude::*;

    use super::*;

    fn holds(bytes: &[u8]) -> Result<(), TestCaseError> {
        let parsed = parse(bytes);
        let drafts = parsed.devices.len() + parsed.profiles.len() + parsed.wipes.len();
        prop_assert!(drafts <= yaml::cut(bytes).len());
        for finding in &parsed.findings {
            let harmless = |text: &str| !text.contains(is_deceptive);
            prop_assert!(harmless(&finding.message) && harmless(&finding.span.text));
            prop_assert!(finding.message.len() < 1000 && finding.span.width >= 1);
        }
        let again = assemble([parse(bytes)]);
        prop_assert_eq!(again, assemble([parsed]));
        Ok(())
    }

    proptest! {
        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            holds(&bytes)?;
        }

        #[test]
        fn yaml_like_text_never_panics(text in "([-:?,#&*!|>'\"%@` \n\t\r\\[\\]{}<~a0é.\\\\]|---|: |- |\n  ){0,80}") {
            holds(text.as_bytes())?;
        }

        #[test]
        fn damaged_manifests_never_panic(
            kind in 0..3usize, at in 0..500usize, cut in 0..9usize, put in "([-:?,#&*!|>'\"% \n\t\\[\\]{}~]|---|: ){0,4}",
        ) {
            let mut text = [DEVICE, PROFILE, WIPE][kind].to_owned();
            let at = at.min(text.len());
            text.replace_range(at..(at + cut).min(text.len()), &put);
            holds(text.as_bytes())?;
        }
    }
}
