//! The configuration file as it is written.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use serde::Deserialize;

use super::access::WrittenAccess;
use super::notify::Notify;
use super::provider::{Provider, rules};
use super::settings::{Config, TrustPaths};
use super::values::{HostNames, Listen, Number, Quorum, Span, Text};
use crate::domain::manifest::strict_map::StrictMap;
use crate::domain::settings::{FreezeLimits, Settings, Wipes};

/// The file as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    fleet: Option<Text>,
    data: Option<Text>,
    provider: Provider,
    enrollment: StrictMap<Enrollment>,
    sync: StrictMap<Sync>,
    compliance: StrictMap<Compliance>,
    orphans: StrictMap<Orphans>,
    limits: StrictMap<WrittenLimits>,
    trust: StrictMap<WrittenTrust>,
    wipes: StrictMap<WrittenWipes>,
    http: StrictMap<Http>,
    access: WrittenAccess,
    notify: Notify,
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
    settle: Option<Span<0>>,
    unknown_after: Option<Span<1>>,
}
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Orphans {
    archive_after: Option<Span<1>>,
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
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Http {
    listen: Option<Listen>,
    token_file: Option<Text>,
    names: Option<HostNames>,
}

impl Written {
    pub(super) fn into_config(self, base: &Path) -> Config {
        let Self {
            fleet,
            data,
            provider,
            enrollment: StrictMap(enrollment),
            sync: StrictMap(sync),
            compliance: StrictMap(compliance),
            orphans: StrictMap(orphans),
            limits: StrictMap(limits),
            trust: StrictMap(trust),
            wipes: StrictMap(wipes),
            http: StrictMap(http),
            access,
            notify,
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
            archive_after: orphans.archive_after.map(|Span(span)| span),
            settle: span(compliance.settle, default.settings.settle),
            unknown_after: span(compliance.unknown_after, default.settings.unknown_after),
            limits: limits.over(default.settings.limits),
            wipes: wipes.over(default.settings.wipes),
            provider: default.settings.provider,
        };
        let provider = provider.into_settings(base, settings.block_after);
        let settings = Settings { provider: rules(&provider), ..settings };
        Config {
            fleet: path(fleet).unwrap_or_else(|| beside(default.fleet)),
            data_is_named: data.is_some(),
            data: path(data).unwrap_or_else(|| beside(default.data)),
            provider,
            settings,
            trust: TrustPaths {
                allowed_signers: path(trust.allowed_signers),
                revoked_keys: path(trust.revoked_keys),
            },
            http_listen: http.listen.map(|Listen(address)| address),
            http_token_file: path(http.token_file),
            digest: default.digest,
            access: access.into_access(base),
            http_names: http.names.map(|HostNames(names)| names).unwrap_or_default(),
            index: default.index,
            notify: notify.into_settings(base),
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
