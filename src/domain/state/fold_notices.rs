//! How entries about telling people and other systems change the state.

use compact_str::{CompactString, format_compact};

use super::episode::{NoticeResult, Ticket};
use super::event::{Entry, Event, NoticeSent, NoticeStopped, TicketTold};
use super::fold::State;
use crate::domain::model::DeviceId;

impl State {
    /// Nothing here can be in the way of the log: whom somebody told is what it says, of whatever device.
    pub(super) fn apply_notice(&mut self, entry: &Entry) {
        match &entry.event {
            Event::NoticeBegun(begun) => {
                self.sinks.entry(begun.sink.clone()).or_insert(entry.seq);
            }
            Event::NoticeSent(sent) => {
                let NoticeSent { sink, topic, to, .. } = &**sent;
                self.tell(entry, (sink, topic), None, to.clone());
            }
            Event::NoticeFailed(stopped) => {
                let NoticeStopped { sink, topic, to, reason, .. } = &**stopped;
                self.tell(entry, (sink, topic), Some(reason.as_str().into()), to.clone());
            }
            Event::TicketOpened(told) => {
                let TicketTold { sink, topic, ticket, number, .. } = &**told;
                self.tell(entry, (sink, topic), None, None);
                let ticket = Ticket { id: ticket.clone(), number: number.clone() };
                if let Some(device) = self.told_device(entry.device) {
                    device.ticketed(ticket);
                }
            }
            Event::TicketNoted(told) => {
                let TicketTold { sink, topic, .. } = &**told;
                self.tell(entry, (sink, topic), None, None);
            }
            _ => {}
        }
    }

    fn tell(
        &mut self,
        entry: &Entry,
        (sink, topic): (&str, &str),
        failed: Option<Box<str>>,
        to: Option<CompactString>,
    ) {
        // Programs are told everything: that is in the log, and not for each device.
        if sink.contains(':') {
            return;
        }
        if let Some(device) = self.told_device(entry.device) {
            let key = format_compact!("{sink}/{topic}");
            device.tell(key, NoticeResult { at: entry.at, failed, to });
        }
    }

    fn told_device(&mut self, id: Option<DeviceId>) -> Option<&mut super::device::Device> {
        self.devices.get_mut(&id?).map(|device| &mut **device)
    }
}
