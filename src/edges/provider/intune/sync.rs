//! Devices are asked to come by now.

use super::connection::told;
use super::graph::Call;
use super::provider::Inner;
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::effect::Target;
use crate::edges::provider::error::Error;

impl Inner {
    /// Asks devices to sync; one outcome for each, in their order. Where Intune has several records of
    /// a serial number all of them are asked: it is harmless, and one of them is the device.
    pub(super) async fn sync(&self, targets: &[Target]) -> Vec<Result<(), Error>> {
        let records: Vec<Vec<_>> = {
            let memory = self.lock_memory();
            let of = |target: &Target| {
                memory.devices_of(&target.serial).iter().map(|device| device.id.clone()).collect()
            };
            targets.iter().map(of).collect()
        };
        let calls = records.iter().flatten().map(|id| {
            Call::post_empty(format!("/deviceManagement/managedDevices/{id}/syncDevice"))
        });
        let mut answers = self.connection.everyday.batch(calls.collect()).await.into_iter();
        let mut outcomes = Vec::with_capacity(targets.len());
        for (target, ids) in targets.iter().zip(&records) {
            let why = format!(
                "Intune has no device with serial number {}: it can be asked once it is enrolled",
                target.serial
            );
            let mut outcome = Err(Error::new(ErrorClass::Permanent, why));
            for answer in answers.by_ref().take(ids.len()) {
                match answer {
                    Ok(_) => outcome = Ok(()),
                    Err(failure) if outcome.is_err() => outcome = Err(told(&failure)),
                    Err(_) => {}
                }
            }
            outcomes.push(outcome);
        }
        outcomes
    }
}
