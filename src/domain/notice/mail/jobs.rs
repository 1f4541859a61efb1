//! Which entries of the log become mails, to whom, and when.

use chrono::TimeDelta;
use serde::Deserialize as _;

use super::alerts;
use super::device::DeviceText;
use super::ids::letter_id;
use super::letter::{Letter, WipeText};
use crate::domain::access::blocks_at;
use crate::domain::model::{
    ComplianceState, DeviceId, Digest, Email, Exemption, Status, Timestamp,
};
use crate::domain::notice::{Job, Topic};
use crate::domain::notify_settings::{MailKind, MailSettings};
use crate::domain::settings::Settings;
use crate::domain::state::event::{
    AlertChanged, Change, ComplianceChanged, DeviceStatus, Entry, Event, Field,
};
use crate::domain::state::{Device, Episode, EpisodeKind, State, Wipe};

/// How the record of a device calls the mail that says that it fails.
const BEGUN: &str = "mail/nonCompliant";
pub(super) const DAY: TimeDelta = TimeDelta::days(1);

/// The jobs that follow from an entry.
#[must_use]
pub(crate) fn jobs(
    entry: &Entry,
    recorded: &State,
    settings: &Settings,
    mail: &MailSettings,
    alerts: &[Email],
) -> Vec<Job> {
    let maker = Maker { entry, recorded, settings, mail };
    let mut letters = Vec::new();
    match &entry.event {
        Event::ComplianceChanged(changed) => {
            letters.extend(maker.of_device(|id, device| maker.judged(changed, id, device)));
        }
        Event::DeviceUpdated(updated) => {
            let changes = &updated.changes;
            letters.extend(maker.of_device(|id, device| maker.updated(changes, id, device)));
        }
        // While nobody declared it, nothing was told of it.
        Event::DeviceAdopted(_) => {
            letters.extend(maker.of_device(|id, device| maker.adopted(id, device)));
        }
        Event::AccessBlocked(_) => {
            letters.extend(
                maker.of_device(|id, device| maker.blocked(maker.to_user(device), id, device)),
            );
        }
        Event::DeviceStatus(DeviceStatus {
            from: Status::Pending,
            to: Status::Failed,
            reason,
            ..
        }) => {
            letters.extend(maker.of_device(|id, device| maker.not_enrolled(id, device, reason)));
        }
        Event::AlertBegan(changed) => return maker.alert(Topic::AlertBegan, changed, alerts),
        Event::AlertEnded(changed) => return maker.alert(Topic::AlertEnded, changed, alerts),
        Event::WipeIssued(issued) => letters.extend(maker.wipe_issued(&issued.request)),
        Event::WipeRefused(refused) => {
            letters.extend(maker.wipe_refused(&refused.subject.request, &refused.detail));
        }
        _ => {}
    }
    letters.into_iter().map(|letter| maker.job(letter)).collect()
}

struct Maker<'a> {
    entry: &'a Entry,
    recorded: &'a State,
    settings: &'a Settings,
    mail: &'a MailSettings,
}

/// A letter, and when it goes out.
struct Due {
    topic: Topic,
    letter: Letter,
    device: DeviceId,
    episode: Option<u64>,
    not_before: Option<Timestamp>,
}

impl Maker<'_> {
    fn alert(&self, topic: Topic, changed: &AlertChanged, to: &[Email]) -> Vec<Job> {
        let (lineage, language) = (self.lineage(self.entry.seq), &self.mail.language.default);
        alerts::jobs(self.entry, topic, changed, self.recorded, (&lineage, language), to)
    }

    fn of_device(&self, make: impl FnOnce(DeviceId, &Device) -> Vec<Due>) -> Vec<Due> {
        let Some(id) = self.entry.device else { return Vec::new() };
        self.recorded.devices.get(&id).map_or_else(Vec::new, |device| make(id, device))
    }

    /// An episode begins or ends with this entry; where it goes on, its beginning is told to who has not
    /// heard of it yet.
    fn judged(&self, changed: &ComplianceChanged, id: DeviceId, device: &Device) -> Vec<Due> {
        let Some(episode) = device.episode.as_deref() else { return Vec::new() };
        if episode.kind != EpisodeKind::NonCompliant {
            return Vec::new();
        }
        match changed.to {
            ComplianceState::NonCompliant if episode.opened == self.entry.seq => {
                self.episode_begins(id, device)
            }
            ComplianceState::NonCompliant if changed.from != ComplianceState::NonCompliant => {
                self.goes_on(self.to_user(device), device.spec.access.as_deref(), id, device)
            }
            // Never before the entry: it ends at the latest time that the log has seen.
            ComplianceState::Compliant
                if episode.ended.is_some_and(|ended| ended >= self.entry.at) =>
            {
                self.compliant(id, device, episode.opened)
            }
            ComplianceState::NonCompliant
            | ComplianceState::Compliant
            | ComplianceState::Unknown => Vec::new(),
        }
    }

    fn episode_begins(&self, id: DeviceId, device: &Device) -> Vec<Due> {
        let episode = self.entry.seq;
        let opened = device.episode.as_deref().filter(|open| open.opened == episode);
        let since = opened.map_or(self.entry.at, |open| open.since);
        let ends = blocks_at(since, device.spec.access.as_deref(), self.settings);
        let mut due = self.begun(self.to_user(device), ends, id, device, episode);
        due.extend(self.reminders(self.to_user(device), ends, id, device, episode));
        due
    }

    /// That it fails, and what.
    fn begun(
        &self,
        letter: Letter,
        ends: Timestamp,
        id: DeviceId,
        device: &Device,
        episode: u64,
    ) -> Vec<Due> {
        let text = DeviceText::failing(self.recorded, id, device);
        let letter = Letter { device: Some(text), ends: Some(ends), ..letter };
        let gathered = self.entry.at + self.mail.gather;
        let gather = (self.mail.gather > TimeDelta::zero()).then_some(gathered);
        self.told(Topic::NonCompliant, letter, (id, Some(episode)), gather)
    }

    /// The episode of a device that was open before this entry, while something may follow from it.
    fn open_before<'d>(&self, device: &'d Device) -> Option<&'d Episode> {
        device.failing_episode().filter(|open| open.opened < self.entry.seq)
    }

    /// An episode goes on, perhaps with another user: whoever has not heard of it yet is told.
    fn goes_on(
        &self,
        letter: Letter,
        exemption: Option<&Exemption>,
        id: DeviceId,
        device: &Device,
    ) -> Vec<Due> {
        let Some(open) = self.open_before(device) else { return Vec::new() };
        if open.told_to(BEGUN, &letter.to).is_some() {
            return Vec::new();
        }
        let ends = blocks_at(open.since, exemption, self.settings);
        let mut due = self.begun(letter, ends, id, device, open.opened);
        // IT knows.
        due.retain(|due| !due.letter.digest);
        due
    }

    fn updated(&self, changes: &[Change], id: DeviceId, device: &Device) -> Vec<Due> {
        let Some(open) = self.open_before(device) else { return Vec::new() };
        let field = |field| changes.iter().find(move |change| change.field == field);
        let exemption = match field(Field::Access) {
            Some(change) => Option::<Exemption>::deserialize(&change.to).ok().flatten(),
            None => device.spec.access.as_deref().cloned(),
        };
        let user = field(Field::UserEmail).and_then(|to| Email::deserialize(&to.to).ok());
        if user.is_none() && field(Field::Access).is_none() {
            return Vec::new();
        }
        let is_new = user.is_some();
        let letter =
            user.map_or_else(|| self.to_user(device), |user| self.to_this_user(user, device));
        if is_new && open.is_blocked() {
            return self.blocked(letter, id, device);
        }
        let begun = is_new.then(|| self.goes_on(letter.clone(), exemption.as_ref(), id, device));
        let mut due = begun.unwrap_or_default();
        // An exemption moves the end of access: the reminder of the end before that is dropped, or was
        // sent.
        let ends = blocks_at(open.since, exemption.as_ref(), self.settings);
        // Who has just heard of it is not reminded at once.
        let begins = if is_new { ends + -self.mail.reminder_before } else { ends };
        if begins > self.entry.at {
            due.extend(self.reminders(letter, ends, id, device, open.opened));
        }
        due
    }

    fn adopted(&self, id: DeviceId, device: &Device) -> Vec<Due> {
        self.goes_on(self.to_user(device), device.spec.access.as_deref(), id, device)
    }

    /// Some time before access ends.
    fn reminders(
        &self,
        letter: Letter,
        ends: Timestamp,
        id: DeviceId,
        device: &Device,
        episode: u64,
    ) -> Vec<Due> {
        let before = self.mail.reminder_before;
        if before <= TimeDelta::zero() || before >= self.settings.block_after {
            return Vec::new();
        }
        // What it fails by then is looked at by then.
        let text = DeviceText::plain(id, device);
        let later = Letter { device: Some(text), ends: Some(ends), ..letter };
        let at = Some(ends + -before);
        // IT hears of the block itself.
        let mut reminders = self.told(Topic::Reminder, later, (id, Some(episode)), at);
        reminders.retain(|due| !due.letter.digest);
        reminders
    }

    fn compliant(&self, id: DeviceId, device: &Device, episode: u64) -> Vec<Due> {
        let text = DeviceText::plain(id, device);
        let letter = Letter { device: Some(text), ..self.to_user(device) };
        // A device that fails again by then goes on with its episode, and was not in order yet.
        let settled = Some(self.entry.at + self.settings.settle);
        self.told(Topic::Compliant, letter, (id, Some(episode)), settled)
    }

    fn blocked(&self, letter: Letter, id: DeviceId, device: &Device) -> Vec<Due> {
        let episode = device.episode.as_deref().map(|episode| episode.opened);
        let text = DeviceText::plain(id, device);
        let letter = Letter { device: Some(text), ..letter };
        self.told(Topic::Blocked, letter, (id, episode), None)
    }

    fn not_enrolled(&self, id: DeviceId, device: &Device, reason: &str) -> Vec<Due> {
        let text = DeviceText::plain(id, device);
        let reason = Some(reason.to_owned());
        let letter = Letter { device: Some(text), reason, ..self.to_user(device) };
        self.told(Topic::EnrollmentFailed, letter, (id, None), None)
    }

    fn wipe_issued(&self, request: &Digest) -> Vec<Due> {
        let Some(wipe) = self.recorded.wipes.get(request) else { return Vec::new() };
        let mut due = self.to_administrators(Topic::WipeIssued, wipe, None);
        let device = self.recorded.devices.get(&wipe.subject.device_id);
        let told = self.mail.tell_user_of_wipe && self.sends(MailKind::WipeIssued);
        if let Some(device) = device.filter(|_| told) {
            let user = device.spec.user_email.clone();
            let letter = Letter { to_user: true, ..self.about_wipe(user, wipe, None) };
            let about = (wipe.subject.device_id, None);
            due.push(self.due(Topic::WipeIssued, letter, about, None));
        }
        due
    }

    fn wipe_refused(&self, request: &Digest, detail: &str) -> Vec<Due> {
        let Some(wipe) = self.recorded.wipes.get(request) else { return Vec::new() };
        self.to_administrators(Topic::WipeRefused, wipe, Some(detail))
    }

    /// A request may name a device that there is not.
    fn about_wipe(&self, to: Email, wipe: &Wipe, reason: Option<&str>) -> Letter {
        let id = wipe.subject.device_id;
        let device = self.recorded.devices.get(&id);
        let text = device.map_or_else(
            || DeviceText::unknown(&wipe.subject),
            |device| DeviceText::plain(id, device),
        );
        Letter {
            device: Some(text),
            reason: reason.map(str::to_owned),
            wipe: Some(text_of(wipe)),
            ..self.to(to, device)
        }
    }

    /// To who asked for it and who signed it, once each, and into IT's digest.
    fn to_administrators(&self, topic: Topic, wipe: &Wipe, reason: Option<&str>) -> Vec<Due> {
        let id = wipe.subject.device_id;
        let letter = |to: Email| self.about_wipe(to, wipe, reason);
        let mut people = vec![wipe.subject.requested_by.clone()];
        people.extend(wipe.signers.iter().cloned());
        people.sort();
        people.dedup();
        let sent = kind(topic).is_some_and(|kind| self.sends(kind));
        let mails = people.into_iter().filter(|_| sent).map(&letter);
        let mut due: Vec<Due> =
            mails.map(|letter| self.due(topic, letter, (id, None), None)).collect();
        due.extend(self.digested(topic, (id, None), letter));
        due
    }

    /// To the user, those who get copies, and into IT's digest.
    fn told(
        &self,
        topic: Topic,
        letter: Letter,
        about: (DeviceId, Option<u64>),
        not_before: Option<Timestamp>,
    ) -> Vec<Due> {
        let sent = kind(topic).is_some_and(|kind| self.sends(kind));
        let user = letter.to.clone();
        let copy =
            |to: &Email| Letter { to: to.clone(), copy_of: Some(user.clone()), ..letter.clone() };
        let copies = self.mail.cc.iter().filter(|to| **to != user).map(copy);
        let letters: Vec<Letter> =
            [letter.clone()].into_iter().chain(copies).filter(|_| sent).collect();
        let mut due: Vec<Due> =
            letters.into_iter().map(|letter| self.due(topic, letter, about, not_before)).collect();
        let digested = |to: Email| Letter { to, to_user: false, copy_of: None, ..letter.clone() };
        due.extend(self.digested(topic, about, digested));
        due
    }

    fn digested(
        &self,
        topic: Topic,
        about: (DeviceId, Option<u64>),
        letter: impl Fn(Email) -> Letter,
    ) -> Vec<Due> {
        if !self.sends(MailKind::Digest) {
            return Vec::new();
        }
        let at = next_digest(self.entry.at, self.mail.digest_at);
        let letters = self.mail.it.iter().map(|to| Letter {
            digest: true,
            digest_at: Some(at),
            language: self.mail.language.default.clone(),
            ..letter(to.clone())
        });
        letters.map(|letter| self.due(topic, letter, about, Some(at))).collect()
    }

    fn due(
        &self,
        topic: Topic,
        letter: Letter,
        (device, episode): (DeviceId, Option<u64>),
        not_before: Option<Timestamp>,
    ) -> Due {
        Due { topic, letter, device, episode, not_before }
    }

    fn job(&self, due: Due) -> Job {
        let Due { topic, letter, device, episode, not_before } = due;
        let seq = self.entry.seq;
        let lineage = self.lineage(seq);
        Job {
            id: letter_id(&lineage, seq, topic, &letter),
            entry: seq,
            at: self.entry.at,
            not_before,
            // What is said of a device to others than its user is not what was told of it, and waits
            // for nothing that is.
            device: (letter.to_user && letter.copy_of.is_none()).then_some(device),
            episode,
            topic,
            payload: serde_json::to_value(letter).unwrap_or_default(),
        }
    }

    fn lineage(&self, entry: u64) -> String {
        let lineage = self.recorded.lineage_of(entry);
        lineage.map_or_else(String::new, |lineage| lineage.to_string())
    }

    fn to_user(&self, device: &Device) -> Letter {
        self.to_this_user(device.spec.user_email.clone(), device)
    }

    fn to_this_user(&self, user: Email, device: &Device) -> Letter {
        Letter { to_user: true, ..self.to(user, Some(device)) }
    }

    fn to(&self, to: Email, device: Option<&Device>) -> Letter {
        let label = |name: &str| device?.spec.labels.get(name).map(|value| value.as_str());
        let language = self.mail.language.of(label, &to).to_owned();
        Letter::to(to, &language)
    }

    fn sends(&self, kind: MailKind) -> bool {
        self.mail.send.contains(&kind)
    }
}

fn text_of(wipe: &Wipe) -> WipeText {
    let subject = &wipe.subject;
    WipeText {
        name: subject.name.clone(),
        request: subject.request,
        scope: subject.scope,
        reason: subject.reason,
        requested_by: subject.requested_by.clone(),
        signers: wipe.signers.clone(),
        for_good: !wipe.state.is_open(),
    }
}

/// The word of the configuration that switches a mail on.
fn kind(topic: Topic) -> Option<MailKind> {
    Some(match topic {
        Topic::NonCompliant => MailKind::NonCompliant,
        Topic::Reminder => MailKind::Reminder,
        Topic::Blocked => MailKind::Blocked,
        Topic::Compliant => MailKind::Compliant,
        Topic::EnrollmentFailed => MailKind::EnrollmentFailed,
        Topic::WipeIssued => MailKind::WipeIssued,
        Topic::WipeRefused => MailKind::WipeRefused,
        Topic::WipeConfirmed
        | Topic::Erased
        | Topic::Superseded
        | Topic::NoEvidence
        | Topic::AlertBegan
        | Topic::AlertEnded
        | Topic::Digest
        | Topic::Entry
        | Topic::Test => return None,
    })
}

/// The first time after `at` that the clock shows this time of the day, in UTC.
fn next_digest(at: Timestamp, time: TimeDelta) -> Timestamp {
    let day = DAY.num_milliseconds();
    let midnight = at.millis() - at.millis().rem_euclid(day);
    let today = Timestamp::from_millis(midnight) + time;
    if today > at { today } else { today + DAY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_goes_out_at_the_next_time_of_its_hour() {
        let next = |at: &str| next_digest(at.parse().unwrap(), TimeDelta::hours(7)).short();
        assert_eq!(next("2026-11-25T06:59:59Z"), "2026-11-25T07:00:00Z");
        assert_eq!(next("2026-11-25T07:00:00Z"), "2026-11-26T07:00:00Z");
        assert_eq!(next("2026-12-31T23:00:00Z"), "2027-01-01T07:00:00Z");
    }
}
