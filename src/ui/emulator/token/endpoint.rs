//! `POST /{tenant}/oauth2/v2.0/token`

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::json;

use super::assertion;
use super::error::Denied;
use crate::domain::model::{Digest, Timestamp};
use crate::ui::emulator::tenant::{
    Answer, App, Bearer, Delivery, Moment, Record, Request, Tenant, When, form_without_secrets,
    pairs,
};

/// How an assertion is to be read.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Answers with a token or says why not.
pub(crate) fn serve_token(tenant: &mut Tenant, request: &Request, moment: Moment) -> Delivery {
    let form = pairs(&String::from_utf8_lossy(&request.body));
    let client_id = field(&form, "client_id").unwrap_or_default().to_owned();
    let request_id = tenant.dice.id();
    let met = tenant.faults.meet(&request.method, &request.path, &client_id);
    let fault = met.as_ref().map(|(id, _)| *id);
    let action = met.map(|(_, action)| action).unwrap_or_default();
    let answer = match action.status {
        Some(status) => {
            let denied = Denied::new(status, "temporarily_unavailable", 90033, "On command.");
            let mut answer = denied.answer(tenant.now, &request_id);
            answer.headers.extend(action.retry_after.map(|wait| ("Retry-After", wait)));
            answer
        }
        None => match token(tenant, request, &form, moment) {
            Ok(answer) => answer,
            Err(denied) => denied.answer(tenant.now, &request_id),
        },
    };
    let record = Record {
        number: 0,
        at: tenant.now,
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        app_id: Some(client_id),
        part: None,
        status: answer.status,
        writes: false,
        effect: false,
        cut: action.cut.is_some(),
        fault,
        client_request_id: request.header("client-request-id").map(str::to_owned),
        request_id: request_id.clone(),
        body: form_without_secrets(&form),
        error: answer.body.clone().filter(|_| answer.status >= 400).unwrap_or_default(),
    };
    tenant.calls.add(record);
    Delivery {
        answer,
        request_id,
        client_request_id: request.header("client-request-id").map(str::to_owned),
        cut: action.cut.filter(|when| *when != When::During),
        delay_ms: action.delay_ms,
    }
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn token(
    tenant: &mut Tenant,
    request: &Request,
    form: &[(String, String)],
    moment: Moment,
) -> Result<Answer, Denied> {
    let needed = |name: &str| {
        field(form, name).filter(|value| !value.is_empty()).ok_or_else(|| {
            let why = format!("The request body must contain the following parameter: '{name}'.");
            Denied::request(900_144, why)
        })
    };
    if request.method != "POST" {
        return Err(Denied::request(900_561, "The endpoint only accepts POST requests."));
    }
    if needed("grant_type")? != "client_credentials" {
        let why = "The app requested an unsupported grant type: client_credentials is known.";
        return Err(Denied::new(400, "unsupported_grant_type", 70003, why));
    }
    let client_id = needed("client_id")?;
    let scope = needed("scope")?;
    if !scope.ends_with("/.default") || scope.contains(' ') {
        let why = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have \
             a scope value with /.default suffixed to the resource identifier."
        );
        return Err(Denied::new(400, "invalid_scope", 1_002_012, why));
    }
    let app = tenant.apps.all.get(client_id).cloned().ok_or_else(|| {
        let why = format!(
            "Application with identifier '{client_id}' was not found in the directory. This can \
             happen if the application has not been installed by the administrator of the tenant."
        );
        Denied::new(400, "unauthorized_client", 700_016, why)
    })?;
    prove(&app, request, form, moment)?;
    Ok(issue(tenant, &app, moment))
}

/// Whether the client is who it says it is.
fn prove(
    app: &App,
    request: &Request,
    form: &[(String, String)],
    moment: Moment,
) -> Result<(), Denied> {
    match (field(form, "client_secret"), field(form, "client_assertion")) {
        (Some(secret), None) => {
            if app.secrets.iter().any(|one| one == secret) {
                return Ok(());
            }
            let why = format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is \
                 the client secret value, not the client secret ID, for a secret added to app \
                 '{}'.",
                app.client_id
            );
            Err(Denied::client(7_000_215, why))
        }
        (None, Some(jwt)) => {
            if field(form, "client_assertion_type") != Some(JWT_BEARER) {
                let why = format!("The value of 'client_assertion_type' must be {JWT_BEARER}.");
                return Err(Denied::request(900_144, why));
            }
            let address = format!("{}{}", request.base, request.path);
            assertion::check(app, jwt, &address, moment)
        }
        (Some(_), Some(_)) => {
            Err(Denied::request(90014, "Send a client_secret or a client_assertion, not both."))
        }
        (None, None) => {
            let why = "The request body must contain the following parameter: 'client_assertion' \
                       or 'client_secret'.";
            Err(Denied::client(7_000_218, why))
        }
    }
}

fn issue(tenant: &mut Tenant, app: &App, moment: Moment) -> Answer {
    let tokens = tenant.settings.tokens.clone();
    tenant.apps.forget_expired(moment, tokens.emulated_time);
    let lifetime = TimeDelta::seconds(i64::from(tokens.lifetime_seconds));
    let expires = Moment { now: moment.now + lifetime, real: moment.real + lifetime };
    let (begins, ends) = match tokens.emulated_time {
        true => (moment.now, expires.now),
        false => (moment.real, expires.real),
    };
    let seconds = |time: Timestamp| time.millis().div_euclid(1000);
    let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "aud": "https://graph.microsoft.com",
        "iss": format!("https://sts.windows.net/{}/", tenant.id),
        "iat": seconds(begins),
        "nbf": seconds(begins),
        "exp": seconds(ends),
        "appid": app.client_id,
        "app_displayname": app.display_name,
        "idtyp": "app",
        "oid": app.object_id,
        "sub": app.object_id,
        "roles": app.roles,
        "tid": tenant.id,
        "uti": tenant.dice.id(),
        "ver": "1.0",
    });
    let signed = format!("{}.{}", encode(&json!({"alg": "none", "typ": "JWT"})), encode(&claims));
    // Only this tenant knows which tokens it has given; nobody else can check one anyway.
    let signature = URL_SAFE_NO_PAD.encode(Digest::of(signed.as_bytes()).to_string());
    let token = format!("{signed}.{signature}");
    let bearer = Bearer { client_id: app.client_id.clone(), roles: app.roles.clone(), expires };
    tenant.apps.tokens.insert(token.clone(), bearer);
    Answer::ok(json!({
        "token_type": "Bearer",
        "expires_in": tokens.lifetime_seconds,
        "ext_expires_in": tokens.lifetime_seconds,
        "access_token": token,
    }))
}
