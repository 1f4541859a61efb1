//! What is sent, read by programs of others.

use super::*;
use crate::edges::clock;
use crate::edges::notify::events::Documents;

/// Delivers to a server that takes everything, and gives what it got.
async fn webhook(place: &Place, change: impl Fn(&mut WebhookSettings)) -> Seen {
    let server = Server::new(|_, _| Some(Reply::With(204, Vec::new(), Value::Null)));
    let mut settings = place.webhook(&format!("{}/hook", server.url()));
    change(&mut settings);
    let webhook = Webhook::over(Http::over(network(64 << 10), None, clock::now), &settings);
    let attempt = webhook.deliver(ID, &announcement(), Some(LEDGER)).await;
    assert_eq!(attempt, Attempt::Done { reference: None });
    server.calls().remove(0)
}

#[tokio::test]
async fn a_webhook_is_verified_by_its_secret_and_by_each_of_two_while_they_change() {
    let place = Place::new();
    let one = webhook(&place, |_| {}).await;
    place.write("both", &format!("{NEXT_SECRET}\n{SECRET}\n"));
    place.write("next", NEXT_SECRET);
    let lines = webhook(&place, |it| it.secret_file = Some(place.path("both"))).await;
    let files = webhook(&place, |it| {
        it.secret_file = Some(place.path("next"));
        it.previous_secret_file = Some(place.path("secret"));
    })
    .await;
    let sent = |seen: &Seen, secrets: &[&str]| {
        let headers: serde_json::Map<String, Value> =
            seen.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({"headers": headers, "body": seen.body, "secrets": secrets})
    };
    let cases = json!([
        sent(&one, &[SECRET]),
        sent(&lines, &[SECRET, NEXT_SECRET]),
        sent(&files, &[SECRET, NEXT_SECRET]),
    ]);
    let said = python(
        "import json, sys\n\
         from standardwebhooks import Webhook, WebhookVerificationError\n\
         for case in json.load(open(sys.argv[1])):\n\
         \x20   headers = {k.lower(): v for k, v in case['headers'].items()}\n\
         \x20   for secret in case['secrets']:\n\
         \x20       print(Webhook(secret).verify(case['body'], headers)['data']['device'])\n\
         \x20       try:\n\
         \x20           Webhook(secret).verify(case['body'].replace('D007', 'D008'), headers)\n\
         \x20           print('forged')\n\
         \x20       except WebhookVerificationError:\n\
         \x20           pass\n",
        &cases,
    );
    assert_eq!(said, "D007\n".repeat(5));
    assert_eq!(one.header("webhook-id"), Some(ID));
}

#[tokio::test]
async fn an_event_is_read_by_a_receiver_that_looks_its_key_up_and_a_repeat_is_the_same() {
    let place = Place::new();
    let server = Server::new(|_, _| Some(Reply::With(202, Vec::new(), Value::Null)));
    let mut settings = place.stream(&format!("{}/events", server.url()));
    settings.other_key_file = Some(place.key("other.pem"));
    let issuer = "https://fleet.example.com/";
    let stream = Stream::over(http(), &settings, issuer.into());
    for _ in 0..2 {
        let attempt = stream.deliver(ID, &security_event()).await;
        assert_eq!(attempt, Attempt::Done { reference: None });
    }
    let documents = Documents::read(&[settings], issuer).unwrap();
    assert_eq!(documents.configuration["issuer"], issuer);
    assert_eq!(documents.configuration["jwks_uri"], "https://fleet.example.com/ssf/jwks.json");
    assert_eq!(documents.keys["keys"].as_array().unwrap().len(), 2, "both, while they change");
    let calls = server.calls();
    assert_eq!(calls.len(), 3, "the token that tries the stream, the event, and its repeat");
    assert_eq!(calls[1].body, calls[2].body);
    for call in &calls {
        assert_eq!(call.header("content-type"), Some("application/secevent+jwt"));
        assert_eq!(call.header("authorization"), Some("Bearer t0ken-of-the-stream"));
    }
    let tokens: Vec<&str> = calls.iter().map(|call| &*call.body).collect();
    let said = python(
        "import json, sys, jwt\n\
         case = json.load(open(sys.argv[1]))\n\
         keys = jwt.PyJWKSet.from_dict(case['keys'])\n\
         for token in case['tokens']:\n\
         \x20   header = jwt.get_unverified_header(token)\n\
         \x20   assert header['typ'] == 'secevent+jwt' and header['alg'] == 'RS256', header\n\
         \x20   key = keys[header['kid']]\n\
         \x20   claims = jwt.decode(token, key, algorithms=['RS256'], audience='https://idp.example.net/ssf',\n\
         \x20       issuer='https://fleet.example.com/', options={'require': ['iat', 'jti', 'aud', 'iss']})\n\
         \x20   assert 'sub' not in claims and 'exp' not in claims, claims\n\
         \x20   (kind, event), = claims['events'].items()\n\
         \x20   print(kind.rsplit('/', 1)[1], event.get('current_status', '-'), claims['sub_id']['format'])\n",
        &json!({"tokens": tokens, "keys": documents.keys}),
    );
    let event = "device-compliance-change not-compliant complex\n";
    assert_eq!(said, format!("verification - opaque\n{event}{event}"));
}

#[tokio::test]
async fn each_format_has_the_body_that_its_receiver_reads() {
    let place = Place::new();
    let of = async |format| {
        let seen = webhook(&place, |it| {
            it.format = format;
            it.secret_file = None;
        })
        .await;
        (seen.header("content-type").unwrap().to_owned(), seen.json())
    };
    let (kind, event) = of(WebhookFormat::Cloudevents).await;
    assert_eq!(kind, "application/cloudevents+json");
    for (name, value) in [
        ("specversion", "1.0"),
        ("id", ID),
        ("source", "urn:uuid:00000000-0000-0000-0000-00004f0c6a1e"),
        ("type", "dev.fleetform.compliance.changed"),
        ("subject", "D007"),
        ("time", "2026-11-26T10:00:00.000Z"),
    ] {
        assert_eq!(event[name], value);
    }
    let (_, message) = of(WebhookFormat::Slack).await;
    let text = message["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(text.starts_with("*compliance.changed: D007 ana-ruiz-laptop*\n"), "{text}");
    let (_, message) = of(WebhookFormat::Teams).await;
    let card = &message["attachments"][0];
    assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(card["content"]["body"][2]["facts"][0]["value"], "ana.ruiz@example.com");
}

#[test]
fn no_text_of_a_stranger_is_a_link_or_calls_a_room() {
    let mut hostile = announcement();
    hostile.text = "<!channel> [free](https://evil.example.com) & <https://evil|x>".into();
    hostile.facts = vec![("User".into(), "<!here> [a](b)".into())];
    let slack = hostile.message(WebhookFormat::Slack, ID, "").body;
    assert!(!slack.contains("<!") && !slack.contains("<https"), "{slack}");
    let teams = hostile.message(WebhookFormat::Teams, ID, "").body;
    assert!(!teams.contains("]("), "{teams}");
    hostile.text = "x".repeat(100_000);
    for format in [WebhookFormat::Slack, WebhookFormat::Teams] {
        assert!(hostile.message(format, ID, "").body.len() < 25_000);
    }
}
