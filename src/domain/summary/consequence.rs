//! One line for people about each kind of entry of what follows from a verdict.

use compact_str::CompactString;

use crate::domain::state::event::{
    AccessFailed, AccessOrder, AlertChanged, Event, EvidenceGap, EvidenceMissing, LicenseAssigned,
    LicenseFailed, LicenseIntended, Nothing, NoticeBegun, NoticeIntended, NoticeSent,
    NoticeStopped, TicketTold,
};
use crate::domain::wording::count;

/// What happened, without a full stop; nothing of entries of other kinds.
pub(super) fn consequence(event: &Event) -> String {
    match event {
        Event::EvidenceMissing(EvidenceMissing { cause, since }) => {
            let since = since.short();
            match cause {
                EvidenceGap::Silent => format!("no report since {since}"),
                EvidenceGap::MissingFacts => format!(
                    "its compliance has been unknown since \
                                                      {since}"
                ),
            }
        }
        Event::EvidenceReturned(Nothing {}) => "it can be judged again".to_owned(),
        Event::AccessIntended(AccessOrder { intent, blocked }) => {
            let what = if *blocked { "block" } else { "restore" };
            format!("about to {what} access to corporate mail [intent {intent}]")
        }
        Event::AccessBlocked(AccessOrder { intent, blocked: _ }) => {
            format!("access to corporate mail is blocked [intent {intent}]")
        }
        Event::AccessRestored(AccessOrder { intent, blocked: _ }) => {
            format!("access to corporate mail is restored [intent {intent}]")
        }
        Event::AccessFailed(failed) => {
            let AccessFailed { intent, class, error } = &**failed;
            format!("access to corporate mail is not changed ({class}): {error} [intent {intent}]")
        }
        Event::LicenseIntended(order) => {
            let LicenseIntended { intent, sku, user } = &**order;
            format!("about to assign license {sku} to {user} [intent {intent}]")
        }
        Event::LicenseAssigned(assigned) => {
            let LicenseAssigned { intent, sku, user, had } = &**assigned;
            let what = if *had { "already had" } else { "was assigned" };
            format!("{user} {what} license {sku} [intent {intent}]")
        }
        Event::LicenseFailed(failed) => {
            let LicenseFailed { intent, sku, user, class, error } = &**failed;
            format!("{user} does not have license {sku} ({class}): {error} [intent {intent}]")
        }
        Event::AlertBegan(began) => {
            let AlertChanged { alert, about: _, detail } = &**began;
            format!("alert {alert}: {detail}")
        }
        Event::AlertEnded(ended) => {
            let AlertChanged { alert, about: _, detail } = &**ended;
            format!("alert {alert} is over: {detail}")
        }
        Event::NoticeBegun(NoticeBegun { sink }) => format!("{sink} is told from here on"),
        Event::NoticeIntended(intended) => {
            let NoticeIntended { intent, sink, topic, ids, to } = &**intended;
            format!("about to tell {sink}{} of {} [intent {intent}]", whom(to), what(topic, ids))
        }
        Event::NoticeSent(sent) => {
            let NoticeSent { intent, sink, topic, ids, to, reference } = &**sent;
            let reference = reference.as_ref().map(|reference| format!(" as {reference}"));
            format!(
                "told {sink}{} of {}{} [intent {intent}]",
                whom(to),
                what(topic, ids),
                reference.unwrap_or_default()
            )
        }
        Event::NoticeFailed(stopped) => not_told("failed to tell", stopped),
        Event::NoticeDropped(stopped) => not_told("did not tell", stopped),
        Event::TicketOpened(told) => ticket("opened", told),
        Event::TicketNoted(told) => ticket("noted on", told),
        _ => String::new(),
    }
}

fn whom(to: &Option<CompactString>) -> String {
    to.as_ref().map(|to| format!(" ({to})")).unwrap_or_default()
}

fn what(topic: &str, ids: &[CompactString]) -> String {
    match ids {
        [] | [_] => topic.to_owned(),
        many => format!("{topic}, {} together", count(many.len() as u64, "notice")),
    }
}

fn not_told(how: &str, stopped: &NoticeStopped) -> String {
    let NoticeStopped { intent, sink, topic, ids, to, reason } = stopped;
    let intent = intent.map(|intent| format!(" [intent {intent}]")).unwrap_or_default();
    format!("{how} {sink}{} of {}: {reason}{intent}", whom(to), what(topic, ids))
}

fn ticket(how: &str, told: &TicketTold) -> String {
    let TicketTold { intent, sink, topic, ids: _, ticket: _, number, others: _ } = told;
    format!("{how} ticket {number} in {sink}: {topic} [intent {intent}]")
}
