//! Tickets: looked for, made, noted in, and closed where that was asked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::login::{Login, Proof};
use super::rows::{FIELDS, Row, field, row, rows};
use crate::domain::model::Timestamp;
use crate::domain::notice::{Attempt, TicketKey, TicketOrder};
use crate::domain::notify_settings::ServiceNowSettings;
use crate::edges::http_client::{Reply, encode};
use crate::edges::notify::http::{Address, Http, is_html, is_json, said};

/// The notes of an old ticket are long.
const LARGEST: u64 = 1 << 20;
/// Nobody is left alone longer because a header says so.
const LONGEST_WAIT: i64 = 3600;
/// States of a ticket that is over, as ServiceNow delivers them: resolved, closed, canceled.
const OVER: [&str; 3] = ["6", "7", "8"];

/// An instance, and a table in it.
#[derive(Debug)]
pub(crate) struct ServiceNow {
    instance: Result<Address, String>,
    table: String,
    login: Option<Login>,
    http: Arc<Http>,
}

impl ServiceNow {
    pub(crate) fn new(settings: &ServiceNowSettings, now: fn() -> Timestamp) -> Self {
        Self::over(
            Http::new(LARGEST, &settings.private_addresses, settings.ca_file.clone(), now),
            settings,
        )
    }

    pub(crate) fn over(http: Http, settings: &ServiceNowSettings) -> Self {
        let instance = Address::parse(&settings.url);
        let login = instance.as_ref().ok().map(|at| Login::new(settings.login.clone(), at));
        Self { instance, table: settings.table.clone(), login, http: Arc::new(http) }
    }

    /// Does it once. `doubt`: an earlier try may have arrived.
    pub(crate) async fn deliver(&self, order: &TicketOrder, doubt: bool) -> Attempt {
        let done = match order {
            TicketOrder::Open { key, fields } => self.open(key, fields).await,
            TicketOrder::Note { key, note, mark, close } => {
                self.note(key, (note, mark), close, doubt).await
            }
        };
        match done {
            Ok(done) | Err(done) => done,
        }
    }

    /// Whether tickets could be looked for: nothing is made.
    pub(crate) async fn test(&self, key: &TicketKey) -> Attempt {
        match self.find(key).await {
            Ok(_) => {
                Attempt::Done { reference: Some(format!("the table {} can be read", self.table)) }
            }
            Err(why) => why,
        }
    }

    async fn open(
        &self,
        key: &TicketKey,
        fields: &BTreeMap<String, String>,
    ) -> Result<Attempt, Attempt> {
        // Always, and not in doubt alone: nobody else keeps a ticket from being made twice.
        if let Some(found) = self.find(key).await? {
            return Ok(Attempt::Done { reference: Some(found.reference()) });
        }
        let mut body: serde_json::Map<String, Value> =
            fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        body.insert("correlation_id".into(), json!(key.as_str()));
        body.insert("correlation_display".into(), json!("Fleetform"));
        let path = format!("?sysparm_fields={FIELDS}&sysparm_input_display_value=false");
        let reply = self.call("POST", &path, Some(body.into())).await?;
        if reply.status != 201 {
            return Err(self.declined(&reply, "make a ticket"));
        }
        let Some(made) = row(&reply.body).filter(|_| is_json(&reply)) else {
            let why = format!("{} made a ticket and does not say which", self.shown());
            return Err(Attempt::InDoubt { why });
        };
        if !made.is_of(key) {
            // Trying again would make one more each time.
            return Err(Attempt::Refused {
                why: format!(
                    "{} made {} without its correlation_id, so that it could not be found again: \
                     give the user of fleetform the right to read and write that field, and \
                     correct this ticket by hand",
                    self.shown(),
                    made.reference()
                ),
            });
        }
        Ok(Attempt::Done { reference: Some(made.reference()) })
    }

    async fn note(
        &self,
        key: &TicketKey,
        (note, mark): (&str, &str),
        close: &BTreeMap<String, String>,
        doubt: bool,
    ) -> Result<Attempt, Attempt> {
        let Some(found) = self.find(key).await? else {
            let why = "there is no ticket of this episode".to_owned();
            return Ok(Attempt::NotNeeded { why });
        };
        let done = Attempt::Done { reference: Some(found.reference()) };
        if doubt && self.has_note(&found, mark).await? {
            return Ok(done);
        }
        // A ticket that people closed is theirs: changing it would open it again, or be refused.
        if !found.active {
            let why = format!("the ticket {} is closed, and no note is added", found.number);
            return Ok(Attempt::NotNeeded { why });
        }
        let mut body = serde_json::Map::new();
        body.insert("work_notes".into(), json!(note));
        if !OVER.contains(&&*found.state) {
            body.extend(close.iter().map(|(name, value)| (name.clone(), json!(value))));
        }
        let path = format!("/{}?sysparm_fields={FIELDS}", found.sys_id);
        let reply = self.call("PATCH", &path, Some(body.into())).await?;
        match reply.status {
            200 if is_json(&reply) && row(&reply.body).is_some() => Ok(done),
            200 => Err(Attempt::InDoubt {
                why: format!("{} took a note and does not say where", self.shown()),
            }),
            404 => Err(Attempt::Refused {
                why: format!("{} has the ticket {} no more", self.shown(), found.number),
            }),
            _ => Err(self.declined(&reply, "note in a ticket")),
        }
    }

    /// The ticket under a key; of several the oldest.
    async fn find(&self, key: &TicketKey) -> Result<Option<Row>, Attempt> {
        let mut path = String::from("?sysparm_query=");
        let query = format!("correlation_id={}^ORDERBYsys_created_on", key.as_str());
        encode(&mut path, &query, b":");
        path.push_str("&sysparm_fields=");
        path.push_str(FIELDS);
        path.push_str(
            "&sysparm_limit=2&sysparm_exclude_reference_link=true&sysparm_display_value=false\
             &sysparm_no_count=true",
        );
        // Nothing is changed by it, so there is no doubt.
        let reply = self.call("GET", &path, None).await.map_err(surely)?;
        if reply.status != 200 {
            return Err(surely(self.declined(&reply, "look for a ticket")));
        }
        let found = rows(&reply.body).ok_or_else(|| Attempt::Retry {
            why: format!("{} answers a query with something else than rows", self.shown()),
            after: None,
        })?;
        if found.iter().any(|row| !row.is_of(key)) {
            return Err(Attempt::Misconfigured {
                why: format!(
                    "{} answers a query for one correlation_id with tickets that have another: it dropped \
                     the condition, or hides the field; none was touched. Let the user of fleetform read \
                     correlation_id in {}, and set glide.invalid_query.returns_no_rows=true",
                    self.shown(),
                    self.table
                ),
            });
        }
        if found.len() > 1 {
            let numbers: Vec<&str> = found.iter().map(|row| &*row.number).collect();
            tracing::warn!(
                key = key.as_str(),
                tickets = numbers.join(" "),
                "ServiceNow has several tickets with one correlation_id; the oldest counts"
            );
        }
        let mut found = found.into_iter();
        let oldest = found.next();
        Ok(oldest.map(|row| Row { others: found.map(|other| other.number).collect(), ..row }))
    }

    /// Whether a note with this end is in a ticket.
    async fn has_note(&self, of: &Row, mark: &str) -> Result<bool, Attempt> {
        let path = format!("/{}?sysparm_fields=work_notes&sysparm_display_value=true", of.sys_id);
        let reply = self.call("GET", &path, None).await?;
        if reply.status != 200 {
            return Err(self.declined(&reply, "read the notes of a ticket"));
        }
        Ok(field(&reply.body, "work_notes").is_some_and(|notes| notes.contains(mark)))
    }

    /// One exchange; with another token where the first one is not taken.
    async fn call(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Reply, Attempt> {
        let (Ok(instance), Some(login)) = (&self.instance, &self.login) else {
            let why = self.instance.as_ref().err().cloned().unwrap_or_default();
            return Err(Attempt::Misconfigured { why: format!("notify.serviceNow.url {why}") });
        };
        let to = instance.at(&format!("/api/now/v2/table/{}{path}", self.table));
        let body = body.map(|body| body.to_string().into_bytes());
        let mut again = true;
        loop {
            let Proof { header, secret } = login.proof(&self.http).await?;
            let mut headers = vec![header, ("accept", "application/json".to_owned())];
            if body.is_some() {
                headers.push(("content-type", "application/json".to_owned()));
            }
            let reply = self.http.send(method, &to, headers, body.clone()).await?;
            if reply.status == 401 && std::mem::take(&mut again) && login.refused().await {
                continue;
            }
            if reply.status < 300 && !is_json(&reply) {
                let why = format!(
                    "{} answers with {} instead of JSON: the instance may be hibernating",
                    to.shown,
                    if is_html(&reply) { "a web page" } else { "something" }
                );
                // Whatever stands before the instance may have passed a change on.
                return Err(match method {
                    "GET" => Attempt::Retry { why, after: None },
                    _ => Attempt::InDoubt { why },
                });
            }
            if reply.status == 401 {
                let why = said(&to, &reply, Some(&secret));
                return Err(Attempt::Misconfigured { why: format!("{why}; check the login") });
            }
            return Ok(reply);
        }
    }

    fn shown(&self) -> &str {
        self.instance.as_ref().map_or("ServiceNow", |at| &at.shown)
    }

    fn declined(&self, reply: &Reply, what: &str) -> Attempt {
        let Ok(to) = &self.instance else { return Attempt::Misconfigured { why: what.into() } };
        let why = format!("cannot {what}: {}", said(to, reply, None));
        match reply.status {
            429 | 503 => {
                Attempt::Retry { why, after: self.http.after(reply).or(self.reset(reply)) }
            }
            408 | 500.. => Attempt::InDoubt { why },
            400 => Attempt::Refused { why },
            403 => Attempt::Misconfigured {
                why: format!(
                    "{why}; an access rule, a business rule or a data policy of the instance stops the user \
                     of fleetform: give it the role it needs, or the fields that are mandatory in \
                     notify.serviceNow.fields"
                ),
            },
            404 => Attempt::Misconfigured {
                why: format!(
                    "{why}; there is no table {}, or it is hidden from this user",
                    self.table
                ),
            },
            _ => Attempt::Misconfigured { why },
        }
    }

    /// When the count of calls begins anew, in the words of ServiceNow: seconds since 1970.
    fn reset(&self, reply: &Reply) -> Option<Duration> {
        let at: i64 = reply.header("x-ratelimit-reset")?.trim().parse().ok()?;
        let now = reply.date().unwrap_or_else(self.http.now).millis() / 1000;
        u64::try_from(at.saturating_sub(now).clamp(0, LONGEST_WAIT)).ok().map(Duration::from_secs)
    }
}

/// What came of a call that changes nothing.
fn surely(attempt: Attempt) -> Attempt {
    match attempt {
        Attempt::InDoubt { why } => Attempt::Retry { why, after: None },
        other => other,
    }
}
