//! How many mails go out: in an hour to all, and in an hour to one person. What is too much waits, and then
//! goes out in one mail for each person.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use chrono::TimeDelta;

use super::letter::Letter;
use crate::domain::model::Timestamp;
use crate::domain::notice::Topic;

const HOUR: TimeDelta = TimeDelta::hours(1);

/// The mails of the last hour.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// In the order of time.
    all: VecDeque<(Timestamp, Arc<str>)>,
    by_person: HashMap<Arc<str>, u32>,
    per_hour: u32,
    per_user: u32,
}

impl Pace {
    /// With nothing sent yet.
    #[must_use]
    pub(crate) fn new(per_hour: u32, per_user: u32) -> Self {
        Self { per_hour, per_user, ..Self::default() }
    }

    /// That a mail went out.
    pub(crate) fn sent(&mut self, at: Timestamp, to: &str) {
        // A clock that was set back makes nobody wait longer than an hour.
        let at = self.all.back().map_or(at, |(last, _)| at.max(*last));
        let to: Arc<str> = to.into();
        self.all.push_back((at, to.clone()));
        *self.by_person.entry(to).or_default() += 1;
    }

    /// What the log says was sent, in its order, in place of all that was known.
    pub(crate) fn recall<'a>(&mut self, sent: impl Iterator<Item = (Timestamp, &'a str)>) {
        *self = Self::new(self.per_hour, self.per_user);
        for (at, to) in sent {
            self.sent(at, to);
        }
    }

    /// Until when a mail to this person has to wait, which may be one for the `digest`.
    pub(crate) fn waits_until(
        &mut self,
        to: &str,
        digest: bool,
        topic: Topic,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.forget(now);
        // The people who run this are told at once, and who tries whether mail works as well.
        if matches!(topic, Topic::AlertBegan | Topic::AlertEnded | Topic::Test) {
            return None;
        }
        let (first, _) = self.all.front()?;
        let hour_full = (self.all.len() >= self.per_hour as usize).then(|| *first + HOUR);
        let full = !digest && self.left(to) == 0;
        let person_full = full.then(|| self.all.iter().find(|(_, other)| &**other == to)).flatten();
        hour_full.max(person_full.map(|(at, _)| *at + HOUR))
    }

    /// How many more mails one person may get now.
    #[must_use]
    pub(crate) fn left(&self, to: &str) -> u32 {
        self.per_user.saturating_sub(self.by_person.get(to).copied().unwrap_or_default())
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((at, to)) = self.all.front() {
            // What is ahead of the clock was sent before the clock was set back.
            if *at + HOUR > now && *at <= now + HOUR {
                break;
            }
            if let Some(count) = self.by_person.get_mut(to) {
                *count -= 1;
                if *count == 0 {
                    let to = to.clone();
                    self.by_person.remove(&to);
                }
            }
            self.all.pop_front();
        }
    }
}

/// Which of the others go out in one mail with the first, by their place. `left` is how many mails the
/// person may get now: where that is less than there are topics, all of it is one mail.
#[must_use]
pub(crate) fn together(
    first: (Topic, &Letter),
    others: &[(Topic, &Letter)],
    left: u32,
) -> Vec<usize> {
    let (topic, letter) = first;
    let to_same = |other: &Letter| {
        other.to == letter.to
            && other.copy_of == letter.copy_of
            && other.digest == letter.digest
            && other.to_user == letter.to_user
            && other.language == letter.language
            && other.alert.is_some() == letter.alert.is_some()
    };
    let candidates = || others.iter().enumerate().filter(|(_, (_, other))| to_same(other));
    if topic == Topic::Test {
        return Vec::new();
    }
    let topics = candidates().map(|(_, (other, _))| *other).chain([topic]);
    let mut topics: Vec<Topic> = topics.collect();
    topics.sort();
    topics.dedup();
    let one = letter.digest || (letter.to_user && topics.len() > left as usize);
    let goes = |other: Topic| one || other == topic;
    candidates().filter(|(_, (other, _))| goes(*other)).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: &str = "ana@example.com";
    const BOB: &str = "bob@example.com";

    fn letter(to: &str) -> Letter {
        Letter { to_user: true, ..Letter::to(to.parse().unwrap(), "en") }
    }

    fn at(minutes: i64) -> Timestamp {
        "2026-11-25T09:00:00Z".parse::<Timestamp>().unwrap() + TimeDelta::minutes(minutes)
    }

    fn waits(pace: &mut Pace, to: &str, minutes: i64) -> Option<Timestamp> {
        pace.waits_until(to, false, Topic::Blocked, at(minutes))
    }

    #[test]
    fn a_person_waits_for_an_hour_after_the_first_of_as_many_as_are_allowed() {
        let mut pace = Pace::new(100, 2);
        pace.sent(at(0), ANA);
        assert_eq!(waits(&mut pace, ANA, 1), None);
        pace.sent(at(10), ANA);
        assert_eq!(waits(&mut pace, ANA, 11), Some(at(60)));
        assert_eq!(waits(&mut pace, BOB, 11), None);
        assert_eq!(pace.waits_until(ANA, false, Topic::AlertBegan, at(11)), None);
        assert_eq!(pace.waits_until(ANA, true, Topic::Blocked, at(11)), None, "a digest");
        assert_eq!(waits(&mut pace, ANA, 60), None);
        assert_eq!(pace.left(ANA), 1);
    }

    #[test]
    fn all_together_wait_where_the_hour_is_full() {
        let mut pace = Pace::new(2, 9);
        pace.sent(at(0), ANA);
        pace.sent(at(5), BOB);
        assert_eq!(waits(&mut pace, "carol@example.com", 6), Some(at(60)));
        assert_eq!(waits(&mut pace, "carol@example.com", 61), None);
    }

    #[test]
    fn what_is_recalled_counts_and_takes_the_place_of_what_was_known() {
        let mut pace = Pace::new(3, 2);
        pace.sent(at(0), ANA);
        pace.recall([(at(0), ANA), (at(5), ANA)].into_iter());
        assert_eq!(waits(&mut pace, ANA, 6), Some(at(60)));
        assert_eq!(waits(&mut pace, BOB, 6), None);
        pace.sent(at(7), BOB);
        assert_eq!(waits(&mut pace, BOB, 8), Some(at(60)), "all together");
    }

    #[test]
    fn a_clock_that_jumps_makes_nobody_wait_longer_than_an_hour() {
        let mut pace = Pace::new(100, 1);
        pace.sent(at(600), ANA);
        assert_eq!(waits(&mut pace, ANA, 0), None, "set back by ten hours");
        pace.sent(at(0), ANA);
        assert_eq!(waits(&mut pace, ANA, 1), Some(at(60)));
    }

    #[test]
    fn what_is_of_one_topic_to_one_person_is_one_mail_and_all_of_it_where_few_are_left() {
        let (ana, bob) = (letter("ana@example.com"), letter("bob@example.com"));
        let copy = Letter { copy_of: Some(ana.to.clone()), ..bob.clone() };
        let others = [
            (Topic::NonCompliant, &ana),
            (Topic::NonCompliant, &bob),
            (Topic::Blocked, &ana),
            (Topic::NonCompliant, &copy),
            (Topic::NonCompliant, &ana),
        ];
        assert_eq!(together((Topic::NonCompliant, &ana), &others, 5), [0, 4]);
        assert_eq!(together((Topic::NonCompliant, &ana), &others, 2), [0, 4]);
        assert_eq!(together((Topic::NonCompliant, &ana), &others, 1), [0, 2, 4]);
        assert_eq!(together((Topic::NonCompliant, &copy), &others, 1), [3]);
        assert_eq!(together((Topic::Test, &ana), &others, 1), [0; 0]);
        // A wipe that somebody signed is told by itself.
        let signer = Letter { to_user: false, ..ana.clone() };
        let others = [(Topic::WipeRefused, &signer), (Topic::WipeIssued, &signer)];
        assert_eq!(together((Topic::WipeIssued, &signer), &others, 0), [1]);
    }
}
