//! Which devices a command is about, where it is about many.

use super::value::{Label, word};
use crate::domain::model::{ComplianceState, Platform, Status};
use crate::domain::selector::Selector;
use crate::ui::render::filter::Filter;

/// Devices for which all that is given holds.
#[derive(Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Filters {
    /// Devices of this user
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: Option<String>,
    /// Devices in this status
    #[arg(long, value_parser = word!(Status), ignore_case = true)]
    pub(crate) status: Option<Status>,
    /// Devices of this profile
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Devices with this compliance state
    #[arg(long, value_name = "STATE", value_parser = word!(ComplianceState), ignore_case = true)]
    pub(crate) compliance: Option<ComplianceState>,
    /// Devices of this platform
    #[arg(long, value_parser = word!(Platform), ignore_case = true)]
    pub(crate) platform: Option<Platform>,
    /// Devices with this label; may be repeated
    #[arg(long = "label", value_name = "K=V")]
    pub(crate) labels: Vec<Label>,
    /// Devices whose labels match this selector, as in kubectl: `site in (madrid,lisbon),!spare`
    #[arg(long, short = 'l', value_name = "SELECTOR")]
    pub(crate) selector: Option<Selector>,
    /// Devices whose manifest is gone
    #[arg(long)]
    pub(crate) orphaned: bool,
    /// Devices that have not reported for three sync intervals
    #[arg(long)]
    pub(crate) overdue: bool,
    /// Archived devices, which are otherwise hidden
    #[arg(long)]
    pub(crate) archived: bool,
}

impl Filters {
    /// What is not given admits all.
    pub(crate) fn filter(&self) -> Filter {
        let Self {
            user,
            status,
            profile,
            compliance,
            platform,
            labels,
            selector,
            orphaned,
            overdue,
            archived,
        } = self;
        let labels = labels.iter().map(|label| (label.key.clone(), label.value.clone()));
        Filter {
            user: user.clone(),
            status: *status,
            profile: profile.clone(),
            compliance: *compliance,
            platform: *platform,
            labels: labels.collect(),
            selector: selector.clone().unwrap_or_default(),
            orphaned: *orphaned,
            overdue: *overdue,
            archived: *archived,
        }
    }
}
