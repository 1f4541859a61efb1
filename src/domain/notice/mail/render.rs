//! From letters to a mail.

use super::context::{of_alerts, of_devices, of_digest, of_summary, of_test};
use super::html::blocks;
use super::layout::{subject_and_body, wrapped};
use super::part::{Extras, Part};
use super::templates::{Template, TemplateError, Templates};
use crate::domain::model::is_deceptive;
use crate::domain::notice::Topic;

/// Longer subjects are cut: some programs refuse them.
const LONGEST_SUBJECT: usize = 150;

/// A mail, but for its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rendered {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// Renders one or more letters to the same person as one mail.
///
/// # Errors
/// If a template does not render, which trying them at the start should have found.
pub(crate) fn render(
    templates: &Templates,
    parts: &[Part<'_>],
    extras: &Extras,
) -> Result<Rendered, TemplateError> {
    with(templates, template(parts), parts, extras)
}

/// Which template tells all of them.
fn template(parts: &[Part<'_>]) -> Template {
    let all = |is: &dyn Fn(&Part<'_>) -> bool| parts.iter().all(is);
    if all(&|part| part.letter.digest) {
        return Template::Digest;
    }
    let first = parts.first().map_or(Topic::Test, |part| part.topic);
    if matches!(first, Topic::AlertBegan | Topic::AlertEnded) {
        return Template::Alert;
    }
    if !all(&|part| part.topic == first) {
        return Template::Summary;
    }
    match first {
        Topic::NonCompliant => Template::NonCompliant,
        Topic::Reminder => Template::Reminder,
        Topic::Blocked => Template::Blocked,
        Topic::Compliant => Template::Compliant,
        Topic::EnrollmentFailed => Template::EnrollmentFailed,
        Topic::WipeIssued if all(&|part| part.letter.to_user) => Template::WipeIssuedUser,
        Topic::WipeIssued => Template::WipeIssued,
        Topic::WipeRefused => Template::WipeRefused,
        Topic::Test => Template::Test,
        Topic::WipeConfirmed
        | Topic::Erased
        | Topic::Superseded
        | Topic::NoEvidence
        | Topic::AlertBegan
        | Topic::AlertEnded
        | Topic::Digest
        | Topic::Entry => Template::Summary,
    }
}

/// Renders them by this template.
///
/// # Errors
/// If it does not render.
pub(super) fn with(
    templates: &Templates,
    template: Template,
    parts: &[Part<'_>],
    extras: &Extras,
) -> Result<Rendered, TemplateError> {
    let language = parts.first().map_or("en", |part| part.letter.language.as_str());
    let folder = templates.folder(language);
    let mut context = match template {
        Template::Summary => of_summary(parts, extras),
        Template::Digest => of_digest(parts, extras),
        Template::Alert => of_alerts(parts, extras),
        Template::Test => of_test(parts, extras),
        _ => of_devices(parts, extras),
    };
    let name = format!("{folder}/{template}.txt");
    let rendered = templates.render(&name, &context)?;
    let (subject, body) = subject_and_body(&rendered).map_err(|why| TemplateError {
        name: name.clone(),
        line: Some(1),
        why,
    })?;
    let subject = shortened(&subject);
    context["subject"] = subject.as_str().into();
    let own = format!("{folder}/{template}.html");
    let html = if templates.has(&own) {
        templates.render(&own, &context)?
    } else {
        context["blocks"] = serde_json::to_value(blocks(&body, extras.help_url.as_deref()))
            .map_err(|error| TemplateError { name, line: None, why: error.to_string() })?;
        templates.render(Templates::layout(), &context)?
    };
    Ok(Rendered { subject, text: wrapped(&body), html })
}

/// One line, without anything that a header must not have.
fn shortened(subject: &str) -> String {
    let mut short: String =
        subject.chars().filter(|c| !is_deceptive(*c)).take(LONGEST_SUBJECT).collect();
    if subject.chars().count() > LONGEST_SUBJECT {
        short.push('…');
    }
    short
}
