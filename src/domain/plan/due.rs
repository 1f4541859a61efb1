//! When time alone will change the plan: for whoever sleeps until then.

use super::archive::archives_at;
use super::inputs::Inputs;
use super::wipes::{CLOCK_BEHIND, WipeView};
use crate::domain::access::blocks_at;
use crate::domain::model::{ComplianceState, Status, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::{Device, WipeState};

/// The next moment after `inputs.now` at which planning again may give something else, though
/// nobody changed anything: an enrollment deadline, the end of a cooling off or of the wait for a
/// provider, the beginning or the end of a request's validity, the time at which a command that
/// no device confirmed is taken back, a quorum window that moves on, a clock that is behind, an
/// exemption that is no longer too far ahead, the moment at which a device is archived.
///
/// `devices` are those whose deadlines count, `wipes` is what the plan said of the requests. A
/// moment too early does no harm.
#[must_use]
pub fn next_due<'a>(
    inputs: &Inputs<'a>,
    devices: impl Iterator<Item = &'a Device> + Clone,
    wipes: &[WipeView],
) -> Option<Timestamp> {
    let Inputs { now, settings, desired, recorded, .. } = *inputs;
    let archives = settings
        .archive_after
        .into_iter()
        .flat_map(|_| devices.clone().filter_map(|device| archives_at(device, settings)));
    let active = devices.clone().filter(|device| device.is_active());
    let deadlines = active.filter_map(|device| deadline(device, settings, now)).min();
    let open = desired.wipes.iter().filter(|file| {
        let known = recorded.wipes.get(&file.request.digest);
        known.is_none_or(|wipe| wipe.state.is_open())
    });
    let validity = open.flat_map(|file| {
        // It still holds at the very moment of its expiry.
        let over = Timestamp::from_millis(file.request.expires_at.millis().saturating_add(1));
        [file.request.issued_at, over]
    });
    let issued = recorded.wipes.values().filter_map(|wipe| match wipe.state {
        WipeState::Accepted => wipe.issue_at,
        // Its command is then taken back.
        WipeState::Issued => {
            Some(Timestamp::from_millis(wipe.subject.expires_at.millis().saturating_add(1)))
        }
        _ => None,
    });
    let exemptions = desired.exemptions.values().map(|held| held.exemption.usable_from());
    let behind = wipes.iter().any(|view| view.code == CLOCK_BEHIND);
    deadlines
        .into_iter()
        .chain(archives)
        .chain(validity)
        .chain(issued)
        .chain(exemptions)
        .chain(wipes.iter().filter_map(|view| view.until))
        .chain(recorded.at.max(inputs.clock).filter(|_| behind))
        .filter(|at| *at > now)
        .min()
}

/// When time alone changes what becomes of a device, the next time after `now`.
fn deadline(device: &Device, settings: &Settings, now: Timestamp) -> Option<Timestamp> {
    let enrolls = (device.status == Status::Pending)
        .then(|| device.status_since + settings.enrollment_deadline);
    let blocks = device
        .failing_episode()
        .map(|episode| blocks_at(episode.since, device.spec.access.as_deref(), settings));
    let judged = device.status == Status::Enrolled && device.open_episode().is_none();
    // Later than that, not at that very moment.
    let gap = |since: Timestamp| {
        Timestamp::from_millis((since + settings.unknown_after).millis().saturating_add(1))
    };
    let silent = device.last_sync.filter(|_| judged).map(gap);
    let unknown = (judged && device.compliance.state == ComplianceState::Unknown)
        .then(|| gap(device.compliance.since.max(device.status_since)));
    [enrolls, blocks, silent, unknown].into_iter().flatten().filter(|at| *at > now).min()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::model::Place;
    use crate::domain::plan::tests::World;
    use crate::domain::plan::wipes::WipeStanding;

    fn next(world: &World, wipes: &[WipeView]) -> Option<Timestamp> {
        let inputs = world.inputs();
        next_due(&inputs, inputs.recorded.devices.values(), wipes)
    }

    fn minutes(world: &World, wipes: &[WipeView]) -> Option<i64> {
        let due = next(world, wipes)?;
        // What is years away comes of a silence that is never too long.
        Some((due - world.inputs().now).num_minutes()).filter(|minutes| *minutes < 1_000_000)
    }

    /// Devices whose silence is never too long.
    fn quiet(serials: &[&str]) -> World {
        let mut world = World::enrolled(serials);
        world.settings.unknown_after = TimeDelta::MAX;
        world
    }

    fn held(code: &str, until: Option<Timestamp>) -> WipeView {
        WipeView {
            subject: serde_json::from_value(serde_json::json!({
                "request": crate::domain::model::Digest::ZERO, "name": "x", "deviceId": "D001",
                "serialNumber": "A", "scope": "full", "reason": "lost",
                "requestedBy": "bo@example.com", "expiresAt": "2026-11-25T00:00:00Z",
            }))
            .unwrap(),
            place: Place { path: "x.yaml".into(), line: 1 },
            user: None,
            standing: WipeStanding::Held,
            new: false,
            code: code.into(),
            detail: String::new(),
            signers: vec![],
            needs: None,
            until,
        }
    }

    #[test]
    fn a_quiet_fleet_is_never_due() {
        assert_eq!(minutes(&quiet(&["A", "B"]), &[]), None);
    }

    #[test]
    fn a_block_and_silence_that_is_too_long_are_due() {
        let mut world = World::enrolled(&["A"]);
        world.settings.unknown_after = TimeDelta::hours(24);
        // It was heard from an hour ago.
        assert_eq!(minutes(&world, &[]), Some(23 * 60));
        world.hear("A", serde_json::json!({"encryption": {"enabled": false}}));
        world.settle();
        assert_eq!(minutes(&world, &[]), Some(24 * 60));
        world.now = world.now + TimeDelta::hours(24);
        assert!(!world.plan().actions.is_empty(), "it is due");
        world.settle();
        assert_eq!(minutes(&world, &[]), None);
    }

    #[test]
    fn a_cooling_off_or_a_window_that_moves_on_is_due() {
        let world = quiet(&["A"]);
        let after = |minutes| Some(world.now + TimeDelta::minutes(minutes));
        let wipes =
            [held("coolingOff", after(90)), held("overEveryTier", after(60)), held("x", None)];
        assert_eq!(minutes(&world, &wipes), Some(60));
        assert_eq!(minutes(&world, &[held("coolingOff", after(-1))]), None, "that is past");
    }

    #[test]
    fn the_first_enrolment_deadline_to_come_is_due() {
        let mut world = World::new(&["A", "B"]);
        world.pass();
        let begun = world.inputs().now;
        let due = next(&world, &[]).unwrap();
        let first = world.inputs().recorded.devices.values().map(|d| d.status_since).min();
        assert_eq!(due, first.unwrap() + TimeDelta::minutes(30));
        assert!(due > begun);
        // What is due now is the business of this plan, not of the next one.
        world.now = due;
        assert!(!world.plan().actions.is_empty(), "it is due");
        assert!(next(&world, &[]).is_none_or(|next| next > due));
        world.settle();
        assert_eq!(next(&world, &[]), None);
    }

    #[test]
    fn an_exemption_that_is_too_long_is_due_when_it_is_not() {
        let mut world = World::enrolled(&["A"]);
        let file = "apiVersion: fleetform/v1\nkind: Device\nmetadata: {name: a}\nspec: {serialNumber: A, \
                    userEmail: a@b.c, profile: P, osVersion: '1', access: {exemptUntil: UNTIL, reason: r}}\n\
                    ---\napiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: P}\nspec: {platforms: [ios]}\n";
        let file = file.replace("UNTIL", &(world.now + TimeDelta::days(31)).to_string());
        let parsed = crate::domain::manifest::parse_file(&"a.yaml".into(), file.as_bytes());
        world.desired = crate::domain::fleet::assemble([parsed]);
        assert_eq!(world.plan().findings.len(), 1, "it is a finding until then");
        assert_eq!(minutes(&world, &[]), Some(24 * 60));
        world.now = world.now + TimeDelta::days(1);
        assert_eq!((world.plan().findings.len(), minutes(&world, &[])), (0, None));
    }

    #[test]
    fn a_clock_that_is_behind_is_due_when_it_has_caught_up() {
        let mut world = quiet(&["A"]);
        let last = world.inputs().recorded.at.unwrap();
        world.now = last + TimeDelta::hours(-2);
        assert_eq!(minutes(&world, &[held(CLOCK_BEHIND, None)]), Some(120));
        assert_eq!(minutes(&world, &[]), None, "without a wipe it does not matter");
    }
}
