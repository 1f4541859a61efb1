//! What the recorded state and the fleet directory offer for completion, read when it is asked
//! for and no longer than until the deadline.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, mpsc};
use std::time::Instant;

use clap::ColorChoice;
use clap_complete::engine::CompletionCandidate as Candidate;

use super::super::environment::Environment;
use super::super::global::{Global, LogFormat};
use super::super::process::start_threads;
use super::super::set;
use super::super::setup::load;
use crate::app::wiring;
use crate::domain::fleet::Desired;
use crate::domain::manifest::UnusableKind;
use crate::domain::manifest::finding::Code;
use crate::domain::model::{DesiredStatus, Ownership, Platform};
use crate::edges::config::Config;
use crate::edges::ledger::store::{Beginning, KnownName};
use crate::edges::source;

/// More than that is no help, and shells take seconds to lay it out.
pub(super) const MOST: usize = 1000;

/// What one question may need; each part is read at most once.
pub(super) struct Known {
    /// Set where a path is asked for.
    pub(crate) path: AtomicBool,
    /// Set where a name is asked for that only the fleet knows.
    pub(crate) asked: AtomicBool,
    config: Option<Config>,
    deadline: Instant,
    desired: OnceLock<Option<Desired>>,
}

#[derive(Default)]
struct Recorded {
    /// Id, name and serial number.
    devices: Vec<[String; 3]>,
    profiles: Vec<String>,
}

impl Known {
    /// With the global flags among `words`; where they name no configuration that can be used,
    /// nothing is known.
    pub(crate) fn new(words: &[OsString], deadline: Instant) -> Self {
        let global = Global {
            config: flag(words, "--config"),
            fleet: flag(words, "--fleet"),
            data: flag(words, "--data"),
            output: None,
            quiet: true,
            verbose: 0,
            color: ColorChoice::Never,
            log_format: LogFormat::Text,
        }
        .or(&Environment::of_process());
        Self {
            path: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            config: load(&global).ok().map(|loaded| loaded.config),
            deadline,
            desired: OnceLock::new(),
        }
    }

    /// Recorded devices of which a name begins with the word, and all recorded profiles; nothing
    /// where they could not all be looked at in time.
    fn recorded(&self, word: &str) -> Recorded {
        let mut found = Recorded::default();
        let whole = self.config.as_ref().and_then(|config| {
            let wanted = Beginning { word, most: MOST };
            wiring::ledger(config).names(wanted, self.deadline, &mut |name| match name {
                KnownName::Device { id, name, serial } => {
                    if [id, name, serial].iter().any(|value| begins(value, word)) {
                        found.devices.push([id.into(), name.into(), serial.into()]);
                    }
                }
                KnownName::Profile(name) => found.profiles.push(name.into()),
            })
        });
        if whole.is_some() { found } else { Recorded::default() }
    }

    /// Where it is read in time; a thread that is late ends with the process.
    fn desired(&self) -> Option<&Desired> {
        let read = || {
            let root = self.config.as_ref()?.fleet.clone();
            let (tell, told) = mpsc::channel();
            // A reading that ends after the deadline finds nobody waiting, and its result is dropped.
            start_threads().ok()?;
            let read = move || tell.send(source::load(&root)).is_ok();
            std::thread::Builder::new().spawn(read).ok()?;
            told.recv_timeout(self.deadline.saturating_duration_since(Instant::now())).ok()
        };
        self.desired.get_or_init(read).as_ref()
    }

    /// Recorded devices: by id, and by serial number and name once a letter is typed.
    pub(crate) fn devices(&self, word: &str) -> Vec<Candidate> {
        self.asked.store(true, Ordering::Relaxed);
        let devices = self.recorded(word).devices;
        let ids = devices.iter().map(|[id, name, serial]| said(id, &[name, serial]));
        if word.is_empty() {
            return ids.collect();
        }
        let serials = devices.iter().filter(|[.., serial]| is_word(serial));
        let serials = serials.map(|[id, name, serial]| said(serial, &[id, name]));
        let names = devices.iter().map(|[id, name, serial]| said(name, &[id, serial]));
        ids.chain(serials).chain(names).collect()
    }

    /// Manifests of devices, by serial number and name, and the ids of those recorded.
    pub(crate) fn manifests(&self, word: &str) -> Vec<Candidate> {
        // The recorded ones first: they are read in no time.
        let recorded = self.devices(word);
        let Some(desired) = self.desired() else { return recorded };
        let devices = desired.devices.iter().map(|device| &device.spec);
        let valid = devices.map(|spec| (spec.serial_number.as_str(), spec.name.as_str()));
        let damaged = desired.unusable.iter().filter_map(|damaged| match &damaged.what {
            UnusableKind::Device { serial: Some(serial), name: Some(name) }
            | UnusableKind::ProfileOf { serial, name, .. } => {
                Some((serial.as_str(), name.as_str()))
            }
            _ => None,
        });
        let written = valid.chain(damaged);
        let mut found = recorded;
        for (serial, name) in written {
            found.push(said(name, &[serial]));
            if !word.is_empty() && is_word(serial) {
                found.push(said(serial, &[name]));
            }
        }
        found.sort_by(|a, b| a.get_value().cmp(b.get_value()));
        found.dedup_by(|a, b| a.get_value() == b.get_value());
        found
    }

    /// Names of profiles, written or recorded.
    pub(crate) fn profiles(&self, _: &str) -> Vec<Candidate> {
        self.asked.store(true, Ordering::Relaxed);
        let mut names = self.recorded("").profiles;
        if let Some(desired) = self.desired() {
            names.extend(desired.profiles.keys().map(ToString::to_string));
        }
        names.sort();
        names.dedup();
        names.into_iter().map(Candidate::new).collect()
    }

    /// `FIELD=` and, behind the sign, the words that the field takes.
    pub(crate) fn fields(&self, word: &str) -> Vec<Candidate> {
        let Some((field, _)) = word.split_once('=') else {
            let sign = |field: &str| if field.ends_with('.') { "" } else { "=" };
            return set::fields().map(|f| Candidate::new(format!("{f}{}", sign(&f)))).collect();
        };
        let words = |words: &[&'static str]| words.iter().copied().map(Candidate::new).collect();
        let values: Vec<Candidate> = match field.trim_start_matches("spec.") {
            "status" => words(DesiredStatus::WORDS),
            "platform" => words(Platform::WORDS),
            "ownership" => words(Ownership::WORDS),
            "enrollment" => words(&["+1"]),
            "profile" => self.profiles(""),
            _ => Vec::new(),
        };
        values.into_iter().map(|value| value.add_prefix(format!("{field}="))).collect()
    }

    /// Codes of findings.
    pub(crate) fn codes(&self, _: &str) -> Vec<Candidate> {
        let candidate = |code: &Code| said(code.as_str(), &[code.explain().title]);
        Code::ALL.iter().map(candidate).collect()
    }
}

/// Whether the value begins with the word, whatever its case.
pub(super) fn begins(value: &str, word: &str) -> bool {
    let start = value.as_bytes().get(..word.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether shells take a serial number for one word as it is; their devices are offered by id
/// and name in any case.
fn is_word(serial: &str) -> bool {
    !serial.contains([' ', ':'])
}

/// A candidate and, in a few words, what it is.
fn said(value: &str, about: &[&str]) -> Candidate {
    Candidate::new(value).help(Some(about.join(" ").into()))
}

/// The value of a global flag among words that need not make sense yet; the last one counts.
fn flag(words: &[OsString], name: &str) -> Option<PathBuf> {
    let (_, before) = words.split_last()?;
    let mut value = None;
    for (n, word) in before.iter().enumerate() {
        if word == name {
            value = before.get(n + 1).map(PathBuf::from);
        } else if let Some(given) = word.to_str().and_then(|word| word.strip_prefix(name)) {
            value = given.strip_prefix('=').map(PathBuf::from).or(value);
        }
    }
    value
}
