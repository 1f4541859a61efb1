use super::super::call::Call;
use super::server::{Reply, Server};
use super::*;

/// Answers nothing but tokens.
fn silent() -> Server {
    Server::new(|seen, _| (!seen.is_token()).then_some(Reply::Silence))
}

#[test]
fn calls_under_way_end_with_the_client_and_nobody_waits_for_them() {
    let (place, server) = (Place::new(), silent());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let graph = place.everyday(&server);
        let call = graph.read(Call::get("/users"));
        let called = tokio::task::spawn_blocking({
            let server = server.clone();
            move || server.until_called(1)
        });
        tokio::select! {
            answer = call => panic!("{answer:?}"),
            _ = called => {}
        }
        drop(graph);
        let left = tokio::task::spawn_blocking(move || server.until_left());
        left.await.unwrap();
    });
    // It would wait for threads that are blocked.
    drop(runtime);
}

#[tokio::test]
async fn nobody_is_waited_for_for_ever() {
    let (place, server) = (Place::new(), silent());
    let network = Network { answer: SECOND / 5, ..network() };
    let graph = Everyday::new(tenant_at(&server.url(), network), place.credentials(CLIENT));
    let failure = graph.write_once(Call::post("/groups", json!({}))).await.unwrap_err();
    assert!(failure.to_string().contains("does not answer in time"), "{failure}");
    assert!(!failure.surely_not_taken());
    assert!(failure.client_request_id().is_some());
}
