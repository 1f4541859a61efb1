use super::super::call::Call;
use super::server::Server;
use super::*;

fn wipe() -> Call {
    Call::post("/deviceManagement/managedDevices/1/wipe", json!({"keepUserData": false}))
}

fn retire() -> Call {
    Call::post_empty("/deviceManagement/managedDevices/1/retire")
}

/// Which registration has which token.
fn asked_by(server: &Server, client: &str) -> Vec<String> {
    let body = format!("client_id={client}&");
    let tokens = server.tokens();
    let numbers = tokens.iter().enumerate().filter(|(_, seen)| seen.body.starts_with(&body));
    numbers.map(|(n, _)| format!("Bearer {}", access_token(n))).collect()
}

#[tokio::test]
async fn each_call_is_made_with_the_token_of_its_own_registration() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let tenant = tenant(&server);
    let everyday = Everyday::new(tenant.clone(), place.credentials(CLIENT));
    let wiping = Wiping::new(tenant, place.credentials(WIPER));
    wiping.write_once(wipe()).await.unwrap();
    everyday.read(Call::get("/users")).await.unwrap();
    wiping.write_once(retire()).await.unwrap();
    everyday.write(Call::patch("/groups/1", json!({}))).await.unwrap();
    let (everyday, wiping) = (asked_by(&server, CLIENT), asked_by(&server, WIPER));
    assert_eq!((everyday.len(), wiping.len()), (1, 1));
    for seen in server.calls() {
        let destroys = seen.target.ends_with("/wipe") || seen.target.ends_with("/retire");
        let expected = if destroys { &wiping[0] } else { &everyday[0] };
        assert_eq!(seen.header("authorization"), Some(expected.as_str()), "{}", seen.target);
    }
}

#[tokio::test]
#[should_panic(expected = "is not a call of the everyday registration")]
async fn the_everyday_registration_cannot_wipe() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let _ = place.everyday(&server).write_once(wipe()).await;
}

#[tokio::test]
#[should_panic(expected = "is not a call of the everyday registration")]
async fn the_everyday_registration_cannot_retire() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let _ = place.everyday(&server).write(retire()).await;
}

#[tokio::test]
#[should_panic(expected = "is not a call of the wiping registration")]
async fn the_wiping_registration_does_nothing_else() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let _ = place.wiping(&server).read(Call::get("/users")).await;
}
