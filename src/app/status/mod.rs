//! What the daemon shows of a pass, made once when the pass is published: numbers, holds, and the
//! plan that is left over. Whoever shows it only renders it, so no client makes anybody plan.

mod access;
mod metrics;
mod summary;
mod view;

pub use view::View;

pub(crate) use access::AccessBasis;
pub(crate) use metrics::{BUCKETS, Histogram, Metrics};
pub(crate) use summary::{Counts, MadeOf, Status};
