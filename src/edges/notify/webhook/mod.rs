//! Webhooks: Standard Webhooks 1.0, and rooms of Slack and Teams.

mod hook;
mod signature;

pub(crate) use hook::Webhook;
