//! Licenses are given in a tenant that answers as Graph does.

use serde_json::{Value, json};

use super::{Row, sku as read_sku};
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::effect::{LicenseTarget, Licensed};
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::testing::{Tenant, World, sku, user};

const ANA: &str = "POST users/id-ana/assignLicense";

fn tenant(users: &[&str], free: i64) -> Tenant {
    Tenant {
        users: users.iter().map(|name| user(name)).collect(),
        skus: vec![sku("EMS", 3), sku("SPE_E3", free)],
        ..Tenant::default()
    }
}

fn targets(users: &[&str]) -> Vec<LicenseTarget> {
    let target = |(user, n): (&&str, u32)| LicenseTarget {
        id: format!("D{n:03}").parse().unwrap(),
        serial: format!("S{n}").parse().unwrap(),
        user: format!("{user}@example.com").parse().unwrap(),
        given: false,
    };
    users.iter().zip(1..).map(target).collect()
}

async fn assign(world: &World, users: &[&str]) -> Vec<Result<Licensed, Error>> {
    world.provider().assign_license("spe_e3", &targets(users)).await
}

fn lacks(outcome: &Result<Licensed, Error>) -> &str {
    let Ok(Licensed::Lacks(why)) = outcome else { panic!("{outcome:?}") };
    why
}

#[tokio::test]
async fn a_user_gets_a_license_once_however_many_devices_call_for_it() {
    let world = World::new(tenant(&["ana"], 1));
    let outcomes = assign(&world, &["ana", "ANA"]).await;
    assert_eq!(outcomes, [Ok(Licensed::Assigned), Ok(Licensed::Had)]);
    let body = json!({"addLicenses": [{"disabledPlans": [], "skuId": "sku-SPE_E3"}], "removeLicenses": []});
    assert_eq!(world.written(), [(ANA.to_owned(), body)]);
    assert_eq!(assign(&world, &["ana"]).await, [Ok(Licensed::Had)]);
    assert_eq!(world.written(), []);
}

#[tokio::test]
async fn what_one_user_lacks_harms_no_other() {
    let mut tenant = tenant(&["ana", "fay"], 1);
    let mut nowhere = user("bob");
    nowhere["usageLocation"] = Value::Null;
    tenant.users.push(nowhere);
    let world = World::new(tenant);
    let outcomes = assign(&world, &["nobody", "bob", "ana", "fay"]).await;
    assert!(lacks(&outcomes[0]).contains("there is no user nobody@example.com"), "{outcomes:?}");
    assert!(lacks(&outcomes[1]).contains("no usage location"), "{outcomes:?}");
    assert_eq!(outcomes[2], Ok(Licensed::Assigned));
    let why = "no free license spe_e3 for user fay@example.com";
    assert!(lacks(&outcomes[3]).contains(why), "{outcomes:?}");
    assert_eq!(world.wrote(), [ANA], "what cannot be is not tried");
}

#[tokio::test]
async fn a_license_that_is_not_to_be_had_is_named_with_those_that_are() {
    for (row, expected) in [
        (sku("FLOW", 1), "no license spe_e3; it has EMS, FLOW"),
        (
            json!({"skuId": "s", "skuPartNumber": "SPE_E3", "capabilityStatus": "Suspended",
                "consumedUnits": 0, "prepaidUnits": {"enabled": 9}}),
            "not active",
        ),
    ] {
        let world = World::new(Tenant { skus: vec![sku("EMS", 1), row], ..tenant(&["ana"], 1) });
        let outcomes = assign(&world, &["ana"]).await;
        assert!(lacks(&outcomes[0]).contains(expected), "{outcomes:?}");
        assert_eq!(world.wrote(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn where_graph_says_no_it_is_well_and_where_it_says_nothing_it_is_not() {
    for (end, status, well) in [
        ("assignLicense", 400, true),
        ("assignLicense", 403, true),
        ("subscribedSkus", 403, true),
        ("users/ana@example.com", 403, true),
        ("assignLicense", 500, false),
    ] {
        let world = World::new(Tenant { refused: Some((end, status)), ..tenant(&["ana"], 1) });
        let outcome = assign(&world, &["ana"]).await.remove(0);
        match outcome {
            Ok(Licensed::Lacks(why)) if well => assert!(why.contains("as told"), "{why}"),
            Err(error) if !well => assert_eq!(error.class, ErrorClass::Transient, "{error}"),
            // A server that fails once is asked again at once.
            Ok(Licensed::Assigned) if !well => {}
            outcome => panic!("{end} {status}: {outcome:?}"),
        }
        let later = assign(&world, &["ana"]).await.remove(0);
        assert!(matches!(later, Ok(Licensed::Assigned | Licensed::Had)), "{end}: {later:?}");
    }
}

#[tokio::test]
async fn a_license_whose_answer_was_lost_is_there_the_next_time() {
    let world = World::new(Tenant { lost: Some("assignLicense"), ..tenant(&["ana"], 1) });
    assign(&world, &["ana"]).await;
    assert_eq!(assign(&world, &["ana"]).await, [Ok(Licensed::Had)]);
}

#[test]
fn what_is_free_is_what_is_bought_and_not_used() {
    let of = |status: &str, enabled: i64, consumed: i64| {
        let row = json!({"skuId": "s-1", "skuPartNumber": "SPE_E3", "capabilityStatus": status,
            "consumedUnits": consumed, "prepaidUnits": {"enabled": enabled, "warning": 9}});
        let (_, sku) = read_sku(serde_json::from_value::<Row>(row).unwrap()).unwrap();
        (sku.free, sku.usable)
    };
    assert_eq!(of("Enabled", 25, 14), (11, true));
    assert_eq!(of("Warning", 25, 25), (0, true));
    assert_eq!(of("Suspended", 25, 14), (11, false));
}
