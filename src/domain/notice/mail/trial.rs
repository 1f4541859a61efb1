//! Templates are tried before they are used: a mail that does not render is found at the start, and not
//! when somebody must be told something.

use std::collections::BTreeSet;

use super::examples::examples;
use super::part::{Extras, Part};
use super::render::with;
use super::templates::{Source, Template, TemplateError, Templates};

/// The built-in templates with what these files say instead, each tried with whatever a mail can be about.
///
/// # Errors
/// Everything that is wrong, and where.
pub(crate) fn load(
    replaced: Vec<Source>,
    languages: BTreeSet<String>,
) -> Result<Templates, Vec<TemplateError>> {
    let templates = Templates::new(replaced, languages)?;
    let mut errors: Vec<TemplateError> = Vec::new();
    for language in templates.languages() {
        if !templates.speaks(language) {
            errors.push(TemplateError {
                name: language.to_owned(),
                line: None,
                why: format!("there is no text in the language {language}, built in or in a file"),
            });
            continue;
        }
        for template in Template::ALL {
            for example in examples(*template, language) {
                let parts: Vec<Part<'_>> = example
                    .iter()
                    .map(|(topic, at, letter)| Part { topic: *topic, at: *at, letter })
                    .collect();
                for extras in [Extras::default(), Extras::example()] {
                    let tried = with(&templates, *template, &parts, &extras);
                    errors.extend(tried.err().filter(|error| !errors.contains(error)));
                }
            }
        }
    }
    if errors.is_empty() { Ok(templates) } else { Err(errors) }
}
