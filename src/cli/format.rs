//! Formats of results. Each command says which of them it has.

use crate::model::words;

words! {
    /// What `--output` names.
    Format { Text = "text", Json = "json", Csv = "csv", Yaml = "yaml" }
}

impl Format {
    /// The format of this name.
    ///
    /// # Errors
    /// If it is none of `supported`; says which are.
    pub fn among(supported: &[Self], name: &str) -> Result<Self, String> {
        supported
            .iter()
            .find(|format| format.as_str().eq_ignore_ascii_case(name))
            .copied()
            .ok_or_else(|| {
                let names: Vec<_> = supported.iter().map(|format| format.as_str()).collect();
                format!("it has {}", names.join(", "))
            })
    }
}
