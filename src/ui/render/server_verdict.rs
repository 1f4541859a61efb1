//! How a wipe request stands by the word of a running daemon.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::json;
use super::out::{Out, Tone};
use super::plan::wipes::headline;
use super::wipe::{Answer, answer_of};
use crate::domain::plan::WipeStanding;

/// One request of the daemon's plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerVerdict<'a> {
    wipe: &'a Value,
    standing: WipeStanding,
    answer: Answer,
}

impl<'a> ServerVerdict<'a> {
    /// From its JSON; `None` where that does not say how it stands.
    #[must_use]
    pub(crate) fn new(wipe: &'a Value, frozen: bool) -> Option<Self> {
        let standing: WipeStanding = wipe["standing"].as_str()?.parse().ok()?;
        Some(Self { wipe, standing, answer: answer_of(standing, frozen) })
    }

    #[must_use]
    pub(crate) fn answer(&self) -> Answer {
        self.answer
    }

    pub(crate) fn text(&self, server: &str, out: &mut Out) -> io::Result<()> {
        let word = |key: &str| self.wipe[key].as_str().unwrap_or("unknown");
        let signers = self.wipe["signers"].as_array().map_or(&[][..], Vec::as_slice);
        let signers: Vec<_> = signers.iter().filter_map(Value::as_str).collect();
        let signed = if signers.is_empty() { "nobody".to_owned() } else { signers.join(", ") };
        let needs = self.wipe["needs"].as_u64().map(|n| format!(" ({n} needed)"));
        let line = format!(
            "{} ({}), {}: {} wipe, {}",
            word("device"),
            word("serialNumber"),
            word("userEmail"),
            word("scope"),
            word("reason")
        );
        writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
        let line = format!("  signed by {signed}{}", needs.unwrap_or_default());
        writeln!(out, "{}", out.paint(Tone::Plain, &line))?;
        let line = format!("  as {server} judges it, by its own trust file and manifests");
        writeln!(out, "{}", out.paint(Tone::Dim, &line))?;
        let (_, tone) = headline(self.standing);
        let answer = self.answer.as_str().to_ascii_uppercase();
        let line = format!("{answer}: {} [{}]", word("detail"), word("code"));
        writeln!(out, "{}", out.paint(tone, &line))
    }

    /// `{"version": 1, "verdict": …, "judgedBy": "server", "wipe": {…}}`.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Document<'a> {
            version: u32,
            verdict: Answer,
            judged_by: &'static str,
            wipe: &'a Value,
        }
        let (verdict, wipe) = (self.answer, self.wipe);
        json::pretty(out, &Document { version: 1, verdict, judged_by: "server", wipe })
    }
}
