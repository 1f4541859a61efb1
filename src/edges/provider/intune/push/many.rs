//! A push, from one end to the other.

use super::groups::Groups;
use super::identifier::Identifier;
use super::lookups::Lookups;
use super::one::Pushing;
use super::staging::{Way, way};
use crate::domain::model::GraphId;
use crate::edges::provider::effect::Push;
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::graph::Call;
use crate::edges::provider::intune::provider::Inner;
use crate::edges::provider::intune::setup::no_group;

impl Inner {
    /// Makes devices get a profile; one outcome for each, in their order.
    pub(in crate::edges::provider::intune) async fn push(
        &self,
        push: &Push,
    ) -> Vec<Result<(), Error>> {
        let Push { intent, profile, targets } = push;
        let Some(intune) = profile.intune.as_deref() else {
            return vec![Err(no_group(&profile.name)); targets.len()];
        };
        let everyday = &self.connection.everyday;
        let mut lookups = Lookups::new(self, push).await;
        let ways: Vec<Result<Way, Error>> =
            targets.iter().map(|target| way(&target.spec, &lookups)).collect();
        let wanted: Vec<Identifier> = ways
            .iter()
            .filter_map(|way| match way {
                Ok(Way::Identifier(identifier)) => Some(identifier.clone()),
                _ => None,
            })
            .collect();
        lookups.search(everyday, &wanted).await;
        let mut pushing = Pushing {
            everyday,
            settings: &self.settings,
            profile,
            intune,
            lookups,
            groups: Groups::new(everyday, &self.settings.graph_url),
        };
        let (mut outcomes, mut changed) = (Vec::new(), Vec::new());
        for (target, way) in targets.iter().zip(ways) {
            let mut written = false;
            let outcome = match way {
                Ok(way) => pushing.one(target, way, &mut written).await,
                Err(error) => Err(error),
            };
            let record = pushing.lookups.managed(&target.spec.serial_number).ok();
            let record = record.and_then(|records| records.first());
            if let Some(record) = record {
                let news = self.recent().has_news_for(&profile.name, *intent, target.id);
                changed.extend((written || news).then(|| record.id.clone()));
            }
            outcomes.push(outcome);
        }
        self.come_by(&changed).await;
        outcomes
    }

    /// Asks devices to come by: they do so by themselves, only later, so that nothing depends on it.
    async fn come_by(&self, devices: &[GraphId]) {
        let call = |id: &GraphId| {
            Call::post_empty(format!("/deviceManagement/managedDevices/{id}/syncDevice"))
        };
        let answers = self.connection.everyday.batch(devices.iter().map(call).collect()).await;
        let failures: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
        if let Some(failure) = failures.first() {
            let devices = failures.len();
            tracing::info!(devices, %failure, "devices could not be asked to come by at once");
        }
    }
}
