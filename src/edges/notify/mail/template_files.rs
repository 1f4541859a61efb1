//! Files that replace the texts of mails.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::domain::notice::mail::{Source, TemplateError, Templates, load};
use crate::domain::notify_settings::MailSettings;
use crate::edges::fs::guarded::Guarded;

/// A hundred times what a text takes.
const LARGEST: usize = 1 << 20;
/// A folder for each language and a few files in each.
const MOST: usize = 1000;

/// Why mails cannot be made: all that is wrong, each with its file and line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub(crate) struct UnusableTemplates(pub(crate) Vec<String>);

/// The templates of the configuration, each tried.
///
/// # Errors
/// If files cannot be read, or mails cannot be made of them.
pub(crate) fn templates(settings: &MailSettings) -> Result<Templates, UnusableTemplates> {
    let language = &settings.language;
    let languages: BTreeSet<String> =
        language.domains.values().chain([&language.default]).cloned().collect();
    let Some(folder) = &settings.templates else {
        return load(Vec::new(), languages).map_err(|errors| placed(Path::new(""), &errors));
    };
    let sources = read(folder).map_err(|why| UnusableTemplates(vec![why]))?;
    let folders = sources.iter().filter_map(|source| source.name.split_once('/'));
    let languages = languages.into_iter().chain(folders.map(|(folder, _)| folder.to_owned()));
    let languages = languages.collect();
    load(sources, languages).map_err(|errors| placed(folder, &errors))
}

/// With the folder before the name, so that an editor finds it.
fn placed(folder: &Path, errors: &[TemplateError]) -> UnusableTemplates {
    let place = |error: &TemplateError| {
        let path = folder.join(&error.name).display().to_string();
        let line = error.line.map_or_else(String::new, |line| format!(":{line}"));
        format!("{path}{line}: {}", error.why)
    };
    UnusableTemplates(errors.iter().map(place).collect())
}

/// The files of a folder and of those in it, whose names do not begin with a dot.
fn read(folder: &Path) -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    for (name, path) in entries(folder)? {
        if path.is_dir() {
            for (file, path) in entries(&path)? {
                sources.push(source(&format!("{name}/{file}"), &path)?);
            }
        } else {
            sources.push(source(&name, &path)?);
        }
        if sources.len() > MOST {
            return Err(format!("{}: more than {MOST} files", folder.display()));
        }
    }
    Ok(sources)
}

fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|name| format!("{}: not UTF-8", folder.join(name).display()))?;
        if !name.starts_with('.') {
            entries.push((name, entry.path()));
        }
    }
    entries.sort();
    Ok(entries)
}

fn source(name: &str, path: &Path) -> Result<Source, String> {
    let bytes = Guarded::up_to(LARGEST).read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{}: is not UTF-8", path.display()))?;
    Ok(Source { name: name.to_owned(), text })
}
