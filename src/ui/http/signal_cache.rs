//! What receivers of shared signals look up, as it was read last: whoever asks often reads no files.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::notify_settings::EventSettings;
use crate::edges::notify::events::Documents;

/// How long what was read of the files of keys is good, here and for whoever asks.
const FRESH: Duration = Duration::from_secs(60);

/// What was read last: when, of which streams, by which issuer.
#[derive(Clone, Default)]
pub(super) struct Signals(Arc<Mutex<Option<Read>>>);

struct Read {
    at: Instant,
    streams: Vec<EventSettings>,
    issuer: String,
    documents: Arc<Documents>,
}

impl Signals {
    pub(super) fn fresh(&self, streams: &[EventSettings], issuer: &str) -> Option<Arc<Documents>> {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = read.as_ref().filter(|read| {
            read.at.elapsed() < FRESH && read.streams == streams && read.issuer == issuer
        });
        read.map(|read| read.documents.clone())
    }

    pub(super) fn keep(
        &self,
        streams: Vec<EventSettings>,
        issuer: String,
        documents: Documents,
    ) -> Arc<Documents> {
        let documents = Arc::new(documents);
        let read = Read { at: Instant::now(), streams, issuer, documents: documents.clone() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        documents
    }
}
