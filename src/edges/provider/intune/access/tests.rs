//! Access is blocked and restored in a tenant that answers as Graph does.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::domain::state::event::ErrorClass;
use crate::edges::provider::effect::Target;
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::provider::Inner;
use crate::edges::provider::intune::testing::{Tenant, World, device};

/// A tenant with one device whose attribute has this value.
fn world(value: Value) -> World {
    let (managed, mut entra) = device("A");
    entra["extensionAttributes"] =
        json!({"extensionAttribute3": value, "extensionAttribute4": "x"});
    World::new(Tenant { managed: vec![managed], entra: vec![entra], ..Tenant::default() })
}

fn provider(world: &World) -> Arc<Inner> {
    world.provider_with(|settings| {
        settings.block_attribute = Some("extensionAttribute3".parse().unwrap());
    })
}

fn target(serial: &str) -> Target {
    Target { id: "D001".parse().unwrap(), serial: serial.parse().unwrap() }
}

async fn set(provider: &Inner, blocked: bool) -> Result<(), Error> {
    let mut outcomes = provider.set_access(&[target("A")], blocked).await;
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

fn patch(value: Value) -> (String, Value) {
    (
        "PATCH devices/obj-A".to_owned(),
        json!({"extensionAttributes": {"extensionAttribute3": value}}),
    )
}

#[tokio::test]
async fn a_free_attribute_is_marked_and_our_mark_taken_away_and_nothing_is_written_twice() {
    for (before, blocked, written) in [
        (json!(null), true, Some(json!("fleet-blocked"))),
        (json!(""), true, Some(json!("fleet-blocked"))),
        (json!("fleet-blocked"), true, None),
        (json!("fleet-blocked"), false, Some(json!(null))),
        (json!(null), false, None),
    ] {
        let world = world(before.clone());
        let provider = provider(&world);
        set(&provider, blocked).await.unwrap();
        let expected: Vec<_> = written.into_iter().map(patch).collect();
        assert_eq!(world.written(), expected, "{before} {blocked}");
        set(&provider, blocked).await.unwrap();
        assert_eq!(world.written(), vec![], "{before} {blocked}, a second time");
    }
}

#[tokio::test]
async fn what_others_wrote_is_never_touched_and_to_block_is_refused_for_good_with_words() {
    for value in [json!("tier-0"), json!("fleet-blocked "), json!("Fleet-Blocked"), json!(7)] {
        let world = world(value.clone());
        let provider = provider(&world);
        let error = set(&provider, true).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Permanent, "{error:?}");
        assert!(error.message.contains("extensionAttribute3"), "{error:?}");
        assert!(error.message.contains("provider.blockAttribute"), "{error:?}");
        set(&provider, false).await.unwrap();
        assert_eq!(world.written(), vec![], "{value}");
    }
}

#[tokio::test]
async fn what_entra_does_not_say_is_not_taken_for_nothing() {
    let (managed, entra) = device("A");
    let world =
        World::new(Tenant { managed: vec![managed], entra: vec![entra], ..Tenant::default() });
    let provider = provider(&world);
    for blocked in [true, false] {
        let error = set(&provider, blocked).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Transient, "{error:?}");
    }
    assert_eq!(world.written(), vec![]);
}

#[tokio::test]
async fn a_mark_that_entra_does_not_show_yet_is_taken_away_all_the_same() {
    let world = world(json!(null));
    let provider = provider(&world);
    set(&provider, true).await.unwrap();
    world.tenant().entra[0]["extensionAttributes"]["extensionAttribute3"] = json!(null);
    world.written();
    set(&provider, false).await.unwrap();
    assert_eq!(world.written(), [patch(json!(null))]);
}

#[tokio::test]
async fn an_answer_that_is_lost_or_a_refusal_for_now_is_tried_again() {
    let world = world(json!(null));
    let provider = provider(&world);
    world.tenant().refused = Some(("devices/obj-A", 403));
    assert_eq!(set(&provider, true).await.unwrap_err().class, ErrorClass::Transient);
    world.tenant().refused = Some(("devices/obj-A", 404));
    assert_eq!(set(&provider, true).await.unwrap_err().class, ErrorClass::Transient);
    world.tenant().lost = Some("devices/obj-A");
    // Lost or answered at the second try: it is marked, and the next order finds that.
    let _ = set(&provider, true).await;
    set(&provider, true).await.unwrap();
    let value = &world.tenant().entra[0]["extensionAttributes"]["extensionAttribute3"].clone();
    assert_eq!(*value, json!("fleet-blocked"));
}

#[tokio::test]
async fn a_device_that_is_not_to_be_found_says_what_to_do_and_harms_no_other() {
    let world = world(json!(null));
    let provider = provider(&world);
    let targets = [target("GONE"), target("A")];
    let blocked = provider.set_access(&targets, true).await;
    let error = blocked[0].as_ref().unwrap_err();
    assert_eq!(error.class, ErrorClass::Transient, "{error:?}");
    assert_eq!(blocked[1], Ok(()));
    let restored = provider.set_access(&targets, false).await;
    let error = restored[0].as_ref().unwrap_err();
    assert_eq!(error.class, ErrorClass::Permanent, "{error:?}");
    assert!(error.message.contains("clear its extensionAttribute3"), "{error:?}");
    assert_eq!(restored[1], Ok(()));
    world.tenant().entra.clear();
    let error = set(&provider, true).await.unwrap_err();
    assert!(error.message.contains("Entra does not know"), "{error:?}");
    set(&provider, false).await.unwrap();
}

#[tokio::test]
async fn each_record_of_the_serial_number_is_marked() {
    let world = world(json!(null));
    let (mut managed, _) = device("A");
    managed["id"] = json!("md-A2");
    managed["azureADDeviceId"] = json!("aad-A2");
    let entra = json!({"id": "obj-A2", "deviceId": "aad-A2", "extensionAttributes": null});
    world.tenant().managed.push(managed);
    world.tenant().entra.push(entra);
    set(&provider(&world), true).await.unwrap();
    let mut wrote = world.wrote();
    wrote.sort();
    assert_eq!(wrote, ["PATCH devices/obj-A", "PATCH devices/obj-A2"]);
}

#[tokio::test]
async fn without_the_setting_nobody_is_asked() {
    let world = world(json!(null));
    let provider = world.provider();
    set(&provider, true).await.unwrap();
    set(&provider, false).await.unwrap();
    assert_eq!(world.calls(), 0);
}
