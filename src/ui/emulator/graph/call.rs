//! A call to one route: what it was given, and what it may answer.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::query::{Options, PageSource, Row, Shape, page, show};
use super::refusal::Refusal;
use crate::ui::emulator::tenant::{Actor, Answer, Request, Tenant};

/// A call that is let in.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    /// What stands in the places of `{}` in the route.
    pub(crate) params: Vec<String>,
    pub(crate) beta: bool,
    pub(crate) client_id: &'a str,
    pub(crate) drops_a_page: bool,
}

/// What a handler gives.
pub(crate) type Outcome = Result<Answer, Refusal>;

/// One operation of Graph.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    /// From the version on, with `{}` for what varies.
    pub(crate) path: &'static str,
    /// Whether it is only below `/beta`.
    pub(crate) only_beta: bool,
    /// One of these is needed.
    pub(crate) permissions: &'static [&'static str],
    pub(crate) run: fn(&mut Tenant, &Call<'_>) -> Outcome,
}

impl Call<'_> {
    /// What the first `{}` stands for.
    pub(crate) fn id(&self) -> &str {
        self.params.first().map_or("", String::as_str)
    }

    /// What the second `{}` stands for.
    pub(crate) fn second(&self) -> &str {
        self.params.get(1).map_or("", String::as_str)
    }

    pub(crate) fn version(&self) -> &'static str {
        if self.beta { "beta" } else { "v1.0" }
    }

    pub(crate) fn actor(&self, tenant: &Tenant) -> Actor {
        let id = self.client_id.to_owned();
        Actor::App { name: tenant.apps.name(&id), id }
    }

    /// The body, which must be an object of these properties and no others.
    pub(crate) fn body(&self, of: &str, known: &[&str]) -> Result<Map<String, Value>, Refusal> {
        let map = self.any_body()?;
        check(&map, of, known)?;
        Ok(map)
    }

    /// The body, which must be an object.
    pub(crate) fn any_body(&self) -> Result<Map<String, Value>, Refusal> {
        if self.request.body.is_empty() {
            return Err(Refusal::bad("Empty Payload. JSON content expected."));
        }
        let kind = self.request.header("content-type").unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("application/json") {
            let why = "A missing or unsupported content type header was found when trying to read \
                       a message. application/json is needed.";
            return Err(Refusal::bad(why));
        }
        let value = serde_json::from_slice(&self.request.body);
        match value.map_err(|error| Refusal::bad(format!("Unable to read JSON: {error}")))? {
            Value::Object(map) => Ok(map),
            _ => Err(Refusal::bad("Unable to read JSON: an object is expected.")),
        }
    }

    /// Nothing, or an object without properties.
    pub(crate) fn no_body(&self) -> Result<(), Refusal> {
        match self.request.body.as_slice() {
            [] => Ok(()),
            _ => self.body("the action, which has no parameters", &[]).map(|_| ()),
        }
    }

    pub(crate) fn options(&self, shape: &Shape) -> Result<Options, Refusal> {
        Options::parse(&self.request.query, shape)
    }

    fn context(&self, suffix: &str) -> String {
        let base = &self.request.base;
        let entity = self.request.path.trim_start_matches('/');
        let entity = entity.split_once('/').map_or("", |(_, rest)| rest);
        format!("{base}/{}/$metadata#{entity}{suffix}", self.version())
    }

    /// A page of a collection.
    pub(crate) fn page<R: Row>(
        &self,
        tenant: &Tenant,
        shape: &Shape,
        options: &Options,
        rows: impl Iterator<Item = R>,
    ) -> Answer {
        let url = format!("{}{}", self.request.base, self.request.path);
        let place = PageSource {
            url: &url,
            context: &self.context(""),
            page_size: tenant.settings.page_size,
            drops_a_page: self.drops_a_page,
        };
        Answer::ok(page(rows, shape, options, place))
    }

    /// One entity.
    pub(crate) fn entity(&self, shape: &Shape, row: &impl Row) -> Outcome {
        Ok(Answer::ok(self.shown(show(row, shape, &self.options(shape)?))))
    }

    /// An entity with the address of its description.
    pub(crate) fn shown(&self, mut value: Value) -> Value {
        if let Value::Object(map) = &mut value {
            map.insert("@odata.context".into(), json!(self.context("/$entity")));
        }
        value
    }

    /// A collection that an action gives.
    pub(crate) fn collection(&self, value: Vec<Value>) -> Value {
        json!({"@odata.context": self.context(""), "value": value})
    }
}

/// Refuses properties that are not known.
pub(crate) fn check(map: &Map<String, Value>, of: &str, known: &[&str]) -> Result<(), Refusal> {
    let is_annotation = |name: &str| name.starts_with('@') && name.contains("odata");
    let is_known = |name: &str| known.contains(&name) || is_annotation(name);
    let strange = map.keys().find(|name| !is_known(name));
    match strange {
        Some(name) => Err(Refusal::bad(format!(
            "The property '{name}' does not exist on type '{of}'. Make sure to only use property \
             names that are defined by the type."
        ))),
        None => Ok(()),
    }
}

fn wrong(name: &str, what: &str) -> Refusal {
    Refusal::bad(format!("Cannot convert the value of '{name}' to the expected type '{what}'."))
}

/// A text that may be absent or null.
pub(crate) fn text<'a>(
    map: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, Refusal> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(name, "Edm.String")),
    }
}

/// `true` or `false`, which may be absent or null.
pub(crate) fn flag(map: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refusal> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(wrong(name, "Edm.Boolean")),
    }
}

/// A list of objects.
pub(crate) fn objects<'a>(
    map: &'a Map<String, Value>,
    name: &str,
) -> Result<Vec<&'a Map<String, Value>>, Refusal> {
    let list = map.get(name).and_then(Value::as_array);
    let list = list.ok_or_else(|| Refusal::bad(format!("The parameter '{name}' is missing.")))?;
    list.iter().map(|one| one.as_object().ok_or_else(|| wrong(name, "Collection"))).collect()
}

/// An entity that stands ready as JSON.
pub(crate) struct Ready<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) body: Map<String, Value>,
}

impl Ready<'_> {
    /// Of an object with an `id`.
    pub(crate) fn of(value: Value) -> Self {
        let body = match value {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let id = body.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { id: Cow::Owned(id), body }
    }
}

impl Row for Ready<'_> {
    fn id(&self) -> &str {
        &self.id
    }

    fn get(&self, property: &str) -> Value {
        self.body.get(property).cloned().unwrap_or_default()
    }
}
