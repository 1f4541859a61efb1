//! Calls to the provider about many devices, within its limits.

use std::future::Future;

use tokio::task::JoinSet;

use super::control::Patience;
use crate::domain::model::DeviceId;
use crate::edges::provider::{Error as ProviderError, Limits};

/// What came of an effect on a device.
pub(super) type CallResult<T = ()> = (DeviceId, Result<T, ProviderError>);

/// Makes the calls, as many at a time as the provider takes. Gives what they told, in their order.
///
/// Once the patience of a stop is over, no call is begun and those under way are given up: they tell nothing
/// of their targets, whose intents are in doubt as after a crash, and the next start carries on. So it is
/// only for what may be done twice.
pub(super) async fn in_calls<T, F>(
    calls: impl IntoIterator<Item = F>,
    limits: Limits,
    patience: &Patience<'_>,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut waiting = calls.into_iter().enumerate();
    let mut under_way: JoinSet<(usize, T)> = JoinSet::new();
    let mut told: Vec<(usize, T)> = Vec::new();
    loop {
        while under_way.len() < limits.concurrency.max(1) && !patience.is_over() {
            let Some((index, call)) = waiting.next() else { break };
            under_way.spawn(async move { (index, call.await) });
        }
        let done = tokio::select! {
            biased;
            done = under_way.join_next() => done,
            // Dropping them gives up what is under way.
            () = patience.over() => break,
        };
        match done {
            Some(Ok(done)) => told.push(done),
            // A provider that panics is a bug in it; the intents stay in doubt.
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => break,
        }
    }
    told.sort_by_key(|(index, _)| *index);
    told.into_iter().map(|(_, told)| told).collect()
}

/// Makes `call` for the targets, as many in one call as the provider takes: see [`in_calls`].
pub(super) async fn in_parts<T: Clone, R, F>(
    targets: &[T],
    limits: Limits,
    patience: &Patience<'_>,
    call: impl Fn(Vec<T>) -> F,
) -> Vec<CallResult<R>>
where
    R: Send + 'static,
    F: Future<Output = Vec<CallResult<R>>> + Send + 'static,
{
    let parts = targets.chunks(limits.batch.max(1));
    let told = in_calls(parts.map(|part| call(part.to_vec())), limits, patience).await;
    told.into_iter().flatten().collect()
}

/// One call: what it told of each target, or that its time ran out.
pub(super) async fn one_call<R: Clone>(
    ids: Vec<DeviceId>,
    limits: Limits,
    call: impl Future<Output = Vec<Result<R, ProviderError>>>,
) -> Vec<CallResult<R>> {
    let limit = limits.timeout;
    let results = match tokio::time::timeout(limit, call).await {
        Ok(results) => results,
        Err(_) => vec![Err(ProviderError::timed_out(limit)); ids.len()],
    };
    assert_eq!(ids.len(), results.len(), "a provider gives one outcome for each target");
    ids.into_iter().zip(results).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    fn devices(n: usize) -> Vec<DeviceId> {
        std::iter::successors(Some(DeviceId::FIRST), |id| Some(id.next())).take(n).collect()
    }

    /// Calls of one device each, two at a time; the third one never ends.
    async fn told_of_five(stop: &AtomicBool) -> Vec<DeviceId> {
        let devices = devices(5);
        let third = devices[2];
        let limits = Limits { batch: 1, concurrency: 2, timeout: Duration::from_secs(900) };
        let call = |ids: Vec<DeviceId>| async move {
            if ids == [third] {
                std::future::pending::<()>().await;
            }
            let results = async { vec![Ok(()); ids.len()] };
            one_call(ids.clone(), limits, results).await
        };
        let told = in_parts(&devices, limits, &Patience::new(stop), call).await;
        told.into_iter().map(|(id, _)| id).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_gives_up_calls_that_do_not_end_and_tells_nothing_of_their_devices() {
        let all = devices(5);
        let stop = AtomicBool::new(false);
        let stopped = async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            stop.store(true, Ordering::Relaxed);
            tokio::time::Instant::now()
        };
        let (told, stopped) = tokio::join!(told_of_five(&stop), stopped);
        assert_eq!(told, [all[0], all[1], all[3], all[4]]);
        assert!(stopped.elapsed() < Duration::from_secs(9), "{:?}", stopped.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_has_patience_with_calls_that_end_soon() {
        let stop = AtomicBool::new(true);
        let devices = devices(3);
        let limits = Limits { batch: 1, concurrency: 1, timeout: Duration::from_secs(900) };
        let call = |ids: Vec<DeviceId>| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            ids.into_iter().map(|id| (id, Ok(()))).collect()
        };
        let told = in_parts(&devices, limits, &Patience::new(&stop), call).await;
        assert_eq!(told.len(), 3);
    }
}
