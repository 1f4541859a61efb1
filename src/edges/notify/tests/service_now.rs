//! Tickets, in a ServiceNow with the traps of the real one.

use std::sync::{Arc, Mutex};

use super::*;

#[allow(unreachable_pub, reason = "the end-to-end tests use it too")]
mod instance {
    include!("../../../../tests/it/support/service_now.rs");
}
use instance::{Fault, Instance};

/// An instance that answers over HTTP.
fn serve(instance: Instance) -> (Server, Arc<Mutex<Instance>>) {
    let instance = Arc::new(Mutex::new(instance));
    let shared = instance.clone();
    let server = Server::new(move |seen, _| {
        let proof = seen.header("authorization");
        let answer = shared.lock().unwrap().answer(&seen.method, &seen.target, proof, &seen.body);
        let Some(answer) = answer else { return Some(Reply::Cut) };
        let mut head = format!(
            "HTTP/1.1 {} X\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\n",
            answer.status,
            answer.content_type,
            answer.body.len()
        );
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        Some(Reply::Raw(format!("{head}\r\n{}", answer.body)))
    });
    (server, instance)
}

fn connected(place: &Place, server: &Server) -> ServiceNow {
    ServiceNow::over(Http::over(network(1 << 20), None, at), &place.service_now(&server.url()))
}

/// Tries until it is settled, as the daemon does: an answer that is in doubt is told at the next try.
async fn settled(service_now: &ServiceNow, order: &TicketOrder) -> Attempt {
    let mut doubt = false;
    for _ in 0..10 {
        let attempt = service_now.deliver(order, doubt).await;
        match attempt {
            Attempt::InDoubt { .. } => doubt = true,
            Attempt::Retry { .. } => {}
            attempt => return attempt,
        }
    }
    panic!("it is not settled");
}

#[tokio::test]
async fn a_ticket_is_opened_once_and_noted_once_wherever_an_answer_is_lost() {
    let place = Place::new();
    let basic = "Basic ZmxlZXRmb3JtOnA0c3N3MHJkLW9mLXRoZS11c2Vy";
    // Every fault at every call of both orders.
    for fault in [
        Fault::LostAfter,
        Fault::LostBefore,
        Fault::Hibernating,
        Fault::Busy(Some(1)),
        Fault::Busy(None),
    ] {
        for call in 0..5 {
            let instance = Instance { authorization: Some(basic.into()), ..Instance::default() };
            let (server, instance) = serve(instance);
            let service_now = connected(&place, &server);
            // The fault lands on the call of this number, whichever order it is of.
            instance.lock().unwrap().faults = skip(call, fault.clone());
            for order in [open(), note(true)] {
                let attempt = settled(&service_now, &order).await;
                assert_eq!(word(&attempt), "done", "{fault:?} at call {call}: {attempt:?}");
            }
            let instance = instance.lock().unwrap();
            let tickets = instance.find("correlation_id", key().as_str());
            assert_eq!(tickets.len(), 1, "{fault:?} at call {call}");
            let notes = &tickets[0]["work_notes"];
            assert_eq!(
                notes.matches("Compliant again.").count(),
                1,
                "{fault:?} at {call}: {notes}"
            );
            assert_eq!(tickets[0]["state"], "6", "{fault:?} at call {call}");
        }
    }
}

/// A fault after some calls that go well.
fn skip(calls: usize, fault: Fault) -> Vec<Fault> {
    std::iter::repeat_n(Fault::None, calls).chain([fault]).collect()
}

#[tokio::test]
async fn a_query_that_was_dropped_touches_no_ticket_of_others() {
    let place = Place::new();
    for key_of_other in ["", "other:key", &key().as_str().to_ascii_uppercase()] {
        let mut instance =
            Instance { unknown: vec!["correlation_id".into()], ..Instance::default() };
        instance.add(&[("correlation_id", key_of_other), ("short_description", "printer")]);
        let before = instance.rows.clone();
        let (server, instance) = serve(instance);
        let service_now = connected(&place, &server);
        for order in [open(), note(true)] {
            let attempt = service_now.deliver(&order, false).await;
            assert_eq!(word(&attempt), "misconfigured", "{attempt:?}");
            assert!(why(&attempt).contains("glide.invalid_query.returns_no_rows"), "{attempt:?}");
        }
        assert_eq!(instance.lock().unwrap().rows, before);
        assert!(server.calls().iter().all(|seen| seen.method == "GET"));
    }
}

#[tokio::test]
async fn a_key_is_compared_byte_for_byte() {
    let place = Place::new();
    let mut instance = Instance::default();
    // The database finds it: it does not tell letters by their case.
    instance.add(&[("correlation_id", &key().as_str().to_ascii_uppercase())]);
    let (server, instance) = serve(instance);
    let attempt = connected(&place, &server).deliver(&note(false), false).await;
    assert_eq!(word(&attempt), "misconfigured", "{attempt:?}");
    assert!(instance.lock().unwrap().rows[0]["work_notes"].is_empty());
}

#[tokio::test]
async fn of_two_tickets_with_one_key_the_oldest_counts() {
    let place = Place::new();
    let mut instance = Instance::default();
    let oldest = instance.add(&[("correlation_id", key().as_str())]);
    instance.add(&[("correlation_id", key().as_str())]);
    let (server, instance) = serve(instance);
    let service_now = connected(&place, &server);
    let Attempt::Done { reference } = settled(&service_now, &open()).await else { panic!() };
    assert_eq!(reference, Some(format!("INC0000001 {oldest} INC0000002")));
    settled(&service_now, &note(false)).await;
    let instance = instance.lock().unwrap();
    assert!(instance.rows[0]["work_notes"].contains("Compliant again."));
    assert!(instance.rows[1]["work_notes"].is_empty());
}

#[tokio::test]
async fn a_ticket_that_people_closed_is_left_alone_and_one_that_is_not_closed_by_us_stays_open() {
    let place = Place::new();
    for (state, active, close, after) in [
        ("1", "true", false, ("1", "done")),
        ("1", "true", true, ("6", "done")),
        // Resolved by people: noted, and not resolved again.
        ("6", "true", true, ("6", "done")),
        ("7", "false", true, ("7", "not needed")),
        ("8", "false", false, ("8", "not needed")),
    ] {
        let mut instance = Instance::default();
        let fields = [
            ("correlation_id", key().as_str().to_owned()),
            ("state", state.into()),
            ("active", active.into()),
        ];
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, &**value)).collect();
        instance.add(&fields);
        let (server, instance) = serve(instance);
        let attempt = settled(&connected(&place, &server), &note(close)).await;
        let rows = &instance.lock().unwrap().rows;
        let noted = rows[0]["work_notes"].contains("Compliant again.");
        assert_eq!((&*rows[0]["state"], word(&attempt)), after, "{state} {active} {close}");
        assert_eq!(noted, after.1 == "done", "{attempt:?}");
    }
}

#[tokio::test]
async fn a_ticket_that_would_never_be_found_again_is_said_and_not_made_again() {
    let place = Place::new();
    let instance = Instance { unwritable: vec!["correlation_id".into()], ..Instance::default() };
    let (server, instance) = serve(instance);
    let attempt = connected(&place, &server).deliver(&open(), false).await;
    assert_eq!(word(&attempt), "refused");
    assert!(why(&attempt).contains("INC0000001"), "{attempt:?}");
    assert_eq!(instance.lock().unwrap().rows.len(), 1);
}

#[tokio::test]
async fn what_a_rule_of_the_instance_stops_is_said_with_its_words() {
    let place = Place::new();
    let instance = Instance { faults: vec![Fault::None, Fault::Forbidden], ..Instance::default() };
    let (server, _) = serve(instance);
    let attempt = connected(&place, &server).deliver(&open(), false).await;
    assert_eq!(word(&attempt), "misconfigured");
    let said = why(&attempt);
    assert!(said.contains("ACL Exception Insert Failed") && said.contains("role"), "{said}");
    let instance = Instance { authorization: Some("Basic x".into()), ..Instance::default() };
    let (server, _) = serve(instance);
    let attempt = connected(&place, &server).deliver(&open(), false).await;
    let said = why(&attempt);
    assert!(said.contains("User Not Authenticated") && said.contains("check the login"), "{said}");
}

#[tokio::test]
async fn a_note_without_a_ticket_makes_none() {
    let place = Place::new();
    let (server, instance) = serve(Instance::default());
    let attempt = connected(&place, &server).deliver(&note(true), false).await;
    assert_eq!(why(&attempt), "there is no ticket of this episode");
    assert_eq!(word(&attempt), "not needed");
    assert!(instance.lock().unwrap().rows.is_empty());
}
