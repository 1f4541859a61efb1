use serde_json::Value;
use tokio::time::Instant;

use super::super::call::{Call, Version};
use super::server::{Reply, Seen, Server};
use super::*;

fn device(n: usize) -> Call {
    Call::get(format!("/deviceManagement/managedDevices/{n}")).query("$select", "id")
}

/// What each part of a batch asks for, and its id.
fn parts(seen: &Seen) -> Vec<(String, Value)> {
    let body = seen.json();
    let requests = body["requests"].as_array().unwrap();
    requests.iter().map(|part| (part["id"].as_str().unwrap().to_owned(), part.clone())).collect()
}

/// Answers each part by itself, in the wrong order; a part without an answer has none.
fn answering(answer: impl Fn(&Value, usize) -> Option<Value> + Send + Sync + 'static) -> Server {
    Server::new(move |seen, number| {
        if seen.is_token() {
            return None;
        }
        let mut responses: Vec<Value> = parts(seen)
            .into_iter()
            .filter_map(|(id, part)| {
                let mut answer = answer(&part, number)?;
                answer["id"] = id.into();
                Some(answer)
            })
            .collect();
        responses.reverse();
        Some(Reply::Json(200, json!({"responses": responses})))
    })
}

#[tokio::test]
async fn many_calls_go_in_twenties_and_each_has_its_own_answer() {
    let place = Place::new();
    let server = answering(|part, _| Some(json!({"status": 200, "body": {"of": part["url"]}})));
    let mut calls: Vec<Call> = (0..45).map(device).collect();
    calls[3] = calls[3].clone().of(Version::Beta).header("Prefer", "x");
    let answers = place.everyday(&server).batch(calls.clone()).await;
    for (call, answer) in calls.iter().zip(&answers) {
        let answer: Value = answer.as_ref().unwrap().json().unwrap();
        assert_eq!(answer["of"], call.relative());
    }
    let mut sent: Vec<(String, usize)> =
        server.calls().iter().map(|seen| (seen.target.clone(), parts(seen).len())).collect();
    sent.sort();
    let v1 = |n| ("/v1.0/$batch".to_owned(), n);
    assert_eq!(sent, [("/beta/$batch".to_owned(), 1), v1(4), v1(20), v1(20)]);
    let beta = server.calls().into_iter().find(|seen| seen.target.starts_with("/beta")).unwrap();
    let part = &parts(&beta)[0].1;
    assert_eq!(part["method"], "GET");
    assert_eq!(part["headers"], json!({"Prefer": "x"}));
    assert_eq!(part.get("body"), None);
    assert!(place.everyday(&server).batch(Vec::new()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_what_was_turned_away_is_sent_again_and_not_before_it_may() {
    let place = Place::new();
    let server = answering(|part, number| {
        let url = part["url"].as_str().unwrap();
        let throttled = |after: &str| {
            let error = json!({"error": {"code": "TooManyRequests"}});
            json!({"status": 429, "headers": {"Retry-After": after}, "body": error})
        };
        Some(match number {
            0 if url.contains("/1?") => throttled("4"),
            0 if url.contains("/2?") => throttled("11.5"),
            1 if url.contains("/2?") => json!({"status": 503}),
            0 if url.contains("/3?") => {
                let error = json!({"error": {"code": "NotFound", "message": "gone"}});
                json!({"status": 404, "headers": {"request-id": "r-3"}, "body": error})
            }
            _ if url.contains("/4?") => return None,
            _ => json!({"status": 200, "body": {"n": number}}),
        })
    });
    let start = Instant::now();
    let answers = place.everyday(&server).batch((0..5).map(device).collect()).await;
    assert!(start.elapsed().as_secs_f64() >= 11.5);
    let n = |n: usize| answers[n].as_ref().unwrap().json::<Value>().unwrap()["n"].clone();
    assert_eq!((n(0), n(1), n(2)), (json!(0), json!(1), json!(2)));
    let refusal = answers[3].as_ref().unwrap_err().refusal().unwrap().clone();
    assert_eq!((refusal.status, &*refusal.message), (404, "gone"));
    assert_eq!(refusal.request_id.as_deref(), Some("r-3"));
    let unanswered = answers[4].as_ref().unwrap_err().to_string();
    assert!(unanswered.contains("/managedDevices/4"), "{unanswered}");
    assert!(unanswered.contains("has no answer to it"), "{unanswered}");
    let sizes: Vec<usize> = server.calls().iter().map(|seen| parts(seen).len()).collect();
    assert_eq!(sizes, [5, 3, 2, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_as_a_whole_fails_for_each() {
    let place = Place::new();
    let server = Server::new(|seen, _| {
        (!seen.is_token()).then(|| Reply::Json(403, json!({"error": {"code": "Forbidden"}})))
    });
    let answers = place.everyday(&server).batch((0..3).map(device).collect()).await;
    assert!(
        answers
            .iter()
            .all(|answer| { answer.as_ref().unwrap_err().refusal().unwrap().status == 403 })
    );
    assert_eq!(server.calls().len(), 1);
    let server = Server::new(|seen, _| {
        (!seen.is_token()).then(|| Reply::Json(500, json!({"error": {"code": "Oops"}})))
    });
    let answers = place.everyday(&server).batch((0..3).map(device).collect()).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap_err().to_string().contains("Oops")));
    assert_eq!(server.calls().len(), 6, "repeated as a whole, and not for each part again");
}

#[tokio::test(start_paused = true)]
async fn parts_that_write_are_counted_as_writes() {
    let place = Place::new();
    let server = answering(|_, _| Some(json!({"status": 204})));
    let graph = place.everyday(&server);
    let sync = |n| Call::post_empty(format!("/deviceManagement/managedDevices/{n}/syncDevice"));
    let start = Instant::now();
    let answers = graph.batch((0..100).map(sync).collect()).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().status == 204));
    assert!(start.elapsed() < SECOND);
    graph.batch(vec![sync(100)]).await.remove(0).unwrap();
    assert!(start.elapsed() >= SECOND * 20);
}

#[tokio::test]
#[should_panic(expected = "in a batch")]
async fn what_must_not_be_repeated_is_no_part_of_a_batch() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let wipe = Call::post("/deviceManagement/managedDevices/1/wipe", json!({}));
    drop(place.everyday(&server).batch(vec![device(1), wipe]).await);
}
