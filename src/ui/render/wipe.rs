//! One wipe request, rule by rule.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use super::plan::wipes::{WipeJson, headline};
use super::text::located;
use crate::domain::model::{Email, words};
use crate::domain::plan::{WipeStanding, WipeView};
use crate::domain::wipe::Namespace;
use crate::domain::wipe::verify::{Conclusion, FileCheck, Judgement, Rule};

words! {
    /// Whether a rule holds.
    pub(crate) enum Mark {
        Holds = "holds",
        Fails = "fails",
        /// It will, by time or by what others do.
        Waits = "waits",
        /// Nobody could look.
        Unknown = "unknown",
    }
}

words! {
    /// What follows for the request as a whole.
    pub(crate) enum Answer {
        Accepted = "accepted",
        Held = "held",
        Refused = "refused",
        /// There is no ledger here to judge it by.
        Unknown = "unknown",
    }
}

/// What surrounds a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// That there is no ledger, and where none is.
    pub(crate) no_ledger: Option<&'a str>,
    /// Whether no trust file is configured here.
    pub(crate) no_trust: bool,
    /// Why the guard refuses every wipe.
    pub(crate) frozen: Option<&'static str>,
    /// Whether its life has ended before: issued, expired or stopped.
    pub(crate) spent: bool,
    /// Whether it lies in the fleet directory: no pass looks for it elsewhere.
    pub(crate) in_fleet: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    rule: &'static str,
    state: Mark,
    detail: String,
}

#[derive(Debug, Serialize)]
struct FileJson<'a> {
    name: &'a str,
    namespace: Namespace,
    signer: Option<&'a Email>,
    code: Option<&'static str>,
    detail: Option<&'a str>,
}

/// A judged request, ready to be shown.
pub(crate) struct Verified<'a> {
    view: &'a WipeView,
    files: &'a [FileCheck],
    rows: Vec<Row>,
    answer: Answer,
    in_fleet: bool,
}

impl<'a> Verified<'a> {
    /// From what the plan says of it, and what the request is by itself.
    #[must_use]
    pub(crate) fn new(view: &'a WipeView, judgement: &'a Judgement, context: Context<'_>) -> Self {
        let mut rows: Vec<Row> = judgement
            .checks
            .iter()
            .map(|check| {
                let about_recorded = matches!(
                    check.rule,
                    Rule::Ledger
                        | Rule::Head
                        | Rule::Device
                        | Rule::Serial
                        | Rule::NotWiped
                        | Rule::Scope
                );
                let (state, detail) = match (check.holds, context.no_ledger) {
                    (true, _) => (Mark::Holds, check.detail.as_str()),
                    (false, Some(why)) if about_recorded => (Mark::Unknown, why),
                    // The server has a trust file of its own.
                    (false, Some(_)) if check.rule == Rule::Trust && context.no_trust => {
                        (Mark::Unknown, check.detail.as_str())
                    }
                    (false, Some(_))
                        if matches!(check.rule, Rule::Signatures | Rule::RequestedBy)
                            && context.no_trust =>
                    {
                        (Mark::Unknown, "no trust file here says whose signatures count")
                    }
                    (false, _) => (Mark::Fails, check.detail.as_str()),
                };
                Row { rule: check.rule.as_str(), state, detail: detail.to_owned() }
            })
            .collect();
        rows.extend(among_others(view, judgement, context));
        let (answer, in_fleet) = (answer(view, context), context.in_fleet);
        Self { view, files: &judgement.files, rows, answer, in_fleet }
    }

    #[must_use]
    pub(crate) fn answer(&self) -> Answer {
        self.answer
    }

    pub(crate) fn text(&self, root: &str, out: &mut Out) -> io::Result<()> {
        let WipeView { subject, place, user, standing, code, detail, .. } = self.view;
        let path = located(place, root);
        let user = user.as_ref().map_or("user unknown", Email::as_str);
        let line = format!(
            "{} ({}), {user}: {} wipe, {}  {path}",
            subject.device_id, subject.serial_number, subject.scope, subject.reason
        );
        writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
        for Row { rule, state, detail } in &self.rows {
            let (mark, tone) = match state {
                Mark::Holds => ("ok     ", Tone::Added),
                Mark::Fails => ("FAILS  ", Tone::Removed),
                Mark::Waits => ("waits  ", Tone::Changed),
                Mark::Unknown => ("unknown", Tone::Changed),
            };
            writeln!(
                out,
                "  {}  {rule:<13} {}",
                out.paint(tone, mark),
                out.paint(Tone::Plain, detail)
            )?;
        }
        for FileCheck { name, outcome, .. } in self.files {
            let said = match outcome {
                Ok(person) => format!("{name}: counts for {person}"),
                Err(why) => format!("{name}: does not count: {} [{}]", why.detail, why.code),
            };
            writeln!(out, "           {}", out.paint(Tone::Dim, &said))?;
        }
        if self.answer == Answer::Unknown {
            let line = "UNKNOWN: there is no ledger here, so this request cannot be judged \
                        (run it on the Fleetform server, or with --server URL once it is merged)";
            return writeln!(out, "{}", out.paint(Tone::Changed, line));
        }
        let (_, tone) = headline(*standing);
        let line = format!("{}: {detail} [{code}]", self.answer.as_str().to_ascii_uppercase());
        writeln!(out, "{}", out.paint(tone, &line))?;
        if self.in_fleet {
            return Ok(());
        }
        let line = format!(
            "warning: this file is outside the fleet directory {root}, so no wipe follows from \
             it; inside, the verdict would be the one above. Move it there together with its .sig \
             files."
        );
        writeln!(out, "{}", out.paint(Tone::Changed, &line))
    }

    /// `{"version": 1, "verdict": …, "inFleet": …, "wipe": {…}, "rules": […], "files": […]}`.
    pub(crate) fn json(&self, out: &mut Out) -> io::Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Document<'a> {
            version: u32,
            verdict: Answer,
            in_fleet: bool,
            wipe: WipeJson<'a>,
            rules: &'a [Row],
            files: Vec<FileJson<'a>>,
        }
        let files = self.files.iter().map(|FileCheck { name, purpose, outcome }| FileJson {
            name,
            namespace: *purpose,
            signer: outcome.as_ref().ok(),
            code: outcome.as_ref().err().map(|why| why.code),
            detail: outcome.as_ref().err().map(|why| why.detail.as_str()),
        });
        let document = Document {
            version: 1,
            verdict: self.answer,
            in_fleet: self.in_fleet,
            wipe: WipeJson::from(self.view),
            rules: &self.rows,
            files: files.collect(),
        };
        json::pretty(out, &document)
    }
}

/// The rules that depend on the log, on other requests and on time.
fn among_others(view: &WipeView, judgement: &Judgement, context: Context<'_>) -> Vec<Row> {
    let WipeView { standing, code, detail, until, needs, signers, .. } = view;
    let row = |rule, state, detail: &str| Row { rule, state, detail: detail.to_owned() };
    if let Some(why) = context.no_ledger {
        let rules = ["once", "clock", "device free", "quorum", "delay", "freeze"];
        return rules.map(|rule| row(rule, Mark::Unknown, why)).into();
    }
    let unless = |rule, failing: bool, state, good: &str| {
        if failing { row(rule, state, detail) } else { row(rule, Mark::Holds, good) }
    };
    let mut rows =
        vec![unless("once", context.spent, Mark::Fails, "it was never issued or stopped before")];
    if context.spent {
        return rows;
    }
    rows.push(unless(
        "clock",
        code == "clockBehind",
        Mark::Waits,
        "the clock is not behind the log",
    ));
    let busy = "no other wipe of the device is in progress";
    rows.push(unless("device free", code == "deviceBusy", Mark::Waits, busy));
    let short = matches!(code.as_str(), "needsSignatures" | "overEveryTier");
    rows.push(match (&judgement.conclusion, needs) {
        (Conclusion::Verified(_), Some(needs)) if !short => {
            let detail = signed(*needs, signers.len());
            row("quorum", Mark::Holds, &detail)
        }
        (Conclusion::Verified(_), _) if short => row("quorum", Mark::Waits, detail),
        (_, Some(needs)) => {
            let detail = signed(*needs, signers.len());
            row("quorum", Mark::Waits, &detail)
        }
        (_, None) => row("quorum", Mark::Unknown, "not judged before the rules above hold"),
    });
    rows.push(match (standing, until) {
        (WipeStanding::CoolingOff, Some(until)) => {
            row("delay", Mark::Waits, &format!("until {}", until.short()))
        }
        (WipeStanding::Issue, _) => row("delay", Mark::Holds, "it has passed"),
        _ => row("delay", Mark::Unknown, "starts when the request is accepted"),
    });
    rows.push(match context.frozen {
        Some(why) => row("freeze", Mark::Waits, why),
        None => row("freeze", Mark::Holds, "the fleet is not frozen"),
    });
    rows
}

fn signed(needs: u32, has: usize) -> String {
    let people = if needs == 1 { "1 person" } else { &format!("{needs} people") };
    format!("{people} must sign, {has} signed")
}

fn answer(view: &WipeView, context: Context<'_>) -> Answer {
    if context.no_ledger.is_some() {
        return Answer::Unknown;
    }
    answer_of(view.standing, context.frozen.is_some())
}

/// What a standing comes to, while the controller is frozen or is not.
pub(super) fn answer_of(standing: WipeStanding, frozen: bool) -> Answer {
    match standing {
        WipeStanding::Issue if frozen => Answer::Held,
        WipeStanding::Issue | WipeStanding::Issued | WipeStanding::Confirmed => Answer::Accepted,
        // As `plan` and `apply` see it: what still cools off is held.
        WipeStanding::Held | WipeStanding::CoolingOff | WipeStanding::AwaitingApproval => {
            Answer::Held
        }
        WipeStanding::Refused
        | WipeStanding::Vetoed
        | WipeStanding::Expired
        | WipeStanding::Failed => Answer::Refused,
    }
}
