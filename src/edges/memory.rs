//! Memory that was freed, given back to the system.

use std::thread;
use std::time::Duration;

/// So long after the last work all that it freed can be given back: the allocator keeps it for a second.
pub(crate) const KEPT: Duration = Duration::from_secs(2);

/// Has the allocator give back what is free. It does that by itself while the program works on, and
/// when a thread ends: at rest it would keep all that the work before had needed.
pub(crate) fn give_back() {
    // Where no thread can be begun, that costs memory and nothing else.
    let begun = thread::Builder::new().name("give-back".to_owned()).spawn(|| ());
    if let Err(error) = begun {
        tracing::debug!(%error, "no memory is given back");
    }
}
