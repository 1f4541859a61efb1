//! May this device come in? The answer, and each requirement behind it.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use crate::domain::access::{Answer, Denial, Judge, Question, Reason, RequirementCheck};
use crate::domain::model::{DeviceId, Name, SerialNumber, Timestamp, words};

words! {
    /// How a requirement stands.
    enum Outcome { Pass = "pass", Fail = "fail" }
}

/// What every resource asks, beside what it requires.
const NOT_WIPED: &str = "notWiped";

/// A question and its answer, with all that it rests on.
#[derive(Debug)]
pub(crate) struct Explained<'a> {
    judge: Judge<'a>,
    question: Question<'a>,
    answer: Answer,
    devices: Vec<(DeviceId, Vec<RequirementCheck>)>,
}

impl<'a> Explained<'a> {
    #[must_use]
    pub(crate) fn of(judge: Judge<'a>, question: Question<'a>) -> Self {
        let (answer, devices) = (judge.answer(&question), judge.explain(&question));
        Self { judge, question, answer, devices }
    }

    pub(crate) fn is_allowed(&self) -> bool {
        self.answer.denial.is_none()
    }

    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let Question { user, resource, .. } = self.question;
        match &self.answer.denial {
            None => {
                let until = self.answer.valid_until.short();
                let text = format!("Allowed: {user} may use {resource}, at least until {until}");
                writeln!(out, "{}", out.paint(Tone::Added, &text))?;
            }
            Some(Denial { reason, admin, user: told, .. }) => {
                let text = format!("Denied: {user} may not use {resource} [{reason}]");
                writeln!(out, "{}", out.paint(Tone::Removed, &text))?;
                writeln!(out, "  Because:  {}", out.paint(Tone::Plain, admin))?;
                writeln!(out, "  User sees: {}", out.paint(Tone::Plain, told))?;
            }
        }
        for (id, checks) in &self.devices {
            let spec = &self.judge.recorded.devices[id].spec;
            let title = format!("{id}  {}  {}", spec.serial_number, spec.name);
            writeln!(out, "\n{}", out.paint(Tone::Strong, &title))?;
            for check in checks {
                let (mark, tone) = match check.failed {
                    None => ("pass", Tone::Added),
                    Some(_) => ("FAIL", Tone::Removed),
                };
                let code = check.failed.map_or_else(String::new, |reason| format!(" [{reason}]"));
                writeln!(
                    out,
                    "  {}  {}: {}{code}",
                    out.paint(tone, mark),
                    requirement(check),
                    out.paint(Tone::Plain, &self.judge.detail(*id, check)),
                )?;
            }
        }
        Ok(())
    }

    /// `{"version": 1, "decision": false, "reason": "…", …, "devices": […]}`.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let Answer { denial, at, valid_until } = &self.answer;
        let device = |(id, checks): &(DeviceId, Vec<RequirementCheck>)| {
            let spec = &self.judge.recorded.devices[id].spec;
            DeviceJson {
                id: *id,
                serial_number: &spec.serial_number,
                name: &spec.name,
                requirements: checks.iter().map(|check| self.check(*id, check)).collect(),
            }
        };
        let document = Document {
            version: 1,
            user: self.question.user,
            resource: self.question.resource,
            device: self.question.device.id,
            decision: denial.is_none(),
            reason: denial.as_ref().map(|denial| denial.reason),
            reason_admin: denial.as_ref().map(|denial| &*denial.admin),
            reason_user: denial.as_ref().map(|denial| &*denial.user),
            evaluated_at: *at,
            valid_until: *valid_until,
            devices: self.devices.iter().map(device).collect(),
        };
        json::pretty(out, &document)
    }

    fn check(&self, id: DeviceId, check: &RequirementCheck) -> CheckJson {
        CheckJson {
            requirement: requirement(check),
            outcome: if check.failed.is_none() { Outcome::Pass } else { Outcome::Fail },
            reason: check.failed,
            detail: self.judge.detail(id, check),
        }
    }
}

fn requirement(check: &RequirementCheck) -> &'static str {
    check.requirement.map_or(NOT_WIPED, |requirement| requirement.as_str())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u32,
    user: &'a str,
    resource: &'a str,
    /// As it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    decision: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_admin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_user: Option<&'a str>,
    evaluated_at: Timestamp,
    valid_until: Timestamp,
    devices: Vec<DeviceJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceJson<'a> {
    id: DeviceId,
    serial_number: &'a SerialNumber,
    name: &'a Name,
    requirements: Vec<CheckJson>,
}

#[derive(Serialize)]
struct CheckJson {
    requirement: &'static str,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    detail: String,
}
