//! `fleetform.yaml`: every setting, with a default that works (contract §5).
//!
//! Read strictly: what is misspelt, given twice or out of range is an error that says
//! where and what is allowed, never a default. Reads one file and no environment.
//!
//! A file that a merged change can write gives no rights: of one in the Git work tree that holds
//! the fleet directory only `fleet` counts, whatever symbolic links lead there.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use rustix::fs::{FileType, Mode, OFlags};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Unexpected, Visitor};

use crate::domain::manifest::encoding;
use crate::domain::manifest::strict_map::Object;
use crate::domain::model::{Digest, words};
use crate::domain::settings::{FreezeLimits, Settings, Wipes};
use crate::domain::state::event::{ConfigRights, QuorumTier};
use crate::domain::wipe::quorum::{Tier, Tiers};
use crate::edges::fs::work_tree::{self, Checkout};

/// Looked for in the working directory.
pub const FILE_NAME: &str = "fleetform.yaml";
/// A hundred times what anyone needs.
const FILE_LIMIT: u64 = 1 << 20;

words! {
    /// Which MDM holds the devices.
    ProviderKind { Local = "local" }
}

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The fleet directory.
    pub fleet: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// Whether somebody named it, so that it must hold a ledger.
    pub data_is_named: bool,
    /// `provider.kind`
    pub provider: ProviderKind,
    /// What decisions depend on.
    pub settings: Settings,
    /// Whose signatures count.
    pub trust: Trust,
    /// `http.listen`; without it nothing listens.
    pub http_listen: Option<SocketAddr>,
    /// `http.tokenFile`: what clients must know; needed beyond loopback.
    pub http_token_file: Option<PathBuf>,
    /// Of the file that this is from, where there is one.
    pub digest: Option<Digest>,
    /// `http.names`: host names that requests may ask for, beside those of loopback; as in a
    /// URL, without a port.
    pub http_names: Vec<String>,
}

/// Whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// OpenSSH's `allowed_signers`; without it every wipe is refused.
    pub allowed_signers: Option<PathBuf>,
    /// Keys that count no more.
    pub revoked_keys: Option<PathBuf>,
}

impl Trust {
    /// Whether a trust file of either kind is named.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        let Self { allowed_signers, revoked_keys } = self;
        allowed_signers.is_some() || revoked_keys.is_some()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fleet: "./fleet".into(),
            data: "./.fleetform".into(),
            data_is_named: false,
            provider: ProviderKind::Local,
            settings: Settings::default(),
            trust: Trust::default(),
            http_listen: None,
            http_token_file: None,
            digest: None,
            http_names: Vec::new(),
        }
    }
}

/// A configuration, and what of its file does not count.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Without what does not count.
    pub config: Config,
    /// Where the file may say less than it does.
    pub ignored: Option<Ignored>,
}

/// Settings that a merged change could have written, and that do not count for this reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is in the checkout {}, where a merged change can write it, so it must not set {}",
    path.display(),
    checkout.display(),
    keys.join(", ")
)]
pub struct Ignored {
    /// The configuration file.
    pub path: PathBuf,
    /// The top of the Git work tree, or the fleet directory.
    pub checkout: PathBuf,
    /// The keys, in the order of the alphabet.
    pub keys: Vec<String>,
}

impl Ignored {
    /// What to do about it.
    pub const HELP: &'static str = "keep these settings in a file outside of the checkout, such as \
        /etc/fleetform/fleetform.yaml, and name it with --config; in the checkout only `fleet` counts";
}

/// Why there is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// The file does not say what it may.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// The key, what is wrong with it, and what is allowed.
        message: String,
    },
    /// It gives rights, and a merged change could have written it.
    #[error("{0}; {help}", help = Ignored::HELP)]
    GivesRights(Ignored),
    /// Nobody knows whether a merged change could write the file.
    #[error("{}: cannot tell whether it lies in a Git work tree: {why}", path.display())]
    Place {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl Config {
    /// From the file named, which must exist; or else from `fleetform.yaml` in the working
    /// directory, where there is one; or else the defaults. `fleet` is the fleet directory where
    /// it is not the configuration that says so.
    ///
    /// # Errors
    /// If the file cannot be read, or says what it may not.
    pub fn load(explicit: Option<&Path>, fleet: Option<&Path>) -> Result<Loaded, Error> {
        let path = explicit.unwrap_or(Path::new(FILE_NAME));
        let Some(bytes) = read(path)? else {
            return match explicit {
                None => Ok(Loaded { config: Self::default(), ignored: None }),
                Some(_) => Err(Error::Unreadable {
                    path: path.into(),
                    why: "no such file; --config names a file that exists".into(),
                }),
            };
        };
        let config = Self::parse(&bytes, path)?;
        let fleet = fleet.unwrap_or(&config.fleet).to_owned();
        let Some(checkout) = checkout(path, &fleet, explicit.is_some())? else {
            return Ok(Loaded { config, ignored: None });
        };
        let keys = given(&bytes);
        if keys.is_empty() {
            return Ok(Loaded { config, ignored: None });
        }
        let base = path.parent().unwrap_or(Path::new(""));
        let config = Self { fleet: config.fleet, ..Written::default().into_config(base) };
        Ok(Loaded { config, ignored: Some(Ignored { path: path.into(), checkout, keys }) })
    }

    /// What it says about who may have devices wiped, and through which provider: for the log.
    #[must_use]
    pub fn rights(&self) -> ConfigRights {
        let Self { provider, settings, trust, digest, .. } = self;
        let Trust { allowed_signers, revoked_keys } = trust;
        // Taken apart whole, so that a new setting of wipes cannot be forgotten here.
        let Wipes { max_validity, delay, quorum, require_head } = &settings.wipes;
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let spelled = |span: &TimeDelta| {
            humantime::format_duration(span.to_std().unwrap_or_default()).to_string()
        };
        let tier = |Tier { up_to, per, signers }: &Tier| QuorumTier {
            per: spelled(per),
            signers: *signers,
            up_to: *up_to,
        };
        ConfigRights {
            allowed_signers: path(allowed_signers),
            delay: spelled(delay),
            digest: *digest,
            max_validity: spelled(max_validity),
            provider: provider.as_str().to_owned(),
            quorum: quorum.as_slice().iter().map(tier).collect(),
            require_head: *require_head,
            revoked_keys: path(revoked_keys),
        }
    }

    /// From the content of the file at `path`, whose directory is what paths are relative to.
    fn parse(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        if let Some(encoding) = encoding::wide(bytes) {
            let message = format!("the file is {encoding}, not UTF-8: {}", encoding::HELP);
            return Err(Error::Invalid { path: path.into(), line: 1, column: 1, message });
        }
        let written: Option<Object<Written>> = serde_yaml::from_slice(bytes).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let text = error.to_string();
            let place = format!(" at line {line} column {column}");
            let message = text.strip_suffix(&place).unwrap_or(&text);
            let message =
                message.chars().filter(|c| !crate::domain::model::is_deceptive(*c)).collect();
            Error::Invalid { path: path.into(), line, column, message }
        })?;
        let Object(written) = written.unwrap_or_default();
        let config = written.into_config(path.parent().unwrap_or(Path::new("")));
        Ok(Self { digest: Some(Digest::of(bytes)), ..config })
    }
}

/// The directory in which a merged change could have written the file at `path`. One that was not
/// named is not believed in any work tree: where the fleet is, it says itself.
fn checkout(path: &Path, fleet: &Path, named: bool) -> Result<Option<PathBuf>, Error> {
    let unknown =
        |error: std::io::Error| Error::Place { path: path.into(), why: error.to_string() };
    let around = Checkout::of(fleet).map_err(unknown)?;
    if let Some(reviewed) = around.holding(path).map_err(unknown)? {
        return Ok(Some(reviewed.path.clone()));
    }
    if named { Ok(None) } else { work_tree::holding(path).map_err(unknown) }
}

/// The keys that a valid file gives and that do not count in a checkout: all but `fleet`.
fn given(bytes: &[u8]) -> Vec<String> {
    let all: BTreeMap<String, serde_yaml::Value> =
        serde_yaml::from_slice(bytes).unwrap_or_default();
    let given = all.into_iter().filter(|(key, value)| key != "fleet" && !value.is_null());
    given.map(|(key, _)| key).collect()
}

/// The bytes of a regular file, or `None` where there is nothing.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let unreadable = |why: String| Error::Unreadable { path: path.into(), why };
    // Links are followed (it is the operator's own file, and mounted configuration comes as
    // links), but a FIFO must not hang the start.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(unreadable(std::io::Error::from(errno).to_string())),
    };
    let stat = rustix::fs::fstat(&file).map_err(|e| unreadable(e.to_string()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(unreadable("is not a regular file".into()));
    }
    let mut bytes = Vec::new();
    let read = File::from(file).take(FILE_LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|e| unreadable(e.to_string()))?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(unreadable(format!("is larger than {FILE_LIMIT} bytes")));
    }
    Ok(Some(bytes))
}

/// The file as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    fleet: Option<Text>,
    data: Option<Text>,
    provider: Object<Provider>,
    enrollment: Object<Enrollment>,
    sync: Object<Sync>,
    compliance: Object<Compliance>,
    limits: Object<WrittenLimits>,
    trust: Object<WrittenTrust>,
    wipes: Object<WrittenWipes>,
    http: Object<Http>,
}
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Provider {
    kind: Option<ProviderKind>,
}
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Enrollment {
    deadline: Option<Span<1>>,
}
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sync {
    interval: Option<Span<1>>,
}
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Compliance {
    block_after: Option<Span<1>>,
}
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct WrittenLimits {
    max_removed_percent: Option<Number<0, 100>>,
    min_fleet: Option<Number<0, { u32::MAX }>>,
}
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct WrittenTrust {
    allowed_signers: Option<Text>,
    revoked_keys: Option<Text>,
}
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct WrittenWipes {
    require_head: Option<bool>,
    max_validity: Option<Span<1>>,
    delay: Option<Span<0>>,
    quorum: Option<Quorum>,
}
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenTier {
    up_to: Number<1, { u32::MAX }>,
    per: Span<1>,
    signers: Number<1, { u32::MAX }>,
}
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Http {
    listen: Option<Listen>,
    token_file: Option<Text>,
    names: Option<HostNames>,
}

impl Written {
    fn into_config(self, base: &Path) -> Config {
        let Self {
            fleet,
            data,
            provider: Object(provider),
            enrollment: Object(enrollment),
            sync: Object(sync),
            compliance: Object(compliance),
            limits: Object(limits),
            trust: Object(trust),
            wipes: Object(wipes),
            http: Object(http),
        } = self;
        let default = Config::default();
        let path = |text: Option<Text>| text.map(|Text(text)| base.join(text));
        // As it is shown: `./fleet` beside the file in the working directory, else no dot.
        let beside = |path: PathBuf| {
            let here = base.as_os_str().is_empty();
            if here { path } else { base.join(path.strip_prefix(".").unwrap_or(&path)) }
        };
        let settings = Settings {
            enrollment_deadline: span(enrollment.deadline, default.settings.enrollment_deadline),
            sync_interval: span(sync.interval, default.settings.sync_interval),
            block_after: span(compliance.block_after, default.settings.block_after),
            limits: limits.over(default.settings.limits),
            wipes: wipes.over(default.settings.wipes),
        };
        Config {
            fleet: path(fleet).unwrap_or_else(|| beside(default.fleet)),
            data_is_named: data.is_some(),
            data: path(data).unwrap_or_else(|| beside(default.data)),
            provider: provider.kind.unwrap_or(default.provider),
            settings,
            trust: Trust {
                allowed_signers: path(trust.allowed_signers),
                revoked_keys: path(trust.revoked_keys),
            },
            http_listen: http.listen.map(|Listen(address)| address),
            http_token_file: path(http.token_file),
            digest: default.digest,
            http_names: http.names.map(|HostNames(names)| names).unwrap_or_default(),
        }
    }
}

impl WrittenLimits {
    fn over(self, default: FreezeLimits) -> FreezeLimits {
        let percent = self.max_removed_percent.and_then(|Number(n)| u8::try_from(n).ok());
        FreezeLimits {
            max_removed_percent: percent.unwrap_or(default.max_removed_percent),
            min_fleet: self.min_fleet.map_or(default.min_fleet, |Number(n)| n.into()),
        }
    }
}

impl WrittenWipes {
    fn over(self, default: Wipes) -> Wipes {
        Wipes {
            require_head: self.require_head.unwrap_or(default.require_head),
            max_validity: span(self.max_validity, default.max_validity),
            delay: span(self.delay, default.delay),
            quorum: self.quorum.map_or(default.quorum, |Quorum(tiers)| tiers),
        }
    }
}

fn span<const LEAST: i64>(written: Option<Span<LEAST>>, default: TimeDelta) -> TimeDelta {
    written.map_or(default, |Span(span)| span)
}

/// A path: a string that is one, neither a number nor empty.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Path;
        impl Visitor<'_> for Path {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path (quote it where it looks like something else)")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
                if text.is_empty() || text.contains('\0') {
                    return Err(E::invalid_value(Unexpected::Str(text), &self));
                }
                Ok(Text(text.into()))
            }
        }
        deserializer.deserialize_any(Path)
    }
}

/// A duration of at least `LEAST` milliseconds and at most a hundred years.
struct Span<const LEAST: i64>(TimeDelta);

impl<'de, const LEAST: i64> Deserialize<'de> for Span<LEAST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Duration<const LEAST: i64>;
        impl<const LEAST: i64> Visitor<'_> for Duration<LEAST> {
            type Value = Span<LEAST>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let least = if LEAST > 0 { "more than 0" } else { "0s or more" };
                write!(f, "a duration like 30m, 8h or 7d, {least}")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                humantime::parse_duration(text)
                    .ok()
                    .and_then(|duration| TimeDelta::from_std(duration).ok())
                    .filter(|span| span.num_milliseconds() >= LEAST)
                    // Added to a date it must stay one.
                    .filter(|span| span.num_days() <= 36_525)
                    .map(Span)
                    .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Duration)
    }
}

/// A whole number in bounds.
struct Number<const LEAST: u32, const MOST: u32>(u32);

impl<'de, const LEAST: u32, const MOST: u32> Deserialize<'de> for Number<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole<const LEAST: u32, const MOST: u32>;
        impl<const LEAST: u32, const MOST: u32> Visitor<'_> for Whole<LEAST, MOST> {
            type Value = Number<LEAST, MOST>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match MOST {
                    u32::MAX => write!(f, "a whole number of at least {LEAST}"),
                    _ => write!(f, "a whole number from {LEAST} to {MOST}"),
                }
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                u32::try_from(number)
                    .ok()
                    .filter(|n| (LEAST..=MOST).contains(n))
                    .map(Number)
                    .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
            }
        }
        deserializer.deserialize_any(Whole)
    }
}

/// An address to listen at.
struct Listen(SocketAddr);

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Address;
        impl Visitor<'_> for Address {
            type Value = Listen;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address and a port like 127.0.0.1:8080 or \"[::1]:8080\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Listen, E> {
                let address = text.parse().map(Listen);
                address.map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Address)
    }
}

/// Names of this server.
struct HostNames(Vec<String>);

impl<'de> Deserialize<'de> for HostNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = HostNames;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a list of host names or addresses as they stand in a URL, without a port, \
                     like [fleet.example.com, \"[fd00::7]\"]",
                )
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<HostNames, A::Error> {
                let mut names = Vec::new();
                while let Some(Text(name)) = seq.next_element()? {
                    if !is_host(&name) {
                        return Err(A::Error::invalid_value(Unexpected::Str(&name), &self));
                    }
                    names.push(name);
                }
                Ok(HostNames(names))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// A DNS name without a final dot, an IPv4 address, or an IPv6 address in brackets.
fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// The tiers, judged together.
struct Quorum(Tiers);

impl<'de> Deserialize<'de> for Quorum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Quorum;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of at least one tier {upTo, per, signers}")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Quorum, A::Error> {
                let mut tiers: Vec<Tier> = Vec::new();
                while let Some(Object(written)) = seq.next_element::<Object<WrittenTier>>()? {
                    let WrittenTier { up_to: Number(up_to), per: Span(per), signers } = written;
                    tiers.push(Tier { up_to, per, signers: signers.0 });
                }
                if tiers.is_empty() {
                    return Err(A::Error::invalid_length(0, &self));
                }
                Tiers::new(tiers).map(Quorum).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests;
