//! What templates see. Every key is always there: what is absent is none, and only what is misspelt is
//! undefined, which is an error.

use serde_json::{Value, json};

use super::device::{CheckText, DeviceText};
use super::jobs::DAY;
use super::letter::{Letter, WipeText};
use super::part::{Extras, Part};
use crate::domain::model::Timestamp;
use crate::domain::notice::Topic;

/// As many devices are named in one mail.
const DEVICES: usize = 50;
/// As many of each kind are named in a digest.
const IN_DIGEST: usize = 100;

/// For the mails about devices: all of one topic.
pub(super) fn of_devices(parts: &[Part<'_>], extras: &Extras) -> Value {
    let ends = parts.iter().filter_map(|part| part.letter.ends).min();
    let named = parts.len().min(DEVICES);
    with_extras(
        json!({
            "devices": parts[..named].iter().map(|part| device(part.letter)).collect::<Vec<_>>(),
            "count": parts.len(),
            "more": parts.len() - named,
            "ends": ends.map(when),
        }),
        parts,
        extras,
    )
}

/// For several things in one mail to a user.
pub(super) fn of_summary(parts: &[Part<'_>], extras: &Extras) -> Value {
    let named = parts.len().min(DEVICES);
    let items: Vec<_> = parts[..named].iter().map(item).collect();
    with_extras(json!({ "items": items, "more": parts.len() - named }), parts, extras)
}

/// For the daily digest: by topic, in the order of time.
pub(super) fn of_digest(parts: &[Part<'_>], extras: &Extras) -> Value {
    let mut parts: Vec<_> = parts.to_vec();
    parts.sort_by_key(|part| part.at);
    let groups = Topic::ALL.iter().filter_map(|topic| {
        let of_topic: Vec<_> = parts.iter().filter(|part| part.topic == *topic).collect();
        let named = of_topic.len().min(IN_DIGEST);
        (named > 0).then(|| {
            json!({
                "topic": topic,
                "count": of_topic.len(),
                "items": of_topic[..named].iter().map(|part| item(part)).collect::<Vec<_>>(),
                "more": of_topic.len() - named,
            })
        })
    });
    let groups: Vec<_> = groups.collect();
    // From the digest before it on: those of several days are one where none could go out.
    let due = || parts.iter().filter_map(|part| part.letter.digest_at);
    let since = due().min().map(|at| at + -DAY).or(parts.first().map(|part| part.at));
    let until = due().max().or(parts.last().map(|part| part.at));
    let (since, until) = (since.map(when), until.map(when));
    with_extras(json!({ "groups": groups, "since": since, "until": until }), &parts, extras)
}

/// For alerts.
pub(super) fn of_alerts(parts: &[Part<'_>], extras: &Extras) -> Value {
    let alerts = parts.iter().filter_map(|part| {
        let alert = part.letter.alert.as_ref()?;
        Some(json!({ "title": alert.title, "detail": alert.detail, "at": when(part.at) }))
    });
    let alerts: Vec<_> = alerts.collect();
    let over = parts.iter().all(|part| part.topic == Topic::AlertEnded);
    let count = alerts.len();
    with_extras(json!({ "alerts": alerts, "over": over, "count": count }), parts, extras)
}

/// For a test.
pub(super) fn of_test(parts: &[Part<'_>], extras: &Extras) -> Value {
    let at = parts.first().map(|part| when(part.at));
    with_extras(json!({ "at": at }), parts, extras)
}

fn with_extras(mut context: Value, parts: &[Part<'_>], extras: &Extras) -> Value {
    let first = parts.first().map(|part| part.letter);
    context["to"] = json!(first.map(|letter| &letter.to));
    context["copyOf"] = json!(first.and_then(|letter| letter.copy_of.as_ref()));
    context["language"] = json!(first.map(|letter| &letter.language));
    context["contact"] = json!(extras.contact);
    context["helpUrl"] = json!(extras.help_url);
    context
}

fn item(part: &Part<'_>) -> Value {
    json!({
        "topic": part.topic,
        "at": when(part.at),
        "ends": part.letter.ends.map(when),
        "device": device(part.letter),
    })
}

fn device(letter: &Letter) -> Value {
    let Some(text) = &letter.device else { return Value::Null };
    let DeviceText { id, name, serial, platform, profile, user, checks } = text;
    json!({
        "id": id,
        "name": name,
        "serial": serial,
        "platform": platform,
        "profile": profile,
        "user": user,
        "checks": checks.iter().map(check).collect::<Vec<_>>(),
        "reason": letter.reason,
        "wipe": letter.wipe.as_ref().map(wipe),
    })
}

fn check(check: &CheckText) -> Value {
    let CheckText {
        name,
        on,
        age_days,
        most_days,
        outdated,
        digits,
        least_digits,
        version,
        minimum,
        judged,
        seen,
        wanted,
    } = check;
    json!({
        "name": name,
        "on": on,
        "ageDays": age_days,
        "mostDays": most_days,
        "outdated": outdated,
        "digits": digits,
        "leastDigits": least_digits,
        "version": version,
        "minimum": minimum,
        "judged": judged,
        "seen": seen,
        "wanted": wanted,
    })
}

fn wipe(wipe: &WipeText) -> Value {
    let WipeText { name, request, scope, reason, requested_by, signers, for_good } = wipe;
    json!({
        "name": name,
        "request": request,
        "scope": scope,
        "reason": reason,
        "requestedBy": requested_by,
        "signers": signers,
        "final": for_good,
    })
}

/// A moment in its parts: each language puts them together in its own way.
fn when(at: Timestamp) -> Value {
    // `2026-11-22T10:00:00Z`
    let text = at.short();
    let number = |range: std::ops::Range<usize>| {
        text.get(range).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or_default()
    };
    json!({
        "iso": text,
        "year": number(0..4),
        "month": number(5..7).max(1),
        "day": number(8..10),
        "time": text.get(11..16).unwrap_or_default(),
    })
}
