//! Files that replace the texts of mails.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::domain::notice::mail::{Source, TemplateError, Templates, load};
use crate::domain::notify_settings::MailSettings;
use crate::edges::fs::guarded::Guarded;

/// A hundred times what a text takes.
const LARGEST: usize = 1 << 20;
/// A folder for each language and a few files in each.
const MOST: usize = 1000;

/// Why mails cannot be made: all that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub(crate) struct UnusableTemplates(pub(crate) Vec<UnusableTemplate>);

/// A file of which no mail can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnusableTemplate {
    pub(crate) path: PathBuf,
    /// From 1, and the line itself; nothing where the file as a whole is meant.
    pub(crate) line: Option<(usize, String)>,
    /// Without a full stop.
    pub(crate) why: String,
}

impl fmt::Display for UnusableTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, why } = self;
        match line {
            Some((line, _)) => write!(f, "{}:{line}: {why}", path.display()),
            None => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl UnusableTemplate {
    fn whole(path: &Path, why: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, why: why.into() }
    }
}

/// The templates of the configuration, each tried.
///
/// # Errors
/// If files cannot be read, or mails cannot be made of them.
pub(crate) fn templates(settings: &MailSettings) -> Result<Templates, UnusableTemplates> {
    let language = &settings.language;
    let languages: BTreeSet<String> =
        language.domains.values().chain([&language.default]).cloned().collect();
    let Some(folder) = &settings.templates else {
        return load(Vec::new(), languages).map_err(|errors| placed(Path::new(""), &[], &errors));
    };
    let sources = read(folder).map_err(|why| UnusableTemplates(vec![why]))?;
    let folders = sources.iter().filter_map(|source| source.name.split_once('/'));
    let languages = languages.into_iter().chain(folders.map(|(folder, _)| folder.to_owned()));
    let languages = languages.collect();
    load(sources.clone(), languages).map_err(|errors| placed(folder, &sources, &errors))
}

/// With the folder before the name, so that an editor finds it.
fn placed(folder: &Path, sources: &[Source], errors: &[TemplateError]) -> UnusableTemplates {
    let place = |TemplateError { name, line, why }: &TemplateError| {
        let source = sources.iter().find(|source| source.name == *name);
        let text = |line: usize| source?.text.lines().nth(line.checked_sub(1)?);
        let line = line.map(|line| (line, text(line).unwrap_or_default().to_owned()));
        UnusableTemplate { path: folder.join(name), line, why: why.clone() }
    };
    UnusableTemplates(errors.iter().map(place).collect())
}

/// The files of a folder and of those in it, whose names do not begin with a dot.
fn read(folder: &Path) -> Result<Vec<Source>, UnusableTemplate> {
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
            return Err(UnusableTemplate::whole(folder, format!("more than {MOST} files")));
        }
    }
    Ok(sources)
}

fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, UnusableTemplate> {
    let unreadable = |error: std::io::Error| UnusableTemplate::whole(folder, error.to_string());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().into_string();
        let name = name
            .map_err(|name| UnusableTemplate::whole(&folder.join(name), "its name is not UTF-8"))?;
        if !name.starts_with('.') {
            entries.push((name, entry.path()));
        }
    }
    entries.sort();
    Ok(entries)
}

fn source(name: &str, path: &Path) -> Result<Source, UnusableTemplate> {
    let bytes = Guarded::up_to(LARGEST).read(path);
    let bytes = bytes.map_err(|error| UnusableTemplate::whole(path, error.why.to_string()))?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| UnusableTemplate::whole(path, "it is not UTF-8"))?;
    Ok(Source { name: name.to_owned(), text })
}
