//! `$select`, `$top`, `$skip`, `$orderby`, `$count`, `$expand`, and the pages of a collection.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::filter::{Filter, Op, compare};
use super::refusal::Refusal;
use crate::ui::emulator::tenant::{encoded, pairs};

/// What can be asked of the entries of a collection.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Without `microsoft.graph.`.
    pub(crate) name: &'static str,
    /// Every property, in the order of the alphabet.
    pub(crate) properties: &'static [&'static str],
    /// Those that `$filter` takes, with their operators.
    pub(crate) filters: &'static [(&'static str, &'static [Op])],
    /// Whether `or` may only join tests of one property.
    pub(crate) or_within_a_property: bool,
    pub(crate) order: &'static [&'static str],
    pub(crate) expand: &'static [&'static str],
}

/// An entry of a collection.
pub(crate) trait Row {
    fn id(&self) -> &str;
    /// Null where it has no such property.
    fn get(&self, property: &str) -> Value;
    /// What it really has among the properties of its shape; others than the base type's, too.
    fn more(&self) -> Map<String, Value> {
        Map::new()
    }
}

/// The options of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) select: Option<Vec<String>>,
    pub(crate) expand: Vec<String>,
    filter: Option<Filter>,
    filter_text: Option<String>,
    order: Option<(String, bool)>,
    top: Option<usize>,
    skip: usize,
    count: bool,
    token: Option<(Value, String)>,
    expand_text: Option<String>,
}

/// Splits at commas that stand in no parentheses.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

fn unknown(property: &str, shape: &Shape) -> Refusal {
    Refusal::bad(format!(
        "Could not find a property named '{property}' on type 'microsoft.graph.{}'.",
        shape.name
    ))
}

fn number(name: &str, value: &str, least: usize) -> Result<usize, Refusal> {
    let number = value.parse().ok().filter(|number| *number >= least);
    number.ok_or_else(|| Refusal::bad(format!("Invalid value '{value}' for {name} query option.")))
}

impl Options {
    pub(crate) fn parse(query: &str, shape: &Shape) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for (name, value) in pairs(query) {
            let plain = name.strip_prefix('$').unwrap_or(&name).to_ascii_lowercase();
            match plain.as_str() {
                "select" => options.select = Some(select(&value, shape)?),
                "expand" => {
                    options.expand = expand(&value, shape)?;
                    options.expand_text = Some(value);
                }
                "filter" => {
                    options.filter = Some(filter(&value, shape)?);
                    options.filter_text = Some(value);
                }
                "orderby" => options.order = Some(order(&value, shape)?),
                "top" => options.top = Some(number("$top", &value, 1)?),
                "skip" => options.skip = number("$skip", &value, 0)?,
                "count" => {
                    options.count = value.parse().map_err(|_| {
                        Refusal::bad("Invalid value for $count query option: true or false.")
                    })?;
                }
                "skiptoken" => options.token = Some(read_token(&value)?),
                _ => {
                    return Err(Refusal::bad(format!(
                        "The query parameter '{name}' is not supported."
                    )));
                }
            }
        }
        Ok(options)
    }

    /// The id of the entry before this page, where entries are in the order of their ids.
    pub(crate) fn after(&self) -> Option<&str> {
        let all = self.order.is_some() || self.count;
        self.token.as_ref().filter(|_| !all).map(|(_, id)| id.as_str())
    }

    fn admits(&self, row: &impl Row) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.admits(&|name| row.get(name)))
    }

    /// The link to the next page.
    fn link(&self, url: &str, token: &(Value, String)) -> String {
        let token = URL_SAFE_NO_PAD.encode(json!([token.0, token.1]).to_string());
        let select = self.select.as_ref().map(|all| all.join(","));
        let order = self.order.as_ref();
        let order = order.map(|(by, down)| format!("{by}{}", if *down { " desc" } else { "" }));
        let given = [
            ("$select", select),
            ("$filter", self.filter_text.clone()),
            ("$orderby", order),
            ("$expand", self.expand_text.clone()),
            ("$top", self.top.map(|top| top.to_string())),
            ("$count", self.count.then(|| "true".to_owned())),
            ("$skiptoken", Some(token)),
        ];
        let query = given
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", encoded(value.as_ref()?))));
        format!("{url}?{}", query.collect::<Vec<_>>().join("&"))
    }
}

fn select(value: &str, shape: &Shape) -> Result<Vec<String>, Refusal> {
    let known = |name: &&str| shape.properties.contains(name) || shape.expand.contains(name);
    let names = parts(value);
    match names.iter().find(|name| !known(name)) {
        Some(name) => Err(unknown(name, shape)),
        None => Ok(names.into_iter().map(str::to_owned).collect()),
    }
}

fn expand(value: &str, shape: &Shape) -> Result<Vec<String>, Refusal> {
    let mut all = Vec::new();
    for part in parts(value) {
        let (name, inside) = part.split_once('(').unwrap_or((part, ""));
        if !shape.expand.contains(&name) {
            return Err(unknown(name, shape));
        }
        all.push(name.to_owned());
        let inside = inside.trim_end_matches(')').to_ascii_lowercase();
        if let Some(nested) = inside.strip_prefix("$expand=") {
            all.push(format!("{name}/{nested}"));
        }
    }
    Ok(all)
}

fn filter(value: &str, shape: &Shape) -> Result<Filter, Refusal> {
    let filter = Filter::parse(value)?;
    for (property, op) in filter.tests() {
        let known = shape.filters.iter().find(|(name, _)| *name == property);
        match known {
            Some((_, ops)) if ops.contains(&op) => {}
            None if !shape.properties.contains(&property) => return Err(unknown(property, shape)),
            _ => {
                return Err(Refusal::bad(format!(
                    "The filter operator is not supported for the property '{property}' of type \
                     'microsoft.graph.{}'.",
                    shape.name
                )));
            }
        }
    }
    if shape.or_within_a_property && !filter.joins_one_property_with_or() {
        return Err(Refusal::bad(
            "Filters over different properties must be combined with 'and', not with 'or'.",
        ));
    }
    Ok(filter)
}

fn order(value: &str, shape: &Shape) -> Result<(String, bool), Refusal> {
    let (property, direction) = value.trim().split_once(' ').unwrap_or((value.trim(), "asc"));
    if !shape.order.contains(&property) {
        return Err(Refusal::bad(format!("Ordering by '{property}' is not supported.")));
    }
    match direction.trim() {
        "asc" => Ok((property.to_owned(), false)),
        "desc" => Ok((property.to_owned(), true)),
        _ => Err(Refusal::bad(format!("Invalid value '{value}' for $orderby query option."))),
    }
}

fn read_token(text: &str) -> Result<(Value, String), Refusal> {
    let bad = || Refusal::bad("The skip token is not one that this service has given.");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
    serde_json::from_slice(&bytes).map_err(|_| bad())
}

/// An entry as it is shown: what was selected, or all of it.
pub(crate) fn show(row: &impl Row, shape: &Shape, options: &Options) -> Value {
    let mut shown = Map::new();
    match &options.select {
        Some(names) => {
            for name in names.iter().filter(|name| !shape.expand.contains(&name.as_str())) {
                shown.insert(name.clone(), row.get(name));
            }
            // Graph adds the id to what was selected only for some types; nobody may rely on it.
        }
        None => {
            for name in shape.properties {
                shown.insert((*name).to_owned(), row.get(name));
            }
            shown.extend(row.more());
        }
    }
    for name in &options.expand {
        if let Some((name, nested)) = name.split_once('/') {
            shown.insert(name.to_owned(), row.get(&format!("{name}/{nested}")));
        } else {
            shown.insert(name.clone(), row.get(name));
        }
    }
    Value::Object(shown)
}

/// Where a collection is, and how its pages are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageSource<'a> {
    /// Absolute, without the query.
    pub(crate) url: &'a str,
    pub(crate) context: &'a str,
    pub(crate) page_size: usize,
    /// The link leaves the next page out.
    pub(crate) drops_a_page: bool,
}

/// One page. `rows` are in the order of their ids; they may leave out what comes before
/// `options.after()`.
pub(crate) fn page<R: Row>(
    rows: impl Iterator<Item = R>,
    shape: &Shape,
    options: &Options,
    place: PageSource<'_>,
) -> Value {
    let size = options.top.unwrap_or(place.page_size).min(place.page_size);
    let admitted = rows.filter(|row| options.admits(row));
    let mut total = None;
    let mut token = None;
    let mut value = Vec::new();
    let mut seen = 0;
    let mut take = |rows: &mut dyn Iterator<Item = (Value, R)>| {
        let skip = if options.token.is_none() { options.skip } else { 0 };
        let mut rows = rows.skip(skip).peekable();
        let mut last = None;
        while seen < size && rows.peek().is_some() {
            if let Some((key, row)) = rows.next() {
                value.push(show(&row, shape, options));
                last = Some((key, row.id().to_owned()));
                seen += 1;
            }
        }
        if place.drops_a_page {
            for (key, row) in rows.by_ref().take(size) {
                last = Some((key, row.id().to_owned()));
            }
        }
        token = last.filter(|_| rows.peek().is_some());
    };
    if options.order.is_some() || options.count {
        let by = options.order.as_ref();
        let key = |row: &R| by.map(|(property, _)| row.get(property)).unwrap_or_default();
        let mut all: Vec<(Value, R)> = admitted.map(|row| (key(&row), row)).collect();
        total = options.count.then_some(all.len());
        let down = by.is_some_and(|(_, down)| *down);
        let order = |left: (&Value, &str), right: (&Value, &str)| {
            let keys = compare(left.0, right.0).unwrap_or(Ordering::Equal);
            let keys = if down { keys.reverse() } else { keys };
            keys.then_with(|| left.1.cmp(right.1))
        };
        all.sort_by(|(left, l), (right, r)| order((left, l.id()), (right, r.id())));
        let mut rest = all.into_iter().filter(|(key, row)| {
            let token = options.token.as_ref();
            token.is_none_or(|(k, id)| order((key, row.id()), (k, id)) == Ordering::Greater)
        });
        take(&mut rest);
    } else {
        let after = options.after();
        let rest = admitted.filter(|row| after.is_none_or(|id| row.id() > id));
        take(&mut rest.map(|row| (Value::Null, row)));
    }
    let mut body = Map::new();
    body.insert("@odata.context".into(), json!(place.context));
    if let Some(total) = total {
        body.insert("@odata.count".into(), json!(total));
    }
    if let Some(token) = token {
        body.insert("@odata.nextLink".into(), json!(options.link(place.url, &token)));
    }
    body.insert("value".into(), Value::Array(value));
    Value::Object(body)
}
