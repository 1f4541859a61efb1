//! The bodies that webhooks send: plain, CloudEvents, Slack, Teams.

use serde_json::{Value, json};

use super::announcement::Announcement;
use crate::domain::notify_settings::WebhookFormat;

/// What a section of Slack's may hold, and to spare for Teams, whose cards end at 28 kB.
const LONGEST: usize = 2_800;

/// What is sent, and as which type of content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// Who sends, in the words of CloudEvents: a URI reference.
#[must_use]
pub(crate) fn source(configured: Option<&str>, ledger: Option<uuid::Uuid>) -> String {
    match (configured, ledger) {
        (Some(source), _) => source.to_owned(),
        (None, Some(ledger)) => format!("urn:uuid:{ledger}"),
        (None, None) => "urn:fleetform".to_owned(),
    }
}

impl Announcement {
    /// As a body. `id` is the same however often it is sent; `source` says who sends it.
    #[must_use]
    pub(crate) fn message(&self, format: WebhookFormat, id: &str, source: &str) -> Message {
        let (content_type, body) = match format {
            WebhookFormat::Plain => ("application/json", self.plain()),
            WebhookFormat::Cloudevents => {
                ("application/cloudevents+json", self.cloudevent(id, source))
            }
            WebhookFormat::Slack => ("application/json", self.slack()),
            WebhookFormat::Teams => ("application/json", self.teams()),
        };
        Message { content_type, body: body.to_string() }
    }

    /// As Standard Webhooks advises.
    fn plain(&self) -> Value {
        json!({"type": self.kind, "timestamp": self.timestamp, "data": self.data})
    }

    /// CloudEvents 1.0, structured.
    fn cloudevent(&self, id: &str, source: &str) -> Value {
        let mut event = json!({
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": format!("dev.fleetform.{}", self.kind),
            "time": self.timestamp,
            "datacontenttype": "application/json",
            "data": self.data,
        });
        if let Some(device) = self.data.get("device") {
            event["subject"] = device.clone();
        }
        event
    }

    fn slack(&self) -> Value {
        let title = for_slack(&self.title);
        let facts = self.facts.iter().map(|(name, value)| format!("{name}: {}", for_slack(value)));
        let facts: Vec<String> = facts.collect();
        let text = for_slack(&self.text);
        let section = cut(&format!("*{title}*\n{text}"));
        let mut blocks =
            vec![json!({"type": "section", "text": {"type": "mrkdwn", "text": section}})];
        if !facts.is_empty() {
            let facts = json!({"type": "mrkdwn", "text": cut(&facts.join(" · "))});
            blocks.push(json!({"type": "context", "elements": [facts]}));
        }
        json!({"text": cut(&format!("{title}: {text}")), "blocks": blocks})
    }

    /// An adaptive card, as a workflow of Teams takes it.
    fn teams(&self) -> Value {
        let fact =
            |(name, value): &(String, String)| json!({"title": name, "value": for_teams(value)});
        let block = |text: &str, bold: bool| {
            let mut block = json!({"type": "TextBlock", "wrap": true, "text": for_teams(text)});
            if bold {
                block["weight"] = json!("Bolder");
            }
            block
        };
        let mut body = vec![block(&self.title, true), block(&self.text, false)];
        if !self.facts.is_empty() {
            let facts: Vec<Value> = self.facts.iter().map(fact).collect();
            body.push(json!({"type": "FactSet", "facts": facts}));
        }
        json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": body,
                },
            }],
        })
    }
}

/// So that no text of a stranger is a link, or calls everybody in the room.
fn for_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A card reads Markdown: a link in it could lead anywhere under any name.
fn for_teams(text: &str) -> String {
    cut(text).replace("](", "] (")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
