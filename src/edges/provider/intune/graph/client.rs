//! Calls of one app registration.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::TimeDelta;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::answer::Answer;
use super::budget::Budget;
use super::call::{Call, Method};
use super::credentials::Credentials;
use super::failure::Failure;
use super::limiter::Kind;
use super::tenant::Tenant;
use super::token::Tokens;
use super::unwrap::{APPROVAL_CODE, Said, refusal};
use crate::domain::backoff::BackoffPolicy;
use crate::domain::model::Timestamp;
use crate::edges::fs::secret::Secret;
use crate::edges::http_client::Lost;
use crate::edges::http_client::id;
use crate::edges::http_client::{Outgoing, Reply};

/// How often a call is made at most.
const ATTEMPTS: u32 = 6;
/// Between attempts, where Microsoft does not say how long.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// What a pass may wait for Microsoft to answer reads, and by itself, writes.
const READS: Duration = Duration::from_secs(180);
const WRITES: Duration = Duration::from_secs(120);

/// What an app registration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// All calls that destroy nothing.
    Everyday,
    /// Only those that do.
    Wiping,
}

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::Everyday => "everyday",
            Self::Wiping => "wiping",
        }
    }
}

/// Graph, asked by one app registration. Copies share everything.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    role: Role,
    tenant: Arc<Tenant>,
    tokens: Tokens,
    reads: Budget,
    writes: Budget,
    backoff: BackoffPolicy,
    /// Of what was repeated, so that no two wait for the same time.
    repeated: AtomicU64,
}

/// Whose waiting a repetition counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
}

/// A call, with all that is sent of it but the token.
pub(super) struct Request {
    pub(super) purpose: Purpose,
    pub(super) method: Method,
    /// The whole of it.
    pub(super) url: String,
    /// What may be shown of it.
    pub(super) place: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Vec<u8>>,
    /// As how many calls it counts.
    pub(super) cost: Vec<(Kind, usize)>,
    pub(super) fresh: bool,
}

impl Graph {
    pub(crate) fn new(tenant: Arc<Tenant>, credentials: Credentials, role: Role) -> Self {
        let seed = uuid::Uuid::new_v4().as_u64_pair().0;
        let backoff = BackoffPolicy { first: BACKOFF.0, most: BACKOFF.1, seed };
        let tokens = Tokens::new(role.word(), credentials);
        let (reads, writes) = (Budget::new(READS), Budget::new(WRITES));
        let repeated = AtomicU64::new(0);
        let shared = Shared { role, tenant, tokens, reads, writes, backoff, repeated };
        Self { shared: Arc::new(shared) }
    }

    /// A pass begins: it may wait as long as any other.
    pub(crate) fn begin_pass(&self) {
        self.shared.reads.begin();
        self.shared.writes.begin();
    }

    /// Reads; repeated while Microsoft is busy or does not answer.
    ///
    /// # Errors
    /// If there is no answer, or it is no.
    pub(crate) async fn read(&self, call: Call) -> Result<Answer, Failure> {
        self.repeat(&self.request(&call, Purpose::Read)).await
    }

    /// Writes what may be written twice without harm; repeated like a read. A failure speaks of
    /// the last attempt.
    ///
    /// # Errors
    /// If there is no answer, or it is no.
    pub(crate) async fn write(&self, call: Call) -> Result<Answer, Failure> {
        self.repeat(&self.request(&call, Purpose::Write)).await
    }

    /// Writes what must not be written twice; made once, but by the everyday registration for a token
    /// that Graph did not take.
    ///
    /// # Errors
    /// If there is no answer, or it is no. [`Failure::surely_not_taken`] says what of it is certain.
    pub(crate) async fn write_once(&self, call: Call) -> Result<Answer, Failure> {
        let request = Request { fresh: true, ..self.request(&call, Purpose::Write) };
        self.once(&request).await
    }

    /// The permissions of the registration, as its token lists them.
    ///
    /// # Errors
    /// If there is no token, or it does not say.
    pub(crate) async fn roles(&self) -> Result<BTreeSet<String>, Failure> {
        let token = self.shared.tokens.get(&self.shared.tenant).await?;
        let payload = token.expose().split('.').nth(1).and_then(|part| BASE64.decode(part).ok());
        let claims: Option<Value> =
            payload.and_then(|payload| serde_json::from_slice(&payload).ok());
        let Some(claims) = claims else {
            return Err(Failure::Unreadable {
                place: format!("POST {}", self.shared.tenant.endpoints.token_url()),
                why: "the token does not say which permissions it gives".to_owned(),
                client_request_id: "none".to_owned(),
            });
        };
        let roles = claims.get("roles").and_then(Value::as_array).into_iter().flatten();
        Ok(roles.filter_map(|role| role.as_str().map(str::to_owned)).collect())
    }

    /// How far Graph's clock was ahead of ours, when it answered last.
    pub(crate) fn skew(&self) -> Option<TimeDelta> {
        self.shared.tenant.skew()
    }

    /// Until when the registration's certificate is valid, if it has one.
    ///
    /// # Errors
    /// If its file cannot be used.
    pub(crate) async fn certificate_not_after(&self) -> Result<Option<Timestamp>, Failure> {
        self.shared.tokens.not_after().await
    }

    pub(super) fn tenant(&self) -> &Tenant {
        &self.shared.tenant
    }

    pub(super) fn request(&self, call: &Call, purpose: Purpose) -> Request {
        // Neither registration may make a call of the other.
        let role = self.shared.role;
        assert!(
            call.is_destructive() == (role == Role::Wiping),
            "{call:?} is not a call of the {} registration",
            role.word()
        );
        let kind = if call.writes() { Kind::Write } else { Kind::Read };
        self.request_of(call, purpose, vec![(kind, 1)])
    }

    pub(super) fn request_of(
        &self,
        call: &Call,
        purpose: Purpose,
        cost: Vec<(Kind, usize)>,
    ) -> Request {
        let graph = self.shared.tenant.endpoints.graph().url();
        let json = call.body.as_ref().map(|body| ("application/json", body.to_string()));
        let text = call.text.as_ref().map(|text| ("text/plain", text.clone()));
        let (body, kind) = match (json.or(text), call.method) {
            (Some((kind, body)), _) => (Some(body.into_bytes()), Some(kind)),
            (None, Method::Post | Method::Patch) => (Some(Vec::new()), None),
            (None, Method::Get | Method::Delete) => (None, None),
        };
        let mut headers = call.headers.clone();
        headers.extend(kind.map(|kind| ("Content-Type", kind.to_owned())));
        let (method, place) = (call.method, call.place());
        let place = place.replacen(' ', &format!(" {graph}"), 1);
        let url = format!("{graph}{}", call.target());
        Request { purpose, method, url, place, headers, body, cost, fresh: false }
    }

    /// Makes a call until it is answered, or nothing is left to be tried or waited.
    pub(super) async fn repeat(&self, request: &Request) -> Result<Answer, Failure> {
        let key = self.shared.repeated.fetch_add(1, Ordering::Relaxed);
        let mut failures = 0;
        loop {
            let failure = match self.once(request).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            failures += 1;
            if !failure.may_pass() || failures == ATTEMPTS {
                return Err(failure);
            }
            self.wait(request.purpose, &failure, key, failures).await?;
        }
    }

    /// Waits after a failure.
    ///
    /// # Errors
    /// If this pass must not wait any longer.
    pub(super) async fn wait(
        &self,
        purpose: Purpose,
        failure: &Failure,
        key: u64,
        failures: u32,
    ) -> Result<(), Failure> {
        let spread = || self.shared.backoff.spread_wait(key, failures);
        let wait = failure.retry_after().unwrap_or_else(spread);
        let until = Instant::now() + wait;
        if !self.budget(purpose).may_wait_until(until) {
            return Err(failure.over_budget());
        }
        tracing::debug!(client = self.name(), %failure, ?wait, "is tried again");
        sleep_until(until).await;
        Ok(())
    }

    fn name(&self) -> &'static str {
        self.shared.role.word()
    }

    fn budget(&self, purpose: Purpose) -> &Budget {
        match purpose {
            Purpose::Read => &self.shared.reads,
            Purpose::Write => &self.shared.writes,
        }
    }

    /// Makes a call, and again if its token was not taken and it destroys nothing.
    async fn once(&self, request: &Request) -> Result<Answer, Failure> {
        self.admit(request).await?;
        let Shared { tokens, tenant, .. } = &*self.shared;
        let token = tokens.get(tenant).await?;
        match self.send(request, &token).await {
            Err(failure) if failure.refusal().is_some_and(|refusal| refusal.status == 401) => {
                tokens.refuse(&token).await;
                // What destroys is never sent twice by itself: whoever tries again looks first whether
                // it was done.
                if self.shared.role == Role::Wiping {
                    return Err(failure);
                }
                let token = tokens.get(tenant).await?;
                self.send(request, &token).await
            }
            answer => answer,
        }
    }

    /// Waits until it may go.
    async fn admit(&self, request: &Request) -> Result<(), Failure> {
        let limiter = &self.shared.tenant.limiter;
        for (kind, calls) in request.cost.iter().copied().filter(|(_, calls)| *calls > 0) {
            loop {
                while let Some(until) = limiter.closed(kind) {
                    if !self.budget(request.purpose).may_wait_until(until) {
                        let wait = until - Instant::now();
                        let (place, seconds) = (&request.place, wait.as_secs() + 1);
                        let why = format!(
                            "{place} was not sent, since Graph asked for a pause of {seconds}s"
                        );
                        let retry_after = Some(wait);
                        return Err(Failure::OverBudget { why, retry_after, sent: false });
                    }
                    sleep_until(until).await;
                }
                sleep_until(limiter.reserve(kind, calls)).await;
                if limiter.closed(kind).is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn send(&self, request: &Request, token: &Secret) -> Result<Answer, Failure> {
        let tenant = &self.shared.tenant;
        let place = request.place.clone();
        let client_request_id = uuid::Uuid::new_v4().to_string();
        let mut headers = request.headers.clone();
        headers.push(("Authorization", token.bearer()));
        headers.push(("client-request-id", client_request_id.clone()));
        let outgoing = Outgoing {
            method: request.method.word(),
            url: request.url.clone(),
            headers,
            body: request.body.clone(),
            fresh: request.fresh,
        };
        let reply = match tenant.transport.exchange(outgoing).await {
            Ok(reply) => reply,
            Err(Lost { why, sent: false, .. }) => return Err(Failure::NotSent { place, why }),
            Err(Lost { why, may_pass: true, .. }) => {
                return Err(Failure::NoAnswer { place, why, client_request_id });
            }
            Err(Lost { why, .. }) => {
                return Err(Failure::Unreadable { place, why, client_request_id });
            }
        };
        tenant.note_date(reply.date());
        let Reply { status, .. } = reply;
        let request_id = reply.header("request-id").and_then(id);
        tracing::debug!(
            client = self.name(), %place, status, request_id, client_request_id, "Graph answered"
        );
        let approval_code = reply.header(APPROVAL_CODE).and_then(id);
        if (200..300).contains(&status) {
            let body = reply.body;
            let answer =
                Answer { place, status, body, approval_code, request_id, client_request_id };
            return Ok(answer);
        }
        let header = |name: &str| reply.header(name);
        let refusal = refusal(Said {
            place,
            status,
            header: &header,
            body: &reply.body,
            client_request_id,
            date: reply.date().or(Some((tenant.now)())),
            known: Some(token),
        });
        let busy = status == 429 || (status == 503 && refusal.retry_after.is_some());
        for (kind, _) in request.cost.iter().filter(|(_, calls)| busy && *calls > 0) {
            tenant.limiter.throttled(*kind, refusal.retry_after.unwrap_or(BACKOFF.0));
        }
        Err(Failure::Refused(Box::new(refusal)))
    }
}
