//! Signed assertions in place of a secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::error::Denied;
use crate::domain::model::Timestamp;
use crate::ui::emulator::tenant::{App, Federated, Moment};

/// An assertion may hold for this long.
const LONGEST: TimeDelta = TimeDelta::minutes(10);
/// Clocks may differ by this much.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// A JWT, cut into its parts and not believed yet.
struct Jwt<'a> {
    head: Map<String, Value>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let object = |part: &str| -> Option<Map<String, Value>> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        Some(Self {
            head: object(head)?,
            claims: object(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    fn head(&self, name: &str) -> Option<&str> {
        self.head.get(name)?.as_str()
    }

    fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        // Microsoft's own libraries write fractions of seconds (RFC 7519 §2 has them).
        let seconds = self.claims.get(name)?.as_f64()?;
        Some(Timestamp::from_millis((seconds * 1000.0) as i64))
    }

    fn is_for(&self, audience: impl Fn(&str) -> bool) -> bool {
        match self.claims.get("aud") {
            Some(Value::String(one)) => audience(one),
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).any(audience),
            _ => false,
        }
    }
}

/// Whether the assertion is this application's; `address` is where the token is asked for.
pub(super) fn check(
    app: &App,
    assertion: &str,
    address: &str,
    moment: Moment,
) -> Result<(), Denied> {
    let malformed = || Denied::client(50027, "JWT token is invalid or malformed.");
    let jwt = Jwt::parse(assertion).ok_or_else(malformed)?;
    let issuer = jwt.claim("iss").ok_or_else(malformed)?;
    let subject = jwt.claim("sub").ok_or_else(malformed)?;
    if issuer == app.client_id {
        return own(app, &jwt, subject, address, moment);
    }
    foreign(app, &jwt, issuer, subject, moment)
}

/// An assertion that the application signed itself.
fn own(
    app: &App,
    jwt: &Jwt<'_>,
    subject: &str,
    address: &str,
    moment: Moment,
) -> Result<(), Denied> {
    if subject != app.client_id {
        let why = "Client assertion application identifier doesn't match 'client_id' parameter.";
        return Err(Denied::client(700_021, why));
    }
    let (here, path) = host_and_path(address).unwrap_or_default();
    let short = path.replace("/oauth2/v2.0/token", "/v2.0");
    let meant = jwt.is_for(|audience| {
        let Some((host, meant)) = host_and_path(audience) else { return false };
        (host == here || host == "login.microsoftonline.com")
            && (meant.eq_ignore_ascii_case(path) || meant.eq_ignore_ascii_case(&short))
    });
    if !meant {
        let why = "Client assertion audience claim does not match Realm issuer.";
        return Err(Denied::client(700_023, why));
    }
    in_time(jwt, moment, Some(LONGEST))?;
    let (sha256, sha1) = (jwt.head("x5t#S256"), jwt.head("x5t"));
    let named = app.certificates.iter().find(|one| one.is_named_by(sha256, sha1));
    let named = named.ok_or_else(|| {
        let thumbprint = sha256.or(sha1).unwrap_or_default();
        Denied::client(
            700_027,
            format!(
                "The certificate with identifier used to sign the client assertion is not \
                 registered on application. [Reason - The key was not found., Thumbprint of key \
                 used by client: '{thumbprint}']"
            ),
        )
    })?;
    let algorithm = jwt.head("alg").unwrap_or_default();
    if !named.has_signed(algorithm, jwt.signed.as_bytes(), &jwt.signature) {
        let why = "Client assertion failed signature validation. [Reason - The key was found, but \
                   use of the key to verify the signature failed.]";
        return Err(Denied::client(700_027, why));
    }
    Ok(())
}

/// The host and the path of an address.
fn host_and_path(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    Some(rest.split_at(rest.find('/')?))
}

/// The audience of tokens that are exchanged.
const EXCHANGE: &str = "api://AzureADTokenExchange";

/// A token of an issuer that is registered on the application. Its signature is not checked: the
/// emulator does not ask other issuers for their keys.
fn foreign(
    app: &App,
    jwt: &Jwt<'_>,
    issuer: &str,
    subject: &str,
    moment: Moment,
) -> Result<(), Denied> {
    let of_issuer = |one: &&Federated| one.issuer == issuer;
    if !app.federated.iter().any(|one| of_issuer(&one)) {
        let why = format!(
            "No matching federated identity record found for presented assertion issuer '{issuer}'."
        );
        return Err(Denied::client(700_211, why));
    }
    if !app.federated.iter().filter(of_issuer).any(|one| one.subject == subject) {
        let why = format!(
            "No matching federated identity record found for presented assertion subject \
             '{subject}'."
        );
        return Err(Denied::client(700_213, why));
    }
    if !jwt.is_for(|audience| audience == EXCHANGE) {
        let why = "No matching federated identity record found for presented assertion audience.";
        return Err(Denied::client(700_212, why));
    }
    in_time(jwt, moment, None)
}

/// Clients date assertions by their own clock: it may go with emulated time or with real time.
fn in_time(jwt: &Jwt<'_>, moment: Moment, longest: Option<TimeDelta>) -> Result<(), Denied> {
    let refused = |why: &str| {
        let why = format!("Client assertion is not within its valid time range. {why}");
        Err(Denied::client(700_024, why))
    };
    let Some(expires) = jwt.time("exp") else { return refused("It has no exp.") };
    // Other issuers may leave out since when their tokens hold.
    let usual = longest.map_or(Timestamp::from_millis(0), |_| expires + TimeDelta::minutes(-5));
    let begins = jwt.time("nbf").or(jwt.time("iat")).unwrap_or(usual);
    if longest.is_some_and(|longest| expires - begins > longest) {
        return refused("It holds for more than 10 minutes.");
    }
    let holds = |now: Timestamp| begins <= now + SKEW && now < expires + SKEW;
    if holds(moment.now) || holds(moment.real) { Ok(()) } else { refused("It has expired.") }
}
