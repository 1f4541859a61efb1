//! Users who lost a license, in a tenant that answers as Graph does.

use serde_json::{Value, json};

use super::FEW;
use crate::domain::model::{DeviceId, Digest};
use crate::domain::provider_settings::LicenseAssignment;
use crate::domain::state::State;
use crate::domain::state::event::{Entry, Event, Source};
use crate::edges::provider::intune::provider::Inner;
use crate::edges::provider::intune::testing::{Tenant, World, now, sku, user};
use crate::edges::provider::observed::Observed;

fn log(state: &mut State, kind: &str, device: Option<DeviceId>, data: &Value) {
    let event = Event::parse(kind, &data.to_string()).unwrap();
    let (seq, actor) = (state.seq + 1, "test".into());
    let source = Source { path: "a.yaml".into(), digest: Digest::ZERO, revision: None };
    let source = device.map(|_| source);
    let entry = Entry { seq, at: now(), device, actor, source, event };
    state.fold(&entry, Digest::ZERO).unwrap();
}

/// A device of each of these users, who has SPE_E3 by the last of these kinds of entries.
fn recorded(users: &[(String, &str)]) -> State {
    let mut state = State::default();
    log(&mut state, "ledger.created", None, &json!({"version": 1, "lineage": uuid::Uuid::nil()}));
    let mut id = DeviceId::FIRST;
    for (n, (user, kind)) in users.iter().enumerate() {
        let user = format!("{user}@example.com");
        let data = json!({
            "enrollment": 1, "intent": 2, "profileDigest": Digest::ZERO, "name": format!("d-{n}"),
            "serialNumber": format!("S{n}"), "userEmail": user, "profile": "Standard",
            "platform": "windows", "osVersion": "10.0", "ownership": "corporate", "labels": {},
        });
        log(&mut state, "device.provisioned", Some(id), &data);
        let enrolled = json!({"from": "Pending", "to": "Enrolled", "reason": "it reported"});
        log(&mut state, "device.status", Some(id), &enrolled);
        let mut data = json!({"intent": 3, "sku": "spe_e3", "user": user});
        log(&mut state, "license.intended", Some(id), &data);
        match *kind {
            "found" => data["had"] = json!(true),
            "failed" => {
                data["class"] = json!("transient");
                data["error"] = json!("no unit is free");
            }
            _ => {}
        }
        let kind = if *kind == "found" { "assigned" } else { kind };
        log(&mut state, &format!("license.{kind}"), Some(id), &data);
        id = id.next();
    }
    state
}

fn assigned(users: &[&str]) -> State {
    recorded(&users.iter().map(|user| ((*user).to_owned(), "assigned")).collect::<Vec<_>>())
}

/// The user as Graph shows one who has the license, or another.
fn has(name: &str, license: &str) -> Value {
    let mut user = user(name);
    user["assignedLicenses"] = json!([{"skuId": format!("SKU-{license}"), "disabledPlans": []}]);
    user
}

fn tenant(users: Vec<Value>) -> World {
    World::new(Tenant { users, skus: vec![sku("EMS", 3), sku("SPE_E3", 0)], ..Tenant::default() })
}

async fn look(provider: &Inner, state: &State) -> Observed {
    provider.observe(state).await.unwrap()
}

/// Each license that is missing, as `user: why`, and how much could not be read.
fn missing(observed: &Observed) -> (Vec<String>, usize) {
    let mut missing = Vec::new();
    for (user, skus) in &observed.news.unlicensed {
        let name = user.as_str().split('@').next().unwrap();
        missing.extend(skus.iter().map(|(sku, why)| format!("{name} {sku}: {why}")));
    }
    (missing, observed.troubles.len())
}

#[tokio::test]
async fn what_a_user_lost_is_told_of_those_alone_who_had_it_and_could_be_read() {
    const REMOVED: &str = "somebody removed it outside Fleetform";
    let mut silent = user("ana");
    silent["assignedLicenses"] = Value::Null;
    for (name, kind, there, refused, expected, troubles) in [
        ("has it", "assigned", vec![has("ana", "SPE_E3")], None, None, 0),
        ("has another", "assigned", vec![has("ana", "EMS")], None, Some(REMOVED), 0),
        ("has none", "assigned", vec![user("ana")], None, Some(REMOVED), 0),
        ("had it before", "found", vec![user("ana")], None, Some(REMOVED), 0),
        (
            "is gone",
            "assigned",
            vec![],
            None,
            Some("there is no user ana@example.com in Entra any more"),
            0,
        ),
        ("of whom Entra does not say", "assigned", vec![silent], None, None, 0),
        ("who cannot be read", "assigned", vec![user("ana")], Some("ana@example.com"), None, 1),
        ("of an unknown product", "assigned", vec![user("ana")], Some("subscribedSkus"), None, 1),
        ("never got it", "failed", vec![user("ana")], None, None, 0),
    ] {
        let world = tenant(there);
        world.tenant().refused = refused.map(|end| (end, 403));
        let observed = look(&world.provider(), &recorded(&[("ana".to_owned(), kind)])).await;
        let expected: Vec<_> =
            expected.map(|why| format!("ana spe_e3: {why}")).into_iter().collect();
        assert_eq!(missing(&observed), (expected, troubles), "{name}");
        assert_eq!(world.wrote(), Vec::<String>::new(), "{name}");
    }
}

#[tokio::test]
async fn a_product_that_the_tenant_does_not_have_any_more_says_nothing_of_its_users() {
    let world = World::new(Tenant {
        users: vec![user("ana")],
        skus: vec![sku("EMS", 3)],
        ..Tenant::default()
    });
    assert_eq!(missing(&look(&world.provider(), &assigned(&["ana"])).await), (vec![], 0));
}

#[tokio::test]
async fn users_are_asked_for_once_an_hour_and_only_where_fleetform_assigns_licenses() {
    let (world, state) = (tenant(vec![user("ana")]), assigned(&["ana"]));
    let calls = async |provider: &Inner, state: &State| {
        let before = world.calls();
        let observed = look(provider, state).await;
        (missing(&observed).0.len(), world.calls() - before)
    };
    let provider = world.provider();
    let (lost, first) = calls(&provider, &state).await;
    let (later, second) = calls(&provider, &state).await;
    let none = calls(&world.provider(), &State::default()).await;
    assert_eq!((lost, later, first - second), (1, 0, 2), "products, and one batch of users");
    assert_eq!(none, (0, second), "nobody is to have one");
    let groups = world.provider_with(|settings| settings.licenses = LicenseAssignment::Groups);
    assert_eq!(calls(&groups, &state).await, (0, second), "somebody else assigns them");
}

#[tokio::test]
async fn of_many_users_only_those_are_asked_for_who_do_not_have_it_by_the_list() {
    let names: Vec<String> = (0..=FEW).map(|n| format!("u{n}")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let users = || {
        let mut users: Vec<_> = all.iter().map(|name| has(name, "SPE_E3")).collect();
        users[7] = user("u7");
        // Graph's list need not spell a name as the fleet does.
        users[8]["userPrincipalName"] = json!("U8@Example.com");
        users.remove(9);
        users
    };
    let world = tenant(users());
    let before = world.calls();
    let state = assigned(&all);
    let observed = look(&world.provider(), &state).await;
    let lost = vec![
        "u7 spe_e3: somebody removed it outside Fleetform".to_owned(),
        "u9 spe_e3: there is no user u9@example.com in Entra any more".to_owned(),
    ];
    assert_eq!(missing(&observed), (lost, 0));
    let calls = world.calls() - before;
    assert!(calls < 10, "{calls} calls for {} users", names.len());

    let world = tenant(users());
    world.tenant().refused = Some(("users", 403));
    let observed = look(&world.provider(), &state).await;
    assert_eq!(missing(&observed), (vec![], 1), "a list that failed says nothing of anybody");
}
