//! The names of devices that begin with a word, found without looking at the others: for completion.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use super::format::name_of;
use super::index::Index;
use super::query::Saved;
use crate::edges::ledger::file::names::device;
use crate::edges::ledger::store::{Beginning, KnownName};

/// Shows profiles, and the devices of which a name begins with the word, perhaps with others; none of them if
/// they are too many. `None` where the index does not help, or it takes too long.
pub(crate) fn names(
    dir: &Path,
    wanted: Beginning<'_>,
    deadline: Instant,
    visit: &mut dyn FnMut(KnownName<'_>),
) -> Option<()> {
    let index = Index::open(dir)?;
    let snapshot = Saved::open(dir, &index)?;
    let around = snapshot.around(&index)?;
    let numbers = numbers(&index, wanted)?;
    let read = |number: u32| {
        let in_time = Instant::now() <= deadline;
        in_time.then(|| snapshot.text(&index, number)).flatten()
    };
    let texts = numbers.into_iter().map(read).collect::<Option<Vec<_>>>()?;
    // All or none of them.
    let devices = texts.iter().map(|text| device(text)).collect::<Option<Vec<_>>>()?;
    for (id, name, serial) in devices {
        visit(KnownName::Device { id, name, serial });
    }
    around.state.profiles.keys().for_each(|name| visit(KnownName::Profile(name.as_str())));
    Some(())
}

/// None if there are more than are wanted.
fn numbers(index: &Index, Beginning { word, most }: Beginning<'_>) -> Option<BTreeSet<u32>> {
    let most = most as u64;
    let ids = ids(word, u32::try_from(index.header.devices).ok()?);
    let named = index.named(name_of(word))?;
    let by_id: u64 = ids.iter().map(|(from, to)| u64::from(to - from) + 1).sum();
    if by_id + (named.end - named.start) > most {
        return Some(BTreeSet::new());
    }
    let mut numbers: BTreeSet<u32> = ids.into_iter().flat_map(|(from, to)| from..=to).collect();
    for at in named {
        numbers.insert(index.name(at)?.1);
    }
    Some(numbers)
}

/// The numbers, up to the last one, of ids that begin with the word: from one to another each.
fn ids(word: &str, last: u32) -> Vec<(u32, u32)> {
    let digits = word.strip_prefix(['D', 'd']).unwrap_or(word);
    if !digits.bytes().all(|b| b.is_ascii_digit())
        || (digits.len() == word.len() && !word.is_empty())
    {
        return Vec::new();
    }
    let begin: u64 = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) };
    let of_length = |length: u32| {
        let rest = 10_u64.pow(length.checked_sub(u32::try_from(digits.len()).ok()?)?);
        // Three digits at least, and none of more begins with a zero.
        let lowest = if length == 3 { 1 } else { 10_u64.pow(length - 1) };
        let from = begin.checked_mul(rest)?.max(lowest);
        let to = begin.checked_add(1)?.checked_mul(rest)?.min(10_u64.pow(length)) - 1;
        let to = to.min(u64::from(last));
        (from <= to).then_some(())?;
        Some((u32::try_from(from).ok()?, u32::try_from(to).ok()?))
    };
    (3..=10).filter_map(of_length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::DeviceId;

    #[test]
    fn ids_that_begin_with_a_word_are_those_that_do() {
        let all: Vec<String> = (1..=20_123).map(|number| format!("D{number:03}")).collect();
        for word in [
            "",
            "d",
            "D",
            "D0",
            "d00",
            "D000",
            "D1",
            "D12",
            "D20",
            "D201",
            "D2012",
            "D20124",
            "D0100",
            "1",
            "x",
            "D1x",
            "D99999999999999999999",
        ] {
            let begins =
                |id: &&String| id.to_ascii_lowercase().starts_with(&word.to_ascii_lowercase());
            let expected: BTreeSet<u32> = all
                .iter()
                .filter(begins)
                .map(|id| id.parse::<DeviceId>().unwrap().number())
                .collect();
            let found: Vec<u32> =
                ids(word, 20_123).into_iter().flat_map(|(from, to)| from..=to).collect();
            assert_eq!(found.len(), expected.len(), "{word}");
            assert_eq!(found.into_iter().collect::<BTreeSet<u32>>(), expected, "{word}");
        }
    }
}
