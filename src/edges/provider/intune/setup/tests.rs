//! Profiles against a tenant that answers as Graph does.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::domain::model::{
    ComplianceState, DeviceId, DeviceSpec, Digest, GraphId, Platform, Profile, Status, Timestamp,
};
use crate::domain::plan::{Drift, DriftSubject};
use crate::domain::provider_settings::Assign;
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{Compliance, Device, LastPush, Manifest, PushState, Sparse, State};
use crate::edges::provider::effect::{Prepared, ProfileSetup};
use crate::edges::provider::intune::provider::Inner;
use crate::edges::provider::intune::testing::{Tenant, World, device, user};

const LINEAGE: uuid::Uuid = uuid::Uuid::from_u128(7);

fn profile(name: &str, platforms: &[&str], intune: Value) -> Arc<Profile> {
    Arc::new(
        serde_json::from_value(json!({
            "name": name, "description": "", "platforms": platforms, "apps": [], "settings": {},
            "licenses": ["SPE_E3"], "digest": Digest::of(name.as_bytes()),
            "compliance": {
                "minimumOsVersion": {"windows": "10.0.26100"},
                "encryption": {"required": true},
                "screenLock": {"required": true, "minPinLength": 8},
            },
            "intune": intune,
        }))
        .unwrap(),
    )
}

fn managed(group: &str, more: Value) -> Value {
    let mut intune = json!({"group": group, "compliancePolicy": "managed"});
    intune.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    intune
}

fn standard() -> Arc<Profile> {
    profile("Standard", &["windows"], managed("g-1", json!({})))
}

fn tenant(groups: &[&str]) -> Tenant {
    let groups = groups.iter().map(|group| ((*group).to_owned(), Default::default())).collect();
    Tenant { groups, ..Tenant::default() }
}

async fn prepare(
    provider: &Inner,
    profile: &Arc<Profile>,
    policies: &BTreeMap<Platform, GraphId>,
) -> Prepared {
    let (profile, policies) = (profile.clone(), policies.clone());
    let setup = ProfileSetup { intent: 7, ledger: Some(LINEAGE), profile, policies };
    provider.prepare(&setup).await.unwrap()
}

/// Prepares it where nothing goes wrong.
async fn prepared(provider: &Inner, profile: &Arc<Profile>) -> BTreeMap<Platform, GraphId> {
    let prepared = prepare(provider, profile, &BTreeMap::new()).await;
    assert_eq!(prepared.failed, None);
    prepared.policies
}

fn id(text: &str) -> GraphId {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_profile_gets_its_policies_once_and_then_nothing_is_written() {
    let world = World::new(tenant(&["g-1"]));
    let profile =
        profile("Executive", &["windows", "macos", "ios", "android"], managed("g-1", json!({})));
    let first = prepare(&world.provider(), &profile, &BTreeMap::new()).await;
    assert_eq!(first.failed, None);
    assert_eq!(first.policies.len(), 4);
    assert_eq!(first.written.len(), 8, "each is made and assigned: {:?}", first.written);
    assert!(first.written.iter().all(|line| line.contains("(client-request-id ")));
    let written = world.written();
    let (call, body) = &written[0];
    assert_eq!(call, "POST deviceManagement/deviceCompliancePolicies");
    assert_eq!(body["passwordMinimumLength"], json!(8));
    let actions = &body["scheduledActionsForRule"][0]["scheduledActionConfigurations"];
    assert_eq!(
        (&actions[0]["actionType"], &actions[0]["gracePeriodHours"]),
        (&json!("block"), &json!(24))
    );
    for known in [first.policies.clone(), BTreeMap::new()] {
        // Another process, with what the ledger knows, or without it.
        let again = prepare(&world.provider(), &profile, &known).await;
        assert_eq!((again.failed, again.policies), (None, first.policies.clone()));
        assert_eq!((again.written, world.wrote()), (Vec::new(), Vec::<String>::new()));
    }
}

#[tokio::test]
async fn what_somebody_changed_is_put_right_and_nothing_is_made_anew() {
    let world = World::new(tenant(&["g-1"]));
    let provider = world.provider();
    let policies = prepared(&provider, &standard()).await;
    world.written();
    {
        let mut tenant = world.tenant();
        tenant.policies[0]["passwordMinimumLength"] = json!(4);
        tenant.policies[0]["description"] = json!("mine now");
        tenant.policies[0]["secureBootEnabled"] = json!(true);
        tenant.rules.insert(
            "policy-0".into(),
            json!([{"scheduledActionConfigurations":
            [{"actionType": "block", "gracePeriodHours": 0}]}]),
        );
        tenant.assignments.clear();
    }
    let again = prepare(&provider, &standard(), &policies).await;
    assert_eq!((again.failed, again.written.len()), (None, 3));
    assert_eq!(
        world.wrote(),
        [
            "PATCH deviceManagement/deviceCompliancePolicies/policy-0",
            "POST deviceManagement/deviceCompliancePolicies/policy-0/scheduleActionsForRules",
            "POST deviceManagement/deviceCompliancePolicies/policy-0/assign",
        ]
    );
    assert_eq!(world.tenant().policies[0]["secureBootEnabled"], json!(true), "not ours");
    assert_eq!(prepare(&provider, &standard(), &policies).await.written, Vec::<String>::new());
}

#[tokio::test]
async fn a_policy_whose_making_was_not_answered_is_found_and_not_made_twice() {
    let world = World::new(Tenant { lost: Some("deviceCompliancePolicies"), ..tenant(&["g-1"]) });
    let policies = prepared(&world.provider(), &standard()).await;
    assert_eq!(policies, [(Platform::Windows, id("policy-0"))].into());
    assert_eq!(world.tenant().policies.len(), 1);
}

#[tokio::test]
async fn a_policy_that_is_not_to_be_seen_yet_is_not_made_twice() {
    let world = World::new(tenant(&["g-1"]));
    let provider = world.provider();
    let policies = prepared(&provider, &standard()).await;
    let hidden = std::mem::take(&mut world.tenant().policies);
    world.written();
    for known in [policies.clone(), BTreeMap::new()] {
        let failed = prepare(&provider, &standard(), &known).await.failed.unwrap();
        assert_eq!(failed.class, ErrorClass::Transient, "{failed}");
        assert_eq!(world.wrote(), Vec::<String>::new());
    }
    world.tenant().policies = hidden;
    assert_eq!(prepare(&provider, &standard(), &policies).await.failed, None);
}

#[tokio::test]
async fn of_two_policies_with_our_mark_none_is_chosen_but_by_the_ledger() {
    let world = World::new(tenant(&["g-1"]));
    let policies = prepared(&world.provider(), &standard()).await;
    {
        let mut tenant = world.tenant();
        let mut copy = tenant.policies[0].clone();
        copy["id"] = json!("copy");
        tenant.policies.push(copy);
        let rules = tenant.rules["policy-0"].clone();
        tenant.rules.insert("copy".into(), rules);
    }
    world.written();
    let failed = prepare(&world.provider(), &standard(), &BTreeMap::new()).await.failed.unwrap();
    assert!(failed.message.contains("policy-0, copy"), "{failed}");
    assert_eq!(prepare(&world.provider(), &standard(), &policies).await.failed, None);
    assert_eq!(world.wrote(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_listed_is_assigned_beside_the_assignments_of_others() {
    let other = json!({"id": "x_other", "intent": "available", "settings": {"a": 1}, "target":
        {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": "other"}});
    let world = World::new(Tenant {
        assignments: [
            ("deviceManagement/configurationPolicies/c-1".to_owned(), vec![other.clone()]),
            ("deviceManagement/deviceConfigurations/c-2".to_owned(), vec![other.clone()]),
            ("deviceAppManagement/mobileApps/a-1".to_owned(), vec![other.clone()]),
        ]
        .into(),
        ..tenant(&["g-1"])
    });
    let intune = json!({"group": "g-1", "compliancePolicy": "existing",
        "configurationPolicies": ["c-1", "c-2"], "apps": ["a-1"]});
    let profile = profile("Standard", &["windows"], intune);
    let provider = world.provider();
    let first = prepare(&provider, &profile, &BTreeMap::new()).await;
    assert_eq!((first.failed, first.written.len()), (None, 3));
    assert_eq!(
        world.wrote(),
        [
            "POST deviceManagement/configurationPolicies/c-1/assign",
            "POST deviceManagement/deviceConfigurations/c-2/assign",
            "POST deviceAppManagement/mobileApps/a-1/assignments",
        ],
        "and no compliance policy"
    );
    for all in world.tenant().assignments.values() {
        assert_eq!((all.len(), &all[0]), (2, &other));
        assert_eq!(all[1]["target"]["groupId"], json!("g-1"));
    }
    assert_eq!(prepare(&provider, &profile, &BTreeMap::new()).await.written, Vec::<String>::new());
}

#[tokio::test]
async fn an_assignment_that_was_not_answered_is_read_and_not_written_twice() {
    let world = World::new(Tenant {
        assignments: [("deviceAppManagement/mobileApps/a-1".to_owned(), Vec::new())].into(),
        lost: Some("a-1/assignments"),
        ..tenant(&["g-1"])
    });
    let intune = json!({"group": "g-1", "compliancePolicy": "none", "apps": ["a-1"]});
    let profile = profile("Standard", &["windows"], intune);
    let prepared = prepare(&world.provider(), &profile, &BTreeMap::new()).await;
    assert_eq!(prepared.failed, None);
    assert!(prepared.written[0].ends_with(", not answered)"), "{:?}", prepared.written);
    assert_eq!(world.wrote(), ["POST deviceAppManagement/mobileApps/a-1/assignments"]);
}

#[tokio::test]
async fn what_one_part_lacks_harms_no_other_and_is_said() {
    let world = World::new(tenant(&["g-1"]));
    let more = json!({"apps": ["gone"], "configurationPolicies": ["lost"]});
    let profile = profile("Standard", &["windows"], managed("g-1", more));
    let prepared = prepare(&world.provider(), &profile, &BTreeMap::new()).await;
    let failed = prepared.failed.unwrap();
    assert_eq!((prepared.policies.len(), prepared.written.len()), (1, 2));
    assert_eq!(failed.class, ErrorClass::Permanent);
    for text in ["no configuration policy lost", "no app gone", "spec.intune.apps"] {
        assert!(failed.message.contains(text), "{failed}");
    }
}

#[tokio::test]
async fn a_profile_without_a_group_says_what_to_add() {
    let world = World::new(tenant(&[]));
    let setup = |profile: &Arc<Profile>| ProfileSetup {
        intent: 7,
        ledger: Some(LINEAGE),
        profile: profile.clone(),
        policies: BTreeMap::new(),
    };
    let bare = Profile { intune: None, ..Profile::clone(&standard()) };
    for (profile, expected) in
        [(Arc::new(bare), "add `spec.intune.group`"), (standard(), "no group g-1")]
    {
        let error = world.provider().prepare(&setup(&profile)).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Permanent);
        assert!(error.message.contains(expected), "{error}");
    }
    assert_eq!(world.wrote(), Vec::<String>::new());
}

/// A device that has its profile.
fn recorded(serial: &str, user: &str, profile: &Profile) -> Device {
    let at = Timestamp::EPOCH;
    let spec: DeviceSpec = serde_json::from_value(json!({
        "name": serial.to_lowercase(), "serialNumber": serial,
        "userEmail": format!("{user}@example.com"), "profile": profile.name,
        "platform": "windows", "osVersion": "10.0.26100", "ownership": "corporate",
    }))
    .unwrap();
    Device {
        spec: Arc::new(spec),
        status: Status::Enrolled,
        status_since: at,
        status_reason: "".into(),
        enrollment: 1,
        manifest: Manifest { path: "d.yaml".into(), digest: Digest::ZERO },
        compliance: Compliance {
            state: ComplianceState::Unknown,
            since: at,
            checks: Sparse::default(),
        },
        push: LastPush { intent: 1, digest: Arc::new(profile.digest), progress: Sparse::default() },
        rare: Sparse::default(),
        licenses: Sparse::default(),
        last_sync: None,
        facts: None,
        episode: None,
    }
}

fn state(
    profiles: &[&Arc<Profile>],
    policies: BTreeMap<Platform, GraphId>,
    devices: Vec<Device>,
) -> State {
    let mut state = State::default();
    state.lineage = Some(LINEAGE);
    state.profiles = profiles.iter().map(|one| (one.name.clone(), (*one).clone())).collect();
    if !policies.is_empty() {
        state.policies.insert(profiles[0].name.clone(), policies);
    }
    let mut next = DeviceId::FIRST;
    for device in devices {
        state.devices.insert(next, device);
        next = next.next();
    }
    state
}

/// A look at all devices, of which none is recorded.
async fn look(provider: &Inner) {
    let observed = provider.observe(&State::default()).await.unwrap();
    assert_eq!((observed.complete, observed.troubles), (true, Vec::new()));
}

/// What changed, in words, with who did it.
async fn drift(
    provider: &Inner,
    state: &State,
    deep: bool,
) -> Vec<(String, String, Option<String>)> {
    let (drift, troubles) = provider.drift(state, deep).await;
    assert_eq!(troubles, Vec::new());
    let words = |Drift { subject, what, by, setting: _ }| match subject {
        DriftSubject::Profile(name) => (name.to_string(), what, by),
        DriftSubject::Device(serial) => (serial.to_string(), what, by),
    };
    drift.into_iter().map(words).collect()
}

#[tokio::test]
async fn what_somebody_changed_is_found_with_who_did_it_and_nothing_is_written() {
    let world = World::new(Tenant { users: vec![user("ana")], ..tenant(&["g-1"]) });
    let provider = world.provider();
    let policies = prepared(&provider, &standard()).await;
    world.tenant().groups.get_mut("g-1").unwrap().insert("id-ana".into());
    world.written();
    let state = state(&[&standard()], policies, vec![recorded("PF1", "ana", &standard())]);
    assert_eq!(drift(&provider, &state, true).await, []);
    {
        let mut tenant = world.tenant();
        tenant.policies[0]["passwordMinimumLength"] = json!(4);
        tenant.audit = vec![json!({"activityDateTime": "2026-11-26T09:00:00Z",
            "actor": {"userPrincipalName": "eve@example.com"},
            "resources": [{"resourceId": "policy-0"}]})];
    }
    let what = "the compliance policy for windows: passwordMinimumLength is 4, not 8";
    let changed = [("Standard".to_owned(), what.to_owned(), Some("eve@example.com".to_owned()))];
    assert_eq!(drift(&provider, &state, false).await, changed);
    {
        let mut tenant = world.tenant();
        tenant.assignments.clear();
        tenant.rules.insert("policy-0".into(), json!([]));
        tenant.groups.get_mut("g-1").unwrap().clear();
    }
    assert_eq!(drift(&provider, &state, false).await, changed, "not in depth");
    let words: Vec<String> =
        drift(&provider, &state, true).await.into_iter().map(|(_, what, _)| what).collect();
    assert_eq!(
        words,
        [
            what,
            "the compliance policy for windows: its grace period is not set, not 24h",
            "the compliance policy policy-0 is not assigned to group g-1 any more",
            "its user ana@example.com is not in group g-1 any more",
        ]
    );
    assert_eq!(world.wrote(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_gone_is_found() {
    let world = World::new(Tenant { users: vec![user("ana")], ..tenant(&["g-1"]) });
    let policies = prepared(&world.provider(), &standard()).await;
    world.tenant().groups.clear();
    world.tenant().policies.clear();
    let state = state(&[&standard()], policies, vec![recorded("PF1", "ana", &standard())]);
    let words: Vec<String> =
        drift(&world.provider(), &state, true).await.into_iter().map(|(_, what, _)| what).collect();
    assert_eq!(words, ["the compliance policy for windows is gone", "group g-1 is gone"]);
}

#[tokio::test]
async fn what_no_device_has_yet_did_not_drift() {
    let world = World::new(tenant(&["g-1"]));
    let mut device = recorded("PF1", "ana", &standard());
    device.push.progress.state = PushState::Intended;
    let policies = [(Platform::Windows, id("policy-0"))].into();
    let state = state(&[&standard()], policies, vec![device]);
    assert_eq!(drift(&world.provider(), &state, true).await, []);
}

#[tokio::test]
async fn a_log_that_cannot_be_read_hides_no_change() {
    let world = World::new(tenant(&["g-1"]));
    let policies = prepared(&world.provider(), &standard()).await;
    world.tenant().policies[0]["passwordRequired"] = json!(false);
    world.tenant().refused = Some(("auditEvents", 403));
    let state = state(&[&standard()], policies, vec![recorded("PF1", "ana", &standard())]);
    let (drift, troubles) = world.provider().drift(&state, false).await;
    assert_eq!(drift.len(), 1);
    assert!(troubles[0].help.contains("DeviceManagementApps.Read.All"), "{troubles:?}");
}

#[tokio::test]
async fn members_of_ours_in_a_group_of_another_profile_are_found_and_others_left_alone() {
    let existing = |group: &str| json!({"group": group, "compliancePolicy": "existing"});
    let standard = profile("Standard", &["windows"], existing("g-1"));
    let other = profile("Other", &["windows"], existing("g-2"));
    let (managed, entra) = device("PF1");
    let mut tenant = tenant(&["g-1", "g-2"]);
    tenant.users = vec![user("ana"), user("bob"), user("eve")];
    (tenant.managed, tenant.entra) = (vec![managed], vec![entra]);
    for (group, members) in
        [("g-1", &["id-ana", "id-bob", "id-eve"][..]), ("g-2", &["id-bob", "id-ana", "obj-PF1"])]
    {
        let members = members.iter().map(|id| (*id).to_owned()).collect();
        tenant.groups.insert(group.to_owned(), members);
    }
    let world = World::new(tenant);
    let provider = world.provider();
    look(&provider).await;
    // Bob has a device of each profile; Eve is nobody that Fleetform knows.
    let mut devices = vec![
        recorded("PF1", "ana", &standard),
        recorded("PF2", "Bob", &standard),
        recorded("PF3", "bob", &other),
    ];
    let both = state(&[&standard, &other], BTreeMap::new(), devices.clone());
    let ana = |what: &str| ("PF1".to_owned(), what.to_owned(), None);
    let expected = [
        ana("it is in group g-2, which is of another profile"),
        ana("its user ana@example.com is in group g-2, which is of another profile"),
    ];
    assert_eq!(drift(&provider, &both, true).await, expected);
    // What is about to be pushed is not put right by another push.
    devices[2].push.progress.state = PushState::Intended;
    let pending = state(&[&standard, &other], BTreeMap::new(), devices);
    assert_eq!(drift(&provider, &pending, true).await, expected);
}

#[tokio::test]
async fn a_device_that_joined_and_is_no_member_is_found_where_devices_are_assigned() {
    let existing = json!({"group": "g-1", "compliancePolicy": "existing"});
    let standard = profile("Standard", &["windows"], existing);
    let (_, entra) = device("PF1");
    let world = World::new(Tenant { entra: vec![entra], ..tenant(&["g-1"]) });
    let provider = world.provider_with(|settings| settings.assign = Assign::Devices);
    let devices = vec![recorded("PF1", "ana", &standard), recorded("PF2", "bob", &standard)];
    let state = state(&[&standard], BTreeMap::new(), devices);
    assert_eq!(drift(&provider, &state, true).await, [], "none has joined");
    world.tenant().managed = ["PF1", "PF2"].map(|serial| device(serial).0).to_vec();
    look(&provider).await;
    let missing = ("PF1".to_owned(), "it is not in group g-1".to_owned(), None);
    assert_eq!(
        drift(&provider, &state, true).await,
        [missing],
        "the other one is not in Entra yet"
    );
    world.tenant().groups.get_mut("g-1").unwrap().insert("obj-PF1".into());
    assert_eq!(drift(&provider, &state, true).await, []);
}
