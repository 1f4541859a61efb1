//! What is recorded, whole: for `plan --server`, which plans with it as if beside the daemon.
//!
//! It may be a hundred megabytes, so it is written while it is sent, a few megabytes of it at a
//! time in memory, and to few clients at once. A client that is gone or too slow ends the
//! writing; no pass waits for it, since it writes what the last one published.

use std::io::{self, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State as Extracted;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::answer::{Failure, is_known, respond};
use super::shared::Shared;
use crate::domain::model::{DeviceId, Digest, Facts, Timestamp};
use crate::domain::state::State;
use crate::edges::ledger::snapshot;
use crate::ui::wire::state::KIND;

/// Bytes of one piece, and pieces that wait to be sent.
const PIECE: usize = 64 << 10;
const WAITING: usize = 4;

pub(super) async fn state(Extracted(shared): Extracted<Shared>, headers: HeaderMap) -> Response {
    let recorded = shared.views.borrow().recorded.clone();
    // Before the first pass nothing is published, which is not to say that nothing is recorded.
    if recorded.seq == 0 {
        return Failure::NotYet.answer();
    }
    let Ok(permit) = shared.streams.clone().try_acquire_owned() else {
        return Failure::Busy.answer();
    };
    let of = recorded.clone();
    let tag = match tokio::task::spawn_blocking(move || tag(&of)).await {
        Ok(Ok(tag)) => format!("\"{tag}\""),
        Ok(Err(error)) => return Failure::from(error).answer(),
        Err(error) => return Failure::from(error).answer(),
    };
    let mut answer = if is_known(&headers, &tag) {
        respond(StatusCode::NOT_MODIFIED, KIND, Body::empty())
    } else {
        let (sender, pieces) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            send(&recorded, sender);
        });
        respond(StatusCode::OK, KIND, Body::from_stream(ReceiverStream::new(pieces)))
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

/// The log's last line stands for everything but what is never logged by itself.
fn tag(state: &State) -> io::Result<Digest> {
    type Telemetry<'a> = (DeviceId, Option<Timestamp>, Option<&'a Facts>);
    let mut hashed = state.head.0.to_string().into_bytes();
    for (id, device) in state.devices.iter() {
        let telemetry: Telemetry<'_> = (*id, device.last_sync, device.facts.as_deref());
        serde_json::to_writer(&mut hashed, &telemetry)?;
        // Some devices at a time: all of them are tens of megabytes.
        if hashed.len() > PIECE {
            hashed = Digest::of(&hashed).to_string().into_bytes();
        }
    }
    Ok(Digest::of(&hashed))
}

/// Stops when the client is gone. An error closes the connection, so that no client takes half of
/// the state for all of it.
fn send(state: &Arc<State>, sender: mpsc::Sender<io::Result<Bytes>>) {
    let mut pipe = Pipe { sender, piece: Vec::with_capacity(PIECE) };
    // The offset in the log is 0: the client has no log to look into.
    let written = snapshot::write_state(state, 0, &mut pipe).and_then(|()| pipe.flush());
    if let Err(error) = written {
        let _ = pipe.sender.blocking_send(Err(error));
    }
}

/// Cuts what is written into pieces, and waits until there is room for one.
struct Pipe {
    sender: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.sender.blocking_send(Ok(piece.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tokio::sync::{Semaphore, watch};

    use super::*;
    use crate::app::status::View;
    use crate::edges::config::Config;
    use crate::ui::http::Token;
    use crate::ui::render::testing;

    /// What a client that takes everything gets.
    fn sent(state: &Arc<State>) -> Vec<u8> {
        let (sender, mut pieces) = mpsc::channel(WAITING);
        let state = state.clone();
        let writer = std::thread::spawn(move || send(&state, sender));
        let mut body = Vec::new();
        while let Some(piece) = pieces.blocking_recv() {
            body.extend_from_slice(&piece.unwrap());
        }
        writer.join().unwrap();
        body
    }

    #[test]
    fn what_is_sent_reads_back_as_what_is_recorded() {
        let mut state = testing::state();
        let device = state.devices.values().next().unwrap().clone();
        for n in 0..5000 {
            let mut device = device.clone();
            Arc::make_mut(&mut device.spec).serial_number = format!("MANY{n}").parse().unwrap();
            state.devices.insert(state.next_id(), device);
        }
        for state in [State::default(), testing::state(), state.reindexed()] {
            let body = sent(&Arc::new(state.clone()));
            let read = crate::edges::ledger::snapshot::read_state(&*body).unwrap();
            assert_eq!(read, Some(state.clone()));
            // A body that was cut short reads as no state, never as a smaller one.
            let half = crate::edges::ledger::snapshot::read_state(&body[..body.len() / 2]).unwrap();
            assert_eq!(half, None);
        }
    }

    #[test]
    fn the_tag_follows_the_log_and_telemetry() {
        let state = testing::state();
        let before = tag(&state).unwrap();
        assert_eq!(tag(&state.clone()).unwrap(), before);
        let mut heard = state.clone();
        let id = *heard.devices.keys().next().unwrap();
        heard.observe(id, testing::now(), &Facts::default());
        assert_ne!(tag(&heard).unwrap(), before);
        let mut logged = state;
        logged.head.0 = Digest::of(b"another line");
        assert_ne!(tag(&logged).unwrap(), before);
    }

    #[test]
    fn a_client_that_is_gone_ends_the_writing() {
        let (sender, pieces) = mpsc::channel(WAITING);
        drop(pieces);
        send(&Arc::new(testing::state()), sender);
    }

    #[tokio::test]
    async fn nothing_is_answered_before_the_first_pass_or_to_too_many() {
        let mut view = View::first(Config::default());
        let (views, seen) = watch::channel(Arc::new(view.clone()));
        let streams = Arc::new(Semaphore::new(1));
        let shared =
            Shared { streams, ..Shared::new(seen, Token::read(None, PathBuf::new()).unwrap()) };
        let ask = || async { state(Extracted(shared.clone()), HeaderMap::new()).await };
        let refused = ask().await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
        let mut recorded = testing::state();
        recorded.seq = 7;
        view.recorded = Arc::new(recorded);
        views.send_replace(Arc::new(view));
        let under_way = shared.streams.clone().try_acquire_owned().unwrap();
        assert_eq!(ask().await.status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(under_way);
        assert_eq!(ask().await.status(), StatusCode::OK);
    }
}
