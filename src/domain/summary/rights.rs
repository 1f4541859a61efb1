//! What the configuration says about rights, in a line.

use chrono::TimeDelta;

use crate::domain::state::event::{
    AccessRights, ConfigRights, QuorumTier, ResourceRights, TenantRights,
};
use crate::domain::wording::{duration, short};

/// Who may have devices wiped, and through which provider.
pub(super) fn rights(rights: &ConfigRights) -> String {
    let ConfigRights {
        access,
        allowed_signers,
        delay,
        digest,
        max_validity,
        notify,
        provider,
        quorum,
        require_head,
        revoked_keys,
        tenant,
    } = rights;
    let head = if *require_head { ", and of a recent entry" } else { "" };
    let file = digest.map_or_else(|| "none, the defaults hold".into(), short);
    let tiers: Vec<_> = quorum
        .iter()
        .map(|QuorumTier { per, signers, up_to }| {
            format!("{signers} for up to {up_to} in {}", span(per))
        })
        .collect();
    let told: String = notify.iter().map(|(sink, to)| format!(", {sink} to {to}")).collect();
    let tenant = tenant.as_ref().map(of_tenant).unwrap_or_default();
    let access = access.as_ref().map(of_access).unwrap_or_default();
    format!(
        "configuration file {file}: provider {provider}{tenant}, allowed signers {}, revoked keys {}, requests valid for \
         {}{head}, delay {}, signatures needed: {}{access}{told}",
        allowed_signers.as_deref().unwrap_or("none"),
        revoked_keys.as_deref().unwrap_or("none"),
        span(max_validity),
        span(delay),
        tiers.join(", ")
    )
}

/// As durations are told everywhere else; the log has `3days`.
fn span(logged: &str) -> String {
    let span = humantime::parse_duration(logged).ok();
    let span = span.and_then(|span| TimeDelta::from_std(span).ok());
    span.map_or_else(|| logged.to_owned(), duration)
}

fn of_access(rights: &AccessRights) -> String {
    let AccessRights { max_age, resources, token_file } = rights;
    let resource = |(name, of): (&String, &ResourceRights)| {
        format!("{name} for {} of a user's devices that are {}", of.users, of.require.join("+"))
    };
    let resources: Vec<_> = resources.iter().map(resource).collect();
    let token = token_file.as_deref().unwrap_or("that of HTTP");
    format!("; access to {}, by evidence of {}, token {token}", resources.join(", "), span(max_age))
}

fn of_tenant(rights: &TenantRights) -> String {
    let TenantRights { block_attribute, client_id, graph_url, login_url, name, wipe_client_id } =
        rights;
    let marks = block_attribute.as_deref().map(|name| format!(", blocks by {name}"));
    let wipes = wipe_client_id.as_deref().unwrap_or("nobody");
    format!(
        " (tenant {name} at {graph_url}, login at {login_url}, as {client_id}, wipes as {wipes}{})",
        marks.unwrap_or_default()
    )
}
