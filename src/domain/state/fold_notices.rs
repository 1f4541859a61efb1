//! How entries about telling people and other systems change the state.

use compact_str::format_compact;

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
                let NoticeSent { sink, topic, to, reference, .. } = &**sent;
                // What the server said beside the name is in the log.
                let id = reference.as_deref().filter(|reference| reference.starts_with('<'));
                let id = id.and_then(|all| Some(format_compact!("{}>", all.split_once('>')?.0)));
                let told = NoticeResult { to: to.clone(), reference: id, ..at(entry) };
                self.tell(entry, (sink, topic), told);
            }
            Event::NoticeFailed(stopped) => {
                let NoticeStopped { sink, topic, to, reason, .. } = &**stopped;
                let failed = Some(reason.as_str().into());
                let told = NoticeResult { to: to.clone(), failed, ..at(entry) };
                self.tell(entry, (sink, topic), told);
            }
            Event::TicketOpened(told) => {
                let TicketTold { sink, topic, ticket, number, others, .. } = &**told;
                self.tell(entry, (sink, topic), at(entry));
                let (id, number, others) = (ticket.clone(), number.clone(), others.clone());
                let ticket = Ticket { id, number, others };
                if let Some(device) = self.told_device(entry.device) {
                    device.ticketed(ticket);
                }
            }
            Event::TicketNoted(told) => {
                let TicketTold { sink, topic, ticket, others, .. } = &**told;
                self.tell(entry, (sink, topic), at(entry));
                if let Some(device) = self.told_device(entry.device) {
                    device.has_like_tickets(ticket, others);
                }
            }
            _ => {}
        }
    }

    fn tell(&mut self, entry: &Entry, (sink, topic): (&str, &str), told: NoticeResult) {
        // Programs are told everything: that is in the log, and not for each device.
        if sink.contains(':') {
            return;
        }
        if let Some(device) = self.told_device(entry.device) {
            device.tell(format_compact!("{sink}/{topic}"), told);
        }
    }

    fn told_device(&mut self, id: Option<DeviceId>) -> Option<&mut super::device::Device> {
        self.devices.get_mut(&id?)
    }
}

/// That somebody was told by this entry.
fn at(entry: &Entry) -> NoticeResult {
    NoticeResult { at: entry.at, failed: None, to: None, reference: None }
}
