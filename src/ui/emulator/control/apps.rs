//! Application registrations: their secrets, certificates and permissions.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Done, Wrong, read};
use crate::ui::emulator::tenant::{Answer, App, Certificate, Federated, Tenant};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GivenIssuer {
    issuer: String,
    subject: String,
}

/// What is given of an application; what is left out stays.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Given {
    display_name: Option<String>,
    secret: Option<String>,
    roles: Option<BTreeSet<String>>,
    certificate_pem: Option<String>,
    federated: Option<Vec<GivenIssuer>>,
}

fn shown(app: &App) -> Value {
    json!({
        "clientId": app.client_id,
        "displayName": app.display_name,
        "roles": app.roles,
        "secrets": app.secrets.len(),
        "certificates": app.certificates.iter().map(|one| &one.sha256).collect::<Vec<_>>(),
        "federated": app.federated.iter().map(|one| &one.issuer).collect::<Vec<_>>(),
    })
}

/// `GET /emulator/apps`
pub(super) fn list(tenant: &Tenant) -> Done {
    let apps: Vec<_> = tenant.apps.all.values().map(shown).collect();
    Ok(Answer::ok(json!({"apps": apps})))
}

/// `PUT /emulator/apps/{clientId}`
pub(super) fn put(tenant: &mut Tenant, client_id: &str, body: &Value) -> Done {
    let given: Given = read(body)?;
    let there = tenant.apps.all.get(client_id).cloned();
    let mut app = there.unwrap_or_else(|| App {
        client_id: client_id.to_owned(),
        object_id: tenant.dice.id(),
        display_name: client_id.to_owned(),
        secrets: Vec::new(),
        certificates: Vec::new(),
        federated: Vec::new(),
        roles: BTreeSet::new(),
    });
    if let Some(name) = given.display_name {
        app.display_name = name;
    }
    if let Some(secret) = given.secret {
        app.secrets = vec![secret];
    }
    if let Some(roles) = given.roles {
        app.roles = roles;
    }
    if let Some(pem) = given.certificate_pem {
        let certificate = Certificate::from_pem(&pem);
        app.certificates
            .push(certificate.map_err(|why| Wrong::bad(format!("certificatePem: {why}")))?);
    }
    if let Some(issuers) = given.federated {
        let issuers = issuers.into_iter();
        app.federated =
            issuers.map(|one| Federated { issuer: one.issuer, subject: one.subject }).collect();
    }
    let answer = shown(&app);
    tenant.apps.all.insert(client_id.to_owned(), app);
    Ok(Answer::ok(answer))
}

/// `DELETE /emulator/apps/{clientId}/tokens`: all tokens that it was given are void.
pub(super) fn void_tokens(tenant: &mut Tenant, client_id: &str) -> Done {
    tenant.apps.tokens.retain(|_, bearer| bearer.client_id != client_id);
    Ok(Answer::nothing())
}
