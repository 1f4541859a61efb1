//! Files that prove who asks.

use super::*;

#[tokio::test]
async fn a_secret_that_others_can_read_or_that_is_none_is_not_used() {
    let place = Place::new();
    let server = Server::new(|_, _| Some(Reply::Json(200, json!({}))));
    let tries = async |name: &'static str| {
        let mut settings = place.webhook(&server.url());
        settings.secret_file = Some(place.path(name));
        Webhook::over(http(), &settings).deliver(ID, &announcement(), Some(LEDGER)).await
    };
    place.write("public", SECRET);
    fs::set_permissions(place.path("public"), Permissions::from_mode(0o644)).unwrap();
    place.write("empty", "\n\n");
    place.write("short", "whsec_AAEC");
    for (name, says) in [
        ("public", "can be read by every user"),
        ("empty", "holds no secret"),
        ("short", "3 bytes"),
        ("gone", "No such file"),
    ] {
        let attempt = tries(name).await;
        assert_eq!(word(&attempt), "misconfigured");
        assert!(why(&attempt).contains(says) && !why(&attempt).contains("AAEC"), "{attempt:?}");
    }
    assert_eq!(server.calls().len(), 0);
    // Put right, it counts at once.
    place.write("short", SECRET);
    assert_eq!(word(&tries("short").await), "done");
}

#[tokio::test]
async fn a_url_in_a_file_is_one_that_is_encrypted_or_stays_here_and_is_never_shown() {
    let place = Place::new();
    for (url, says) in [
        ("http://hooks.example.com/hunter2", "must begin with https://"),
        ("https://me:hunter2@hooks.example.com/", "a user"),
        ("hunter2", "no URL"),
        ("https://hooks.example.com/#hunter2", "a fragment"),
    ] {
        let mut settings = place.webhook("");
        settings.url = WebhookUrl::File(place.write("url", url));
        let webhook = Webhook::over(http(), &settings);
        let attempt = webhook.deliver(ID, &announcement(), Some(LEDGER)).await;
        let said = format!("{} {webhook:?} {attempt:?}", why(&attempt));
        assert!(said.contains(says) && !said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn an_api_key_and_a_client_prove_who_asks_and_a_token_is_renewed_once() {
    let place = Place::new();
    place.write("id", "c1");
    place.write("client-secret", "s3cr3t of a client".replace(' ', "-").as_str());
    let server = Server::new(|seen, n| {
        let row = json!({"result": []});
        Some(match (&*seen.target, seen.header("authorization")) {
            ("/oauth_token.do", _) => Reply::Json(
                200,
                json!({"access_token": format!("token-{n}"), "token_type": "Bearer", "expires_in": 1799}),
            ),
            // The first token is not taken any more.
            (_, Some("Bearer token-0")) => {
                Reply::Json(401, json!({"error": {"message": "User Not Authenticated"}}))
            }
            (_, Some("Bearer token-2")) => Reply::Json(200, row),
            (_, None) if seen.header("x-sn-apikey") == Some(PASSWORD) => Reply::Json(200, row),
            _ => Reply::Json(403, json!({})),
        })
    });
    let mut settings = place.service_now(&server.url());
    settings.login = ServiceNowLogin::Client {
        id_file: place.path("id"),
        secret_file: place.path("client-secret"),
    };
    let service_now = ServiceNow::over(http(), &settings);
    for _ in 0..2 {
        assert_eq!(word(&service_now.test(&key()).await), "done");
    }
    let calls = server.calls();
    let tokens: Vec<&Seen> = calls.iter().filter(|seen| seen.target == "/oauth_token.do").collect();
    assert_eq!(tokens.len(), 2, "one at first, one when it was refused, none while it is good");
    assert!(tokens[0].body.contains("grant_type=client_credentials&client_id=c1"));
    settings.login = ServiceNowLogin::ApiKey { file: place.path("password") };
    assert_eq!(word(&ServiceNow::over(http(), &settings).test(&key()).await), "done");
}
