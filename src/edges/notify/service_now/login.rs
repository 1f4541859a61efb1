//! Who asks ServiceNow: a user, an OAuth client, or a key of its API.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::domain::notice::Attempt;
use crate::domain::notify_settings::ServiceNowLogin;
use crate::edges::fs::secret::Secret;
use crate::edges::http_client::{Reply, encode};
use crate::edges::notify::http::{Address, Http, is_json, said};
use crate::edges::notify::secret::{blocking, one};

/// Longer tokens are none.
const LONGEST: usize = 16 << 10;
/// A token is asked for anew so long before it expires.
const EARLY: Duration = Duration::from_secs(60);

/// What proves who asks.
#[derive(Debug)]
pub(crate) struct Login {
    by: ServiceNowLogin,
    /// Where tokens come from.
    tokens: Address,
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
struct Held {
    token: Secret,
    until: Instant,
}

/// A header, and what of it must not be shown.
pub(crate) struct Proof {
    pub(crate) header: (&'static str, String),
    pub(crate) secret: Secret,
}

impl Login {
    pub(crate) fn new(by: ServiceNowLogin, instance: &Address) -> Self {
        Self { by, tokens: instance.at("/oauth_token.do"), held: Mutex::default() }
    }

    /// What to send. Files are read each time; a token is kept while it is good.
    ///
    /// # Errors
    /// If there is none. Nothing was asked of any table then.
    pub(crate) async fn proof(&self, http: &Arc<Http>) -> Result<Proof, Attempt> {
        match self.by.clone() {
            ServiceNowLogin::Basic { user_file, password_file } => {
                let read = move || Ok((one(&user_file, "user")?, one(&password_file, "password")?));
                let (user, password) = blocking(read).await?;
                let both = BASE64.encode(format!("{}:{}", user.expose(), password.expose()));
                let header = ("authorization", format!("Basic {both}"));
                Ok(Proof { header, secret: password })
            }
            ServiceNowLogin::ApiKey { file } => {
                let secret = blocking(move || one(&file, "key")).await?;
                Ok(Proof { header: ("x-sn-apikey", secret.expose().to_owned()), secret })
            }
            ServiceNowLogin::Client { id_file, secret_file } => {
                let mut held = self.held.lock().await;
                if let Some(held) = held.as_ref().filter(|held| Instant::now() < held.until) {
                    return Ok(bearer(&held.token));
                }
                let read = move || Ok((one(&id_file, "id")?, one(&secret_file, "secret")?));
                let (id, secret) = blocking(read).await?;
                let asked = self.ask(http, &id, &secret).await?;
                Ok(bearer(&held.insert(asked).token))
            }
        }
    }

    /// The token is not taken any more; whether another one may be.
    pub(crate) async fn refused(&self) -> bool {
        self.held.lock().await.take().is_some()
    }

    async fn ask(&self, http: &Arc<Http>, id: &Secret, secret: &Secret) -> Result<Held, Attempt> {
        let mut form = String::from("grant_type=client_credentials");
        for (name, value) in [("client_id", id), ("client_secret", secret)] {
            form.push('&');
            form.push_str(name);
            form.push('=');
            encode(&mut form, value.expose(), b"");
        }
        let kind = ("content-type", "application/x-www-form-urlencoded".to_owned());
        let asked = Instant::now();
        let reply = http.send("POST", &self.tokens, vec![kind], Some(form.into_bytes())).await;
        // A token that nobody got changes nothing.
        let reply = reply.map_err(|lost| match lost {
            Attempt::InDoubt { why } => Attempt::Retry { why, after: None },
            other => other,
        })?;
        if reply.status == 200
            && is_json(&reply)
            && let Some((token, valid)) = token(&reply)
        {
            return Ok(Held { token, until: asked + valid.saturating_sub(EARLY.min(valid / 2)) });
        }
        let why = format!("no token: {}", said(&self.tokens, &reply, Some(secret)));
        Err(match reply.status {
            408 | 429 | 500.. => Attempt::Retry { why, after: http.after(&reply) },
            // A page of an instance that sleeps.
            200 => Attempt::Retry { why: format!("{why}, and that is not a token"), after: None },
            _ => Attempt::Misconfigured {
                why: format!(
                    "{why}; check the client id and secret, and that the instance allows client \
                     credentials (glide.oauth.inbound.client.credential.grant_type.enabled)"
                ),
            },
        })
    }
}

fn bearer(token: &Secret) -> Proof {
    Proof { header: ("authorization", token.bearer()), secret: token.clone() }
}

fn token(reply: &Reply) -> Option<(Secret, Duration)> {
    let answer: Value = serde_json::from_slice(&reply.body).ok()?;
    let token = Secret::of(answer.get("access_token")?.as_str()?, 1..=LONGEST)?;
    let valid = match answer.get("expires_in")? {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    // No token is good for longer than a day.
    Some((token, Duration::from_secs(valid.min(86_400))))
}
