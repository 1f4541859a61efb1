//! What a doctor says: for each thing that is needed, whether it is so, and what to do if not.

use super::model::words;

words! {
    /// What a check came to.
    pub enum CheckState {
        /// It is as it should be.
        Ok = "ok",
        /// It works, and somebody should look at it.
        Warning = "warning",
        /// It does not work.
        Fails = "fails",
        /// It could not be checked.
        Skipped = "skipped",
    }
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked: it stays the same from version to version.
    pub name: &'static str,
    /// Which one of them, where there are several: a permission, a profile, an id.
    pub subject: Option<String>,
    /// What the check came to.
    pub state: CheckState,
    /// What was found, in a sentence without a full stop.
    pub detail: String,
    /// What to do about it, likewise.
    pub help: Option<String>,
}

/// What a check needs, or the name of the check that says why there is none.
pub type Needed<T> = Result<T, &'static str>;

impl Check {
    pub(crate) fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, subject: None, state: CheckState::Ok, detail: detail.into(), help: None }
    }

    pub(crate) fn warning(
        name: &'static str,
        detail: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let help = Some(help.into());
        Self { state: CheckState::Warning, help, ..Self::ok(name, detail) }
    }

    pub(crate) fn fails(
        name: &'static str,
        detail: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { state: CheckState::Fails, ..Self::warning(name, detail, help) }
    }

    /// As [`Check::fails`], where what was found already says what to do.
    pub(crate) fn broken(name: &'static str, detail: impl Into<String>) -> Self {
        Self { state: CheckState::Fails, ..Self::ok(name, detail) }
    }

    /// It could not be checked, and `because` is the check that says why.
    pub(crate) fn skipped(name: &'static str, because: &str) -> Self {
        let detail = format!("not checked: see {because}");
        Self { state: CheckState::Skipped, ..Self::ok(name, detail) }
    }

    pub(crate) fn about(self, subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }
}
