//! The templates: those that are built in, and the files that replace them.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::built_in::{BUILT_IN, LAYOUT};
use crate::domain::model::words;

words! {
    /// A mail that there is a template of, in each language.
    pub(crate) enum Template {
        NonCompliant = "nonCompliant",
        Reminder = "reminder",
        Blocked = "blocked",
        Compliant = "compliant",
        EnrollmentFailed = "enrollmentFailed",
        /// To who asked for it and signed it.
        WipeIssued = "wipeIssued",
        /// To the user of the device.
        WipeIssuedUser = "wipeIssuedUser",
        WipeRefused = "wipeRefused",
        /// Several things in one mail to a user.
        Summary = "summary",
        /// What happened in a day, to IT.
        Digest = "digest",
        Alert = "alert",
        Test = "test",
    }
}

/// What the templates of a language have in common.
const WORDS: &str = "words.txt";

/// A file with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Below the folder of templates: `en/nonCompliant.txt`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Why templates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}{}: {why}", line.map_or_else(String::new, |line| format!(":{line}")))]
pub(crate) struct TemplateError {
    /// Which file, below the folder of templates.
    pub(crate) name: String,
    pub(crate) line: Option<usize>,
    /// Without a full stop.
    pub(crate) why: String,
}

/// All templates, ready to be used.
pub(crate) struct Templates {
    environment: Environment<'static>,
    languages: BTreeSet<String>,
}

impl Templates {
    /// Those that are built in, with what these files say instead; `languages` is what may be asked for
    /// beside the built-in ones. Whoever loads them tries them too: see `trial`.
    ///
    /// # Errors
    /// What no template can be, and where.
    pub(super) fn new(
        replaced: Vec<Source>,
        languages: BTreeSet<String>,
    ) -> Result<Self, Vec<TemplateError>> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_auto_escape_callback(|name| match name.rsplit_once('.') {
            Some((_, "html")) => AutoEscape::Html,
            _ => AutoEscape::None,
        });
        // `words.txt` in a folder is the one of that folder.
        environment.set_path_join_callback(|name, parent| match parent.rsplit_once('/') {
            Some((folder, _)) if !name.contains('/') => format!("{folder}/{name}").into(),
            _ => name.into(),
        });
        let mut sources: BTreeMap<String, String> =
            BUILT_IN.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let known: BTreeSet<String> = sources.keys().cloned().collect();
        let mut errors = Vec::new();
        for Source { name, text } in replaced {
            match expected(&name) {
                Ok(()) => {
                    sources.insert(name, text);
                }
                Err(why) => errors.push(TemplateError { name, line: None, why }),
            }
        }
        let folders = known.iter().filter_map(|name| name.split_once('/'));
        let folders = folders.map(|(language, _)| language.to_owned());
        let languages: BTreeSet<String> = languages.into_iter().chain(folders).collect();
        for (name, text) in sources {
            if let Err(error) = environment.add_template_owned(name.clone(), text) {
                errors.push(TemplateError::of(&error, &name));
            }
        }
        if errors.is_empty() { Ok(Self { environment, languages }) } else { Err(errors) }
    }

    pub(super) fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.iter().map(String::as_str)
    }

    /// The folder of a language; of one without templates, English.
    pub(super) fn folder<'a>(&'a self, language: &'a str) -> &'a str {
        if self.languages.contains(language) { language } else { "en" }
    }

    /// # Errors
    /// If there is no such template, or it does not render.
    pub(super) fn render(
        &self,
        name: &str,
        context: impl serde::Serialize,
    ) -> Result<String, TemplateError> {
        let rendered = self.environment.get_template(name).and_then(|found| found.render(context));
        rendered.map_err(|error| TemplateError::of(&error, name))
    }

    /// Whether there is any text in a language.
    pub(super) fn speaks(&self, language: &str) -> bool {
        let of = |name: &str| name.split_once('/').is_some_and(|(folder, _)| folder == language);
        self.environment.templates().any(|(name, _)| of(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.environment.get_template(name).is_ok()
    }

    /// What shows the paragraphs of a mail as HTML.
    pub(super) const fn layout() -> &'static str {
        LAYOUT
    }
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Templates").field("languages", &self.languages).finish_non_exhaustive()
    }
}

/// Whether a file can be a template.
fn expected(name: &str) -> Result<(), String> {
    if name == LAYOUT {
        return Ok(());
    }
    let file = name.split_once('/').map(|(_, file)| file);
    let of_mail = |file: &str| {
        let word = file.strip_suffix(".txt").or_else(|| file.strip_suffix(".html"));
        word.is_some_and(|word| word.parse::<Template>().is_ok())
    };
    match file {
        Some(file) if file == WORDS || of_mail(file) => Ok(()),
        _ => Err(format!(
            "no mail is made of this file; there are {LAYOUT}, and in the folder of each language \
             {WORDS} and, as .txt or .html, {}",
            Template::WORDS.join(", ")
        )),
    }
}

impl TemplateError {
    fn of(error: &minijinja::Error, name: &str) -> Self {
        // The cause of an error in an included template is inside.
        let mut innermost: &minijinja::Error = error;
        while let Some(inner) = std::error::Error::source(innermost)
            .and_then(|source| source.downcast_ref::<minijinja::Error>())
        {
            innermost = inner;
        }
        if innermost.kind() == minijinja::ErrorKind::TemplateNotFound {
            let why = match innermost.detail() {
                Some(detail) => format!("there is no such file ({detail})"),
                None => "there is no such file, and none is built in".to_owned(),
            };
            return Self { name: name.to_owned(), line: None, why };
        }
        Self {
            name: innermost.name().unwrap_or(name).to_owned(),
            line: innermost.line(),
            why: match innermost.detail() {
                Some(detail) => format!("{}: {detail}", innermost.kind()),
                None => innermost.kind().to_string(),
            },
        }
    }
}
