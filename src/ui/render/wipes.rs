//! Wipe requests, and how many wipes are left: a table, the budget, and JSON.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use super::table::{Cell, Column, Table};
use crate::domain::model::{
    DeviceId, Digest, Email, Name, SerialNumber, Timestamp, WipeReason, WipeScope,
};
use crate::domain::plan::{WipeStanding, WipeView, left_today};
use crate::domain::settings::{DailyWipes, Settings};
use crate::domain::state::event::WipeSubject;
use crate::domain::state::{State, Wipe, WipeState};
use crate::domain::wipe::quorum::{Budget, History, Ruling, Tier, budget, decide};
use crate::domain::wording::{count, duration, people};

/// Requests, those that expire first at the top, and what is left of each tier.
#[derive(Debug)]
pub(crate) struct Wipes<'a> {
    rows: Vec<Row<'a>>,
    budget: Vec<Budget>,
    today: Option<DailyWipes>,
}

/// One request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    request: Digest,
    name: &'a Name,
    path: &'a str,
    device: DeviceId,
    serial_number: &'a SerialNumber,
    user_email: Option<&'a Email>,
    scope: WipeScope,
    reason: WipeReason,
    requested_by: &'a Email,
    expires_at: Timestamp,
    /// A word of `standing` in a plan, or of `state` in the ledger.
    state: &'static str,
    signers: &'a [Email],
    /// Distinct people needed now.
    needs: Option<u32>,
    detail: &'a str,
    #[serde(skip)]
    over: bool,
}

impl<'a> Wipes<'a> {
    /// What a plan judged, and of the ledger what no plan spoke of.
    #[must_use]
    pub(crate) fn of(
        state: &'a State,
        judged: &'a [WipeView],
        all: bool,
        settings: &Settings,
        now: Timestamp,
    ) -> Self {
        let issued: Vec<_> = state.wipes.values().filter_map(|wipe| wipe.issued_at).collect();
        let accepted = |wipe: &&Wipe| wipe.state == WipeState::Accepted;
        let ahead = state.wipes.values().filter(accepted).count();
        let restored = state.restored.map(|restored| restored.at);
        let history = History { issued: &issued, ahead, restored };
        let tiers = &settings.wipes.quorum;
        let needed = match decide(tiers, history, now, 0) {
            Ruling::Issue { needs } => Some(needs),
            Ruling::Held(hold) => hold.needs,
        };
        let seen: BTreeSet<_> = judged.iter().map(|view| view.subject.request).collect();
        let recorded = state
            .wipes
            .iter()
            .filter(|(request, _)| !seen.contains(*request))
            .map(|(_, wipe)| Row::recorded(state, wipe, needed));
        let mut rows: Vec<_> = judged.iter().map(Row::judged).chain(recorded).collect();
        rows.retain(|row| all || !row.over);
        rows.sort_by_key(|row| (row.expires_at, row.request));
        let today = settings.provider.per_day.map(|most| left_today(most, state, now));
        Self { rows, budget: budget(tiers, history, now), today }
    }

    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let mut table = Table::new([
            Column::cut("REQUEST", 12),
            Column::whole("DEVICE"),
            Column::whole("SERIAL"),
            Column::cut("USER", 10).or_hide(2),
            Column::whole("SCOPE").or_hide(1),
            Column::whole("STATE"),
            Column::whole("SIGNED"),
            Column::whole("EXPIRES").or_hide(3),
        ]);
        for row in &self.rows {
            let signed = match row.needs {
                Some(needs) => format!("{} of {needs}", row.signers.len()),
                None => row.signers.len().to_string(),
            };
            table.push([
                row.name.as_str().into(),
                row.device.to_string().into(),
                row.serial_number.as_str().into(),
                row.user_email.map_or("-", Email::as_str).into(),
                row.scope.as_str().into(),
                Cell::toned(row.state, if row.over { Tone::Dim } else { Tone::Changed }),
                signed.into(),
                row.expires_at.short().into(),
            ]);
        }
        if !table.is_empty() {
            table.write(out)?;
            writeln!(out)?;
        }
        for row in &self.rows {
            let signed = people(row.signers);
            let line = format!("{}: signed by {signed}; {}", row.name, row.detail);
            writeln!(out, "{}", out.paint(Tone::Plain, &line))?;
        }
        if !self.rows.is_empty() {
            writeln!(out)?;
        }
        writeln!(out, "{}", out.paint(Tone::Strong, "Budget (wipes.quorum):"))?;
        for left in &self.budget {
            writeln!(out, "  {}", out.paint(tone(left), &in_words(left)))?;
        }
        if let Some(DailyWipes { full, selective }) = self.today {
            let line = format!("MDM today (UTC): {full} full and {selective} selective wipes left");
            writeln!(out, "  {}", out.paint(Tone::Plain, &line))?;
        }
        Ok(())
    }

    /// `{"version": 1, "requests": […], "budget": [{"upTo", "per", "signers", "used", "left", …}]}`.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Document<'a> {
            version: u32,
            requests: &'a [Row<'a>],
            budget: Vec<Left>,
            #[serde(skip_serializing_if = "Option::is_none")]
            today: Option<Today>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Left {
            up_to: u32,
            per: String,
            signers: u32,
            used: usize,
            left: usize,
            free_at: Option<Timestamp>,
        }
        #[derive(Serialize)]
        struct Today {
            full: usize,
            selective: usize,
        }
        let left = |budget: &Budget| {
            let Budget { tier: Tier { up_to, per, signers }, used, left, free_at } = *budget;
            Left { up_to, per: duration(per), signers, used, left, free_at }
        };
        let today = self.today.map(|DailyWipes { full, selective }| Today { full, selective });
        let budget = self.budget.iter().map(left).collect();
        json::pretty(out, &Document { version: 1, requests: &self.rows, budget, today })
    }
}

fn tone(left: &Budget) -> Tone {
    if left.left == 0 { Tone::Changed } else { Tone::Plain }
}

/// `up to 3 in 24h, signed by 1 person: 2 left`
fn in_words(budget: &Budget) -> String {
    let Budget { tier: Tier { up_to, per, signers }, used, left, free_at } = budget;
    let signed = if *signers == 1 { "1 person".to_owned() } else { format!("{signers} people") };
    let per = duration(*per);
    let free = free_at.map_or_else(String::new, |at| format!("; the next one from {}", at.short()));
    let wipes = count(u64::from(*up_to), "wipe");
    format!("up to {wipes} in {per}, each signed by {signed}: {left} left ({used} used){free}")
}

impl<'a> Row<'a> {
    fn judged(view: &'a WipeView) -> Self {
        let WipeView { subject, place, user, standing, signers, needs, detail, .. } = view;
        let over = match standing {
            WipeStanding::Issue
            | WipeStanding::CoolingOff
            | WipeStanding::AwaitingApproval
            | WipeStanding::Held
            | WipeStanding::Refused
            | WipeStanding::Issued => false,
            WipeStanding::Vetoed
            | WipeStanding::Expired
            | WipeStanding::Confirmed
            | WipeStanding::Failed => true,
        };
        let row = Self::new(subject, &place.path, user.as_ref(), signers);
        Self { state: standing.as_str(), needs: *needs, detail, over, ..row }
    }

    fn recorded(state: &'a State, wipe: &'a Wipe, needed: Option<u32>) -> Self {
        let Wipe { subject, path, state: word, detail, signers, .. } = wipe;
        let user = state.devices.get(&subject.device_id).map(|device| &device.spec.user_email);
        let row = Self::new(subject, path, user, signers);
        if wipe.is_void(state.lineage) {
            let detail = "the request is for the ledger before it was restored: write a new one";
            return Self { state: WipeStanding::Refused.as_str(), detail, ..row };
        }
        let over = !matches!(
            word,
            WipeState::Held | WipeState::Refused | WipeState::Accepted | WipeState::Issued
        );
        let needs = needed.filter(|_| *word == WipeState::Held);
        let detail = if detail.is_empty() { word.as_str() } else { detail };
        Self { state: word.as_str(), needs, detail, over, ..row }
    }

    fn new(
        subject: &'a WipeSubject,
        path: &'a str,
        user_email: Option<&'a Email>,
        signers: &'a [Email],
    ) -> Self {
        let WipeSubject {
            request,
            name,
            device_id,
            serial_number,
            scope,
            reason,
            requested_by,
            expires_at,
            ..
        } = subject;
        Self {
            request: *request,
            name,
            path,
            device: *device_id,
            serial_number,
            user_email,
            scope: *scope,
            reason: *reason,
            requested_by,
            expires_at: *expires_at,
            state: "",
            signers,
            needs: None,
            detail: "",
            over: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::wipe::quorum::Tiers;
    use crate::ui::render::testing::{Screen, now, time};

    #[test]
    fn the_budget_says_what_is_left_of_each_tier_and_from_when_on_there_is_more() {
        let issued = ["2026-11-22T09:00:00Z", "2026-11-22T08:00:00Z", "2026-11-21T11:00:00Z"];
        let issued: Vec<_> = issued.into_iter().map(time).collect();
        let history = History { issued: &issued, ahead: 0, restored: None };
        let lines: Vec<_> =
            budget(&Tiers::default(), history, now()).iter().map(in_words).collect();
        assert_eq!(
            lines,
            [
                "up to 3 wipes in 1d, each signed by 1 person: 0 left (3 used); the next one from \
                 2026-11-22T11:00:00Z",
                "up to 25 wipes in 1d, each signed by 2 people: 22 left (3 used)",
            ]
        );
    }

    #[test]
    fn without_requests_there_is_the_budget_alone() {
        let (state, settings) = (State::default(), Settings::default());
        let wipes = Wipes::of(&state, &[], false, &settings, now());
        let screen = Screen::piped();
        wipes.text(&mut screen.out()).unwrap();
        assert!(screen.results().starts_with("Budget"), "{}", screen.results());
        assert!(wipes.is_empty());
    }
}
