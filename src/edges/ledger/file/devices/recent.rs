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
