//! Calls to the provider about many devices, within its limits.

use std::future::Future;

use tokio::task::JoinSet;

use crate::domain::model::DeviceId;
use crate::edges::provider::{Error as ProviderError, Limits};

/// What came of an effect on a device.
pub(super) type Told<T = ()> = (DeviceId, Result<T, ProviderError>);

/// Makes `call` for the targets, as many in one call and as many calls at a time as the provider
/// takes; in order of the targets.
pub(super) async fn in_calls<T, R, F>(
    targets: &[T],
    limits: Limits,
    call: impl Fn(Vec<T>) -> F,
) -> Vec<Told<R>>
where
    T: Clone,
    R: Send + 'static,
    F: Future<Output = Vec<Told<R>>> + Send + 'static,
{
    let mut waiting = targets.chunks(limits.batch.max(1)).enumerate();
    let mut under_way: JoinSet<(usize, Vec<Told<R>>)> = JoinSet::new();
    let mut told: Vec<(usize, Vec<Told<R>>)> = Vec::new();
    loop {
        while under_way.len() < limits.concurrency.max(1) {
            let Some((index, targets)) = waiting.next() else { break };
            let call = call(targets.to_vec());
            under_way.spawn(async move { (index, call.await) });
        }
        match under_way.join_next().await {
            Some(Ok(done)) => told.push(done),
            // A provider that panics is a bug in it; the intents stay in doubt.
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => break,
        }
    }
    told.sort_by_key(|(index, _)| *index);
    told.into_iter().flat_map(|(_, told)| told).collect()
}

/// One call: what it told of each target, or that its time ran out.
pub(super) async fn one_call<R: Clone>(
    ids: Vec<DeviceId>,
    limits: Limits,
    call: impl Future<Output = Vec<Result<R, ProviderError>>>,
) -> Vec<Told<R>> {
    let limit = limits.timeout;
    let results = match tokio::time::timeout(limit, call).await {
        Ok(results) => results,
        Err(_) => vec![Err(ProviderError::timed_out(limit)); ids.len()],
    };
    assert_eq!(ids.len(), results.len(), "a provider gives one outcome for each target");
    ids.into_iter().zip(results).collect()
}
