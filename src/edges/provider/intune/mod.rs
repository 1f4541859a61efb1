//! Microsoft Intune, through Microsoft Graph.

#[allow(dead_code, unused_imports, reason = "the provider that makes these calls comes next")]
mod graph;
