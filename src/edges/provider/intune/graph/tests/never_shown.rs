//! Nothing that gives rights is ever shown, whoever repeats it.

use super::super::call::Call;
use super::super::credentials::{Credentials, Proof};
use super::server::{Reply, Server, token};
use super::*;

const OPAQUE: &str = "opaque-access-token-1";

fn hash() -> String {
    "T0FzAQAwAAA".repeat(300)
}

/// Errors that repeat everything that was sent.
fn repeating() -> Server {
    Server::new(|seen, _| {
        let headers: String =
            seen.headers.iter().map(|(name, value)| format!("{name}={value} ")).collect();
        let all = format!("{headers} {}", seen.body);
        let sent = seen.header("authorization").map(|sent| sent.trim_start_matches("Bearer "));
        let all = format!("{all} {}", sent.unwrap_or_default());
        if seen.is_token() {
            return match seen.body.contains("client_assertion") {
                true => Some(Reply::Json(400, json!({"error": all, "error_description": all}))),
                false => Some(token(OPAQUE, 3600)),
            };
        }
        let error = json!({"error": {"code": all, "message": all, "innerError": {"message": all}}});
        let approval = vec![("x-msft-approval-code", "aabb1234".to_owned())];
        Some(Reply::With(403, approval, error))
    })
}

#[tokio::test]
async fn no_token_no_secret_and_no_hash_is_in_what_is_said_or_debugged() {
    let place = Place::new();
    let server = repeating();
    let tenant = tenant(&server);
    let federated = place.write("federated", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln");
    let everyday = Everyday::new(tenant.clone(), place.credentials(CLIENT));
    let other = Credentials::new(WIPER, Proof::FederatedToken(federated));
    let wiping = Wiping::new(tenant, other);
    let import = Call::post("/deviceManagement/import", json!({"hardwareIdentifier": hash()}));
    let wipe = Call::post("/deviceManagement/managedDevices/1/wipe", json!({}));
    let mut shown = format!("{import:?}");
    let failures = [
        everyday.write_once(import.clone()).await.unwrap_err(),
        everyday.batch(vec![Call::get("/users")]).await.remove(0).unwrap_err(),
        wiping.write_once(wipe).await.unwrap_err(),
    ];
    for failure in &failures {
        assert!(failure.to_string().chars().count() < 1500, "{failure}");
        shown.push_str(&format!("{failure} {failure:?} {failure:#?}"));
    }
    shown.push_str(&format!("{everyday:?} {wiping:?} {everyday:#?} {wiping:#?}"));
    let sent = server.tokens().iter().map(|seen| seen.body.clone()).collect::<String>();
    assert!(sent.contains(SECRET) && server.calls()[0].body.contains(&hash()), "it was sent");
    for secret in [SECRET, OPAQUE, "T0FzAQAwAAAT0FzAQAwAAA", "eyJ"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("aabb1234"), "what is to be shown is");
}

#[test]
fn no_library_logs_what_it_sends() {
    assert!(log::STATIC_MAX_LEVEL < log::LevelFilter::Trace, "ureq would log all of it");
}
