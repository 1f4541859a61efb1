//! One receiver: a token is pushed to it (RFC 8935), and what it says to that.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Mutex;

use super::keys::Key;
use crate::domain::model::Timestamp;
use crate::domain::notice::{Attempt, SecurityEvent, verification};
use crate::domain::notify_settings::EventSettings;
use crate::edges::http_client::Reply;
use crate::edges::notify::http::{Address, Http, said};
use crate::edges::notify::secret::{blocking, one};

const LARGEST: u64 = 64 << 10;
/// A token that was made longer ago says that it is issued now: receivers refuse old ones.
const OLD: i64 = 3600;

/// A receiver of security events.
#[derive(Debug)]
pub(crate) struct Stream {
    settings: EventSettings,
    issuer: String,
    http: Arc<Http>,
    /// Whether this process has tried whether it works.
    verified: Mutex<bool>,
}

impl Stream {
    pub(crate) fn new(settings: &EventSettings, issuer: String, now: fn() -> Timestamp) -> Self {
        let http = Http::new(LARGEST, &settings.private_addresses, settings.ca_file.clone(), now);
        Self::over(http, settings, issuer)
    }

    pub(crate) fn over(http: Http, settings: &EventSettings, issuer: String) -> Self {
        let settings = settings.clone();
        Self { settings, issuer, http: Arc::new(http), verified: Mutex::default() }
    }

    /// Pushes it once, under this id; before the first one a token that tries the stream.
    pub(crate) async fn deliver(&self, id: &str, event: &SecurityEvent) -> Attempt {
        let mut verified = self.verified.lock().await;
        if !*verified {
            match self.test().await {
                Attempt::Done { .. } => *verified = true,
                // It takes events, and not this one: they will show whether it takes any.
                Attempt::Refused { why } => {
                    tracing::warn!(stream = %self.settings.name, why, "a receiver refuses to be tried");
                    *verified = true;
                }
                other => return surely(other),
            }
        }
        let now = (self.http.now)().millis() / 1000;
        let then = event.at.millis() / 1000;
        let issued = if now - then > OLD { now } else { then };
        let between = (&*self.issuer, &*self.settings.audience);
        let claims = event.claims(id, between, issued, self.settings.legacy_subject);
        self.push(claims).await
    }

    /// Tries whether the stream works.
    pub(crate) async fn test(&self) -> Attempt {
        let now = (self.http.now)();
        let id = format!("verification-{}-{}", self.settings.name, now.millis());
        let between = (&*self.issuer, &*self.settings.audience);
        let stream = self.settings.name.as_str();
        let done = self.push(verification(&id, between, now.millis() / 1000, stream)).await;
        match done {
            Attempt::Done { .. } => Attempt::Done { reference: Some("HTTP 202".to_owned()) },
            failed => failed,
        }
    }

    async fn push(&self, claims: Value) -> Attempt {
        match self.pushed(claims).await {
            Ok(done) | Err(done) => done,
        }
    }

    async fn pushed(&self, claims: Value) -> Result<Attempt, Attempt> {
        let (key, token) = (self.settings.key_file.clone(), self.settings.token_file.clone());
        let (signed, proof) = blocking(move || {
            let signed = Key::read(&key)?.token(&claims)?;
            Ok((signed, token.map(|path| one(&path, "token")).transpose()?))
        })
        .await?;
        let to = Address::parse(&self.settings.url).map_err(|why| {
            let name = &self.settings.name;
            Attempt::Misconfigured { why: format!("notify.events.{name}.url {why}") }
        })?;
        let mut headers = vec![
            ("content-type", "application/secevent+jwt".to_owned()),
            ("accept", "application/json".to_owned()),
        ];
        headers.extend(proof.iter().map(|token| ("authorization", token.bearer())));
        let known = proof.as_ref();
        let reply = self.http.send("POST", &to, headers, Some(signed.into_bytes())).await?;
        Err(match reply.status {
            202 => return Ok(Attempt::Done { reference: None }),
            400 => refused(&reply, said(&to, &reply, known)),
            200..300 => Attempt::Misconfigured {
                why: format!(
                    "{}, not 202: there is no receiver of pushed security events (RFC 8935)",
                    said(&to, &reply, known)
                ),
            },
            _ => self.http.declined(&to, &reply, known),
        })
    }
}

/// What a receiver says of the token itself, by its word (RFC 8935 §2.4).
fn refused(reply: &Reply, said: String) -> Attempt {
    let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let word = answer.get("err").and_then(Value::as_str).unwrap_or_default();
    let advice = match word {
        "invalid_key" => {
            "let the receiver read /.well-known/ssf-configuration of this daemon \
                          again"
        }
        "authentication_failed" => "check tokenFile",
        "access_denied" => "let the receiver accept events from this issuer",
        _ => return Attempt::Refused { why: describe(said, word) },
    };
    Attempt::Misconfigured { why: format!("{}; {advice}", describe(said, word)) }
}

fn describe(said: String, word: &str) -> String {
    let plain = word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && word.len() <= 40;
    if word.is_empty() || !plain || said.contains(word) { said } else { format!("{said} ({word})") }
}

/// What came of trying: it is no notice, so it is no trouble if it arrived twice.
fn surely(attempt: Attempt) -> Attempt {
    match attempt {
        Attempt::InDoubt { why } => Attempt::Retry { why, after: None },
        other => other,
    }
}
