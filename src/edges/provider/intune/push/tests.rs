//! Pushes against a tenant that answers as Graph does.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::domain::model::{DeviceId, DeviceSpec, Digest, HardwareHash, Profile};
use crate::domain::provider_settings::Assign;
use crate::domain::state::State;
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::effect::{FormerUser, Left, ProfileSetup, Push, PushTarget};
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::provider::Inner;
use crate::edges::provider::intune::testing::{Tenant, World, device, user};

const HASH: &str = "T0FKASEAHAAAAAoAHgZhSgAAAAA";

fn profile(name: &str, group: &str) -> Arc<Profile> {
    Arc::new(
        serde_json::from_value(json!({
            "name": name, "description": "", "platforms": ["windows", "ios"], "apps": [],
            "settings": {}, "licenses": [], "compliance": {},
            "digest": Digest::of(name.as_bytes()),
            "intune": {"group": group, "compliancePolicy": "managed"},
        }))
        .unwrap(),
    )
}

fn target(id: u32, serial: &str, user: &str, more: Value) -> PushTarget {
    let mut spec = json!({
        "name": serial.to_lowercase(), "serialNumber": serial,
        "userEmail": format!("{user}@example.com"), "profile": "Standard",
        "platform": "ios", "osVersion": "18.0", "ownership": "corporate",
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let hash = spec["hardware"]["autopilotHash"].as_str().map(HardwareHash::new);
    let mut spec: DeviceSpec = serde_json::from_value(spec).unwrap();
    // As a manifest has it: what is read back from JSON is only its digest.
    if let Some(hardware) = &mut spec.hardware {
        hardware.autopilot_hash = hash;
    }
    PushTarget {
        id: format!("D{id:03}").parse::<DeviceId>().unwrap(),
        spec: Arc::new(spec),
        leaves: Vec::new(),
        former_users: Vec::new(),
    }
}

fn windows(hardware: Value) -> Value {
    json!({"platform": "windows", "osVersion": "10.0.26100", "hardware": hardware})
}

fn tenant(users: &[&str]) -> Tenant {
    Tenant {
        users: users.iter().map(|name| user(name)).collect(),
        groups: [("g-1".to_owned(), Default::default()), ("g-2".to_owned(), Default::default())]
            .into(),
        ..Tenant::default()
    }
}

fn enroll(tenant: &mut Tenant, serial: &str) {
    let (managed, entra) = device(serial);
    tenant.managed.push(managed);
    tenant.entra.push(entra);
}

async fn push(provider: &Inner, targets: &[PushTarget]) -> Vec<Result<(), Error>> {
    let profile = profile("Standard", "g-1");
    provider.push(&Push { intent: 7, profile, targets: targets.to_vec() }).await
}

/// Pushes where nothing goes wrong; what was written, and that a second time nothing is.
async fn pushed(world: &World, targets: &[PushTarget]) -> Vec<(String, Value)> {
    let provider = world.provider();
    assert_eq!(push(&provider, targets).await, vec![Ok(()); targets.len()]);
    let written = world.written();
    for provider in [provider, world.provider()] {
        assert_eq!(push(&provider, targets).await, vec![Ok(()); targets.len()]);
        assert_eq!(world.wrote(), Vec::<String>::new(), "a second time");
    }
    written
}

fn calls(written: &[(String, Value)]) -> Vec<&str> {
    written.iter().map(|(call, _)| &**call).collect()
}

const MEMBER: &str = "POST groups/g-1/members/$ref";
const IDENTIFIER: &str = "POST deviceManagement/importedDeviceIdentities/importDeviceIdentityList";
const IMPORT: &str = "POST deviceManagement/importedWindowsAutopilotDeviceIdentities/import";

#[tokio::test]
async fn a_new_phone_is_announced_and_its_user_put_into_the_group() {
    let world = World::new(tenant(&["ana"]));
    let written = pushed(&world, &[target(1, "F9.FX", "ana", json!({}))]).await;
    assert_eq!(calls(&written), [IDENTIFIER, MEMBER]);
    assert_eq!(
        written[0].1,
        json!({
            "importedDeviceIdentities": [{"importedDeviceIdentityType": "serialNumber",
                "importedDeviceIdentifier": "F9FX", "description": "Fleetform: f9.fx"}],
            "overwriteImportedDeviceIdentities": false,
        })
    );
    let address = written[1].1["@odata.id"].as_str().unwrap();
    assert!(address.ends_with("/v1.0/directoryObjects/id-ana"), "{address}");
}

#[tokio::test]
async fn somebodys_own_device_is_not_announced() {
    for more in [
        json!({"ownership": "personal"}),
        json!({"ownership": "personal", "platform": "windows", "hardware": {"autopilotHash": HASH}}),
    ] {
        let world = World::new(tenant(&["ana"]));
        assert_eq!(push(&world.provider(), &[target(1, "F9", "ana", more)]).await, [Ok(())]);
        assert_eq!(world.wrote(), [MEMBER]);
    }
}

#[tokio::test]
async fn a_computer_that_autopilot_knows_gets_its_user_and_profile_and_no_other_is_touched() {
    let registration = |id: &str, serial: &str, user: &str, tag: &str| json!({"id": id, "serialNumber": serial, "userPrincipalName": user, "groupTag": tag});
    let path = "POST deviceManagement/windowsAutopilotDeviceIdentities/r-1";
    let (assign, tag) =
        (format!("{path}/assignUserToDevice"), format!("{path}/updateDeviceProperties"));
    for (user, is, expected) in [
        ("", "", vec![assign.as_str(), &tag]),
        ("bob@example.com", "Standard", vec![&assign]),
        ("ANA@example.com", "Other", vec![&tag]),
        ("ana@example.com", "Standard", vec![]),
    ] {
        let world = World::new(Tenant {
            registrations: vec![
                registration("r-2", "XPF1", "", ""),
                registration("r-1", "pf1", user, is),
            ],
            ..tenant(&["ana"])
        });
        // A hash in the manifest is not needed then.
        let target = target(1, "PF1", "ana", windows(json!({"autopilotHash": HASH})));
        let written = pushed(&world, &[target]).await;
        let expected = [&expected[..], &[MEMBER]].concat();
        assert_eq!(calls(&written), expected, "{user} {is}");
        for (call, body) in written {
            if call == assign {
                let wanted =
                    json!({"userPrincipalName": "ana@example.com", "addressableUserName": "ANA"});
                assert_eq!(body, wanted);
            } else if call == tag {
                assert_eq!(body, json!({"groupTag": "Standard"}));
            }
        }
    }
}

#[tokio::test]
async fn a_hash_is_handed_in_once_whatever_becomes_of_the_answer() {
    let target = target(1, "PF1", "ana", windows(json!({"autopilotHash": HASH})));
    let world = World::new(tenant(&["ana"]));
    let written = pushed(&world, std::slice::from_ref(&target)).await;
    assert_eq!(calls(&written), [IMPORT, MEMBER]);
    assert_eq!(
        written[0].1["importedWindowsAutopilotDeviceIdentities"][0],
        json!({"serialNumber": "PF1", "productKey": "", "hardwareIdentifier": HASH,
            "groupTag": "Standard", "assignedUserPrincipalName": "ana@example.com"})
    );
    let world = World::new(Tenant { lost: Some("/import"), ..tenant(&["ana"]) });
    let provider = world.provider();
    let outcome = push(&provider, std::slice::from_ref(&target)).await.remove(0);
    let error = outcome.unwrap_err();
    assert_ne!(error.class, ErrorClass::Permanent);
    assert!(!format!("{error} {error:?}").contains(HASH));
    world.written();
    assert_eq!(push(&provider, &[target]).await, [Ok(())]);
    assert_eq!(world.wrote(), [MEMBER], "the import is there");
}

#[tokio::test]
async fn an_import_that_failed_is_made_again_in_its_place() {
    let failed = json!({"id": "i-1", "serialNumber": "PF1",
        "state": {"deviceImportStatus": "error", "deviceErrorName": "ZtdDeviceAlreadyAssigned"}});
    let world = World::new(Tenant { imports: vec![failed], ..tenant(&["ana"]) });
    let target = target(1, "PF1", "ana", windows(json!({"autopilotHash": HASH})));
    let written = pushed(&world, &[target]).await;
    let removed = "DELETE deviceManagement/importedWindowsAutopilotDeviceIdentities/i-1";
    assert_eq!(calls(&written), [removed, IMPORT, MEMBER]);
}

#[tokio::test]
async fn a_device_that_is_in_intune_is_taken_over_as_it_is_and_asked_to_come_by() {
    let mut tenant = tenant(&["ana"]);
    enroll(&mut tenant, "PF1");
    let world = World::new(tenant);
    // Its manifest would not be enough to announce it.
    let written = pushed(&world, &[target(1, "PF1", "ana", windows(Value::Null))]).await;
    let sync = "POST deviceManagement/managedDevices/md-PF1/syncDevice";
    assert_eq!(calls(&written), [MEMBER, sync]);
}

#[tokio::test]
async fn devices_come_by_once_for_what_changed_in_their_profile() {
    let mut tenant = tenant(&["ana"]);
    enroll(&mut tenant, "PF1");
    let world = World::new(tenant);
    let provider = world.provider();
    let targets = [target(1, "PF1", "ana", windows(Value::Null))];
    assert_eq!(push(&provider, &targets).await, [Ok(())]);
    world.written();
    let setup = ProfileSetup {
        intent: 7,
        ledger: Some(uuid::Uuid::nil()),
        profile: profile("Standard", "g-1"),
        policies: Default::default(),
    };
    assert_eq!(provider.prepare(&setup).await.unwrap().failed, None);
    world.written();
    assert_eq!(push(&provider, &targets).await, [Ok(())]);
    assert_eq!(world.wrote(), ["POST deviceManagement/managedDevices/md-PF1/syncDevice"]);
    assert_eq!(push(&provider, &targets).await, [Ok(())]);
    assert_eq!(world.wrote(), Vec::<String>::new());
}

#[tokio::test]
async fn what_one_device_lacks_harms_no_other() {
    let mut disabled = user("dan");
    disabled["accountEnabled"] = json!(false);
    let mut tenant = tenant(&["ana"]);
    tenant.users.push(disabled);
    let world = World::new(tenant);
    let targets = [
        target(1, "S1", "nobody", json!({})),
        target(3, "S3", "dan", json!({})),
        target(4, "S4", "ana", windows(Value::Null)),
        target(5, "S5", "ana", json!({})),
    ];
    let outcomes = push(&world.provider(), &targets).await;
    let expected = [
        Some((ErrorClass::Permanent, "there is no user nobody@example.com")),
        Some((ErrorClass::Transient, "is disabled")),
        Some((ErrorClass::Permanent, "hardware.autopilotHash")),
        None,
    ];
    for (outcome, expected) in outcomes.into_iter().zip(expected) {
        match (outcome, expected) {
            (Ok(()), None) => {}
            (Err(error), Some((class, text))) => {
                assert_eq!(error.class, class, "{error}");
                assert!(error.message.contains(text), "{error}");
            }
            (outcome, expected) => panic!("{outcome:?}, not {expected:?}"),
        }
    }
    assert_eq!(world.wrote(), [IDENTIFIER, MEMBER]);
}

#[tokio::test]
async fn a_device_becomes_a_member_itself_once_it_has_joined() {
    let world = World::new(tenant(&["ana"]));
    let provider = world.provider_with(|settings| settings.assign = Assign::Devices);
    let targets = [target(1, "F9", "ana", json!({}))];
    assert_eq!(push(&provider, &targets).await, [Ok(())]);
    assert_eq!(world.wrote(), [IDENTIFIER]);
    enroll(&mut world.tenant(), "F9");
    assert_eq!(push(&provider, &targets).await, [Ok(())]);
    let sync = "POST deviceManagement/managedDevices/md-F9/syncDevice";
    assert_eq!(world.wrote(), [MEMBER, sync]);
    assert!(world.tenant().groups["g-1"].contains("obj-F9"));
}

#[tokio::test]
async fn who_has_a_profile_no_more_leaves_its_group_and_nobody_else_does() {
    let mut tenant = tenant(&["ana", "bob", "eve"]);
    enroll(&mut tenant, "F9");
    for name in ["id-ana", "id-bob", "id-eve", "obj-F9"] {
        for group in ["g-1", "g-2"] {
            tenant.groups.get_mut(group).unwrap().insert(name.to_owned());
        }
    }
    let other = profile("Other", "g-2");
    let shared = profile("Shared", "g-1");
    let gone = profile("Gone", "g-3");
    for (user, former, left) in [
        (true, None, vec!["id-ana", "obj-F9"]),
        (false, None, vec!["obj-F9"]),
        (false, Some("bob"), vec!["obj-F9", "id-bob"]),
        (false, Some("nobody"), vec!["obj-F9"]),
    ] {
        let world = World::new(Tenant {
            users: tenant.users.clone(),
            managed: tenant.managed.clone(),
            entra: tenant.entra.clone(),
            groups: tenant.groups.clone(),
            ..Tenant::default()
        });
        let mut target = target(1, "F9", "ana", json!({}));
        let leaving = [&other, &shared, &gone];
        target.leaves = leaving.iter().map(|one| Left { profile: (*one).clone(), user }).collect();
        let former = former.map(|name| FormerUser {
            email: format!("{name}@example.com").parse().unwrap(),
            leaves: vec![other.clone()],
        });
        target.former_users = former.into_iter().collect();
        let written = pushed(&world, &[target]).await;
        let removed: Vec<String> =
            left.iter().map(|id| format!("DELETE groups/g-2/members/{id}/$ref")).collect();
        let sync = "POST deviceManagement/managedDevices/md-F9/syncDevice";
        let mut expected: Vec<&str> = removed.iter().map(String::as_str).collect();
        expected.push(sync);
        assert_eq!(calls(&written), expected);
    }
}

#[tokio::test]
async fn whoever_is_a_member_already_needs_no_second_try() {
    let mut tenant = tenant(&["ana"]);
    // The list of members lags behind.
    tenant.identifiers.insert("F9".into());
    let world = World::new(Tenant { lost: Some("members/$ref"), ..tenant });
    assert_eq!(push(&world.provider(), &[target(1, "F9", "ana", json!({}))]).await, [Ok(())]);
    assert_eq!(world.wrote(), [MEMBER, MEMBER], "the first was not answered");
}

#[tokio::test]
async fn what_can_pass_is_tried_again_later() {
    for (end, status) in [("members/$ref", 404), ("members/$ref", 403)] {
        let world = World::new(Tenant { refused: Some((end, status)), ..tenant(&["ana"]) });
        let provider = world.provider();
        let targets = [target(1, "F9", "ana", json!({}))];
        let error = push(&provider, &targets).await.remove(0).unwrap_err();
        assert_eq!(error.class, ErrorClass::Transient, "{end} {status}: {error}");
        assert_eq!(push(&provider, &targets).await, [Ok(())], "{end} {status}");
    }
}

#[tokio::test]
async fn many_devices_are_looked_up_together() {
    let names: Vec<String> = (0..30).map(|n| format!("u{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut tenant = tenant(&names);
    let targets: Vec<PushTarget> = names
        .iter()
        .zip(1..)
        .map(|(name, id)| target(id, &format!("S{id}"), name, json!({})))
        .collect();
    for target in &targets {
        tenant.identifiers.insert(target.spec.serial_number.as_str().to_owned());
    }
    let ids = tenant.users.iter().map(|user| user["id"].as_str().unwrap().to_owned());
    tenant.groups.insert("g-1".into(), ids.collect());
    let world = World::new(tenant);
    assert_eq!(push(&world.provider(), &targets).await, vec![Ok(()); 30]);
    assert_eq!(world.wrote(), Vec::<String>::new());
    // Two batches of users, two of devices, identifiers, members.
    assert_eq!(world.calls(), 6);
}

#[tokio::test]
async fn what_the_last_look_saw_is_not_asked_again() {
    let mut tenant = tenant(&["ana"]);
    enroll(&mut tenant, "PF1");
    tenant.groups.get_mut("g-1").unwrap().insert("id-ana".into());
    let world = World::new(tenant);
    let provider = world.provider();
    provider.observe(&State::default()).await.unwrap();
    let before = world.calls();
    let targets = [target(1, "PF1", "ana", windows(Value::Null))];
    assert_eq!(push(&provider, &targets).await, [Ok(())]);
    // The user, members.
    assert_eq!(world.calls() - before, 2);
}
