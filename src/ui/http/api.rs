//! The answers.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::answer::{Failure, JSON, METRICS, Tagged, fail, respond};
use super::metrics as numbers;
use super::query::{Audit, Devices, Log, PAGE};
use super::shared::Shared;
use crate::app::deliveries;
use crate::app::status::{Status, View};
use crate::app::wiring;
use crate::domain::lookup;
use crate::domain::model::DeviceId;
use crate::domain::state::event::Entry;
use crate::domain::wipe::target::LedgerId;
use crate::edges::clock;
use crate::edges::ledger::Logged;
use crate::edges::source::revision;
use crate::ui::render;
use crate::ui::render::deliveries::Deliveries;
use crate::ui::render::hindrance::Hindrance;
use crate::ui::render::history::EntryView;
use crate::ui::render::json;
use crate::ui::render::list::Listing;
use crate::ui::render::plan::Context;
use crate::ui::render::show::Shown;
use crate::ui::render::why::Why;
use crate::ui::wire;

pub(super) async fn readyz(State(shared): State<Shared>) -> Response {
    #[derive(Serialize)]
    struct Ready<'a> {
        version: u32,
        ready: bool,
        reasons: &'a [String],
        degraded: &'a [String],
    }
    let view = shared.view();
    let (reasons, degraded) = (&view.not_ready, &view.degraded);
    let ready = Ready { version: 1, ready: reasons.is_empty(), reasons, degraded };
    let status = if ready.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match body(|out| json::pretty(out, &ready)) {
        Ok(body) => respond(status, JSON, Body::from(body)),
        Err(failed) => failed.answer(),
    }
}

pub(super) async fn metrics(State(shared): State<Shared>) -> Response {
    let view = shared.view();
    let age = wiring::ledger(&view.config).snapshot_at().and_then(|at| at.elapsed().ok());
    let fetched = revision::fetched_at(&view.config.fleet);
    let fetched = fetched.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let looked = numbers::Looked {
        snapshot_age: age.map(|age| age.as_secs_f64()),
        fetched_at: fetched.map(|at| at.as_secs_f64()),
    };
    let text = numbers::text(&view, &shared.decisions.counts(), &looked);
    respond(StatusCode::OK, METRICS, Body::from(text))
}

pub(super) async fn devices(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let Devices { filter, after, limit } = match query.parse::<Devices>() {
        Ok(wanted) => wanted,
        Err(why) => return fail(StatusCode::BAD_REQUEST, &why),
    };
    let view = shared.view();
    let (settings, now) = (&view.config.settings, clock::now());
    let limit = limit.unwrap_or(PAGE);
    let recorded = &view.recorded;
    let mut found = recorded
        .devices
        .after(after)
        .map(|(id, device)| (*id, device))
        .filter(|(_, device)| filter.admits(device, settings, now));
    let devices: Vec<_> = found.by_ref().take(limit).collect();
    let next = found.next().and(devices.last()).map(|(id, _)| format!("after={id}"));
    let listing = Listing {
        devices: &devices,
        wipes: &recorded.wipes,
        ledger: recorded.lineage.map(LedgerId),
        // A page of devices reads no queues: `/api/v1/deliveries` has all of them.
        undelivered: &BTreeMap::new(),
        settings,
        now,
    };
    let body = body(|out| listing.json(out)).and_then(|body| Tagged::new(body, &shared.room));
    let answer = body.map(|body| body.answer(&headers, JSON));
    linked(answer.unwrap_or_else(Failure::answer), "/api/v1/devices", &query, "after", next)
}

/// The page after this one, where there is one: RFC 8288.
fn linked(
    mut answer: Response,
    path: &str,
    query: &str,
    replaced: &str,
    next: Option<String>,
) -> Response {
    let Some(next) = next else { return answer };
    let kept = query
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with(&format!("{replaced}=")));
    let query = kept.map(str::to_owned).chain([next]).collect::<Vec<_>>().join("&");
    if let Ok(link) = HeaderValue::from_str(&format!("<{path}?{query}>; rel=\"next\"")) {
        answer.headers_mut().insert(header::LINK, link);
    }
    answer
}

pub(super) async fn device(
    State(shared): State<Shared>,
    Path(wanted): Path<String>,
    headers: HeaderMap,
) -> Response {
    let view = shared.view();
    let id = match find(&view, &wanted) {
        Ok(id) => id,
        Err((status, why)) => return fail(status, &why),
    };
    let room = shared.room.clone();
    let body = shared.heavy(move || Tagged::new(show(&view, id)?, &room)).await;
    body.map_or_else(Failure::answer, |body| body.answer(&headers, JSON))
}

/// The device that a word means, or what to answer where it means none, or several.
fn find(view: &View, wanted: &str) -> Result<DeviceId, (StatusCode, String)> {
    lookup::device(&view.recorded, wanted).map(|(id, ..)| id).map_err(|why| match why {
        lookup::Error::Nobody(_) => {
            (StatusCode::NOT_FOUND, "no device has this id, serial number or name".to_owned())
        }
        lookup::Error::Ambiguous(several) => {
            (StatusCode::CONFLICT, format!("{several}; {}", several.help()))
        }
    })
}

fn show(view: &View, id: DeviceId) -> Result<Vec<u8>, Failure> {
    let state = &view.recorded;
    let device = &state.devices[&id];
    let history = entries(view, 0, |entry| entry.device == Some(id), usize::MAX)?;
    let settings = &view.config.settings;
    let (hindrance, now) = (&hindrance(view, id), clock::now());
    let why = Why { state, id, device, hindrance, settings, now }.points();
    // What cannot be read is made again, and hides nothing else meanwhile.
    let queues = deliveries::queues(&view.config.data).unwrap_or_else(|why| {
        tracing::warn!(%why, "who has not been notified yet is not known");
        Vec::new()
    });
    let undelivered = Deliveries::of(&queues).undelivered(now).remove(&id).unwrap_or_default();
    let shown = Shown::of(state, (id, device), &history, why, settings, now);
    let shown = Shown { undelivered, ..shown };
    body(|out| shown.json(out))
}

/// What the last pass says of a device's manifest.
fn hindrance(view: &View, id: DeviceId) -> Hindrance {
    let of = |status: &Arc<Status>| {
        let declared = status.declared.get(&view.recorded.devices[&id].spec.serial_number);
        Hindrance::of(&status.left, id, declared.copied())
    };
    view.status.as_ref().map(of).unwrap_or_default()
}

pub(super) async fn why(
    State(shared): State<Shared>,
    Path(wanted): Path<String>,
    headers: HeaderMap,
) -> Response {
    let view = shared.view();
    let found = match find(&view, &wanted) {
        Ok(id) => id,
        Err((status, why)) => return fail(status, &why),
    };
    let (state, hindrance) = (&view.recorded, hindrance(&view, found));
    let why = Why {
        state,
        id: found,
        device: &state.devices[&found],
        hindrance: &hindrance,
        settings: &view.config.settings,
        now: clock::now(),
    };
    let body = body(|out| why.said().json(out)).and_then(|body| Tagged::new(body, &shared.room));
    body.map_or_else(Failure::answer, |body| body.answer(&headers, JSON))
}

pub(super) async fn plan(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let Some(status) = shared.view().status.clone() else { return Failure::NotYet.answer() };
    let rendered = {
        let mut last = shared.plan.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((of, rendered)) if Arc::ptr_eq(of, &status) => rendered.clone(),
            // The bytes of the one before go once the last client has read them.
            _ => last.insert((status.clone(), Arc::default())).1.clone(),
        }
    };
    let plan = rendered.get_or_try_init(async || {
        let room = shared.room.clone();
        tokio::task::spawn_blocking(move || Tagged::new(plan_json(&status)?, &room)).await?
    });
    plan.await.map_or_else(Failure::answer, |plan| plan.clone().answer(&headers, JSON))
}

/// The plan of a status, as `plan -o json`.
fn plan_json(status: &Status) -> Result<Vec<u8>, Failure> {
    let Status { left, made_of, counts: _, declared: _ } = status;
    let context = Context {
        root: &made_of.root,
        revision: made_of.revision.as_deref(),
        seq: made_of.seq,
        head: made_of.head,
        lineage: made_of.lineage,
        trust: &made_of.trust,
    };
    body(|out| render::plan::json(out, left, context))
}

pub(super) async fn audit(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let Audit { since, limit } = match query.parse::<Audit>() {
        Ok(wanted) => wanted,
        Err(why) => return fail(StatusCode::BAD_REQUEST, &why),
    };
    let view = shared.view();
    let limit = limit.unwrap_or(PAGE);
    let room = shared.room.clone();
    let read = shared.heavy(move || {
        let wanted = |entry: &Entry| entry.seq >= since;
        let mut found = entries(&view, since, wanted, limit.saturating_add(1))?;
        let next = found.get(limit).map(|logged| format!("since={}", logged.entry.seq));
        found.truncate(limit);
        let body = body(|out| {
            #[derive(Serialize)]
            struct Document<'a> {
                version: u32,
                entries: Vec<EntryView<'a>>,
            }
            let entries = found.iter().map(EntryView::from).collect();
            json::line(out, &Document { version: 1, entries })
        });
        Ok((Tagged::new(body?, &room)?, next))
    });
    match read.await {
        Ok((body, next)) => {
            linked(body.answer(&headers, JSON), "/api/v1/audit", &query, "since", next)
        }
        Err(failed) => failed.answer(),
    }
}

pub(super) async fn log(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Log { since, device, limit } = match query.unwrap_or_default().parse::<Log>() {
        Ok(wanted) => wanted,
        Err(why) => return fail(StatusCode::BAD_REQUEST, &why),
    };
    let view = shared.view();
    let room = shared.room.clone();
    let read = shared.heavy(move || {
        let wanted =
            |entry: &Entry| entry.seq >= since && device.is_none_or(|id| entry.device == Some(id));
        let mut lines = Vec::new();
        for logged in entries(&view, since, wanted, limit.unwrap_or(wire::log::PAGE))? {
            lines.extend_from_slice(&logged.raw);
            lines.push(b'\n');
        }
        Tagged::new(lines, &room)
    });
    read.await.map_or_else(Failure::answer, |body| body.answer(&headers, wire::log::KIND))
}

pub(super) async fn settings(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let document = {
        let config = &shared.view().config;
        let access = config.access.as_ref().map(|access| &access.rules);
        wire::settings::Document::new(&config.settings, access)
    };
    let body = body(|out| json::pretty(out, &document));
    let body = body.and_then(|body| Tagged::new(body, &shared.room));
    body.map_or_else(Failure::answer, |body| body.answer(&headers, JSON))
}

/// Entries of whole passes, from this number on.
fn entries(
    view: &View,
    from: u64,
    wanted: impl Fn(&Entry) -> bool,
    limit: usize,
) -> Result<Vec<Logged>, Failure> {
    let mut found = Vec::new();
    for logged in wiring::ledger(&view.config).entries_from(from) {
        let logged = logged?;
        let entry = &logged.entry;
        if entry.seq > view.recorded.seq || found.len() >= limit {
            break;
        }
        if wanted(entry) {
            found.push(logged);
        }
    }
    Ok(found)
}

fn body(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    write(&mut body)?;
    Ok(body)
}
