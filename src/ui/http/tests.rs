//! The server on loopback, asked by hand: whom it answers, and what that takes.

use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, RngAlgorithm, TestRng, TestRunner};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use tokio::sync::watch;

use super::answer::Room;
use super::shared::Shared;
use super::{Server, Token, api};
use crate::app::reconcile::Basis;
use crate::app::status::{MadeOf, Status, View};
use crate::domain::fleet::Desired;
use crate::domain::model::DeviceId;
use crate::domain::model::Digest;
use crate::domain::settings::Settings;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::config::Config;
use crate::edges::requests::Requests;
use crate::ui::render::testing;

const ROUTES: [&str; 12] = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/devices",
    "/api/v1/devices/D001",
    "/api/v1/plan",
    "/api/v1/audit",
    "/api/v1/state",
    "/access/v1/evaluation",
    "/access/v1/evaluations",
    "/.well-known/authzen-configuration",
    "/nothing",
];

fn published() -> Status {
    let basis = Basis {
        now: testing::now(),
        settings: &Settings::default(),
        desired: &Desired::default(),
        recorded: &testing::state(),
        requests: &Requests::default(),
        trust: &TrustState::NotConfigured,
        accept_removals: None,
        heads: &[],
        clock: None,
        only: None,
    };
    let made_of = MadeOf {
        root: "fleet".to_owned(),
        revision: None,
        seq: 0,
        head: Digest::of(b"head"),
        lineage: None,
        trust: Arc::new(TrustState::NotConfigured),
    };
    Status::new(basis, made_of)
}

fn view() -> View {
    let mut view = View::first(Config::default());
    view.recorded = Arc::new(testing::state());
    view.status = Some(Arc::new(published()));
    view.not_ready.clear();
    view
}

/// A server that shows `view`, and where; it ends with the test.
pub(super) async fn server(view: View, token: Option<&str>) -> SocketAddr {
    let dir = tempfile::tempdir().unwrap();
    let file = token.map(|token| {
        let path = dir.path().join("token");
        std::fs::write(&path, token).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    });
    let token = Token::read(file, dir.path().join("fleet")).unwrap();
    let names = ["fleet.example.com".to_owned()];
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), token, &names).await.unwrap();
    let address = server.address().unwrap();
    let (sender, views) = watch::channel(Arc::new(view));
    tokio::spawn(async move {
        server.run(views).await;
        drop(sender);
    });
    address
}

/// The whole answer to these lines.
async fn ask(address: SocketAddr, lines: &[&str]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn another_servers_name_is_refused_on_every_route_with_and_without_a_token() {
    let token = "0123456789abcdef0123";
    let bearer = format!("Authorization: Bearer {token}");
    let forwarded = ["X-Forwarded-Host: localhost", "Forwarded: host=localhost"];
    for known in [None, Some(token)] {
        let address = server(view(), known).await;
        for route in ROUTES {
            for method in ["GET", "HEAD", "POST", "OPTIONS"] {
                let line = format!("{method} {route} HTTP/1.1");
                for hosts in [
                    &["Host: evil.example"][..],
                    &["Host: evil.example:8080"],
                    &["Host: localhost.evil.example"],
                    &["Host: 127.0.0.1.evil.example"],
                    &["Host: localhost", "Host: evil.example"],
                    &["Host: "],
                    &[],
                ] {
                    let lines = [&[&*line], hosts, &[&*bearer], &forwarded].concat();
                    let answer = ask(address, &lines).await;
                    assert_eq!(status(&answer), "421", "{lines:?}: {answer}");
                    assert!(!answer.contains("serialNumber"), "{answer}");
                }
            }
            let absolute = format!("GET http://evil.example{route} HTTP/1.1");
            let answer = ask(address, &[&absolute, "Host: localhost", &bearer]).await;
            assert_eq!(status(&answer), "421", "{absolute}");
            let old = format!("GET {route} HTTP/1.0");
            assert_eq!(status(&ask(address, &[&old, &bearer]).await), "421", "{old}");
            for host in ["localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]:8", "Fleet.example.com"]
            {
                let (line, host) = (format!("GET {route} HTTP/1.1"), format!("Host: {host}"));
                let answer = ask(address, &[&line, &host, &bearer, "Forwarded: host=evil"]).await;
                assert_ne!(status(&answer), "421", "{route} {host}");
            }
        }
    }
}

#[tokio::test]
async fn the_scheme_bearer_has_no_case_and_the_token_has() {
    let token = "0123456789abcdefABCD";
    let address = server(view(), Some(token)).await;
    let ask = async |credentials: String| {
        let header = format!("Authorization: {credentials}");
        let answer = ask(address, &["GET /readyz HTTP/1.1", "Host: localhost", &header]).await;
        status(&answer).to_owned()
    };
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR", "bearer "] {
        assert_eq!(ask(format!("{scheme} {token}")).await, "200", "{scheme}");
    }
    for wrong in [
        format!("bearer {}", token.to_lowercase()),
        format!("bearer{token}"),
        format!("basic {token}"),
        format!("Bearer {token}x"),
        format!("Bearer {token} {token}"),
        token.to_owned(),
        "bearer".to_owned(),
        "b\u{e9}arer ".to_owned(),
    ] {
        assert_eq!(ask(wrong.clone()).await, "401", "{wrong}");
    }
}

#[tokio::test]
async fn a_broken_trust_file_degrades_and_does_not_end_readiness() {
    let address = server(View { degraded: vec!["every wipe is refused".into()], ..view() }, None);
    let answer = ask(address.await, &["GET /readyz HTTP/1.1", "Host: localhost"]).await;
    let body: serde_json::Value =
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(status(&answer), "200");
    assert_eq!(body["ready"], true);
    assert_eq!(body["degraded"], serde_json::json!(["every wipe is refused"]));
}

#[tokio::test]
async fn whoever_asks_for_the_plan_shares_its_bytes() {
    let (_sender, views) = watch::channel(Arc::new(view()));
    let shared = Shared::new(views, Token::read(None, PathBuf::new()).unwrap());
    let body = async || {
        let answer = api::plan(State(shared.clone()), Default::default()).await;
        axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap()
    };
    let (first, second) = (body().await, body().await);
    assert!(first.starts_with(b"{\n  \"version\": 1,"), "{first:?}");
    assert_eq!(first.as_ptr(), second.as_ptr());
}

#[test]
fn answers_that_nobody_reads_have_a_limit_together() {
    let room = Room::default();
    let megabyte = || room.hold(vec![0; (1 << 20) - 1]);
    let held: Vec<_> = (0..64).map(|_| megabyte().unwrap()).collect();
    assert!(megabyte().is_err(), "there is no room for more");
    let copies = held.clone();
    drop(held);
    assert!(megabyte().is_err(), "a copy is being read");
    drop(copies);
    // What is larger than all of it gets all of it.
    let large = room.hold(vec![0; 100 << 20]).unwrap();
    assert!(room.hold(Vec::new()).is_err());
    drop(large);
    assert!(megabyte().is_ok());
}

/// What may stand after `?`: every parameter with ends of ranges, escapes and nonsense.
fn query() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "after",
        "limit",
        "since",
        "label",
        "user",
        "status",
        "orphaned",
        "overdue",
        "platform",
        "compliance",
        "profile",
        "%61fter",
        "x",
        "",
    ]);
    let value = prop_oneof![
        prop::sample::select(vec![
            "D4294967295",
            "D4294967294",
            "D4294967296",
            "D000",
            "D001",
            "d001",
            "D",
            "0",
            "1",
            "1000",
            "1001",
            "-1",
            "18446744073709551615",
            "18446744073709551616",
            "4294967295",
            "Enrolled",
            "true",
            "a=b",
            "%",
            "%ff",
            "%00",
            "%F0%9F",
            "+",
            "=",
        ])
        .prop_map(str::to_owned),
        any::<u64>().prop_map(|n| n.to_string()),
        any::<u32>().prop_map(|n| format!("D{n}")),
        "[ -~]{0,12}",
        "\\PC{0,6}",
    ];
    prop::collection::vec((name, value), 0..4).prop_map(|pairs| {
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    })
}

#[test]
fn no_query_brings_an_answer_down() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut view = view();
    view.config = Arc::new(Config { data: dir.path().to_owned(), ..Config::default() });
    let (_sender, views) = watch::channel(Arc::new(view));
    let shared = Shared::new(views, Token::read(None, PathBuf::new()).unwrap());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let cases = Cases { cases: 3000, failure_persistence: None, ..Cases::default() };
    let check = |query: String| {
        use axum::extract::RawQuery;
        runtime.block_on(async {
            let query = || RawQuery(Some(query.clone()));
            let devices = api::devices(State(shared.clone()), query(), Default::default()).await;
            let audit = api::audit(State(shared.clone()), query(), Default::default()).await;
            for answer in [devices, audit] {
                let status = answer.status();
                prop_assert!(status == 200 || status == 400, "{status}");
            }
            Ok(())
        })
    };
    TestRunner::new_with_rng(cases, rng).run(&query(), check).unwrap();
    // The last id there can be has none after it.
    let last: DeviceId = "D4294967295".parse().unwrap();
    check(format!("after={last}")).unwrap();
}
