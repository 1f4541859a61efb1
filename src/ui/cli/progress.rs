//! A progress bar on standard error, for work that takes over a second.
//!
//! It draws nothing before that, nothing where standard error is no terminal, and leaves
//! nothing behind when it is done.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work of less than this needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Some work of known size.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    bar: ProgressBar,
    allowed: bool,
    shown: bool,
}

impl Progress {
    /// `allowed` says whether standard error is a terminal and `--quiet` was not given;
    /// `what` is shown in front of the bar.
    #[must_use]
    pub(crate) fn new(allowed: bool, what: &'static str, total: u64) -> Self {
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden())
            .with_style(style.progress_chars("=> "))
            .with_message(what);
        Self { started: Instant::now(), bar, allowed, shown: false }
    }

    /// `n` more are done.
    pub(crate) fn advance(&mut self, n: u64) {
        self.advance_at(n, self.started.elapsed());
    }

    fn advance_at(&mut self, n: u64, elapsed: Duration) {
        self.bar.inc(n);
        if self.allowed && !self.shown && elapsed > PATIENCE {
            self.shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.tick();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slow_work_on_a_terminal_is_shown() {
        let just_under = Duration::from_millis(1_000);
        let over = Duration::from_millis(1_001);
        for (allowed, elapsed, shown) in
            [(true, just_under, false), (true, over, true), (false, over, false)]
        {
            let mut progress = Progress::new(allowed, "Provisioning", 10);
            progress.advance_at(3, elapsed);
            assert_eq!(progress.shown, shown, "{allowed} {elapsed:?}");
            assert_eq!(progress.bar.position(), 3);
        }
    }
}
