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
        /// A table with all columns, none of them cut.
        Wide = "wide",
        /// Ids alone, one a line.
        Name = "name",
        /// A template over the JSON, as kubectl's.
        JsonPath = "jsonpath",
        /// A table of the columns that are named, as kubectl's.
        CustomColumns = "custom-columns",
    }
}

impl Format {
    /// The format that `--output` asks for, and what follows its `=`.
    ///
    /// # Errors
    /// If it is none of `supported`, or lacks what belongs to it.
    pub(crate) fn asked<'t>(
        supported: &[Self],
        text: &'t str,
    ) -> Result<(Self, Option<&'t str>), String> {
        let (name, template) = text.split_once('=').unzip();
        let format = Self::among(supported, name.unwrap_or(text))?;
        let example = match format {
            Self::JsonPath => Some("jsonpath='{.devices[*].id}'"),
            Self::CustomColumns => Some("custom-columns=ID:.id,SITE:.labels.site"),
            _ => None,
        };
        match (example, template.filter(|template| !template.is_empty())) {
            (Some(example), None) => Err(format!("it needs a template, as {example}")),
            (None, Some(_)) => Err(format!("{format} takes no template")),
            (_, template) => Ok((format, template)),
        }
    }

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
