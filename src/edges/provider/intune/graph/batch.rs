//! Many small calls in one: [`Graph::batch`].

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::call::{Call, Version};
use super::client::{Graph, Purpose};
use super::failure::Failure;
use super::limiter::Kind;
use super::unwrap::{APPROVAL_CODE, Said, refusal};
use crate::edges::http_client::id;

/// As many as Graph takes in one.
const MOST: usize = 20;
/// How often a part is sent at most.
const ATTEMPTS: u32 = 6;

#[derive(Deserialize)]
struct Parts {
    responses: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<Box<RawValue>>,
}

impl Graph {
    /// Makes many calls that read, or ask devices to come by; one answer for each, in their order.
    /// Parts that were turned away are sent again.
    ///
    /// # Panics
    /// If a call may not be a part of a batch: others must not be repeated.
    pub(crate) async fn batch(&self, calls: Vec<Call>) -> Vec<Result<Answer, Failure>> {
        for call in &calls {
            assert!(call.is_batchable(), "{call:?} in a batch");
        }
        let mut answers = HashMap::new();
        for version in [Version::V1, Version::Beta] {
            let of_version = |n: &usize| calls[*n].version() == version;
            let mut open: Vec<usize> = (0..calls.len()).filter(of_version).collect();
            let mut attempts = 0;
            while !open.is_empty() {
                attempts += 1;
                let mut again = Vec::new();
                for part in open.chunks(MOST) {
                    for (n, answer) in self.parts(version, &calls, part).await {
                        match answer {
                            Err(failure) if failure.may_pass() && attempts < ATTEMPTS => {
                                again.push((n, failure));
                            }
                            answer => drop(answers.insert(n, answer)),
                        }
                    }
                }
                // The longest wait of all is long enough for each.
                let longest = again.iter().max_by_key(|(_, failure)| failure.retry_after());
                if let Some((_, failure)) = longest
                    && self.wait(Purpose::Read, failure, 0, attempts).await.is_err()
                {
                    let over = again.drain(..).map(|(n, failure)| (n, Err(failure.over_budget())));
                    answers.extend(over);
                }
                open = again.into_iter().map(|(n, _)| n).collect();
            }
        }
        let none = |n: usize| Err(no_answer(self.place(&calls[n]), String::new()));
        (0..calls.len()).map(|n| answers.remove(&n).unwrap_or_else(|| none(n))).collect()
    }

    /// One batch.
    async fn parts(
        &self,
        version: Version,
        calls: &[Call],
        part: &[usize],
    ) -> Vec<(usize, Result<Answer, Failure>)> {
        let requests: Vec<Value> = part.iter().map(|n| described(*n, &calls[*n])).collect();
        let writes = part.iter().filter(|n| calls[**n].writes()).count();
        let batch = Call::post("/$batch", json!({"requests": requests})).of(version);
        let cost = vec![(Kind::Read, part.len() - writes), (Kind::Write, writes)];
        let request = self.request_of(&batch, Purpose::Read, cost);
        let whole = async {
            let answer = self.repeat(&request).await?;
            let parts: Parts = answer.json()?;
            Ok((answer, parts))
        };
        let (whole, parts) = match whole.await {
            Ok(whole) => whole,
            Err(failure) => return part.iter().map(|n| (*n, Err(failed(&failure)))).collect(),
        };
        let mut by_id: HashMap<String, Part> =
            parts.responses.into_iter().map(|part| (part.id.clone(), part)).collect();
        let mut answers = Vec::new();
        for n in part {
            let place = self.place(&calls[*n]);
            let answer = match by_id.remove(&n.to_string()) {
                Some(part) => self.understood(part, place, &whole, &calls[*n]),
                None => Err(no_answer(place, whole.client_request_id.clone())),
            };
            answers.push((*n, answer));
        }
        answers
    }

    fn place(&self, call: &Call) -> String {
        self.request(call, Purpose::Read).place
    }

    fn understood(
        &self,
        part: Part,
        place: String,
        whole: &Answer,
        call: &Call,
    ) -> Result<Answer, Failure> {
        let Part { id: _, status, headers, body } = part;
        let header = |name: &str| {
            let found = headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
            found.and_then(|(_, value)| value.as_str())
        };
        let body = body.as_ref().map_or("", |body| body.get());
        let client_request_id = whole.client_request_id.clone();
        let request_id = header("request-id").and_then(id).or_else(|| whole.request_id.clone());
        if (200..300).contains(&status) {
            let approval_code = header(APPROVAL_CODE).and_then(id);
            let body = body.as_bytes().to_vec();
            return Ok(Answer {
                place,
                status,
                body,
                approval_code,
                request_id,
                client_request_id,
            });
        }
        let date = Some((self.tenant().now)());
        let body = body.as_bytes();
        let said =
            Said { place, status, header: &header, body, client_request_id, date, known: None };
        let mut refusal = refusal(said);
        refusal.request_id = refusal.request_id.or(request_id);
        if status == 429 {
            let kind = if call.writes() { Kind::Write } else { Kind::Read };
            let wait = refusal.retry_after.unwrap_or_default();
            self.tenant().limiter.throttled(kind, wait);
        }
        Err(Failure::Refused(Box::new(refusal)))
    }
}

fn described(n: usize, call: &Call) -> Value {
    let mut request = json!({
        "id": n.to_string(),
        "method": call.method.word(),
        "url": call.relative(),
    });
    let mut headers: Map<String, Value> =
        call.headers.iter().map(|(name, value)| ((*name).into(), value.as_str().into())).collect();
    if let Some(body) = &call.body {
        headers.insert("Content-Type".into(), "application/json".into());
        request["body"] = body.clone();
    }
    if !headers.is_empty() {
        request["headers"] = headers.into();
    }
    request
}

/// What failed for all of a batch was repeated already, as a whole.
fn failed(failure: &Failure) -> Failure {
    if failure.may_pass() { failure.over_budget() } else { failure.clone() }
}

fn no_answer(place: String, client_request_id: String) -> Failure {
    let why = "the batch has no answer to it".to_owned();
    Failure::NoAnswer { place, why, client_request_id }
}
