//! What can go wrong with a receiver, for each sink.

use std::net::TcpListener;

use super::*;

/// What a sink makes of a receiver that answers so.
struct Row {
    name: &'static str,
    reply: fn() -> Reply,
    /// For a webhook, an event, a new ticket, a note in one.
    becomes: [&'static str; 4],
    /// Seconds to wait, where the far side asks for it; in thousandths.
    after: Option<u64>,
}

fn with(status: u16, headers: &[(&'static str, &str)]) -> Reply {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Reply::With(status, headers, Value::Null)
}

const HTML: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";
/// Ten minutes off.
const DATE: (&str, &str) = ("Date", "Thu, 26 Nov 2026 09:50:00 GMT");

const ROWS: &[Row] = &[
    Row {
        name: "hangs before it answers",
        reply: || Reply::Silence,
        becomes: ["doubt", "doubt", "doubt", "doubt"],
        after: None,
    },
    Row {
        name: "closes instead of an answer",
        reply: || Reply::Cut,
        becomes: ["doubt", "doubt", "doubt", "doubt"],
        after: None,
    },
    Row {
        name: "closes within the answer",
        reply: || Reply::Raw("HTTP/1.1 201 OK\r\nContent-Length: 99\r\n\r\n{".into()),
        becomes: ["doubt", "doubt", "doubt", "doubt"],
        after: None,
    },
    Row {
        name: "is no HTTP",
        reply: || Reply::Raw("220 mail.example.com ESMTP\r\n".into()),
        becomes: ["doubt", "doubt", "doubt", "doubt"],
        after: None,
    },
    Row {
        name: "answers too much",
        reply: || {
            let body = "x".repeat((64 << 10) + 1);
            Reply::Raw(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ))
        },
        becomes: ["doubt", "doubt", "doubt", "doubt"],
        after: None,
    },
    Row {
        name: "says that it is wrong for good",
        reply: || with(400, &[]),
        becomes: ["refused", "refused", "refused", "refused"],
        after: None,
    },
    Row {
        name: "wants another login",
        reply: || with(401, &[]),
        becomes: ["misconfigured"; 4],
        after: None,
    },
    Row {
        name: "forbids it",
        reply: || with(403, &[]),
        becomes: ["misconfigured"; 4],
        after: None,
    },
    Row {
        name: "is not there",
        reply: || with(404, &[]),
        becomes: ["misconfigured", "misconfigured", "misconfigured", "refused"],
        after: None,
    },
    Row {
        name: "points elsewhere",
        reply: || with(307, &[("Location", "https://evil.example.com/?token=hunter2")]),
        becomes: ["misconfigured"; 4],
        after: None,
    },
    Row {
        name: "is too busy, and says for how long",
        reply: || with(429, &[("Retry-After", "17")]),
        becomes: ["retry"; 4],
        after: Some(17_000),
    },
    Row {
        name: "is too busy, and says so with a fraction",
        reply: || with(429, &[("Retry-After", "2.128")]),
        becomes: ["retry"; 4],
        after: Some(2_128),
    },
    Row {
        name: "is too busy until a date, by a clock that is ten minutes off",
        reply: || with(503, &[DATE, ("Retry-After", "Thu, 26 Nov 2026 09:50:30 GMT")]),
        becomes: ["retry"; 4],
        after: Some(30_000),
    },
    Row {
        name: "is too busy, and does not say for how long",
        reply: || with(429, &[]),
        becomes: ["retry"; 4],
        after: None,
    },
    Row {
        name: "has an error that nobody expected",
        reply: || with(500, &[]),
        becomes: ["doubt"; 4],
        after: None,
    },
    Row {
        name: "answers with a web page",
        reply: || Reply::Raw(HTML.into()),
        becomes: ["done", "misconfigured", "doubt", "doubt"],
        after: None,
    },
];

/// A network that gives up soon.
fn impatient() -> Http {
    let network = Network { answer: SECOND / 2, ..network(64 << 10) };
    Http::over(network, None, at)
}

/// Tries all four with a receiver that answers what matters so, and what goes before it well.
async fn tried(place: &Place, row: &Row) -> [Attempt; 4] {
    let reply = row.reply;
    let server = Server::new(move |_, _| Some(reply()));
    let webhook = Webhook::over(impatient(), &place.webhook(&format!("{}/hook", server.url())));
    let webhook = webhook.deliver(ID, &announcement(), Some(LEDGER)).await;
    // The token that tries a stream goes before the event.
    let server = Server::new(move |_, n| Some(if n == 0 { with(202, &[]) } else { reply() }));
    let stream = place.stream(&format!("{}/events", server.url()));
    let stream = Stream::over(impatient(), &stream, "https://fleet.example.com/".into());
    let event = stream.deliver(ID, &security_event()).await;
    // So does the look for a ticket.
    let server =
        Server::new(move |seen, _| Some(if seen.method == "GET" { rows(&[]) } else { reply() }));
    let ticket = ServiceNow::over(impatient(), &place.service_now(&server.url()));
    let ticket = ticket.deliver(&open(), false).await;
    let server = Server::new(move |seen, _| {
        Some(if seen.method == "GET" { rows(&["INC1"]) } else { reply() })
    });
    let noted = ServiceNow::over(impatient(), &place.service_now(&server.url()));
    let noted = noted.deliver(&note(false), false).await;
    [webhook, event, ticket, noted]
}

/// Tickets with our key, as ServiceNow answers a query.
fn rows(numbers: &[&str]) -> Reply {
    let row = |number: &&str| {
        json!({"sys_id": "9d38", "number": number, "state": "1", "active": "true",
            "correlation_id": key().as_str()})
    };
    Reply::Json(200, json!({"result": numbers.iter().map(row).collect::<Vec<_>>()}))
}

#[tokio::test]
async fn whatever_a_receiver_does_wrong_each_sink_says_what_came_of_it() {
    let place = Place::new();
    let mut wrong = Vec::new();
    for row in ROWS {
        let sinks = ["webhook", "events", "ticket", "note"];
        for ((sink, attempt), becomes) in
            sinks.iter().zip(tried(&place, row).await).zip(row.becomes)
        {
            let said = why(&attempt);
            let after = match &attempt {
                Attempt::Retry { after, .. } => *after,
                _ => None,
            };
            let wait = row.after.map(Duration::from_millis);
            if word(&attempt) != becomes || after != wait.filter(|_| becomes == "retry") {
                wrong.push(format!("{sink}, {}: {attempt:?}, not {becomes}", row.name));
            }
            for secret in [SECRET, PASSWORD, TOKEN, "hunter2", "/hook", "/events"] {
                assert!(!said.contains(secret), "{said}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_surely_did_not_arrive_is_tried_again() {
    let place = Place::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [format!("http://{closed}/"), "https://siem.invalid/".to_owned()] {
        let webhook = Webhook::over(http(), &place.webhook(&url));
        let attempt = webhook.deliver(ID, &announcement(), Some(LEDGER)).await;
        assert_eq!(word(&attempt), "retry", "{attempt:?}");
    }
    let url = format!("http://{closed}");
    let service_now = ServiceNow::over(http(), &place.service_now(&url));
    let attempt = service_now.deliver(&open(), false).await;
    assert_eq!(word(&attempt), "retry", "{attempt:?}");
    let stream = Stream::over(http(), &place.stream(&url), "https://fleet.example.com/".into());
    let attempt = stream.deliver(ID, &security_event()).await;
    assert_eq!(word(&attempt), "retry", "{attempt:?}");
}

#[tokio::test]
async fn a_name_that_leads_behind_this_machine_is_not_called() {
    // `localhost.` is a name that the resolver turns into an address of this machine, and not the
    // word that stands for it.
    let place = Place::new();
    let server = Server::new(|_, _| Some(with(204, &[])));
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    let url = format!("https://localhost.:{port}/");
    let webhook = Webhook::over(http(), &place.webhook(&url));
    let attempt = webhook.deliver(ID, &announcement(), Some(LEDGER)).await;
    assert!(why(&attempt).contains("privateAddresses"), "{attempt:?}");
    assert_eq!(server.calls().len(), 0);
    // Where it is named, it is called: what answers there does not speak TLS.
    let ranges: Vec<AddressRange> = ["127.0.0.0/8", "::1"].map(|one| one.parse().unwrap()).into();
    let network = Network { addresses: Addresses::Public(ranges), ..network(64 << 10) };
    let webhook = Webhook::over(Http::over(network, None, at), &place.webhook(&url));
    let attempt = webhook.deliver(ID, &announcement(), Some(LEDGER)).await;
    assert!(why(&attempt).contains("TLS"), "{attempt:?}");
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_asked_once_until_its_url_is_another_one() {
    let place = Place::new();
    let server = Server::new(|seen, _| {
        Some(if seen.target == "/new" { with(204, &[]) } else { with(410, &[]) })
    });
    let file = place.write("url", &format!("{}/old?sig=hunter2", server.url()));
    let mut settings = place.webhook("");
    settings.url = WebhookUrl::File(file);
    let webhook = Webhook::over(http(), &settings);
    for _ in 0..3 {
        let attempt = webhook.deliver(ID, &announcement(), Some(LEDGER)).await;
        assert_eq!(word(&attempt), "misconfigured");
        assert!(why(&attempt).contains("410") && !why(&attempt).contains("hunter2"), "{attempt:?}");
    }
    assert_eq!(server.calls().len(), 1);
    place.write("url", &format!("{}/new", server.url()));
    let attempt = webhook.deliver(ID, &announcement(), Some(LEDGER)).await;
    assert_eq!(word(&attempt), "done");
}

#[tokio::test]
async fn what_a_receiver_of_events_says_of_a_token_stops_the_token_or_the_stream() {
    let place = Place::new();
    for (err, becomes) in [
        ("invalid_request", "refused"),
        ("invalid_audience", "refused"),
        ("invalid_issuer", "refused"),
        ("invalid_key", "misconfigured"),
        ("authentication_failed", "misconfigured"),
        ("access_denied", "misconfigured"),
        ("something new", "refused"),
    ] {
        let server = Server::new(move |_, n| {
            let body = json!({"err": err, "description": "no, t0ken-of-the-stream"});
            Some(if n == 0 { with(202, &[]) } else { Reply::Json(400, body) })
        });
        let stream =
            Stream::over(http(), &place.stream(&server.url()), "https://f.example/".into());
        let attempt = stream.deliver(ID, &security_event()).await;
        assert_eq!(word(&attempt), becomes, "{err}: {attempt:?}");
        assert!(!why(&attempt).contains(TOKEN), "{attempt:?}");
    }
}
