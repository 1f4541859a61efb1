use serde_json::Value;

use super::super::call::Call;
use super::super::failure::Failure;
use super::server::{Reply, Server, throttled};
use super::*;

fn page(ids: &[u32], next: Option<String>) -> Reply {
    let value: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let mut page = json!({"@odata.context": "x", "value": value});
    if let Some(next) = next {
        page["@odata.nextLink"] = next.into();
    }
    Reply::Json(200, page)
}

/// Reads all pages: what was read of them, and how it ended.
async fn read(server: &Server) -> (Vec<u64>, Result<(), Failure>) {
    let (place, mut ids) = (Place::new(), Vec::new());
    let call = Call::get("/users").query("$select", "id").header("ConsistencyLevel", "eventual");
    let each = |page: Vec<Value>| ids.extend(page.iter().map(|row| row["id"].as_u64().unwrap()));
    let done = place.everyday(server).pages(call, each).await;
    (ids, done)
}

/// A server whose links lead to itself, at the place of `BASE`.
fn linked(pages: Vec<(&'static [u32], Option<&'static str>)>) -> Server {
    Server::new(move |seen, number| {
        let base = format!("http://{}", seen.header("host").unwrap());
        let next = |link: &str| link.replace("BASE", &base);
        let (ids, link) = pages.get(number).filter(|_| !seen.is_token())?;
        Some(page(ids, link.map(next)))
    })
}

#[tokio::test]
async fn pages_are_followed_verbatim_to_the_end() {
    let odd = "BASE/v1.0/users?$select=id&$skiptoken=a%2Fb%3d'x',!~%E4";
    let server = linked(vec![(&[1, 2], Some(odd)), (&[], Some("BASE/else?x=1")), (&[3], None)]);
    let (ids, done) = read(&server).await;
    done.unwrap();
    assert_eq!(ids, [1, 2, 3]);
    let targets: Vec<String> = server.calls().iter().map(|seen| seen.target.clone()).collect();
    assert_eq!(
        targets,
        [
            "/v1.0/users?$select=id",
            "/v1.0/users?$select=id&$skiptoken=a%2Fb%3d'x',!~%E4",
            "/else?x=1"
        ]
    );
    let all = server.calls();
    assert!(all.iter().all(|seen| seen.header("consistencylevel") == Some("eventual")));
}

#[tokio::test]
async fn no_page_leads_to_another_host() {
    for next in [
        "https://evil.example.com/v1.0/users?$skiptoken=2",
        "http://evil.example.com/",
        "BASE.evil.example.com/",
        "BASE@evil.example.com/",
        "http://me@127.0.0.1/",
        "http://127.0.0.1:1/v1.0/users",
        "https://127.0.0.1/v1.0/users",
        "/v1.0/users?$skiptoken=2",
        "users",
        "",
        "file:///etc/passwd",
    ] {
        let next: &'static str = next;
        let server = linked(vec![(&[1], Some(next)), (&[2], None)]);
        let (_, done) = read(&server).await;
        let failure = done.unwrap_err();
        assert!(failure.to_string().contains("at another host"), "{next}: {failure}");
        assert_eq!(server.calls().len(), 1, "{next}");
    }
}

#[tokio::test]
async fn a_list_without_end_is_an_error() {
    for pages in [
        vec![(&[1][..], Some("BASE/v1.0/users?$select=id"))],
        vec![(&[1][..], Some("BASE/a")), (&[2], Some("BASE/b")), (&[3], Some("BASE/a"))],
    ] {
        let count = pages.len();
        let server = linked(pages);
        let (_, done) = read(&server).await;
        let failure = done.unwrap_err();
        assert!(failure.to_string().contains("one that was read"), "{failure}");
        assert_eq!(server.calls().len(), count);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_is_read_again_and_one_that_is_missing_ends_it() {
    let server = Server::new(|seen, number| {
        let base = format!("http://{}", seen.header("host").unwrap());
        match (seen.is_token(), number) {
            (true, _) => None,
            (_, 0) => Some(page(&[1], Some(format!("{base}/2")))),
            (_, 1) => Some(throttled(Some("3"))),
            (_, 2) => Some(Reply::Cut),
            (_, 3) => Some(page(&[2], Some(format!("{base}/3")))),
            _ => Some(Reply::Json(404, json!({"error": {"code": "gone"}}))),
        }
    });
    let (ids, done) = read(&server).await;
    assert_eq!(ids, [1, 2]);
    assert_eq!(done.unwrap_err().refusal().unwrap().status, 404);
    let server = Server::of(vec![Reply::Json(200, json!({"values": []}))]);
    let failure = read(&server).await.1.unwrap_err();
    assert!(failure.to_string().contains("another shape than documented"), "{failure}");
}
