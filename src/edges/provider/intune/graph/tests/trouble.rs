//! What stands in the way of a connection, as it is told.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use ureq::Proxy;
use ureq::tls::Certificate;

use super::super::call::Call;
use super::super::failure::Failure;
use super::server::{Server, read, write};
use super::*;

/// A certificate authority, and what it issues.
fn authority(place: &Place) {
    let args = "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 30 -subj /CN=CA";
    openssl(place.0.path(), &args.split(' ').collect::<Vec<_>>());
}

/// A certificate for a name, valid between two dates.
fn issued(place: &Place, name: &str, subject: &str, from: &str, to: &str) {
    let dir = place.0.path();
    place.write("index.txt", "");
    place.write("ext", format!("subjectAltName={subject}\n"));
    let config = "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\n\
                  default_md=sha256\npolicy=p\nx509_extensions=x\n[x]\n[p]\ncommonName=supplied\n";
    place.write("ca.cnf", config);
    place.write("serial", "01\n");
    let request =
        format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN=server");
    openssl(dir, &request.split(' ').collect::<Vec<_>>());
    let sign = format!(
        "ca -batch -notext -config ca.cnf -cert ca.crt -keyfile ca.key -in {name}.csr -out \
         {name}.crt -extfile ext -startdate {from} -enddate {to}"
    );
    openssl(dir, &sign.split(' ').collect::<Vec<_>>());
}

/// A server that speaks TLS with this certificate, and answers everything with `{}`.
fn tls_server(place: &Place, name: &str) -> SocketAddr {
    let pem = |ending: &str| fs::read(place.path(&format!("{name}.{ending}"))).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(&pem("crt")).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&pem("key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, stream.unwrap()));
            thread::spawn(move || {
                while let Some(seen) = read(0, &mut stream) {
                    let token =
                        json!({"token_type": "Bearer", "expires_in": 9, "access_token": "x"});
                    let body = if seen.is_token() { token } else { json!({}) };
                    write(stream.get_mut(), 200, &[], &body);
                }
            });
        }
    });
    address
}

/// A server that says this to whoever comes.
fn saying(text: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(text.as_bytes());
                // Who closes on unread bytes takes back what was said.
                let _ = stream.shutdown(Shutdown::Write);
                let _ = stream.read_to_end(&mut Vec::new());
            });
        }
    });
    address
}

/// What comes of a call that is made once there.
async fn asked(url: &str, network: Network) -> Result<(), Failure> {
    let place = Place::new();
    let graph = Everyday::new(tenant_at(url, network), place.credentials(CLIENT));
    graph.write_once(Call::post("/groups", json!({}))).await.map(drop)
}

async fn trouble(url: &str, network: Network) -> String {
    let failure = asked(url, network).await.unwrap_err();
    assert!(failure.surely_not_taken(), "{failure}");
    failure.to_string()
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_is_told_with_the_reason() {
    let place = Place::new();
    authority(&place);
    let (past, begin, end) = ("20200101000000Z", "20200102000000Z", "20990101000000Z");
    let local = "IP:127.0.0.1,DNS:localhost";
    issued(&place, "good", local, past, end);
    issued(&place, "expired", local, past, begin);
    issued(&place, "early", local, "20980101000000Z", end);
    issued(&place, "other", "DNS:graph.example.com", past, end);
    let root = Certificate::from_pem(&fs::read(place.path("ca.crt")).unwrap()).unwrap();
    let trusting =
        || Network { roots: RootCerts::new_with_certs(std::slice::from_ref(&root)), ..network() };
    let url = |name: &str| format!("https://{}", tls_server(&place, name));
    asked(&url("good"), trusting()).await.unwrap();
    for (name, why) in [
        ("expired", "it has expired; if it has not, the clock"),
        ("early", "not valid yet: check the clock"),
        ("other", "it is for another name: check the URL"),
    ] {
        let said = trouble(&url(name), trusting()).await;
        assert!(said.contains(why) && said.contains("certificate of 127.0.0.1"), "{name}: {said}");
    }
    let said = trouble(&url("good"), network()).await;
    assert!(
        said.contains("does not trust who issued it") && said.contains("SSL_CERT_FILE"),
        "{said}"
    );
}

#[tokio::test]
async fn whatever_else_stands_in_the_way_is_told_with_what_to_do() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = trouble(&format!("https://{closed}"), network()).await;
    assert!(said.contains("127.0.0.1 refuses the connection: check that the firewall"), "{said}");
    let said = trouble("https://graph.invalid", network()).await;
    assert!(
        said.contains("there is no host \"graph.invalid\", or DNS does not know it: check"),
        "{said}"
    );
    let plain = saying("HTTP/1.1 400 Bad Request\r\n\r\n");
    let said = trouble(&format!("https://{plain}"), network()).await;
    assert!(said.contains("does not speak TLS: check the URL and its port"), "{said}");
}

#[tokio::test]
async fn a_proxy_is_named_in_what_is_told_and_not_asked_for_this_machine() {
    let refusing =
        saying("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    let proxy = |at: SocketAddr| Proxy::new(&format!("http://me:hunter2@{at}")).unwrap();
    let through = |at| Network { proxy: Some(proxy(at)), ..network() };
    let said = trouble("https://graph.invalid", through(refusing)).await;
    assert!(said.contains(&format!("{refusing} does not lead to graph.invalid")), "{said}");
    assert!(said.contains("HTTPS_PROXY and NO_PROXY") && said.contains("407"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = trouble("https://graph.invalid", through(closed)).await;
    assert!(said.contains("refuses the connection: check HTTPS_PROXY"), "{said}");
    assert!(said.contains(&closed.to_string()), "{said}");
    let server = Server::new(|_, _| None);
    asked(&server.url(), through(closed)).await.unwrap();
}
