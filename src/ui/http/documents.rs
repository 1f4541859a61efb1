//! Answers that are in files of the daemon's: what is not told yet, refused reports, whose signatures
//! count, and devices that nobody declared.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::answer::{Failure, JSON, Tagged, fail};
use super::shared::Shared;
use crate::app::deliveries;
use crate::app::status::View;
use crate::app::wiring;
use crate::edges::clock;
use crate::edges::provider::{local, unmanaged};
use crate::ui::render::deliveries::Deliveries;
use crate::ui::render::rejected::RejectedFiles;
use crate::ui::render::trust_check::TrustCheck;
use crate::ui::render::unmanaged::Undeclared;

/// Reads a file or two, and answers with what `write` makes of them.
async fn answer(
    shared: Shared,
    headers: HeaderMap,
    write: impl FnOnce(&View, &mut Vec<u8>) -> Result<(), Failure> + Send + 'static,
) -> Response {
    let (view, room) = (shared.view(), shared.room.clone());
    let body = shared.heavy(move || {
        let mut body = Vec::new();
        write(&view, &mut body)?;
        Tagged::new(body, &room)
    });
    body.await.map_or_else(Failure::answer, |body| body.answer(&headers, JSON))
}

pub(super) async fn deliveries(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let write = |view: &View, out: &mut Vec<u8>| {
        let queues = deliveries::queues(&view.config.data).map_err(Failure::Internal)?;
        Ok(Deliveries::of(&queues).json(out)?)
    };
    answer(shared, headers, write).await
}

pub(super) async fn rejected(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let write = |view: &View, out: &mut Vec<u8>| {
        Ok(RejectedFiles::of(&local::rejected(&view.config.data)?).json(out)?)
    };
    answer(shared, headers, write).await
}

pub(super) async fn trust(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let view = shared.view();
    if !view.config.trust.is_configured() {
        return fail(StatusCode::CONFLICT, "no trust file is configured (trust.allowedSigners)");
    }
    let write = |view: &View, out: &mut Vec<u8>| {
        let trust = wiring::read_trust(&view.config)?;
        let quorum = &view.config.settings.wipes.quorum;
        Ok(TrustCheck::of(&trust, quorum, clock::now()).json(out)?)
    };
    answer(shared, headers, write).await
}

pub(super) async fn unmanaged(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let write = |view: &View, out: &mut Vec<u8>| {
        let seen = unmanaged::read(&view.config.data).map_err(Failure::Internal)?;
        let undeclared = Undeclared { unmanaged: seen.as_ref(), now: clock::now() };
        Ok(undeclared.json(out)?)
    };
    answer(shared, headers, write).await
}
