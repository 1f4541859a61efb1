//! Access tokens of one app registration: asked for once, and kept until shortly before they
//! expire.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::credentials::{Credentials, Evidence};
use super::failure::Failure;
use super::tenant::Tenant;
use super::token_error::TokenError;
use super::unwrap::{Said, refusal};
use crate::domain::backoff::BackoffPolicy;
use crate::domain::model::{Digest, Timestamp};
use crate::edges::fs::secret::Secret;
use crate::edges::http_client::clean;
use crate::edges::http_client::{Outgoing, Reply};

/// A new token is asked for so long before the old one expires.
const EARLY: Duration = Duration::from_secs(300);
/// Between two attempts to replace a token that is still good.
const AGAIN: Duration = Duration::from_secs(30);
/// Longer tokens are none.
const LONGEST: usize = 64 << 10;
/// How long an app registration that Entra refused does not ask again: at least a minute. What is
/// wrong is a setting, and asking often locks accounts.
const REFUSED: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(1800));

/// The tokens of one app registration.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// What the registration is for.
    name: &'static str,
    credentials: Credentials,
    /// Held while one is asked for: everybody else waits for that one.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    refused: Option<Refused>,
}

#[derive(Debug)]
struct Held {
    token: Arc<Secret>,
    renew: Instant,
    expires: Instant,
}

#[derive(Debug)]
struct Refused {
    error: TokenError,
    /// Of what proved who was asking.
    evidence: Digest,
    times: u32,
    until: Instant,
}

impl Tokens {
    pub(crate) fn new(name: &'static str, credentials: Credentials) -> Self {
        Self { name, credentials, state: Mutex::default() }
    }

    /// A token that is good for a while.
    ///
    /// # Errors
    /// If Entra gives none, or gave none to the same credentials just now.
    pub(crate) async fn get(&self, tenant: &Tenant) -> Result<Arc<Secret>, Failure> {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        if let Some(held) = state.held.as_ref().filter(|held| now < held.renew) {
            return Ok(held.token.clone());
        }
        match self.ask(tenant, &mut state).await {
            Ok(held) => Ok(state.held.insert(held).token.clone()),
            Err(failure) => match &mut state.held {
                Some(held) if Instant::now() < held.expires => {
                    held.renew = Instant::now() + AGAIN;
                    tracing::warn!(client = self.name, %failure, "the token is not renewed yet");
                    Ok(held.token.clone())
                }
                _ => Err(failure),
            },
        }
    }

    /// Graph does not take this token; whoever asks next gets another one.
    pub(crate) async fn refuse(&self, token: &Arc<Secret>) {
        let mut state = self.state.lock().await;
        if state.held.as_ref().is_some_and(|held| Arc::ptr_eq(&held.token, token)) {
            state.held = None;
        }
    }

    /// Until when the certificate is valid, if it is one.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub(crate) async fn not_after(&self) -> Result<Option<Timestamp>, Failure> {
        let credentials = self.credentials.clone();
        blocking(move || Ok(credentials.read()?.not_after())).await
    }

    async fn ask(&self, tenant: &Tenant, state: &mut State) -> Result<Held, Failure> {
        let url = tenant.endpoints.token_url();
        let (credentials, scope, now) =
            (self.credentials.clone(), tenant.endpoints.scope(), (tenant.now)());
        let audience = url.clone();
        let (evidence, form) = blocking(move || {
            let evidence = credentials.read()?;
            let form = credentials.form(&evidence, &audience, &scope, now)?;
            Ok((evidence, form))
        })
        .await?;
        let refused = state.refused.as_ref().filter(|it| it.evidence == evidence.digest);
        if let Some(refused) = refused.filter(|refused| Instant::now() < refused.until) {
            return Err(Failure::Token(refused.error.clone()));
        }
        let times = refused.map_or(0, |refused| refused.times);
        let asked = Instant::now();
        let answer = self.exchange(tenant, url, form, &evidence).await;
        state.refused = None;
        let error = match answer {
            Ok((token, valid)) => {
                let early = EARLY.min(valid / 2);
                let expires = asked + valid;
                return Ok(Held { token: Arc::new(token), renew: expires - early, expires });
            }
            Err(error) => error,
        };
        if !error.may_pass() {
            let times = times.saturating_add(1);
            let backoff = BackoffPolicy { first: REFUSED.0, most: REFUSED.1, seed: 0 };
            let until = Instant::now() + backoff.wait(self.credentials.client_id(), times);
            let evidence = evidence.digest;
            state.refused = Some(Refused { error: error.clone(), evidence, times, until });
        }
        Err(Failure::Token(error))
    }

    async fn exchange(
        &self,
        tenant: &Tenant,
        url: String,
        form: String,
        evidence: &Evidence,
    ) -> Result<(Secret, Duration), TokenError> {
        let place = format!("POST {url}");
        let error = |code, message: String, retry_after, passing| TokenError {
            place: place.clone(),
            client: format!("{} ({})", self.credentials.client_id(), self.name),
            code,
            message,
            retry_after,
            passing,
        };
        let kind = ("Content-Type", "application/x-www-form-urlencoded".to_owned());
        let id = uuid::Uuid::new_v4().to_string();
        let headers = vec![kind, ("client-request-id", id.clone())];
        let body = Some(form.into_bytes());
        let outgoing = Outgoing { method: "POST", url, headers, body, fresh: false };
        let reply = tenant.transport.exchange(outgoing).await;
        let reply = reply.map_err(|lost| error(None, lost.why, None, lost.may_pass))?;
        if reply.status == 200 {
            return token(&reply).map_err(|why| error(None, why.into(), None, true));
        }
        let said: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let word = |name| said.get(name).and_then(Value::as_str);
        let code = word("error").map(|code| clean(code, evidence.secret()));
        let header = |name: &str| reply.header(name);
        let refusal = refusal(Said {
            place: place.clone(),
            status: reply.status,
            header: &header,
            body: &reply.body,
            client_request_id: id,
            date: reply.date().or(Some((tenant.now)())),
            known: evidence.secret(),
        });
        let message = match word("error_description") {
            Some(text) => clean(text, evidence.secret()),
            None if refusal.message.is_empty() => format!("it answers {}", refusal.status),
            None => format!("it answers {}: {}", refusal.status, refusal.message),
        };
        let passing = matches!(reply.status, 408 | 429 | 500..)
            || code.as_deref() == Some("temporarily_unavailable");
        Err(error(code, message, refusal.retry_after, passing))
    }
}

/// The token in an answer, and how long it is valid.
fn token(reply: &Reply) -> Result<(Secret, Duration), &'static str> {
    let answer: Value =
        serde_json::from_slice(&reply.body).map_err(|_| "its answer is not a token")?;
    let bearer = answer.get("token_type").and_then(Value::as_str);
    if !bearer.is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err("its answer is not a bearer token");
    }
    let valid = answer.get("expires_in").and_then(|valid| match valid {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    });
    let token = answer.get("access_token").and_then(Value::as_str);
    let token = token.and_then(|token| Secret::of(token, 1..=LONGEST));
    let (Some(token), Some(valid)) = (token, valid) else {
        return Err("its answer is not a token that expires");
    };
    // No token is good for longer than a day.
    Ok((token, Duration::from_secs(valid.min(86_400))))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
