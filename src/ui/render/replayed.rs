//! What `audit replay` found the log to say, in numbers; all of it is JSON.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};

use super::out::{Out, Tone};
use crate::domain::state::State;

pub(crate) fn text(state: &State, out: &mut Out) -> io::Result<()> {
    let live = || state.devices.values().filter(|device| !device.is_wiped());
    let statuses = tally(state.devices.values().map(|device| device.status));
    let orphaned = live().filter(|device| device.rare.orphaned_since.is_some()).count();
    let orphaned = if orphaned > 0 { format!("; {orphaned} orphaned") } else { String::new() };
    let lineage = state.lineage.map_or_else(|| "none: there is no log".into(), |id| id.to_string());
    let frozen = state.frozen.as_ref().map_or_else(
        || "no".to_owned(),
        |frozen| format!("since {}: {}", frozen.since.short(), frozen.why.cause.explain()),
    );
    for (key, value) in [
        ("Lineage:", lineage),
        ("Head:", format!("{} (entry {})", state.head.0, state.seq)),
        ("Devices:", statuses + &orphaned),
        ("Compliance:", tally(live().map(|device| device.compliance.state))),
        ("Profiles:", state.profiles.len().to_string()),
        ("Wipes:", tally(state.wipes.values().map(|wipe| wipe.state))),
        ("Frozen:", frozen),
    ] {
        let value = out.paint(Tone::Plain, &value).to_string();
        writeln!(out, "{}{value}", out.paint(Tone::Strong, &format!("{key:<13}")))?;
    }
    out.note("This is a summary; -o json prints the whole state.");
    Ok(())
}

/// `4: 2 Enrolled, 1 Failed, 1 Wiped`, in the order of the words; `0` where there is nothing.
fn tally<T: Ord + Display>(words: impl Iterator<Item = T>) -> String {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    words.for_each(|word| *counts.entry(word).or_default() += 1);
    let parts: Vec<_> = counts.iter().map(|(word, n)| format!("{n} {word}")).collect();
    let all = counts.values().sum::<usize>();
    if parts.is_empty() { all.to_string() } else { format!("{all}: {}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::ui::render::testing::{Screen, state};

    #[test]
    fn a_summary_and_where_the_rest_is() {
        let screen = Screen::piped();
        text(&state(), &mut screen.out()).unwrap();
        expect![[r#"
            Lineage:     5f2d7c1e-0000-4000-8000-000000000001
            Head:        998e907bfbb34f71c66b6dc6c40fe98ca6d2d5a29755bc5a04824c36082a61d1 (entry 16)
            Devices:     4: 2 Enrolled, 1 Failed, 1 Wiped; 1 orphaned
            Compliance:  3: 1 nonCompliant, 2 unknown
            Profiles:    1
            Wipes:       0
            Frozen:      no
        "#]]
        .assert_eq(&screen.results());
        assert_eq!(screen.notes(), "This is a summary; -o json prints the whole state.\n");
    }

    #[test]
    fn nothing_is_no_error() {
        let screen = Screen::piped();
        text(&State::default(), &mut screen.out()).unwrap();
        expect![[r#"
            Lineage:     none: there is no log
            Head:        0000000000000000000000000000000000000000000000000000000000000000 (entry 0)
            Devices:     0
            Compliance:  0
            Profiles:    0
            Wipes:       0
            Frozen:      no
        "#]]
        .assert_eq(&screen.results());
    }
}
