//! What comes of a device's status: by itself, by its manifest, or by what somebody does.

use super::license;
use super::why::{Urgency, Why};
use crate::domain::model::{DesiredStatus, Status};
use crate::domain::plan::HoldReason;

impl Why<'_> {
    /// What comes of its status, and what to do about that.
    pub(super) fn next_status(&self) -> (Urgency, String, Vec<String>) {
        let Self { device, settings, now, .. } = *self;
        let status = device.status;
        let invalid = |reason| self.find(reason).is_some();
        if status != Status::Enrolled && device.rare.unrequested_wipe.is_some() {
            let more = format!(" It stays {status} until enrollment is raised.");
            return (Urgency::Attention, more, vec![]);
        }
        if status != Status::Enrolled
            && (device.rare.orphaned_since.is_some()
                || invalid(HoldReason::ManifestInvalid)
                || invalid(HoldReason::ProfileInvalid))
        {
            let more = format!(" It stays {status} until it has a valid manifest.");
            return (Urgency::Attention, more, vec![]);
        }
        // Where nobody looked at the manifest, what is recorded of it counts.
        let said = |status: &DesiredStatus| {
            *device.status_reason == *format!("the manifest says {status}")
        };
        let recorded = DesiredStatus::ALL.iter().copied().find(said);
        let enrolls = invalid(HoldReason::AwaitingReport) || invalid(HoldReason::EnrollmentFailed);
        let declared = self.hindrance.declared.or(recorded.filter(|_| !enrolls));
        match declared {
            Some(declared) if declared.as_str() == status.as_str() => {
                let more = format!(
                    " The manifest declares it: the device stays {status}, also when it reports."
                );
                let advice = format!(
                    "To let it enroll: in your clone of the repository, fleetform set {} status=Enrolled, and have it merged.",
                    device.spec.name
                );
                return (Urgency::Normal, more, vec![advice]);
            }
            Some(declared) if self.hindrance.declared.is_some() => {
                let more = format!(
                    " The manifest declares {declared}: the next reconciliation changes it."
                );
                return (Urgency::Waiting, more, vec![]);
            }
            Some(_) | None => {}
        }
        match status {
            Status::Enrolled | Status::Wiped => (Urgency::Normal, String::new(), vec![]),
            Status::Pending => {
                let due = device.status_since + settings.enrollment_deadline;
                let failed = if due > now {
                    format!("without a report it becomes Failed at {}", due.short())
                } else {
                    let at = due.short();
                    format!("its deadline passed at {at}, so it becomes Failed if it does not")
                };
                let more = format!(" It enrolls when it reports for the first time; {failed}.");
                let advice = "Turn the device on and connect it to a network; enrolling takes 15 to 30 minutes.";
                (Urgency::Waiting, more, vec![advice.to_owned()])
            }
            Status::Failed => {
                let user = &device.spec.user_email;
                let licenses = license::since(device, device.status_since).map(|(sku, at)| {
                    let at = at.short();
                    format!("{user} has had license {sku} since {at}: have the device try to enroll again.")
                });
                let advice = [
                    "Check the network connectivity of the device.".to_owned(),
                    format!("Verify that the account of {user} is active."),
                    format!(
                        "To start the enrollment again: in your clone of the repository, fleetform set {} enrollment=+1, and have it merged.",
                        device.spec.name
                    ),
                ];
                let more = " It enrolls if the device reports after all.".to_owned();
                (Urgency::Attention, more, licenses.chain(advice).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::model::Timestamp;
    use crate::domain::settings::Settings;
    use crate::domain::state::Device;
    use crate::ui::render::hindrance::{Held, Hindrance};
    use crate::ui::render::testing::{now, state};

    /// What is said of D001 in this status, and the first advice.
    fn said(
        status: Status,
        hindrance: &Hindrance,
        change: impl FnOnce(&mut Device),
    ) -> (Urgency, String) {
        let mut state = state();
        let id = "D001".parse().unwrap();
        let device = state.devices.get_mut(&id).unwrap();
        device.status = status;
        device.status_since = now();
        device.status_reason = "provisioned".into();
        change(device);
        let device = &state.devices[&id];
        let settings = &Settings::default();
        let why = Why { state: &state, id, device, hindrance, settings, now: now() };
        let (standing, more, advice) = why.next_status();
        (standing, format!("{} | {}", more.trim(), advice.first().cloned().unwrap_or_default()))
    }

    fn held(reason: HoldReason) -> Hindrance {
        let held = Held { reason, detail: "…".into(), place: None };
        Hindrance { held: vec![held], ..Hindrance::default() }
    }

    fn declared(status: DesiredStatus) -> Hindrance {
        Hindrance { declared: Some(status), ..Hindrance::default() }
    }

    fn nothing(_: &mut Device) {}

    #[test]
    fn what_is_declared_stays_and_nothing_else_is_promised() {
        use {DesiredStatus as Want, Status as Is};
        let stays = |status| {
            format!(
                "The manifest declares it: the device stays {status}, also when it reports. | \
                 To let it enroll: in your clone of the repository, fleetform set ana-ruiz-laptop status=Enrolled, and have it merged."
            )
        };
        let by_manifest = |device: &mut Device| {
            device.status_reason = "the manifest says Pending".into();
        };
        let long_ago = |device: &mut Device| device.status_since = now() + TimeDelta::days(-1);
        for (at, want) in [(Is::Pending, Want::Pending), (Is::Failed, Want::Failed)] {
            let expected = (Urgency::Normal, stays(at));
            assert_eq!(said(at, &declared(want), nothing), expected);
            assert_eq!(said(at, &declared(want), long_ago), expected);
        }
        // Nobody looked at the manifest: the log has it.
        let expected = (Urgency::Normal, stays(Is::Pending));
        assert_eq!(said(Is::Pending, &Hindrance::default(), by_manifest), expected);
        // The manifest was changed since, and the device may enroll.
        let (_, text) = said(Is::Pending, &held(HoldReason::AwaitingReport), by_manifest);
        assert!(text.starts_with("It enrolls when it reports for the first time"), "{text}");
        for (at, want) in [
            (Is::Enrolled, Want::Pending),
            (Is::Enrolled, Want::Failed),
            (Is::Pending, Want::Failed),
            (Is::Failed, Want::Pending),
        ] {
            let text =
                format!("The manifest declares {want}: the next reconciliation changes it. | ");
            assert_eq!(said(at, &declared(want), nothing), (Urgency::Waiting, text));
        }
    }

    #[test]
    fn without_a_usable_manifest_no_status_moves() {
        let orphan = |device: &mut Device| device.rare.orphaned_since = Some(now());
        for status in [Status::Pending, Status::Failed] {
            let text = format!("It stays {status} until it has a valid manifest. | ");
            let expected = (Urgency::Attention, text);
            assert_eq!(said(status, &Hindrance::default(), orphan), expected);
            assert_eq!(said(status, &held(HoldReason::ManifestInvalid), nothing), expected);
            assert_eq!(said(status, &held(HoldReason::ProfileInvalid), nothing), expected);
        }
        let erased = |device: &mut Device| device.rare.unrequested_wipe = Some(now());
        let (_, text) = said(Status::Failed, &Hindrance::default(), erased);
        assert_eq!(text, "It stays Failed until enrollment is raised. | ");
    }

    #[test]
    fn a_deadline_that_passed_is_told_as_passed() {
        let since = |at: Timestamp| move |device: &mut Device| device.status_since = at;
        let enrolls = held(HoldReason::AwaitingReport);
        let (_, text) = said(Status::Pending, &enrolls, since(now() + TimeDelta::minutes(-29)));
        assert!(text.contains("; without a report it becomes Failed at 2026-"), "{text}");
        let (_, text) = said(Status::Pending, &enrolls, since(now() + TimeDelta::minutes(-31)));
        assert!(text.contains("; its deadline passed at 2026-"), "{text}");
    }
}
