// A small ServiceNow, with the traps of the real one: its Table API (v2) over one table, as far as
// tickets need it. It knows no socket: whoever asks hands over a request, and sends the answer.
//
// No `//!` and no imports of the crate: the tests inside src/ include this file.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What goes wrong with the next calls, in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// A page that says that the instance is hibernating.
    Hibernating,
    /// An access rule stops it.
    Forbidden,
    /// Too many calls: how many seconds until the count begins anew.
    Busy(Option<u64>),
    /// It is done, and the answer is lost.
    LostAfter,
    /// The connection is lost before anything is done.
    LostBefore,
}

/// What comes back; nothing where the connection is lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// One table of an instance.
#[derive(Debug, Default)]
pub struct Instance {
    /// Oldest first; all values are texts.
    pub rows: Vec<BTreeMap<String, String>>,
    /// What goes wrong with the calls to come, in turn.
    pub faults: Vec<Fault>,
    /// Fields that queries do not know: a condition on one is dropped without a word.
    pub unknown: Vec<String>,
    /// Fields that this user may not write: they are left empty without a word.
    pub unwritable: Vec<String>,
    /// The value of `Authorization` that is taken; any where there is none.
    pub authorization: Option<String>,
    /// How many tickets there have been.
    pub made: u64,
}

impl Instance {
    /// The one ticket whose field has this value.
    pub fn find(&self, name: &str, value: &str) -> Vec<&BTreeMap<String, String>> {
        self.rows.iter().filter(|row| row.get(name).is_some_and(|given| given == value)).collect()
    }

    /// A ticket that people made.
    pub fn add(&mut self, fields: &[(&str, &str)]) -> String {
        let mut row = self.fresh();
        for (name, value) in fields {
            row.insert((*name).to_owned(), (*value).to_owned());
        }
        let id = row["sys_id"].clone();
        self.rows.push(row);
        id
    }

    fn fresh(&mut self) -> BTreeMap<String, String> {
        self.made += 1;
        let n = self.made;
        [
            ("sys_id", format!("{n:032x}")),
            ("number", format!("INC{n:07}")),
            ("state", "1".to_owned()),
            ("active", "true".to_owned()),
            ("correlation_id", String::new()),
            ("work_notes", String::new()),
            ("sys_created_on", format!("2026-11-25 10:{:02}:{:02}", n / 60 % 60, n % 60)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// One call. `target` is path and query.
    pub fn answer(
        &mut self,
        method: &str,
        target: &str,
        authorization: Option<&str>,
        body: &str,
    ) -> Option<Answered> {
        let fault = if self.faults.is_empty() { None } else { Some(self.faults.remove(0)) };
        match fault {
            Some(Fault::LostBefore) => return None,
            Some(Fault::Hibernating) => {
                let page = "<html><title>Hibernating Instance</title></html>".to_owned();
                let content_type = "text/html;charset=UTF-8";
                return Some(Answered {
                    status: 200,
                    content_type,
                    headers: Vec::new(),
                    body: page,
                });
            }
            Some(Fault::Forbidden) => {
                let detail = "ACL Exception Insert Failed due to security constraints";
                return Some(error(403, "Operation Failed", detail));
            }
            Some(Fault::Busy(reset)) => {
                let mut busy = error(429, "Rate limit exceeded", "Too many requests");
                busy.headers.extend(reset.map(|seconds| ("Retry-After", seconds.to_string())));
                return Some(busy);
            }
            Some(Fault::LostAfter | Fault::None) | None => {}
        }
        if self.authorization.as_deref().is_some_and(|wanted| authorization != Some(wanted)) {
            return Some(error(
                401,
                "User Not Authenticated",
                "Required to provide Auth information",
            ));
        }
        let done = self.done(method, target, body);
        (fault != Some(Fault::LostAfter)).then_some(done)
    }

    fn done(&mut self, method: &str, target: &str, body: &str) -> Answered {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parameters: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect();
        let Some(rest) = path.strip_prefix("/api/now/v2/table/incident") else {
            return error(404, "Invalid table", "There is no such table");
        };
        let fields: Vec<String> = parameters
            .get("sysparm_fields")
            .map(|fields| fields.split(',').map(str::to_owned).collect())
            .unwrap_or_default();
        let id = rest.strip_prefix('/');
        match (method, id) {
            ("GET", None) => {
                let found = self.query(parameters.get("sysparm_query").map_or("", |query| query));
                let most =
                    parameters.get("sysparm_limit").and_then(|n| n.parse().ok()).unwrap_or(10_000);
                let rows: Vec<Value> =
                    found.into_iter().take(most).map(|row| picked(row, &fields)).collect();
                ok(200, json!({"result": rows}))
            }
            ("POST", None) => {
                let Ok(Value::Object(given)) = serde_json::from_str::<Value>(body) else {
                    return error(400, "Exception while reading request", "no JSON");
                };
                let mut row = self.fresh();
                self.write(&mut row, &given);
                let made = picked(&row, &fields);
                self.rows.push(row);
                ok(201, json!({"result": made}))
            }
            ("GET" | "PATCH", Some(id)) => {
                let Some(at) = self.rows.iter().position(|row| row["sys_id"] == id) else {
                    return error(
                        404,
                        "No Record found",
                        "Record doesn't exist or ACL restricts it",
                    );
                };
                if method == "PATCH" {
                    let Ok(Value::Object(given)) = serde_json::from_str::<Value>(body) else {
                        return error(400, "Exception while reading request", "no JSON");
                    };
                    let mut row = self.rows[at].clone();
                    // A closed ticket is read-only, as the delivered rules have it.
                    if row["active"] == "false" {
                        return error(
                            403,
                            "Operation Failed",
                            "Operation against file 'incident' was aborted",
                        );
                    }
                    self.write(&mut row, &given);
                    self.rows[at] = row;
                }
                ok(200, json!({"result": picked(&self.rows[at], &fields)}))
            }
            _ => error(405, "Method not supported", "Method not supported"),
        }
    }

    fn write(&self, row: &mut BTreeMap<String, String>, given: &Map<String, Value>) {
        for (name, value) in given {
            if self.unwritable.contains(name) {
                continue;
            }
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if name == "work_notes" {
                // A journal: what is written is put before what is there.
                let notes = row.entry(name.clone()).or_default();
                *notes =
                    format!("2026-11-25 11:00:00 - fleetform (Work notes)\n{value}\n\n{notes}");
            } else {
                row.insert(name.clone(), value);
            }
        }
        if matches!(row["state"].as_str(), "7" | "8") {
            row.insert("active".into(), "false".into());
        }
    }

    /// A condition that it does not understand is dropped, and others come back.
    fn query(&self, query: &str) -> Vec<&BTreeMap<String, String>> {
        let mut found: Vec<_> = self.rows.iter().collect();
        for part in query.split('^').filter(|part| !part.starts_with("ORDERBY")) {
            let Some((name, value)) = part.split_once('=') else { continue };
            let known = self.rows.iter().any(|row| row.contains_key(name));
            if !known || self.unknown.iter().any(|unknown| unknown == name) {
                continue;
            }
            // As the database compares: without regard to case.
            found
                .retain(|row| row.get(name).is_some_and(|given| given.eq_ignore_ascii_case(value)));
        }
        found
    }
}

fn picked(row: &BTreeMap<String, String>, fields: &[String]) -> Value {
    let wanted = |name: &String| fields.is_empty() || fields.contains(name);
    let picked = row.iter().filter(|(name, _)| wanted(name));
    Value::Object(picked.map(|(name, value)| (name.clone(), json!(value))).collect())
}

fn ok(status: u16, body: Value) -> Answered {
    let content_type = "application/json;charset=UTF-8";
    Answered { status, content_type, headers: Vec::new(), body: body.to_string() }
}

fn error(status: u16, message: &str, detail: &str) -> Answered {
    ok(status, json!({"error": {"message": message, "detail": detail}, "status": "failure"}))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let hex = more.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
