//! What the lines are about that this process appended: the index of them need not read them again.

use crate::domain::model::DeviceId;
use crate::edges::ledger::store::Line;

/// How many lines are noted at most: 32 MB. What is appended without an index ever being made of it is read
/// from the log.
const MOST: usize = 4 << 20;

/// Lines appended one after the other, to the end of the log.
#[derive(Debug)]
pub(crate) struct Recent {
    /// Where the first one begins.
    from: u64,
    end: u64,
    /// Of each, the number of the device that it is about, or 0, and its length.
    lines: Vec<(u32, u32)>,
}

impl Recent {
    /// None yet, of a log that ends here.
    pub(crate) const fn after(end: u64) -> Self {
        Self { from: end, end, lines: Vec::new() }
    }

    /// Notes what was appended.
    pub(crate) fn note(&mut self, lines: &[Line], end: u64) {
        if self.lines.len() + lines.len() > MOST {
            *self = Self::after(end);
            return;
        }
        let number = |line: &Line| (line.device.map_or(0, DeviceId::number), line.length);
        self.lines.extend(lines.iter().map(number));
        self.end = end;
    }

    /// All of them, for an index of the log up to here; from now on others are noted.
    pub(crate) fn take(&mut self) -> Self {
        let end = self.end;
        std::mem::replace(self, Self::after(end))
    }

    /// Where the first one begins, if they reach to where the log ends.
    pub(super) fn from(&self, end: u64) -> Option<u64> {
        (self.end == end).then_some(self.from)
    }

    /// Where each line about a device begins that begins at `from` or later, and the number of the device.
    pub(super) fn about_devices(&self, from: u64) -> impl Iterator<Item = (u64, u32)> {
        let mut next = self.from;
        let place = move |(device, length): &(u32, u32)| {
            let at = next;
            next += u64::from(*length);
            (at, *device)
        };
        self.lines.iter().map(place).filter(move |(at, device)| *at >= from && *device > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(device: u32, length: u32) -> Line {
        let id =
            |number| std::iter::successors(Some(DeviceId::FIRST), |id| Some(id.next())).nth(number);
        Line { device: (device as usize).checked_sub(1).and_then(id), length }
    }

    #[test]
    fn lines_are_where_they_were_appended() {
        let mut recent = Recent::after(1000);
        recent.note(&[line(2, 10), line(0, 20)], 1030);
        recent.note(&[line(1, 5), line(2, 7)], 1042);
        let about = |from| recent.about_devices(from).collect::<Vec<_>>();
        assert_eq!(about(0), [(1000, 2), (1030, 1), (1035, 2)]);
        assert_eq!(about(1001), [(1030, 1), (1035, 2)]);
        assert_eq!((recent.from(1042), recent.from(1041)), (Some(1000), None));
        let taken = recent.take();
        assert_eq!((taken.from(1042), recent.from(1042)), (Some(1000), Some(1042)));
        recent.note(&[line(3, 8)], 1050);
        assert_eq!(recent.about_devices(0).collect::<Vec<_>>(), [(1042, 3)]);
    }

    #[test]
    fn more_than_that_are_left_to_the_log() {
        let mut recent = Recent::after(0);
        recent.note(&vec![line(1, 1); MOST], MOST as u64);
        assert_eq!(recent.from(MOST as u64), Some(0));
        recent.note(&[line(1, 9)], MOST as u64 + 9);
        assert_eq!(recent.from(MOST as u64 + 9), Some(MOST as u64 + 9));
        assert_eq!(recent.about_devices(0).count(), 0);
    }
}
