//! Where devices stand in the text of a snapshot, looked for by all cores.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use memchr::memmem::Finder;
use rayon::prelude::*;

use super::format::Row;
use crate::domain::model::DeviceId;

/// Bytes that are looked at as one; in tests few, so that things stand across the ends of pieces.
const PIECE: u64 = if cfg!(test) { 7 } else { 2 << 20 };

/// Bytes after a piece, enough for whatever begins in it.
const MORE: u64 = 64;

const OPENING: &[u8] = b"\n  \"devices\": {";
const MEMBER: &[u8] = b"\n    \"D";
const END: &[u8] = b"\n  }";

/// What begins in a piece, by its place in the file.
struct Piece {
    /// Where the devices begin.
    opening: Option<u64>,
    /// Members of whatever object, with the numbers of those that are devices.
    members: Vec<(u64, Option<u32>)>,
    /// Ends of objects.
    ends: Vec<u64>,
}

impl Piece {
    /// Looks at what begins at `from`, in a file of `length` bytes; `None` if it cannot be read.
    fn read(file: &File, from: u64, length: u64) -> Option<Self> {
        let here = PIECE.min(length - from);
        let mut text = vec![0; usize::try_from((here + MORE).min(length - from)).ok()?];
        file.read_exact_at(&mut text, from).ok()?;
        let all = |what: &[u8]| {
            let found: Vec<u64> = Finder::new(what).find_iter(&text).map(|at| at as u64).collect();
            found.into_iter().take_while(|at| *at < here)
        };
        let member = |at| (from + at, number(&text[at as usize..]));
        Some(Self {
            opening: all(OPENING).next().map(|at| from + at + OPENING.len() as u64),
            members: all(MEMBER).map(member).collect(),
            ends: all(END).map(|at| from + at).collect(),
        })
    }
}

/// The rows of all devices in a snapshot as this program lays it out, with the last entries about them; and
/// up to where and from where on the rest of it stands. `None` if it is not laid out like that.
pub(super) fn places(file: &File, last: Vec<u64>) -> Option<(Vec<Row>, [u64; 2])> {
    let unplaced = |last| Row { last, ..Row::default() };
    let mut rows: Vec<Row> = last.into_iter().map(unplaced).collect();
    let length = file.metadata().ok()?.len();
    let pieces = (0..length.div_ceil(PIECE)).into_par_iter();
    let pieces: Option<Vec<_>> =
        pieces.map(|piece| Piece::read(file, piece * PIECE, length)).collect();
    let pieces = pieces?;
    let begin = pieces.iter().find_map(|piece| piece.opening)?;
    let members = pieces.iter().flat_map(|piece| &piece.members);
    let members = members.skip_while(|(at, _)| *at < begin).take(rows.len());
    let members: Vec<(u64, u32)> =
        members.map(|(at, number)| Some((*at, (*number)?))).collect::<Option<_>>()?;
    let begins = members.iter().map(|(at, _)| *at);
    // A device goes to where the next one begins; the last one to where all of them end.
    let end = match begins.clone().next_back() {
        Some(last) => *pieces.iter().flat_map(|piece| &piece.ends).find(|at| **at > last)?,
        None => begin,
    };
    let nexts = begins.clone().skip(1).chain([end]);
    for ((at, number), next) in members.iter().zip(nexts) {
        let row = rows.get_mut(number.checked_sub(1)? as usize).filter(|row| row.length == 0)?;
        row.at = at + 1;
        // With the newline after them.
        row.length = u32::try_from(next - at).ok()?;
    }
    let all = members.len() == rows.len() && begins.clone().next().unwrap_or(begin) == begin;
    all.then_some((rows, [begin, end]))
}

/// Of `\n    "D001": {…`.
fn number(member: &[u8]) -> Option<u32> {
    let id = member.strip_prefix(b"\n    \"")?;
    let id: DeviceId = std::str::from_utf8(&id[..memchr::memchr(b'"', id)?]).ok()?.parse().ok()?;
    Some(id.number())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn places_in(text: &str, devices: usize) -> Option<(Vec<Row>, [u64; 2])> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        places(&file, (1..=devices as u64).map(|n| n * 10).collect())
    }

    fn text(members: &[&str]) -> String {
        let members: Vec<_> = members
            .iter()
            .map(|id| format!("\n    \"{id}\": {{\n      \"D\": 1\n    }}"))
            .collect();
        let members = members.join(",");
        format!(
            "{{\n  \"a\": {{\n    \"D007\": 1\n  }},\n  \"devices\": {{{members}\n  }},\n  \"z\": 2\n}}\n"
        )
    }

    #[test]
    fn every_device_has_its_lines_in_whatever_order_they_stand() {
        let text = text(&["D001", "D1000", "D002", "D003"]);
        let before = places_in(&text, 4);
        assert_eq!(before, None, "D1000 is not the fourth device");
        let text = text.replace("D1000", "D004");
        let (rows, [begin, end]) = places_in(&text, 4).unwrap();
        for (row, number) in rows.iter().zip(1_u64..) {
            let lines = &text[row.at as usize..][..row.length as usize];
            assert!(lines.starts_with(&format!("    \"D00{number}\": {{\n")), "{lines}");
            assert!(lines.ends_with(if number == 3 { "}\n" } else { "},\n" }), "{lines}");
            assert_eq!(row.last, number * 10);
        }
        assert!(text[..begin as usize].ends_with("\"devices\": {"));
        assert!(text[end as usize..].starts_with("\n  },\n  \"z\""));
    }

    #[test]
    fn what_is_laid_out_otherwise_has_no_places() {
        let good = text(&["D001", "D002"]);
        assert!(places_in(&good, 2).is_some());
        assert_eq!(places_in(&good, 3), None, "one device too few");
        assert_eq!(places_in(&text(&["D001", "D001"]), 2), None, "the same twice");
        assert_eq!(places_in(&text(&["D001", "Dxxx"]), 2), None, "no number");
        assert_eq!(places_in(&good.replace("devices\": {", "devices\": { "), 2), None);
        assert_eq!(places_in(&good.replace("\n  },\n  \"z\"", "},\n  \"z\""), 2), None, "no end");
        assert_eq!(places_in("{}\n", 0), None);
        let (rows, [begin, end]) = places_in("{\n  \"devices\": {}\n}\n", 0).unwrap();
        assert!(rows.is_empty());
        assert_eq!(begin, end);
    }
}
