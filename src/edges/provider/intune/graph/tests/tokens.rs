use super::super::call::Call;
use super::super::credentials::{Credentials, Proof};
use super::super::failure::Failure;
use super::super::registrations::Everyday;
use super::server::{Reply, Seen, Server, token};
use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn users() -> Call {
    Call::get("/users")
}

/// The tokens with which Graph was asked, in this order.
fn bearers(server: &Server) -> Vec<String> {
    let bearer = |seen: Seen| seen.header("authorization").unwrap().to_owned();
    server.calls().into_iter().map(bearer).collect()
}

fn bearer(number: usize) -> String {
    format!("Bearer {}", access_token(number))
}

fn refused(error: &str, description: &str) -> Reply {
    Reply::Json(401, json!({"error": error, "error_description": description}))
}

#[tokio::test]
async fn a_secret_buys_a_token_and_the_token_buys_an_answer() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    place.write("secret", format!("  {SECRET}\n"));
    place.everyday(&server).read(users()).await.unwrap();
    let [asked] = &server.tokens()[..] else { panic!("one token") };
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    let scope = format!("{}/.default", server.url()).replace(':', "%3A").replace('/', "%2F");
    assert_eq!(
        asked.body,
        format!(
            "client_id={CLIENT}&scope={scope}&grant_type=client_credentials&client_secret={SECRET}"
        )
    );
    assert_eq!(asked.header("authorization"), None);
    assert_eq!(bearers(&server), [bearer(0)]);
}

#[tokio::test(start_paused = true)]
async fn however_many_need_a_token_it_is_asked_for_once() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let graph = place.everyday(&server);
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let graph = graph.clone();
            tokio::spawn(async move { graph.read(users()).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((server.tokens().len(), server.calls().len()), (1, 50));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_kept_until_five_minutes_before_it_expires() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let graph = place.everyday(&server);
    graph.read(users()).await.unwrap();
    tokio::time::advance(MINUTE * 54).await;
    graph.read(users()).await.unwrap();
    assert_eq!(server.tokens().len(), 1);
    tokio::time::advance(MINUTE).await;
    graph.read(users()).await.unwrap();
    assert_eq!(bearers(&server), [bearer(0), bearer(0), bearer(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_renewed_is_used_while_it_is_good() {
    let place = Place::new();
    let server = Server::new(|seen, number| {
        (seen.is_token() && number > 0).then(|| Reply::Json(503, json!("later")))
    });
    let graph = place.everyday(&server);
    graph.read(users()).await.unwrap();
    tokio::time::advance(MINUTE * 56).await;
    for _ in 0..5 {
        graph.read(users()).await.unwrap();
    }
    assert_eq!(server.tokens().len(), 2, "it is not tried for each call");
    tokio::time::advance(MINUTE * 4).await;
    let failure = graph.read(users()).await.unwrap_err();
    assert!(matches!(failure, Failure::Token(_)), "{failure}");
    assert!(bearers(&server).iter().all(|sent| *sent == bearer(0)));
}

#[tokio::test(start_paused = true)]
async fn what_graph_does_not_take_is_replaced_once() {
    for taken_from in [1, 2] {
        let place = Place::new();
        let server = Server::new(move |seen, _| {
            let old = (0..taken_from).any(|n| seen.header("authorization") == Some(&bearer(n)));
            let error = json!({"error": {"code": "InvalidAuthenticationToken"}});
            old.then_some(Reply::Json(401, error))
        });
        let graph = place.everyday(&server);
        for once in [false, true] {
            let call = Call::post("/groups", json!({}));
            let answer = if once { graph.write_once(call).await } else { graph.write(call).await };
            if taken_from == 1 {
                answer.unwrap();
            } else if !once {
                let failure = answer.unwrap_err();
                assert_eq!(failure.refusal().unwrap().status, 401);
                assert!(failure.to_string().contains("check tenant, loginUrl"), "{failure}");
                assert!(failure.surely_not_taken());
                assert_eq!((server.tokens().len(), server.calls().len()), (2, 2));
                break;
            }
        }
        if taken_from == 1 {
            assert_eq!(bearers(&server), [bearer(0), bearer(1), bearer(1)]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_is_refused_does_not_ask_again_at_once() {
    let place = Place::new();
    let said = "AADSTS7000215: Invalid client secret provided: s3cr3t~of.the-registration\r\n\
                Trace ID: 1234";
    let server = Server::new(move |seen, number| {
        (seen.is_token() && number < 3).then(|| refused("invalid_client", said))
    });
    let graph = place.everyday(&server);
    for _ in 0..20 {
        let failure = graph.read(users()).await.unwrap_err();
        let text = failure.to_string();
        let expected = "invalid_client: AADSTS7000215: Invalid client secret provided: … Trace ID: \
                        1234; secretFile must hold the value";
        assert!(text.contains(expected) && text.contains(CLIENT), "{text}");
        assert!(failure.surely_not_taken() && !failure.may_pass());
        assert!(!format!("{text}{failure:?}").contains(SECRET), "{text}");
    }
    tokio::time::advance(SECOND * 59).await;
    graph.read(users()).await.unwrap_err();
    assert_eq!(server.tokens().len(), 1, "within a minute");
    tokio::time::advance(SECOND * 62).await;
    graph.read(users()).await.unwrap_err();
    assert_eq!(server.tokens().len(), 2, "after two");
    tokio::time::advance(SECOND * 119).await;
    graph.read(users()).await.unwrap_err();
    assert_eq!(server.tokens().len(), 2, "and then it waits longer");
    // What somebody mended is tried at once.
    for (secret, tokens) in [("another", 3), ("a third one", 4)] {
        place.write("secret", secret.replace(' ', "-"));
        let answer = graph.read(users()).await;
        assert_eq!((answer.is_ok(), server.tokens().len()), (tokens == 4, tokens));
    }
    assert_eq!(server.calls().len(), 1, "Graph was not asked without a token");
}

#[tokio::test(start_paused = true)]
async fn entra_that_is_busy_is_asked_again_when_it_wants_to_be() {
    let place = Place::new();
    let server = Server::new(|seen, number| match (seen.is_token(), number) {
        (true, 0) => {
            Some(Reply::With(429, vec![("Retry-After", "20".into())], json!({"error": "x"})))
        }
        (true, 1) => Some(Reply::Cut),
        (true, 2) => Some(Reply::Json(200, json!({"token_type": "Bearer"}))),
        (true, 3) => Some(token("not\u{7f}visible", 3600)),
        _ => None,
    });
    let start = tokio::time::Instant::now();
    place.everyday(&server).read(users()).await.unwrap();
    assert_eq!(server.tokens().len(), 5);
    assert!(start.elapsed() >= SECOND * 20);
}

#[tokio::test(start_paused = true)]
async fn a_federated_token_is_read_anew_each_time() {
    let place = Place::new();
    let server = Server::new(|_, _| None);
    let path = place.write("federated", "eyJ.first.x\n");
    let credentials = Credentials::new(CLIENT, Proof::FederatedToken(path));
    let graph = Everyday::new(tenant(&server), credentials);
    graph.read(users()).await.unwrap();
    place.write("federated", "eyJ.second.x\n");
    tokio::time::advance(MINUTE * 60).await;
    graph.read(users()).await.unwrap();
    let kind = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3A\
                jwt-bearer";
    for (asked, assertion) in server.tokens().iter().zip(["eyJ.first.x", "eyJ.second.x"]) {
        let expected = format!("{kind}&client_assertion={assertion}");
        assert!(asked.body.ends_with(&expected), "{}", asked.body);
    }
    assert_eq!(server.tokens().len(), 2);
}

#[tokio::test]
async fn the_roles_of_a_token_are_told() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let roles = place.everyday(&server).roles().await.unwrap();
    let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
    assert_eq!(roles, ["DeviceManagementManagedDevices.Read.All", "Group.Read.All"]);
    let opaque = Server::new(|_, _| Some(token("opaque", 3600)));
    let failure = place.everyday(&opaque).roles().await.unwrap_err();
    assert!(failure.to_string().contains("does not say which permissions"), "{failure}");
}

#[tokio::test]
async fn a_credential_file_that_others_can_read_or_that_holds_nothing_is_refused() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let graph = place.everyday(&server);
    let said = |failure: Failure| {
        assert!(matches!(failure, Failure::Secret { .. }), "{failure:?}");
        let text = failure.to_string();
        assert!(text.contains("/secret: ") && !text.contains(SECRET), "{text}");
        text
    };
    for (mode, why) in [(0o644, "every user"), (0o640, "your group"), (0o602, "every user")] {
        chmod(&place.path("secret"), mode);
        let text = said(graph.read(users()).await.unwrap_err());
        assert!(text.contains(why), "{text}");
    }
    for content in ["", "two words", "line\nline", "ümlaut"] {
        place.write("secret", content);
        let text = said(graph.read(users()).await.unwrap_err());
        assert!(text.contains("holds no client secret on one line"), "{text}");
    }
    std::fs::remove_file(place.path("secret")).unwrap();
    let text = said(graph.read(users()).await.unwrap_err());
    assert!(text.contains("No such file"), "{text}");
    assert!(server.tokens().is_empty() && server.calls().is_empty());
    place.write("secret", SECRET);
    graph.read(users()).await.unwrap();
}
