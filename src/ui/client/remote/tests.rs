use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn token() -> Option<Secret> {
    Some(Secret::new("0123456789abcdef").unwrap())
}

fn remote(url: &str, token: Option<Secret>) -> Result<Remote, Error> {
    Remote::new(url, token, false, None, SECOND)
}

#[test]
fn addresses() {
    for (url, asked) in [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v1/state"),
        ("https://fleet.example.com/", "https://fleet.example.com/api/v1/state"),
        ("https://example.com/fleet/form", "https://example.com/fleet/form/api/v1/state"),
    ] {
        assert_eq!(format!("{}{PATH}", remote(url, token()).unwrap().url), asked);
    }
    for (url, why) in [
        ("", "not a URL"),
        ("fleet.example.com", "neither"),
        ("ftp://fleet.example.com", "neither"),
        ("/var/run/x", "neither"),
        ("https://user:hunter2@fleet.example.com", "give a token"),
        ("https://fleet.example.com/?x=1", "a query or a fragment"),
        ("https://fleet.example.com/#x", "a query or a fragment"),
        ("https://fleet example.com", "not a URL"),
    ] {
        let error = remote(url, None).unwrap_err().to_string();
        assert!(error.contains(why), "{url}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_token_goes_in_the_clear_only_to_oneself() {
    for (url, fine) in [
        ("http://127.0.0.1:1", true),
        ("http://127.9.9.9:1", true),
        ("http://[::1]:1", true),
        ("http://LOCALHOST", true),
        ("https://10.0.0.1", true),
        ("http://10.0.0.1", false),
        ("http://localhost.example.com", false),
        ("http://fleet.example.com", false),
    ] {
        let result = remote(url, token());
        assert_eq!(result.is_ok(), fine, "{url}");
        if let Err(error) = result {
            assert!(matches!(error, Error::Plain(_)), "{error}");
        }
        remote(url, None).unwrap();
        Remote::new(url, token(), true, None, SECOND).unwrap();
    }
}

/// What comes of one answer, of which no more than `largest` bytes are read.
fn asked(answer: &'static [u8], largest: u64) -> Error {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        let _ = stream.write_all(answer);
        String::from_utf8(request).unwrap()
    });
    let mut remote = remote(&format!("http://{address}"), token()).unwrap();
    remote.largest = largest;
    let error = remote.recorded().unwrap_err();
    let request = server.join().unwrap();
    assert!(request.contains("authorization: Bearer 0123456789abcdef\r\n"), "{request}");
    assert!(!format!("{error} {error:?} {remote:?}").contains("0123456789abcdef"));
    error
}

#[test]
fn answers_that_are_no_state() {
    const STATE: &str = "content-type: application/vnd.fleetform.state+json; version=1";
    for (answer, largest, why) in [
        ("200 OK\r\ncontent-length: 2\r\n\r\nhi", LARGEST, "is not a fleetform daemon"),
        (
            "200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n",
            LARGEST,
            "is not a fleet",
        ),
        ("200 OK\r\nS\r\ncontent-length: 2\r\n\r\n{}", LARGEST, "is not a fleetform daemon"),
        ("200 OK\r\nS\r\ncontent-length: 99\r\n\r\n{}", LARGEST, "the connection was closed"),
        (
            "200 OK\r\nS\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{\n\r\n",
            LARGEST,
            "did not arrive completely",
        ),
        ("200 OK\r\nS\r\ncontent-length: 8\r\n\r\n{\n  \"at\"", 5, "larger than 5 bytes"),
        (
            "200 OK\r\ncontent-type: application/vnd.fleetform.state+json; version=2\r\n\
             content-length: 0\r\n\r\n",
            LARGEST,
            "version=2",
        ),
        ("401 No\r\ncontent-length: 0\r\n\r\n", LARGEST, "wants another token"),
        (
            "302 Found\r\nlocation: https://evil.example.com/\r\ncontent-length: 0\r\n\r\n",
            LARGEST,
            "points to \"https://evil.example.com/\", and redirects are not followed",
        ),
        (
            "404 Not Found\r\ncontent-length: 36\r\n\r\n{\"version\": 1, \"error\": \"no such one\"}",
            LARGEST,
            "answers 404 Not Found",
        ),
        (
            "500 Oops\r\ncontent-length: 38\r\n\r\n{\"version\": 1, \"error\": \"no such one\"}",
            LARGEST,
            "answers 500 Internal Server Error: no such one",
        ),
        (
            "503 Busy\r\ncontent-length: 38\r\n\r\n{\"version\": 1, \"error\": \"no such one\"}",
            LARGEST,
            "answers 503 Service Unavailable: no such one",
        ),
        ("nonsense\r\n\r\n", LARGEST, "cannot ask"),
        ("", LARGEST, "the connection was closed"),
    ] {
        let answer =
            format!("HTTP/1.1 {}", answer.replace("\r\nS\r\n", &format!("\r\n{STATE}\r\n")));
        let answer: &'static [u8] = answer.into_bytes().leak();
        let error = asked(answer, largest).to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
}

#[test]
fn nobody_is_waited_for_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let error = remote(&url, None).unwrap().recorded().unwrap_err();
    assert!(error.to_string().ends_with("it takes too long"), "{error}");
    // Nobody listens on the near end of a connection, and no other test can take its port.
    let taken = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    let error = remote(&url, None).unwrap().recorded().unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}
