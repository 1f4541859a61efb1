//! The sink `mail`.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::way::Way;
use crate::app::deliveries::{RecentlySent, Sink, Ticketed};
use crate::domain::model::{Email, Timestamp};
use crate::domain::notice::mail::{
    DeviceText, Extras, Letter, Pace, Part, Templates, first_id, group_id, jobs, obsolete, render,
    together,
};
use crate::domain::notice::{Attempt, Job, Topic};
use crate::domain::notify_settings::{AlertSettings, MailSettings};
use crate::domain::provider_settings::ProviderSettings;
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::state::event::Entry;
use crate::edges::notify::mail::{Composed, Mail, UnusableTemplates, compose, templates};
use crate::edges::provider::intune::InvalidConnection;

/// In the log, and in the name of the checkpoint.
const NAME: &str = "mail";

/// Why there can be no mails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoMail {
    #[error(transparent)]
    Templates(#[from] UnusableTemplates),
    #[error(transparent)]
    Connection(#[from] InvalidConnection),
}

/// Writes to users and administrators.
pub(crate) struct MailSink {
    settings: MailSettings,
    /// Who gets alerts.
    alerts: Vec<Email>,
    /// Who gets a test.
    testers: Vec<Email>,
    templates: Templates,
    way: Way,
    pace: Mutex<Pace>,
    now: fn() -> Timestamp,
}

impl MailSink {
    /// # Errors
    /// If the templates cannot be used, or mail is to go through a tenant that cannot be asked.
    pub(crate) fn new(
        settings: &MailSettings,
        alerts: &AlertSettings,
        provider: &ProviderSettings,
        now: fn() -> Timestamp,
    ) -> Result<Self, NoMail> {
        let sender = std::slice::from_ref(&settings.from.address);
        let testers = [&alerts.mail[..], &settings.it, sender];
        Ok(Self {
            alerts: alerts.mail.clone(),
            testers: testers.into_iter().find(|some| !some.is_empty()).unwrap_or_default().to_vec(),
            templates: templates(settings)?,
            way: Way::new(settings, provider, now)?,
            pace: Mutex::new(Pace::new(settings.per_hour, settings.per_user_per_hour)),
            settings: settings.clone(),
            now,
        })
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mail(&self, jobs: &[Job], recorded: &State) -> Result<Composed, Attempt> {
        let letters: Vec<Letter> = jobs
            .iter()
            .map(|job| letter(job).map(|letter| brought_up_to_date(job.topic, letter, recorded)))
            .collect::<Result<_, _>>()?;
        let mut parts: Vec<Part<'_>> = jobs
            .iter()
            .zip(&letters)
            .map(|(job, letter)| Part { topic: job.topic, at: job.at, letter })
            .collect();
        // An episode that began twice over while nothing could go out is still one.
        let mut told = BTreeSet::new();
        parts.retain(|part| {
            let device = part.letter.device.as_ref().filter(|_| part.letter.to_user);
            device.is_none_or(|device| told.insert((part.topic, device.id)))
        });
        let MailSettings { from, reply_to, contact, help_url, .. } = &self.settings;
        let extras = Extras { contact: contact.clone(), help_url: help_url.clone() };
        let rendered = render(&self.templates, &parts, &extras).map_err(|error| {
            Attempt::Misconfigured { why: format!("notify.mail.templates: {error}") }
        })?;
        let Some(first) = letters.first() else {
            return Err(Attempt::Refused { why: "it delivers nothing".to_owned() });
        };
        let about = jobs.iter().zip(&letters);
        let references = about
            .filter_map(|(job, letter)| first_mail(job, letter, recorded, from.address.host()))
            .collect();
        // When it became due: the same again for a repeat.
        let at = jobs.iter().map(|job| job.not_before.unwrap_or(job.at)).max();
        compose(&Mail {
            from: from.clone(),
            reply_to: reply_to.clone(),
            to: first.to.clone(),
            id: group_id(jobs.iter().map(|job| job.id.as_str())),
            references,
            at: at.unwrap_or_else(self.now),
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
        })
    }

    async fn send(&self, jobs: &[Job], recorded: &State) -> Attempt {
        let mail = match self.mail(jobs, recorded) {
            Ok(mail) => mail,
            Err(attempt) => return attempt,
        };
        let (to, message_id) = (mail.to.clone(), mail.message_id.clone());
        let attempt = self.way.send(mail).await;
        match attempt {
            Attempt::Done { reference } => {
                self.pace().sent((self.now)(), to.as_str());
                let said = reference.map_or_else(String::new, |said| format!(" ({said})"));
                Attempt::Done { reference: Some(format!("{message_id}{said}")) }
            }
            // It may have arrived, so it counts.
            Attempt::InDoubt { why } => {
                self.pace().sent((self.now)(), to.as_str());
                Attempt::InDoubt { why }
            }
            other => other,
        }
    }
}

#[async_trait]
impl Sink for MailSink {
    fn name(&self) -> &str {
        NAME
    }

    fn jobs(&self, entry: &Entry, recorded: &State, settings: &Settings) -> Vec<Job> {
        jobs(entry, recorded, settings, &self.settings, &self.alerts)
    }

    fn obsolete(&self, job: &Job, recorded: &State) -> Option<String> {
        obsolete(job, &letter(job).ok()?, recorded)
    }

    fn together(&self, first: &Job, others: &[&Job]) -> Vec<usize> {
        let Ok(to) = letter(first) else { return Vec::new() };
        // Most are to others, and what cannot be read goes by itself, and says why.
        let same = others.iter().enumerate().filter(|(_, job)| address(job) == address(first));
        let letters: Vec<(usize, Topic, Letter)> =
            same.filter_map(|(at, job)| Some((at, job.topic, letter(job).ok()?))).collect();
        let candidates: Vec<_> =
            letters.iter().map(|(_, topic, letter)| (*topic, letter)).collect();
        let left = self.pace().left(to.to.as_str());
        let chosen = together((first.topic, &to), &candidates, left);
        chosen.into_iter().filter_map(|at| letters.get(at).map(|(at, ..)| *at)).collect()
    }

    fn recall(&self, sent: &RecentlySent) {
        self.pace().recall(sent.iter());
    }

    fn waits_until(&self, job: &Job, now: Timestamp) -> Option<Timestamp> {
        // Asked of each job that could go out: it is not read as a whole.
        let digest = job.payload.get("digest").and_then(serde_json::Value::as_bool);
        self.pace().waits_until(address(job)?, digest.unwrap_or(false), job.topic, now)
    }

    fn recipient(&self, jobs: &[Job]) -> Option<String> {
        jobs.first().and_then(address).map(str::to_owned)
    }

    async fn deliver(
        &self,
        jobs: &[Job],
        recorded: &State,
        _doubt: bool,
    ) -> (Attempt, Option<Ticketed>) {
        // A mail that may have arrived has the same name again: who has it can tell.
        (self.send(jobs, recorded).await, None)
    }

    async fn test(&self) -> Attempt {
        let at = (self.now)();
        let mut last = Attempt::Refused { why: "there is no recipient".to_owned() };
        for to in &self.testers {
            let letter = Letter::to(to.clone(), &self.settings.language.default);
            let job = Job {
                id: format!("mail:test:{}", at.millis()),
                entry: 0,
                at,
                not_before: None,
                device: None,
                episode: None,
                topic: Topic::Test,
                payload: serde_json::to_value(letter).unwrap_or_default(),
            };
            last = self.send(&[job], &State::default()).await;
            if !matches!(last, Attempt::Done { .. }) {
                break;
            }
        }
        last
    }
}

/// To whom it goes.
fn address(job: &Job) -> Option<&str> {
    job.payload.get("to")?.as_str()
}

fn letter(job: &Job) -> Result<Letter, Attempt> {
    serde_json::from_value(job.payload.clone())
        .map_err(|error| Attempt::Refused { why: format!("what it tells cannot be read: {error}") })
}

/// The Message-ID of the first mail about the episode to the same person.
fn first_mail(job: &Job, letter: &Letter, recorded: &State, host: &str) -> Option<String> {
    let (opened, device) = (job.episode?, letter.device.as_ref()?);
    if letter.digest {
        return None;
    }
    let episode = recorded.devices.get(&device.id)?.episode.as_deref();
    let told = &episode.filter(|episode| episode.opened == opened)?.told;
    let user = letter.copy_of.as_ref().unwrap_or(&letter.to);
    let mails = told.iter().filter(|(key, told)| {
        let to = told.to.as_ref();
        key.starts_with("mail/") && to.is_some_and(|to| to.as_str() == user.as_str())
    });
    let first = mails.filter_map(|(_, told)| Some((told.at, told.reference.as_ref()?))).min()?.1;
    let alone = |to: &Email| format!("<{}@{host}>", first_id(recorded, opened, to));
    match &letter.copy_of {
        None => Some(first.to_string()),
        // Of copies the record says nothing; one that told of several devices has another name.
        Some(user) => (*first == alone(user)).then(|| alone(&letter.to)),
    }
}

/// What is told long after it was taken in says what the device fails now.
fn brought_up_to_date(topic: Topic, letter: Letter, recorded: &State) -> Letter {
    let late = matches!(topic, Topic::Reminder | Topic::Blocked) && !letter.digest;
    let device = letter.device.as_ref().filter(|_| late).map(|text| text.id);
    let known = device.and_then(|id| recorded.devices.get(&id).map(|device| (id, device)));
    match known {
        Some((id, device)) => {
            let text = DeviceText::failing(recorded, id, device);
            Letter { device: Some(text), ..letter }
        }
        None => letter,
    }
}
