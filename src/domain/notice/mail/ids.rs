//! Names of mails: derived from what they follow from, so that a repeat is recognized.

use super::letter::Letter;
use crate::domain::model::{Digest, Email};
use crate::domain::notice::Topic;
use crate::domain::state::State;

/// The job that follows from an entry for one person. `lineage` tells ledgers apart that send from the same
/// address.
#[must_use]
pub(crate) fn letter_id(lineage: &str, entry: u64, topic: Topic, letter: &Letter) -> String {
    let kind = match (letter.digest, letter.to_user) {
        (true, _) => "digest-",
        (false, true) => "",
        (false, false) => "admin-",
    };
    format!("mail:{}:{entry}:{kind}{topic}:{}", short(lineage), person(&letter.to))
}

/// What stands before the `@` in the mail that an episode began with, if that told one person of nothing
/// else.
#[must_use]
pub(crate) fn first_id(recorded: &State, episode: u64, to: &Email) -> String {
    let lineage = recorded.lineage_of(episode).map_or_else(String::new, |id| id.to_string());
    let letter = Letter { to_user: true, ..Letter::to(to.clone(), "") };
    group_id([&*letter_id(&lineage, episode, Topic::NonCompliant, &letter)].into_iter())
}

/// What stands before the `@` of a Message-ID, for the jobs of these ids in one mail.
#[must_use]
pub(crate) fn group_id<'a>(ids: impl Iterator<Item = &'a str> + Clone) -> String {
    let first = ids.clone().next().unwrap_or_default().replace(':', ".");
    if ids.clone().count() < 2 {
        return first;
    }
    let all: String = ids.flat_map(|id| [id, "\n"]).collect();
    format!("{first}.{}", short(&Digest::of(all.as_bytes()).to_string()))
}

/// Who it is, without saying it: ids are seen by others.
fn person(to: &Email) -> String {
    let digest = Digest::of(to.as_str().to_ascii_lowercase().as_bytes()).to_string();
    short(&digest).to_owned()
}

fn short(text: &str) -> &str {
    text.get(..8).unwrap_or(text)
}
