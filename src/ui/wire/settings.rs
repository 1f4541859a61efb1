//! The settings that verdicts depend on, as the daemon has them.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::domain::access::{Requirement, Resource, Rules, Users};
use crate::domain::settings::{
    DailyWipes, FreezeLimits, LicenseStart, ProviderRules, Settings, Wipes,
};
use crate::domain::wipe::quorum::{Tier, Tiers};

/// The path of the resource.
pub(crate) const PATH: &str = "/api/v1/settings";

/// The document; durations are in milliseconds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    version: u32,
    enrollment_deadline: i64,
    sync_interval: i64,
    block_after: i64,
    archive_after: Option<i64>,
    settle: i64,
    unknown_after: i64,
    max_removed_percent: u8,
    min_fleet: u64,
    wipes: WipesDocument,
    provider: ProviderDocument,
    /// Nothing where no resource asks for anything.
    #[serde(default)]
    access: Option<AccessDocument>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WipesDocument {
    require_head: bool,
    max_validity: i64,
    delay: i64,
    quorum: Vec<TierDocument>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TierDocument {
    up_to: u32,
    per: i64,
    signers: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProviderDocument {
    cannot_wipe: Option<String>,
    full_per_day: Option<usize>,
    selective_per_day: Option<usize>,
    #[serde(default)]
    licenses: Option<LicenseStart>,
    follows_users: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessDocument {
    resources: BTreeMap<String, ResourceDocument>,
    max_age: i64,
    help_url: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ResourceDocument {
    require: Vec<Requirement>,
    users: Users,
}

impl From<&Rules> for AccessDocument {
    fn from(Rules { resources, max_age, help_url }: &Rules) -> Self {
        let resource = |(name, Resource { require, users }): (&String, &Resource)| {
            (name.clone(), ResourceDocument { require: require.clone(), users: *users })
        };
        Self {
            resources: resources.iter().map(resource).collect(),
            max_age: max_age.num_milliseconds(),
            help_url: help_url.clone(),
        }
    }
}

impl Document {
    /// With what resources ask, where they ask for anything.
    pub(crate) fn new(settings: &Settings, access: Option<&Rules>) -> Self {
        let Settings {
            enrollment_deadline,
            sync_interval,
            block_after,
            archive_after,
            settle,
            unknown_after,
            limits: FreezeLimits { max_removed_percent, min_fleet },
            wipes: Wipes { require_head, max_validity, delay, quorum },
            provider: ProviderRules { cannot_wipe, per_day, licenses, follows_users },
        } = settings;
        let tier = |Tier { up_to, per, signers }: &Tier| TierDocument {
            up_to: *up_to,
            per: per.num_milliseconds(),
            signers: *signers,
        };
        Self {
            version: 1,
            enrollment_deadline: enrollment_deadline.num_milliseconds(),
            sync_interval: sync_interval.num_milliseconds(),
            block_after: block_after.num_milliseconds(),
            archive_after: archive_after.map(|span| span.num_milliseconds()),
            settle: settle.num_milliseconds(),
            unknown_after: unknown_after.num_milliseconds(),
            max_removed_percent: *max_removed_percent,
            min_fleet: *min_fleet,
            wipes: WipesDocument {
                require_head: *require_head,
                max_validity: max_validity.num_milliseconds(),
                delay: delay.num_milliseconds(),
                quorum: quorum.as_slice().iter().map(tier).collect(),
            },
            provider: ProviderDocument {
                cannot_wipe: cannot_wipe.clone(),
                full_per_day: per_day.map(|most| most.full),
                selective_per_day: per_day.map(|most| most.selective),
                licenses: *licenses,
                follows_users: *follows_users,
            },
            access: access.map(AccessDocument::from),
        }
    }

    /// What resources ask; `None` where it makes no sense, and an empty one where none asks.
    pub(crate) fn access(self) -> Option<Rules> {
        let AccessDocument { resources, max_age, help_url } = self.access.unwrap_or_default();
        let max_age = TimeDelta::try_milliseconds(max_age).filter(|_| max_age >= 0)?;
        let resource =
            |(name, ResourceDocument { require, users })| (name, Resource { require, users });
        Some(Rules { resources: resources.into_iter().map(resource).collect(), max_age, help_url })
    }

    /// What it says; `None` where it makes no sense.
    pub(crate) fn settings(self) -> Option<Settings> {
        let span = |millis: i64| TimeDelta::try_milliseconds(millis).filter(|_| millis >= 0);
        let tier = |TierDocument { up_to, per, signers }: &TierDocument| {
            Some(Tier { up_to: *up_to, per: span(*per)?, signers: *signers })
        };
        let quorum: Option<Vec<_>> = self.wipes.quorum.iter().map(tier).collect();
        let per_day = self.provider.full_per_day.zip(self.provider.selective_per_day);
        Some(Settings {
            enrollment_deadline: span(self.enrollment_deadline)?,
            sync_interval: span(self.sync_interval)?,
            block_after: span(self.block_after)?,
            archive_after: match self.archive_after {
                Some(millis) => Some(span(millis)?),
                None => None,
            },
            settle: span(self.settle)?,
            unknown_after: span(self.unknown_after)?,
            limits: FreezeLimits {
                max_removed_percent: self.max_removed_percent,
                min_fleet: self.min_fleet,
            },
            wipes: Wipes {
                require_head: self.wipes.require_head,
                max_validity: span(self.wipes.max_validity)?,
                delay: span(self.wipes.delay)?,
                quorum: Tiers::new(quorum?).ok()?,
            },
            provider: ProviderRules {
                cannot_wipe: self.provider.cannot_wipe,
                per_day: per_day.map(|(full, selective)| DailyWipes { full, selective }),
                licenses: self.provider.licenses,
                follows_users: self.provider.follows_users,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_as_they_were_sent() {
        let provider = ProviderRules {
            cannot_wipe: Some("no app".into()),
            per_day: Some(DailyWipes::INTUNE),
            licenses: Some(LicenseStart::Declared),
            follows_users: true,
        };
        let archive_after = Some(TimeDelta::days(90));
        for settings in
            [Settings::default(), Settings { provider, archive_after, ..Settings::default() }]
        {
            let text = serde_json::to_string(&Document::new(&settings, None)).unwrap();
            let back: Document = serde_json::from_str(&text).unwrap();
            assert_eq!(back.settings(), Some(settings));
        }
        let mut broken = Document::new(&Settings::default(), None);
        broken.wipes.quorum.clear();
        assert_eq!(broken.settings(), None);
    }

    #[test]
    fn what_resources_ask_comes_back_as_it_was_sent() {
        let sap = Resource {
            require: vec![Requirement::Enrolled, Requirement::Fresh],
            users: Users::Any,
        };
        let rules = Rules {
            resources: BTreeMap::from([("SAP".to_owned(), sap)]),
            max_age: TimeDelta::hours(16),
            help_url: Some("https://help.example.com".into()),
        };
        let back = |access: Option<&Rules>| {
            let text = serde_json::to_string(&Document::new(&Settings::default(), access)).unwrap();
            serde_json::from_str::<Document>(&text).unwrap().access()
        };
        assert_eq!(back(Some(&rules)), Some(rules));
        assert_eq!(back(None), Some(Rules::default()));
    }
}
