//! How entries about telling people and other systems change the state.

use compact_str::{CompactString, format_compact};

use super::episode::{NoticeResult, Ticket};
use super::event::{Entry, Event, NoticeSent, NoticeStopped, TicketTold};
use super::fold::State;
use crate::domain::model::DeviceId;

/// To whom something was told, and what came of it.
#[derive(Default)]
struct Told {
    to: Option<CompactString>,
    reference: Option<CompactString>,
    failed: Option<Box<str>>,
}

impl State {
    /// Nothing here can be in the way of the log: whom somebody told is what it says, of whatever device.
    pub(super) fn apply_notice(&mut self, entry: &Entry) {
        match &entry.event {
            Event::NoticeBegun(begun) => {
                self.sinks.entry(begun.sink.clone()).or_insert(entry.seq);
            }
            Event::NoticeSent(sent) => {
                let NoticeSent { sink, topic, to, reference, .. } = &**sent;
                let told = Told { to: to.clone(), reference: reference.clone(), failed: None };
                self.tell(entry, (sink, topic), told);
            }
            Event::NoticeFailed(stopped) => {
                let NoticeStopped { sink, topic, to, reason, .. } = &**stopped;
                let failed = Some(reason.as_str().into());
                let told = Told { to: to.clone(), failed, ..Told::default() };
                self.tell(entry, (sink, topic), told);
            }
            Event::TicketOpened(told) => {
                let TicketTold { sink, topic, ticket, number, others, .. } = &**told;
                self.tell(entry, (sink, topic), Told::default());
                let (id, number, others) = (ticket.clone(), number.clone(), others.clone());
                let ticket = Ticket { id, number, others };
                if let Some(device) = self.told_device(entry.device) {
                    device.ticketed(ticket);
                }
            }
            Event::TicketNoted(told) => {
                let TicketTold { sink, topic, ticket, others, .. } = &**told;
                self.tell(entry, (sink, topic), Told::default());
                if let Some(device) = self.told_device(entry.device) {
                    device.has_like_tickets(ticket, others);
                }
            }
            _ => {}
        }
    }

    fn tell(&mut self, entry: &Entry, (sink, topic): (&str, &str), told: Told) {
        // Programs are told everything: that is in the log, and not for each device.
        if sink.contains(':') {
            return;
        }
        if let Some(device) = self.told_device(entry.device) {
            let key = format_compact!("{sink}/{topic}");
            let Told { to, reference, failed } = told;
            // What the server said beside the name is in the log.
            let reference = reference.filter(|reference| reference.starts_with('<'));
            let reference = reference.and_then(|all| Some(all.split_once('>')?.0.into()));
            let reference = reference.map(|id: CompactString| format_compact!("{id}>"));
            device.tell(key, NoticeResult { at: entry.at, failed, to, reference });
        }
    }

    fn told_device(&mut self, id: Option<DeviceId>) -> Option<&mut super::device::Device> {
        self.devices.get_mut(&id?).map(|device| &mut **device)
    }
}
