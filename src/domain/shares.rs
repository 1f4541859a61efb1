//! Work that all cores share. Of few things one thread does it: to start others for them takes longer.

use std::convert::Infallible;
use std::error::Error as _;
use std::sync::OnceLock;

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

/// So many are few; in tests fewer, so that both ways are taken.
const FEW: usize = if cfg!(test) { 4 } else { 64 };

/// Shares that are made at once by [`in_order`].
const AT_ONCE: usize = 16;

/// Starts the threads, if they do not run yet. Where there are none, what is called here does all work by
/// itself, and nothing else that shares work may be called.
///
/// # Errors
/// If the system starts no more threads.
pub(crate) fn start() -> Result<(), &'static str> {
    // Once: whoever asks again is told that they run already, also where they do not.
    static STARTED: OnceLock<Result<(), String>> = OnceLock::new();
    let started = STARTED.get_or_init(|| match ThreadPoolBuilder::new().build_global() {
        // Without a cause they run already.
        Err(error) if error.source().is_some() => Err(error.to_string()),
        Ok(()) | Err(_) => Ok(()),
    });
    started.as_ref().copied().map_err(String::as_str)
}

/// Whether there is enough to do for several threads, and there are some.
fn is_shared(things: usize, few: usize) -> bool {
    things > few && start().is_ok()
}

/// Does both, at once if there are more than a few things to do it with.
pub(crate) fn join<A: Send, B: Send>(
    things: usize,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    if is_shared(things, FEW) { rayon::join(one, other) } else { (one(), other()) }
}

/// Makes something of each, with its position.
pub(crate) fn map<T: Send, R: Send>(all: Vec<T>, make: impl Fn(usize, T) -> R + Sync) -> Vec<R> {
    let each = |(position, one)| make(position, one);
    if is_shared(all.len(), FEW) {
        all.into_par_iter().enumerate().map(each).collect()
    } else {
        all.into_iter().enumerate().map(each).collect()
    }
}

/// Sorts by a key that is computed once for each. Equal ones keep their order.
pub(crate) fn sort_by_cached_key<T: Send + Sync, K: Ord + Send + Sync>(
    all: &mut [T],
    key: impl Fn(&T) -> K + Sync,
) {
    if is_shared(all.len(), FEW) {
        all.par_sort_by_cached_key(key);
    } else {
        all.sort_by_cached_key(key);
    }
}

/// Makes something of each share of so many, and has it taken in their order: while the next ones are made,
/// the last ones are taken. One share is made and taken here.
///
/// # Errors
/// The first of `take`; nothing is taken after it.
pub(crate) fn try_in_order<T: Sync, R: Send, E>(
    all: &[T],
    share: usize,
    make: impl Fn(&[T]) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    if !is_shared(all.len(), share) {
        return all.chunks(share).try_for_each(|share| take(make(share)));
    }
    let mut before = Vec::new();
    for window in all.chunks(share * AT_ONCE) {
        let mut made = Vec::new();
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| made = window.par_chunks(share).map(&make).collect());
            before.drain(..).try_for_each(&mut take)
        })?;
        before = made;
    }
    before.into_iter().try_for_each(take)
}

/// As [`try_in_order`], where taking cannot fail.
pub(crate) fn in_order<T: Sync, R: Send>(
    all: &[T],
    share: usize,
    make: impl Fn(&[T]) -> R + Sync,
    mut take: impl FnMut(R),
) {
    let take = |made| {
        take(made);
        Ok::<_, Infallible>(())
    };
    let Ok(()) = try_in_order(all, share, make, take);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_made_once_and_taken_in_order() {
        for count in [0, 1, 7, 8, 9, 8 * AT_ONCE, 8 * AT_ONCE + 1, 1000] {
            let all: Vec<usize> = (0..count).collect();
            let mut taken = Vec::new();
            let mut shares = Vec::new();
            in_order(&all, 8, <[usize]>::to_vec, |made| {
                shares.push(made.len());
                taken.extend(made);
            });
            assert_eq!(taken, all);
            assert_eq!(shares.len(), count.div_ceil(8));
        }
    }

    #[test]
    fn after_an_error_nothing_is_taken() {
        let all: Vec<usize> = (0..1000).collect();
        let mut taken = 0;
        let take = |first: usize| {
            taken += 1;
            if first == 16 { Err(first) } else { Ok(()) }
        };
        assert_eq!(try_in_order(&all, 8, |share| share[0], take), Err(16));
        assert_eq!(taken, 3);
    }

    #[test]
    fn few_and_many_come_to_the_same() {
        for count in [0, FEW, FEW + 1, 100] {
            let all: Vec<usize> = (0..count).rev().collect();
            let doubled = all.iter().map(|n| n * 2).collect::<Vec<_>>();
            assert_eq!(map(all.clone(), |position, n| n + count - 1 - position), doubled);
            let mut sorted = all.clone();
            sort_by_cached_key(&mut sorted, |n| n / 2);
            let mut expected = all.clone();
            expected.sort_by_key(|n| n / 2);
            assert_eq!(sorted, expected);
            assert_eq!(join(count, || 1, || 2), (1, 2));
        }
    }
}
