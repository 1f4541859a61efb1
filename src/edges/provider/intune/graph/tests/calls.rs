use tokio::time::Instant;

use super::super::call::{Call, Version};
use super::super::failure::Failure;
use super::server::{Reply, Server, throttled};
use super::*;
use crate::domain::state::event::ErrorClass;

fn users() -> Call {
    Call::get("/users")
}

fn create() -> Call {
    Call::post("/groups", json!({"displayName": "Standard"}))
}

fn error(status: u16) -> Reply {
    Reply::Json(status, json!({"error": {"code": "Some", "message": "thing"}}))
}

#[tokio::test]
async fn a_call_is_sent_as_it_was_made_and_its_answer_is_read() {
    let place = Place::new();
    let headers = vec![
        ("request-id", "r-1".to_owned()),
        ("Date", "Thu, 26 Nov 2026 10:00:42 GMT".to_owned()),
        ("x-msft-approval-code", "aabb1234".to_owned()),
    ];
    let server = Server::of(vec![Reply::With(201, headers, json!({"id": "1"}))]);
    let graph = place.everyday(&server);
    assert_eq!(graph.skew(), None);
    let call = create().of(Version::Beta).query("$select", "id").header("Prefer", "x=y");
    let answer = graph.write(call).await.unwrap();
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json::<serde_json::Value>().unwrap(), json!({"id": "1"}));
    assert_eq!(answer.request_id.as_deref(), Some("r-1"));
    assert_eq!(answer.approval_code.as_deref(), Some("aabb1234"));
    assert_eq!(graph.skew(), Some(chrono::TimeDelta::seconds(42)));
    let [seen] = &server.calls()[..] else { panic!("one call") };
    assert_eq!((&*seen.method, &*seen.target), ("POST", "/beta/groups?$select=id"));
    assert_eq!(seen.json(), json!({"displayName": "Standard"}));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("prefer"), Some("x=y"));
    assert_eq!(seen.header("client-request-id"), Some(&*answer.client_request_id));
    let agent = concat!("fleetform/", env!("CARGO_PKG_VERSION"));
    assert_eq!(seen.header("user-agent"), Some(agent));
    assert!(answer.json::<Vec<u8>>().unwrap_err().to_string().contains("another shape"));
}

#[tokio::test]
async fn a_post_without_a_body_says_so_and_no_content_is_an_answer() {
    let place = Place::new();
    let server = Server::of(vec![Reply::Json(204, json!(null))]);
    let call = Call::post_empty("/deviceManagement/managedDevices/1/syncDevice");
    let answer = place.everyday(&server).write(call).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(server.calls()[0].header("content-length"), Some("0"));
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_with_another_number() {
    for write in [false, true] {
        let place = Place::new();
        let server = Server::of(vec![error(500), error(502), error(503), error(504), Reply::Cut]);
        let graph = place.everyday(&server);
        if write { graph.write(create()).await } else { graph.read(users()).await }.unwrap();
        let calls = server.calls();
        assert_eq!(calls.len(), 6);
        let numbers: std::collections::BTreeSet<_> =
            calls.iter().map(|seen| seen.header("client-request-id").unwrap()).collect();
        assert_eq!(numbers.len(), 6);
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_passes_is_given_up_after_a_while() {
    let place = Place::new();
    let server = Server::new(|seen, _| (!seen.is_token()).then(|| error(503)));
    let failure = place.everyday(&server).read(users()).await.unwrap_err();
    assert_eq!(failure.refusal().unwrap().status, 503);
    assert_eq!(server.calls().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_no_is_no_and_is_not_asked_again() {
    for (status, class) in [
        (400, ErrorClass::Permanent),
        (401, ErrorClass::Transient),
        (403, ErrorClass::Transient),
        (404, ErrorClass::Permanent),
        (409, ErrorClass::Transient),
        (412, ErrorClass::Transient),
        (422, ErrorClass::Permanent),
        (501, ErrorClass::Unknown),
    ] {
        let place = Place::new();
        let server = Server::new(move |seen, _| (!seen.is_token()).then(|| error(status)));
        let failure = place.everyday(&server).write(create()).await.unwrap_err();
        assert_eq!(failure.class(), class, "{failure}");
        assert_eq!(failure.surely_not_taken(), class != ErrorClass::Unknown);
        let seen = server.calls().last().unwrap().clone();
        let number = seen.header("client-request-id").unwrap();
        assert_eq!(failure.client_request_id(), Some(number));
        let url = server.url();
        let text = format!("POST {url}/v1.0/groups was answered with {status}: Some: thing");
        let said = failure.to_string();
        assert!(said.starts_with(&text) && said.contains(number), "{said}");
        assert_eq!(server.calls().len(), if status == 401 { 2 } else { 1 });
    }
}

#[tokio::test(start_paused = true)]
async fn graph_is_left_alone_as_long_as_it_wants() {
    for (after, least, most) in
        [("7", 7.0, 7.1), ("2.128", 2.128, 2.2), ("Thu, 26 Nov 2026 10:00:30 GMT", 30.0, 30.1)]
    {
        let place = Place::new();
        let server = Server::of(vec![throttled(Some(after))]);
        let start = Instant::now();
        place.everyday(&server).read(users()).await.unwrap();
        let waited = start.elapsed().as_secs_f64();
        assert!((least..most).contains(&waited), "{after}: {waited}");
        assert_eq!(server.calls().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_made_twice_is_made_once() {
    for (reply, class) in [
        (error(500), ErrorClass::Unknown),
        (error(503), ErrorClass::Unknown),
        (error(504), ErrorClass::Unknown),
        (throttled(Some("9")), ErrorClass::Transient),
        (error(401), ErrorClass::Transient),
        (error(403), ErrorClass::Transient),
        (error(400), ErrorClass::Permanent),
        (Reply::Cut, ErrorClass::Unknown),
        (Reply::Raw("HTTP/1.1 200 OK\r\nContent-Le".into()), ErrorClass::Unknown),
        (Reply::Raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".into()), ErrorClass::Unknown),
        (Reply::Raw("HTTP/1.1 403 X\r\nContent-Length: 9\r\n\r\n{".into()), ErrorClass::Transient),
        (Reply::Raw("nonsense".into()), ErrorClass::Unknown),
    ] {
        let place = Place::new();
        let server = Server::of(vec![reply]);
        let wipe = Call::post("/deviceManagement/managedDevices/1/wipe", json!({}));
        let failure = place.wiping(&server).write_once(wipe).await.unwrap_err();
        assert_eq!(failure.class(), class, "{failure}");
        assert_eq!(server.calls().len(), 1, "{failure}");
    }
}

#[tokio::test]
async fn what_must_not_be_made_twice_goes_over_a_connection_of_its_own() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let graph = place.everyday(&server);
    for _ in 0..2 {
        graph.read(users()).await.unwrap();
        graph.write_once(create()).await.unwrap();
    }
    let connections: Vec<usize> = server.calls().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections[0], connections[2], "others share one");
    assert_ne!(connections[1], connections[0]);
    assert_ne!(connections[1], connections[3]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::new(|_, _| None);
    for status in [301, 302, 307, 308] {
        let place = Place::new();
        let to = vec![("Location", format!("{}/v1.0/users", elsewhere.url()))];
        let server = Server::of(vec![Reply::With(status, to, json!({}))]);
        let failure = place.everyday(&server).read(users()).await.unwrap_err();
        assert!(failure.to_string().contains("redirects are not followed"), "{failure}");
    }
    let login = Server::new(move |_, _| {
        Some(Reply::With(307, vec![("Location", "http://127.0.0.1:1/".into())], json!({})))
    });
    let place = Place::new();
    let failure = place.everyday(&login).read(users()).await.unwrap_err();
    assert!(matches!(failure, Failure::Token(_)), "{failure}");
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn an_answer_is_whole_json_of_bounded_size_or_none() {
    let place = Place::new();
    let large = json!("x".repeat(2 << 20));
    let server = Server::of(vec![Reply::Json(200, large)]);
    let failure = place.everyday(&server).read(users()).await.unwrap_err();
    assert!(failure.to_string().contains("larger than 1048576 bytes"), "{failure}");
    assert_eq!(server.calls().len(), 1, "it would not be smaller the next time");
    let server = Server::of(vec![Reply::Raw("HTTP/1.1 200 OK\r\n\r\n{\"a\": ".into())]);
    let answer = place.everyday(&server).read(users()).await.unwrap();
    let failure = answer.json::<serde_json::Value>().unwrap_err();
    assert!(failure.to_string().contains("it is not whole JSON, at line 1"), "{failure}");
}
