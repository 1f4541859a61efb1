//! AuthZEN's certification scenario (levels Basic, Batch and Discovery) as tables, over a real
//! connection; what is asked and answered, against schemas made from the specification's text.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use chrono::TimeDelta;
use jsonschema::Validator;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::app::status::{AccessBasis, View};
use crate::domain::access::{Directory, Requirement, Resource, Rules, Users};
use crate::domain::model::ComplianceState;
use crate::edges::clock;
use crate::edges::config::{Access, Config};
use crate::ui::http::tests::server;
use crate::ui::render::testing;

const ANA: &str = "ana.ruiz@example.com";
const BO: &str = "bo.li@example.com";
const ONE: &str = "/access/v1/evaluation";
const SEVERAL: &str = "/access/v1/evaluations";

/// Of the text of Authorization API 1.0: an evaluation request.
fn request_schema() -> Validator {
    let entity = json!({
        "type": "object", "required": ["type", "id"],
        "properties": {"type": {"type": "string"}, "id": {"type": "string"}, "properties": {"type": "object"}},
    });
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object", "required": ["subject", "action", "resource"],
        "properties": {
            "subject": entity, "resource": entity, "context": {"type": "object"},
            "action": {
                "type": "object", "required": ["name"],
                "properties": {"name": {"type": "string"}, "properties": {"type": "object"}},
            },
        },
    });
    jsonschema::validator_for(&schema).unwrap()
}

/// Of the same text: a decision, and the answer to several questions.
fn answer_schema() -> Validator {
    let decision = json!({
        "type": "object", "required": ["decision"],
        "properties": {"decision": {"type": "boolean"}, "context": {"type": "object"}},
    });
    let several = json!({
        "type": "object", "required": ["evaluations"],
        "properties": {"evaluations": {"type": "array", "items": decision}},
        "not": {"required": ["decision"]},
    });
    jsonschema::validator_for(&json!({"oneOf": [decision, several]})).unwrap()
}

/// Ana's device is compliant, and Bo's is not known to be.
fn view() -> View {
    let resource =
        |require: &[Requirement]| Resource { require: require.to_vec(), users: Users::All };
    let strict = [Requirement::Enrolled, Requirement::Compliant];
    let rules = Rules {
        resources: BTreeMap::from([
            ("SAP".into(), resource(&strict)),
            ("Mail \"x\"".into(), resource(&[Requirement::Enrolled])),
        ]),
        // The fleet of the tests was heard from long ago.
        max_age: TimeDelta::days(36_000),
        help_url: None,
    };
    let public_url = Some("https://fleet.example.com".into());
    let access = Some(Access { rules, public_url, token_file: None });
    let mut view = View::first(Config { access, ..Config::default() });
    let mut state = testing::state();
    let device = state.devices.get_mut(&"D001".parse().unwrap()).unwrap();
    device.compliance.state = ComplianceState::Compliant;
    view.access = AccessBasis {
        directory: Some(Arc::new(Directory::of(&state))),
        as_of: Some(clock::now()),
        unreadable: false,
    };
    view.recorded = Arc::new(state);
    view
}

/// Status, head and body of the answer to these bytes.
async fn exchange(address: SocketAddr, request: &[u8]) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), body.to_owned())
}

async fn post_with(
    address: SocketAddr,
    path: &str,
    headers: &[&str],
    body: &[u8],
) -> (u16, String, String) {
    let length = format!("Content-Length: {}", body.len());
    let line = format!("POST {path} HTTP/1.1");
    let lines = [&[&*line, "Host: localhost", &length], headers].concat();
    let head = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
    exchange(address, &[head.as_bytes(), body].concat()).await
}

/// The decision, or the status of the error.
async fn post(address: SocketAddr, path: &str, body: &Value) -> Result<Value, u16> {
    let body = body.to_string();
    let kind = ["Content-Type: application/json"];
    let (status, head, body) = post_with(address, path, &kind, body.as_bytes()).await;
    assert!(head.contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    if status == 200 {
        assert!(answer_schema().is_valid(&body), "{body}");
        Ok(body)
    } else {
        assert!(body.is_string(), "an error is a message: {body}");
        Err(status)
    }
}

fn question(user: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": user}, "action": {"name": "read"},
        "resource": {"type": "application", "id": "SAP"},
    })
}

fn with(user: &str, pointer: &str, value: &Value) -> Value {
    let mut question = question(user);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    question.pointer_mut(parent).unwrap()[key] = value.clone();
    question
}

fn without(pointer: &str) -> Value {
    let mut question = question(ANA);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    question.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
    question
}

#[tokio::test]
async fn basic_a_question_is_decided_and_what_is_none_is_a_400() {
    let address = server(view(), None).await;
    let properties = json!({"department": "Sales", "role": "manager"});
    for (question, expected) in [
        (question(ANA), Ok(true)),
        (question("ANA.RUIZ@example.com"), Ok(true)),
        (question(BO), Ok(false)),
        (question("eve@example.com"), Ok(false)),
        (
            with(ANA, "/context", &json!({"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"})),
            Ok(true),
        ),
        (with(ANA, "/subject/properties", &properties), Ok(true)),
        (with(ANA, "/action/properties", &json!({"method": "GET"})), Ok(true)),
        (with(ANA, "/resource/properties", &json!({"status": "active"})), Ok(true)),
        (with(ANA, "/action/name", &json!("write")), Ok(true)),
        (with(ANA, "/foo", &json!("bar")), Ok(true)),
        (with(ANA, "/futureField", &json!({"nested": true})), Ok(true)),
        (with(ANA, "/subject/properties", &json!({"device_id": "D001"})), Ok(true)),
        (with(ANA, "/subject/properties", &json!({"device_serial": "pf3xk9q2"})), Ok(true)),
        (with(ANA, "/subject/properties", &json!({"device_id": "D002"})), Ok(false)),
        (with(ANA, "/subject/type", &json!("group")), Ok(false)),
        (with(ANA, "/resource/id", &json!("Payroll")), Ok(false)),
        (with(ANA, "/resource/type", &json!("record")), Ok(false)),
        (with(ANA, "/subject/id", &json!("")), Ok(false)),
        (without("/subject"), Err(400)),
        (without("/action"), Err(400)),
        (without("/resource"), Err(400)),
        (without("/subject/type"), Err(400)),
        (without("/subject/id"), Err(400)),
        (without("/action/name"), Err(400)),
        (without("/resource/type"), Err(400)),
        (without("/resource/id"), Err(400)),
        (with(ANA, "/subject", &json!("alice")), Err(400)),
        (with(ANA, "/subject", &json!(["user", ANA])), Err(400)),
        (with(ANA, "/subject", &Value::Null), Err(400)),
        (with(ANA, "/subject/id", &Value::Null), Err(400)),
        (with(ANA, "/action/name", &json!(123)), Err(400)),
        (with(ANA, "/resource/id", &json!({})), Err(400)),
        (with(ANA, "/subject/properties", &json!([])), Err(400)),
        (with(ANA, "/resource/properties", &json!("x")), Err(400)),
        (with(ANA, "/context", &json!("now")), Err(400)),
        (json!([]), Err(400)),
        (json!("alice"), Err(400)),
    ] {
        let answer = post(address, ONE, &question).await;
        assert_eq!(
            answer.as_ref().map(|a| a["decision"] == true).map_err(|e| *e),
            expected,
            "{question}"
        );
        // What the specification's own schema allows is a question here, and nothing else is.
        assert_eq!(request_schema().is_valid(&question), expected.is_ok(), "{question}");
        // The other endpoint takes a single question too.
        assert_eq!(
            post(address, SEVERAL, &question).await.map(|a| a["decision"] == true),
            expected
        );
    }
    // Stricter than the schema: a device that is named wrongly is not passed over.
    for named in [json!({"device_id": 7}), json!({"device_id": null}), json!({"device_serial": []})]
    {
        let question = with(ANA, "/subject/properties", &named);
        assert_eq!(post(address, ONE, &question).await, Err(400), "{named}");
    }
}

#[tokio::test]
async fn basic_a_denial_says_why_and_until_when_it_counts() {
    let address = server(view(), None).await;
    let denied = post(address, ONE, &question(BO)).await.unwrap();
    let context = &denied["context"];
    assert_eq!(denied["decision"], false);
    assert_eq!(context["reason"], "compliance-unknown");
    assert_eq!(context["reason_admin"]["en"], "D002 (bo-li-phone): nothing is reported");
    assert!(context["reason_user"]["en"].as_str().unwrap().contains("bo-li-phone"));
    let times = [&context["evaluated_at"], &context["valid_until"]].map(|t| t.as_str().unwrap());
    assert!(times[0] < times[1], "{times:?}");
    let allowed = post(address, ONE, &question(ANA)).await.unwrap();
    let keys: Vec<_> = allowed["context"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["evaluated_at", "valid_until"], "what is absent is left out, not null");
}

#[tokio::test]
async fn basic_a_body_that_is_not_json_or_not_whole_is_refused_by_its_own_status() {
    let address = server(view(), None).await;
    let body = question(ANA).to_string();
    let json = "Content-Type: application/json";
    let twice = body.replacen('{', "{\"subject\":{\"type\":\"user\",\"id\":\"eve\"},", 1);
    let deep = format!("{{\"context\":{}{}}}", "[".repeat(200), "]".repeat(200));
    for (headers, body, expected) in [
        (&[json][..], &*body, 200),
        (&["Content-Type: application/json; charset=utf-8"], &body, 200),
        (&["Content-Type: Application/JSON"], &body, 200),
        (&["Content-Type: text/plain"], &body, 400),
        (&["Content-Type: application/jsonp"], &body, 400),
        (&[], &body, 400),
        (&[json], "", 400),
        (&[json], " ", 400),
        (&[json], "{", 400),
        (&[json], &body[..body.len() - 1], 400),
        (&[json], &twice, 400),
        (&[json], &deep, 400),
        (&[json], "{\"subject\":\"\u{0}\"}", 400),
    ] {
        for path in [ONE, SEVERAL] {
            let (status, ..) = post_with(address, path, headers, body.as_bytes()).await;
            assert_eq!(status, expected, "{headers:?} {body}");
        }
    }
    let long = vec![b' '; 49 << 10];
    assert_eq!(post_with(address, ONE, &[json], &long).await.0, 413);
    let pieces = format!(
        "POST {ONE} HTTP/1.1\r\nHost: localhost\r\n{json}\r\nTransfer-Encoding: chunked\r\nConnection: \
         close\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    assert_eq!(exchange(address, pieces.as_bytes()).await.0, 411);
    for method in ["GET", "PUT", "DELETE"] {
        let request =
            format!("{method} {ONE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert_eq!(exchange(address, request.as_bytes()).await.0, 405, "{method}");
    }
    let elsewhere =
        format!("POST {ONE} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert_eq!(exchange(address, elsewhere.as_bytes()).await.0, 421);
}

#[tokio::test]
async fn basic_a_request_s_id_comes_back_on_errors_as_well_and_equal_questions_get_equal_answers() {
    let address = server(view(), None).await;
    let body = question(ANA).to_string();
    for kind in ["application/json", "text/plain"] {
        let kind = format!("Content-Type: {kind}");
        let headers = [&*kind, "X-Request-ID: bfe9eb29-ab87"];
        let (_, head, _) = post_with(address, ONE, &headers, body.as_bytes()).await;
        assert!(head.contains("x-request-id: bfe9eb29-ab87"), "{head}");
        let (_, head, _) = post_with(address, ONE, &[&kind], body.as_bytes()).await;
        assert!(!head.contains("x-request-id"), "{head}");
    }
    for _ in 0..3 {
        assert_eq!(post(address, ONE, &question(ANA)).await.unwrap()["decision"], true);
    }
}

/// The decisions of an answer to several questions.
fn decisions(answer: &Value) -> Vec<bool> {
    let all = answer["evaluations"].as_array().unwrap();
    all.iter().map(|each| each["decision"].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn batch_defaults_are_taken_whole_and_answers_are_in_the_order_of_questions() {
    let address = server(view(), None).await;
    let user = |id: &str| json!({"type": "user", "id": id});
    let (action, sap) = (json!({"name": "read"}), json!({"type": "application", "id": "SAP"}));
    let mail = json!({"type": "application", "id": "Mail \"x\""});
    for (body, expected) in [
        (
            json!({"subject": user(BO), "action": action, "evaluations": [{"resource": sap}, {"resource": mail}]}),
            vec![false, true],
        ),
        (
            json!({"action": action, "resource": sap, "evaluations": [{"subject": user(BO)}, {"subject": user(ANA)}]}),
            vec![false, true],
        ),
        (json!({"evaluations": [question(ANA), question(BO)]}), vec![true, false]),
        (
            json!({"subject": user(BO), "action": action, "resource": sap,
                   "context": {"time": "2025-06-27T18:03-07:00"},
                   "evaluations": [{}, {"subject": user(ANA), "context": {"source": "x"}}]}),
            vec![false, true],
        ),
        // A member of its own is not completed from the defaults.
        (
            json!({"subject": user(ANA), "action": action, "resource": sap,
                   "evaluations": [{}, {"subject": {"id": ANA}}, {"resource": {"type": "application"}}]}),
            vec![true, false, false],
        ),
        (
            json!({"subject": user(ANA), "action": action, "options": {"evaluations_semantic": "execute_all"},
                   "evaluations": [{"resource": sap}, {}, {"resource": 7}, 7, null, {"resource": sap}]}),
            vec![true, false, false, false, false, true],
        ),
    ] {
        let answer = post(address, SEVERAL, &body).await.unwrap();
        assert_eq!(decisions(&answer), expected, "{body}\n{answer}");
        assert_eq!(answer.get("decision"), None);
    }
    let body = json!({"subject": user(ANA), "action": action, "evaluations": [{}]});
    let answer = post(address, SEVERAL, &body).await.unwrap();
    let error = &answer["evaluations"][0]["context"]["error"];
    assert_eq!(*error, json!({"status": 400, "message": "resource is missing"}));
}

#[tokio::test]
async fn a_member_of_another_type_is_named() {
    let address = server(view(), None).await;
    for (at, value, said) in [
        ("/subject", json!("alice"), "subject is not an object"),
        ("/subject/id", json!(7), "subject.id is not a string"),
        ("/subject/properties", json!([]), "subject.properties is not an object"),
        ("/action/name", Value::Null, "action.name is not a string"),
        ("/resource/type", json!({}), "resource.type is not a string"),
        ("/context", json!(1), "context is not an object"),
    ] {
        let body = with(ANA, at, &value).to_string();
        let head = format!(
            "POST /access/v1/evaluation HTTP/1.1\r\nHost: fleet.example.com\r\n\
             Connection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let (status, _, answer) = exchange(address, (head + &body).as_bytes()).await;
        assert_eq!((status, answer), (400, json!(said).to_string()), "{body}");
    }
}

#[tokio::test]
async fn batch_each_semantic_ends_where_it_says() {
    let address = server(view(), None).await;
    let (yes, no, wrong) = (question(ANA), question(BO), json!({"subject": 7}));
    for (semantic, questions, expected) in [
        ("execute_all", vec![&no, &yes, &no], vec![false, true, false]),
        ("deny_on_first_deny", vec![&yes, &no, &yes], vec![true, false]),
        ("deny_on_first_deny", vec![&yes, &wrong, &yes], vec![true, false]),
        ("deny_on_first_deny", vec![&yes, &yes], vec![true, true]),
        ("permit_on_first_permit", vec![&no, &wrong, &yes, &no], vec![false, false, true]),
        ("permit_on_first_permit", vec![&no, &no], vec![false, false]),
    ] {
        let options = json!({"evaluations_semantic": semantic});
        let body = json!({"options": options, "evaluations": questions});
        let answer = post(address, SEVERAL, &body).await.unwrap();
        assert_eq!(decisions(&answer), expected, "{semantic}");
    }
    let of = |count: usize| json!({"evaluations": vec![json!({}); count]});
    for (body, expected) in [
        (with(ANA, "/evaluations", &json!([])), 200),
        (with(ANA, "/evaluations", &json!({})), 400),
        (with(ANA, "/evaluations", &Value::Null), 400),
        (json!({"options": {"evaluations_semantic": "x"}, "evaluations": [yes]}), 400),
        (json!({"options": {"evaluations_semantic": 1}, "evaluations": [yes]}), 400),
        (json!({"options": [], "evaluations": [yes]}), 400),
        (json!({"subject": "alice", "evaluations": [yes]}), 400),
        (of(100), 200),
        (of(101), 400),
        (json!({}), 400),
    ] {
        let answer = post(address, SEVERAL, &body).await;
        assert_eq!(answer.map_or_else(|status| status, |_| 200), expected, "{body}");
    }
}

#[tokio::test]
async fn discovery_names_the_endpoints_to_anybody_and_what_is_not_there_not() {
    let address = server(view(), Some("0123456789abcdef0123")).await;
    let get = "GET /.well-known/authzen-configuration HTTP/1.1\r\nHost: fleet.example.com\r\nConnection: close\r\n\r\n";
    let (status, head, body) = exchange(address, get.as_bytes()).await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({
            "policy_decision_point": "https://fleet.example.com",
            "access_evaluation_endpoint": "https://fleet.example.com/access/v1/evaluation",
            "access_evaluations_endpoint": "https://fleet.example.com/access/v1/evaluations",
        })
    );
    let nothing = View::first(Config::default());
    let address = server(nothing, None).await;
    let (status, ..) = exchange(address, get.as_bytes()).await;
    assert_eq!(status, 404);
    assert_eq!(post(address, ONE, &question(ANA)).await, Err(404));
}

#[tokio::test]
async fn without_its_token_nobody_is_answered() {
    let address = server(view(), Some("0123456789abcdef0123")).await;
    let body = question(ANA).to_string();
    let kind = "Content-Type: application/json";
    for (credentials, expected) in [
        ("Authorization: Bearer 0123456789abcdef0123", 200),
        ("Authorization: Bearer 0123456789abcdef0124", 401),
        ("X-Request-ID: 7", 401),
    ] {
        let headers = [kind, credentials];
        let (status, head, body) = post_with(address, ONE, &headers, body.as_bytes()).await;
        assert_eq!(status, expected, "{credentials}: {body}");
        if status == 401 {
            assert!(head.contains("www-authenticate: bearer"), "{head}");
            assert!(serde_json::from_str::<String>(&body).is_ok(), "{body}");
        }
        let echoed = head.contains("x-request-id: 7");
        assert_eq!(echoed, credentials.starts_with("X-Request-ID"), "{head}");
    }
}

#[tokio::test]
async fn what_is_not_known_for_sure_is_a_no_for_everybody() {
    let now = clock::now();
    let mut old = view();
    let year = TimeDelta::days(366);
    old.access.as_of = Some(now + -year);
    old.config = {
        let mut config = Config::clone(&old.config);
        config.access.as_mut().unwrap().rules.max_age = TimeDelta::days(365);
        Arc::new(config)
    };
    let mut unreadable = view();
    unreadable.access.unreadable = true;
    let mut first = View::first(Config::clone(&view().config));
    first.access = AccessBasis::default();
    for (view, expected) in
        [(old, "out-of-date"), (unreadable, "ledger-unreadable"), (first, "not-ready")]
    {
        let address = server(view, None).await;
        for user in [ANA, BO, "eve@example.com"] {
            let answer = post(address, ONE, &question(user)).await.unwrap();
            assert_eq!(answer["decision"], false);
            assert_eq!(answer["context"]["reason"], expected, "{user}");
        }
    }
}

#[tokio::test]
async fn decisions_are_counted_by_resource_outcome_and_reason() {
    let address = server(view(), None).await;
    for user in [ANA, ANA, BO, "eve@example.com"] {
        post(address, ONE, &question(user)).await.unwrap();
    }
    let mail = with(BO, "/resource/id", &json!("Mail \"x\""));
    post(address, SEVERAL, &json!({"evaluations": [mail, {}]})).await.unwrap();
    post(address, ONE, &with(ANA, "/resource/id", &json!("Nowhere\"} 1"))).await.unwrap();
    post(address, ONE, &json!({})).await.unwrap_err();
    let get = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let (_, _, text) = exchange(address, get.as_bytes()).await;
    for line in [
        "fleetform_access_decisions_total{resource=\"SAP\",outcome=\"allowed\"} 2",
        "fleetform_access_decisions_total{resource=\"SAP\",outcome=\"denied\"} 2",
        "fleetform_access_decisions_total{resource=\"Mail \\\"x\\\"\",outcome=\"allowed\"} 1",
        "fleetform_access_denials_total{reason=\"compliance-unknown\"} 1",
        "fleetform_access_denials_total{reason=\"unknown-user\"} 1",
        "fleetform_access_denials_total{reason=\"unknown-resource\"} 1",
        "fleetform_access_mistakes_total 2",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert!(!text.contains("Nowhere"), "{text}");
}
