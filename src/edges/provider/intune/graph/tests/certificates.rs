use std::collections::BTreeMap;

use serde_json::Value;

use super::super::call::Call;
use super::super::certificate::Certificate;
use super::super::credentials::{Credentials, Proof};
use super::super::failure::Failure;
use super::super::registrations::Everyday;
use super::server::Server;
use super::*;
use crate::domain::model::Timestamp;

/// Makes `name.key` and `name.crt`.
fn made(place: &Place, name: &str, key: &[&str], days: &str) {
    let (key_file, certificate) = (format!("{name}.key"), format!("{name}.crt"));
    let args = [&["genpkey", "-out", &key_file][..], key].concat();
    openssl(place.0.path(), &args);
    let args = [
        "req",
        "-x509",
        "-new",
        "-key",
        &key_file,
        "-out",
        &certificate,
        "-days",
        days,
        "-subj",
        "/CN=fleetform/O=Contoso, ÄÖ & Co",
    ];
    openssl(place.0.path(), &args);
}

const RSA: [&str; 4] = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];

fn joined(place: &Place, names: &[&str]) -> Vec<u8> {
    names.iter().flat_map(|name| fs::read(place.path(name)).unwrap()).collect()
}

fn why(place: &Place, names: &[&str]) -> String {
    Certificate::parse(&joined(place, names)).unwrap_err()
}

/// What `openssl x509` says the end of a certificate is.
fn end_by_openssl(place: &Place, name: &str) -> Timestamp {
    let args = ["x509", "-in", name, "-noout", "-enddate", "-dateopt", "iso_8601"];
    let said = openssl(place.0.path(), &args);
    said.trim().trim_start_matches("notAfter=").replace(' ', "T").parse().unwrap()
}

#[test]
fn a_certificate_is_read_with_its_key_in_whatever_order_and_form() {
    let place = Place::new();
    made(&place, "a", &RSA, "90");
    made(&place, "b", &RSA, "90");
    made(&place, "late", &RSA, "12600");
    let dir = place.0.path();
    openssl(dir, &["rsa", "-in", "a.key", "-traditional", "-out", "a.pkcs1"]);
    for names in
        [&["a.key", "a.crt"][..], &["a.crt", "a.key"], &["b.crt", "a.pkcs1", "late.crt", "a.crt"]]
    {
        let certificate = Certificate::parse(&joined(&place, names)).unwrap();
        assert_eq!(certificate.not_after(), Some(end_by_openssl(&place, "a.crt")), "{names:?}");
        assert_eq!(format!("{certificate:?}"), "Certificate(…)");
    }
    let late = Certificate::parse(&joined(&place, &["late.key", "late.crt"])).unwrap();
    let end = late.not_after().unwrap();
    assert_eq!(end, end_by_openssl(&place, "late.crt"));
    assert!(end > "2060-01-01T00:00:00Z".parse().unwrap(), "spelled otherwise: {end}");
}

#[test]
fn what_entra_would_not_take_is_refused_by_name() {
    let place = Place::new();
    made(&place, "a", &RSA, "90");
    made(&place, "b", &RSA, "90");
    made(&place, "small", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], "90");
    made(&place, "ec", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "90");
    let dir = place.0.path();
    let encrypt = ["-aes128", "-passout", "pass:hunter2"];
    openssl(dir, &[&["pkey", "-in", "a.key", "-out", "a.enc"][..], &encrypt].concat());
    let old = ["rsa", "-in", "a.key", "-traditional", "-out", "a.old"];
    openssl(dir, &[&old[..], &encrypt].concat());
    openssl(dir, &["ec", "-in", "ec.key", "-out", "ec.sec1"]);
    place.write("nothing", "nothing\n");
    for (names, expected) in [
        (&["a.enc", "a.crt"][..], "has an encrypted key"),
        (&["a.old", "a.crt"], "has an encrypted key"),
        (&["ec.key", "ec.crt"], "not RSA"),
        (&["ec.sec1", "ec.crt"], "not RSA"),
        (&["small.key", "small.crt"], "2048 to 4096 bits (TooSmall)"),
        (&["a.key", "b.crt"], "no certificate that belongs to its key"),
        (&["a.key"], "a key and no certificate"),
        (&["a.crt"], "no private key in PEM"),
        (&["nothing"], "no private key in PEM"),
    ] {
        let why = why(&place, names);
        assert!(why.contains(expected), "{names:?}: {why}");
    }
}

#[tokio::test]
async fn what_is_signed_openssl_verifies() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    made(&place, "a", &RSA, "90");
    let path = place.write("both.pem", joined(&place, &["a.key", "a.crt"]));
    let credentials = Credentials::new(CLIENT, Proof::Certificate(path));
    let graph = Everyday::new(tenant(&server), credentials);
    graph.read(Call::get("/users")).await.unwrap();
    let end = graph.certificate_not_after().await.unwrap();
    assert_eq!(end, Some(end_by_openssl(&place, "a.crt")));

    let body = &server.tokens()[0].body;
    let form: BTreeMap<&str, &str> = body.split('&').filter_map(|it| it.split_once('=')).collect();
    assert_eq!(form["client_id"], CLIENT);
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    assert_eq!(form["client_assertion_type"], kind);
    assert!(!form.contains_key("client_secret"));
    let (signed, signature) = form["client_assertion"].rsplit_once('.').unwrap();
    place.write("signed", signed);
    place.write("signature", BASE64.decode(signature).unwrap());
    let dir = place.0.path();
    openssl(dir, &["x509", "-in", "a.crt", "-noout", "-pubkey", "-out", "a.pub"]);
    let verified = openssl(
        dir,
        &[
            "dgst",
            "-sha256",
            "-sigopt",
            "rsa_padding_mode:pss",
            "-sigopt",
            "rsa_pss_saltlen:32",
            "-verify",
            "a.pub",
            "-signature",
            "signature",
            "signed",
        ],
    );
    assert_eq!(verified.trim(), "Verified OK");

    let parts: Vec<Value> = signed
        .split('.')
        .map(|part| serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap())
        .collect();
    let printed = openssl(dir, &["x509", "-in", "a.crt", "-noout", "-fingerprint", "-sha256"]);
    let hex = printed.trim().split_once('=').unwrap().1;
    let print: Vec<u8> = hex.split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    assert_eq!(parts[0], json!({"alg": "PS256", "typ": "JWT", "x5t#S256": BASE64.encode(print)}));
    let claims = &parts[1];
    assert_eq!(claims["aud"], format!("{}{TOKEN_PATH}", server.url()));
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT), &json!(CLIENT)));
    let (from, to) = (claims["nbf"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    let now = now().millis() / 1000;
    assert!(from < now && now < to && to - from <= 600, "{claims}");
    assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_said_with_its_file() {
    let (place, server) = (Place::new(), Server::new(|_, _| None));
    let path = place.write("both.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    let credentials = Credentials::new(CLIENT, Proof::Certificate(path));
    let graph = Everyday::new(tenant(&server), credentials);
    let failure = graph.read(Call::get("/users")).await.unwrap_err();
    assert!(matches!(failure, Failure::Secret { .. }));
    assert!(failure.to_string().contains("/both.pem: has an encrypted key"), "{failure}");
    assert_eq!(graph.certificate_not_after().await.unwrap_err(), failure);
}
