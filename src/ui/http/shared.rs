//! What all answers share: what the daemon published last, and how much may be under way at once.

use std::sync::{Arc, Mutex};

use tokio::sync::{OnceCell, Semaphore, watch};

use super::access::Decisions;
use super::answer::{Failure, Room, Tagged};
use super::signals::Signals;
use super::token::Token;
use crate::app::status::{Status, View};

/// Answers that read the log or plan: each takes a core, and a pass needs one too.
const HEAVY: usize = 2;
/// Answers that send the whole state: each lasts as long as its client takes to read it.
const STREAMS: usize = 2;

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) views: watch::Receiver<Arc<View>>,
    pub(super) token: Token,
    /// Of those who ask whether a device may come in, where it is another one.
    pub(super) access_token: Option<Token>,
    /// What they were told.
    pub(super) decisions: Decisions,
    pub(super) heavy: Arc<Semaphore>,
    /// For answers that clients have not read yet.
    pub(super) room: Room,
    /// The plan of the status that was asked for last: it is rendered for the first who asks, and
    /// all others share its bytes.
    pub(super) plan: Arc<Mutex<Option<Rendered>>>,
    /// What receivers of security events look up.
    pub(super) signals: Signals,
    /// What takes as long as the client does.
    pub(super) streams: Arc<Semaphore>,
}

/// Whose plan it is, and its bytes once somebody has asked.
pub(super) type Rendered = (Arc<Status>, Arc<OnceCell<Tagged>>);

impl Shared {
    pub(super) fn new(views: watch::Receiver<Arc<View>>, token: Token) -> Self {
        Self {
            views,
            token,
            access_token: None,
            decisions: Decisions::default(),
            heavy: Arc::new(Semaphore::new(HEAVY)),
            room: Room::default(),
            plan: Arc::default(),
            signals: Signals::default(),
            streams: Arc::new(Semaphore::new(STREAMS)),
        }
    }

    /// What the daemon published last.
    pub(super) fn view(&self) -> Arc<View> {
        self.views.borrow().clone()
    }

    /// Work that takes a core, where there is one to spare.
    pub(super) async fn heavy<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let Ok(permit) = self.heavy.clone().try_acquire_owned() else { return Err(Failure::Busy) };
        // The permit is held until the work is done, though the client may be gone by then.
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await?
    }
}
