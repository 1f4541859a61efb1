//! What went wrong with parts of a profile, as one error.

use crate::domain::state::event::ErrorClass;
use crate::edges::provider::error::Error;

/// Errors in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Error>);

impl Problems {
    /// Keeps what was got, and notes what was not.
    pub(super) fn note<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    /// All of them as one: tried again if any of them may pass.
    pub(super) fn into_error(self) -> Option<Error> {
        let passing = |error: &Error| error.class != ErrorClass::Permanent;
        let errors = self.0;
        let chosen = errors.iter().find(|error| passing(error)).or(errors.first())?;
        let mut error = chosen.clone();
        let others: Vec<&str> =
            errors.iter().map(|e| &*e.message).filter(|text| *text != chosen.message).collect();
        if !others.is_empty() {
            error.message = format!("{}; and {}", error.message, others.join("; and "));
        }
        error.retry_after = errors.iter().filter_map(|error| error.retry_after).max();
        Some(error)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn several_errors_are_one_that_is_tried_again_if_any_may_pass() {
        let error = |class, text: &str| Err::<(), _>(Error::new(class, text));
        let mut problems = Problems::default();
        assert_eq!(problems.note(Ok(1)), Some(1));
        assert_eq!(problems.note(error(ErrorClass::Permanent, "no such app")), None);
        let busy = Error {
            retry_after: Some(Duration::from_secs(7)),
            ..Error::new(ErrorClass::Transient, "busy")
        };
        problems.note(Err::<(), _>(busy));
        problems.note(error(ErrorClass::Permanent, "no such app"));
        let error = problems.into_error().unwrap();
        assert_eq!(error.class, ErrorClass::Transient);
        assert_eq!(error.message, "busy; and no such app; and no such app");
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(Problems::default().into_error(), None);
    }
}
