//! Webhooks: Standard Webhooks 1.0, and rooms of Slack and Teams.

mod hook;
mod signature;
#[cfg(test)]
mod tests;

pub(crate) use hook::Webhook;
