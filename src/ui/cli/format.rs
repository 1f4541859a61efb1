//! Formats of results. Each command says which of them it has.

use crate::domain::model::words;
use crate::domain::wording::closest;

words! {
    /// What `--output` names.
    pub(crate) enum Format {
        /// For people.
        Text = "text",
        /// For programs; versioned.
        Json = "json",
        /// For spreadsheets.
        Csv = "csv",
        /// For other tools.
        Yaml = "yaml",
        /// For a comment on a pull request.
        Markdown = "markdown",
        /// Workflow commands of GitHub Actions.
        Github = "github",
        /// SARIF 2.1.0, for code scanning.
        Sarif = "sarif",
    }
}

impl Format {
    /// The format of this name.
    ///
    /// # Errors
    /// If it is none of `supported`; says which are.
    pub(crate) fn among(supported: &[Self], name: &str) -> Result<Self, String> {
        supported
            .iter()
            .find(|format| format.as_str().eq_ignore_ascii_case(name))
            .copied()
            .ok_or_else(|| {
                let names: Vec<_> = supported.iter().map(|format| format.as_str()).collect();
                let meant = closest(name, names.iter().copied());
                let meant = meant.map(|meant| format!("; did you mean {meant}?"));
                format!("it has {}{}", names.join(", "), meant.unwrap_or_default())
            })
    }
}
