use tokio::time::Instant;

use super::super::call::Call;
use super::super::failure::Failure;
use super::server::{Reply, Server, throttled};
use super::*;
use crate::domain::state::event::ErrorClass;

fn sync() -> Call {
    Call::post_empty("/deviceManagement/managedDevices/1/syncDevice")
}

fn wipe() -> Call {
    Call::post("/deviceManagement/managedDevices/1/wipe", json!({}))
}

#[tokio::test(start_paused = true)]
async fn both_registrations_together_write_no_more_than_a_tenant_takes() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let tenant = tenant(&server);
    let everyday = Everyday::new(tenant.clone(), place.credentials(CLIENT));
    let wiping = Wiping::new(tenant, place.credentials(WIPER));
    let start = Instant::now();
    for _ in 0..60 {
        everyday.write(sync()).await.unwrap();
    }
    for _ in 0..40 {
        wiping.write_once(wipe()).await.unwrap();
    }
    assert!(start.elapsed() < SECOND);
    everyday.read(Call::get("/users")).await.unwrap();
    assert!(start.elapsed() < SECOND, "reads do not wait for writes");
    wiping.write_once(wipe()).await.unwrap();
    assert!(start.elapsed() >= SECOND * 20, "{:?}", start.elapsed());
    assert_eq!(server.calls().len(), 102);
}

#[tokio::test(start_paused = true)]
async fn when_one_is_turned_away_all_others_wait_too() {
    let place = Place::new();
    let server = Server::of(vec![throttled(Some("30"))]);
    let tenant = tenant(&server);
    let everyday = Everyday::new(tenant.clone(), place.credentials(CLIENT));
    let wiping = Wiping::new(tenant, place.credentials(WIPER));
    let start = Instant::now();
    wiping.write_once(wipe()).await.unwrap_err();
    everyday.read(Call::get("/users")).await.unwrap();
    assert!(start.elapsed() < SECOND, "reads are counted apart");
    everyday.write(sync()).await.unwrap();
    assert!(start.elapsed() >= SECOND * 30, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_bad_hour_of_writes_starves_no_read_and_the_next_pass_begins_anew() {
    let place = Place::new();
    let server = Server::new(|seen, _| {
        (seen.method == "POST" && !seen.is_token()).then(|| throttled(Some("50")))
    });
    let graph = place.everyday(&server);
    let failure = graph.write(sync()).await.unwrap_err();
    assert!(matches!(failure, Failure::OverBudget { .. }), "{failure}");
    assert_eq!(server.calls().len(), 3, "two waits of 50 s, and no third");
    assert!(failure.to_string().contains("slow down"), "{failure}");
    assert_eq!(failure.retry_after(), Some(SECOND * 50));
    assert_eq!(failure.class(), ErrorClass::Transient);
    // Nothing is sent as long as Graph asked for a pause, and nobody waits for it.
    let asked = Instant::now();
    let failure = graph.write_once(Call::post("/groups", json!({}))).await.unwrap_err();
    assert!(failure.to_string().contains("asked for a pause"), "{failure}");
    assert!(failure.surely_not_taken() && failure.retry_after().unwrap() > SECOND * 49);
    graph.read(Call::get("/users")).await.unwrap();
    assert!(asked.elapsed() < SECOND);
    assert_eq!(server.calls().len(), 4);
    graph.begin_pass();
    graph.write(sync()).await.unwrap_err();
    assert_eq!(server.calls().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_to_be_left_alone_for_long_is_not_waited_for() {
    let place = Place::new();
    let server = Server::of(vec![throttled(Some("600"))]);
    let start = Instant::now();
    let failure = place.everyday(&server).read(Call::get("/users")).await.unwrap_err();
    assert!(start.elapsed() < SECOND);
    assert_eq!(failure.retry_after(), Some(SECOND * 600));
}

#[tokio::test(start_paused = true)]
async fn what_was_in_doubt_stays_in_doubt_when_there_is_no_time_left() {
    let place = Place::new();
    let busy = || Reply::With(503, vec![("Retry-After", "100".into())], json!({}));
    let server = Server::new(move |seen, _| (!seen.is_token()).then(busy));
    let failure = place.everyday(&server).write(sync()).await.unwrap_err();
    assert!(matches!(failure, Failure::OverBudget { sent: true, .. }), "{failure:?}");
    assert!(!failure.surely_not_taken());
}
