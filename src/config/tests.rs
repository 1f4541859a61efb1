use super::*;

fn parse(text: &str) -> Result<Config, Error> {
    Config::parse(text.as_bytes(), Path::new("conf/fleetform.yaml"))
}

/// `LINE:COLUMN: MESSAGE`
fn refusal(text: &str) -> String {
    let error = parse(text).expect_err(text);
    error.to_string().strip_prefix("conf/fleetform.yaml:").expect("the file first").to_owned()
}

#[test]
fn the_contract_s_example_says_the_defaults() {
    let config = parse(
        "fleet: ./fleet
data: ./.fleetform               # the ledger, the lock, the inbox
provider: {kind: local}
enrollment: {deadline: 30m}      # Pending longer than this becomes Failed
sync: {interval: 8h}             # a device not heard from for 3 intervals is overdue
compliance: {blockAfter: 24h}
limits: {maxRemovedPercent: 30, minFleet: 10}
trust: {allowedSigners: /etc/fleetform/allowed_signers, revokedKeys: null}
wipes:
  maxValidity: 72h
  delay: 0s                      # cooling-off between acceptance and issue
  quorum:                        # signatures of distinct people needed
    - {upTo: 3, per: 24h, signers: 1}
    - {upTo: 25, per: 24h, signers: 2}
",
    )
    .unwrap();
    let expected = Config {
        fleet: "conf/./fleet".into(),
        data: "conf/./.fleetform".into(),
        trust: Trust {
            allowed_signers: Some("/etc/fleetform/allowed_signers".into()),
            revoked_keys: None,
        },
        ..Config::default()
    };
    assert_eq!(config, expected);
}

#[test]
fn whatever_is_left_out_is_the_default() {
    let nothing = [
        "",
        "\n",
        "# nothing yet\n",
        "---\n",
        "{}",
        "wipes: {}",
        "trust:\n",
        "trust:\n  # later\nsync: {}\n",
        "wipes: {quorum: null}\n",
    ];
    for text in nothing {
        assert_eq!(parse(text), Ok(Config::default()), "{text:?}");
    }
}

#[test]
fn every_key_is_read() {
    let config = parse(
        "fleet: /srv/fleet\ndata: state\nenrollment: {deadline: 1h 30m}\nsync: {interval: 90s}\n\
         compliance: {blockAfter: 2d}\nlimits: {maxRemovedPercent: 0, minFleet: 0}\n\
         trust: {allowedSigners: a, revokedKeys: b}\nhttp: {listen: '[::1]:80', tokenFile: t}\n\
         wipes: {maxValidity: 1h, delay: 5m, quorum: [{upTo: 1, per: 1h, signers: 2}]}\n",
    )
    .unwrap();
    let expected = Config {
        fleet: "/srv/fleet".into(),
        data: "conf/state".into(),
        provider: ProviderKind::Local,
        settings: Settings {
            enrollment_deadline: TimeDelta::minutes(90),
            sync_interval: TimeDelta::seconds(90),
            block_after: TimeDelta::days(2),
            limits: Limits { max_removed_percent: 0, min_fleet: 0 },
            wipes: Wipes {
                max_validity: TimeDelta::hours(1),
                delay: TimeDelta::minutes(5),
                quorum: Tiers::new(vec![Tier { up_to: 1, per: TimeDelta::hours(1), signers: 2 }])
                    .unwrap(),
            },
        },
        trust: Trust {
            allowed_signers: Some("conf/a".into()),
            revoked_keys: Some("conf/b".into()),
        },
        http_listen: Some("[::1]:80".parse().unwrap()),
        http_token_file: Some("conf/t".into()),
    };
    assert_eq!(config, expected);
}

#[test]
fn an_error_says_where_what_and_what_is_allowed() {
    let table = [
        ("flet: x", "1:1: unknown field `flet`, expected one of `fleet`, `data`"),
        ("fleet: a\ndata: b\n\nflet: x", "4:1: unknown field `flet`"),
        ("sync: {interval: 8h}\nsync: {interval: 9h}", "1:1: duplicate field `sync`"),
        ("sync:\n  interval: 8h\n  interval: 9h", "duplicate field `interval`"),
        ("sync:\n  intervall: 8h", "2:3: sync: unknown field `intervall`, expected `interval`"),
        ("fleet: 8", "1:8: fleet: invalid type: integer `8`, expected a path (quote it"),
        ("fleet: ''", "1:8: fleet: invalid value: string \"\", expected a path"),
        ("fleet: [a]", "fleet: invalid type: sequence, expected a path"),
        ("provider: {kind: intune}", "1:18: provider.kind: must be one of local"),
        ("provider: local", "1:11: provider: invalid type: string \"local\", expected a mapping"),
        (
            "sync: {interval: 8}",
            "sync.interval: invalid type: integer `8`, expected a duration like",
        ),
        (
            "sync: {interval: 0s}",
            "1:18: sync.interval: invalid value: string \"0s\", expected a duration like 30m, 8h or 7d, more than 0",
        ),
        ("sync: {interval: -8h}", "more than 0"),
        ("sync: {interval: 1us}", "more than 0"),
        ("sync: {interval: 8 parsecs}", "a duration like 30m"),
        ("sync: {interval: 99999 years}", "a duration like 30m"),
        ("sync: {interval: 999999999999999999999999h}", "a duration like 30m"),
        (
            "wipes: {delay: -1s}",
            "1:16: wipes.delay: invalid value: string \"-1s\", expected a duration like 30m, 8h or 7d, 0s or more",
        ),
        ("wipes: {maxValidity: 0s}", "wipes.maxValidity: "),
        ("limits: [30, 10]", "1:9: limits: invalid type: sequence, expected a mapping"),
        (
            "limits: {maxRemovedPercent: 101}",
            "1:29: limits.maxRemovedPercent: invalid value: integer `101`, expected a whole number from 0 to 100",
        ),
        ("limits: {maxRemovedPercent: -1}", "expected a whole number from 0 to 100"),
        ("limits: {maxRemovedPercent: 30.5}", "expected a whole number from 0 to 100"),
        ("limits: {maxRemovedPercent: '30'}", "expected a whole number from 0 to 100"),
        (
            "limits: {minFleet: -1}",
            "limits.minFleet: invalid type: integer `-1`, expected a whole number of at least 0",
        ),
        (
            "http: {listen: 8080}",
            "http.listen: invalid type: integer `8080`, expected an address and a port",
        ),
        (
            "http: {listen: localhost}",
            "1:16: http.listen: invalid value: string \"localhost\", expected an address",
        ),
        (
            "wipes: {quorum: []}",
            "wipes.quorum: invalid length 0, expected a list of at least one tier",
        ),
        ("wipes: {quorum: {}}", "wipes.quorum: invalid type: map, expected a list"),
        (
            "wipes: {quorum: [[3, 24h, 1]]}",
            "wipes.quorum[0]: invalid type: sequence, expected a mapping",
        ),
        ("wipes: {quorum: [{upTo: 3, per: 24h}]}", "wipes.quorum[0]: missing field `signers`"),
        (
            "wipes: {quorum: [{upTo: 0, per: 24h, signers: 1}]}",
            "wipes.quorum[0].upTo: invalid value: integer `0`, expected a whole number of at least 1",
        ),
        ("wipes: {quorum: [{upTo: 1, per: 24h, signers: 0}]}", "wipes.quorum[0].signers: "),
        ("wipes: {quorum: [{upTo: 1, per: 0s, signers: 1}]}", "wipes.quorum[0].per: "),
        (
            "wipes:\n  quorum:\n    - {upTo: 3, per: 1h, signers: 1}\n    - {upTo: 3, per: 1h, signers: 2}",
            "3:5: wipes.quorum: needs upTo and signers to rise from each tier to the next",
        ),
        (
            "wipes: {quorum: [{upTo: 3, per: 1h, signers: 2}, {upTo: 4, per: 1h, signers: 1}]}",
            "needs upTo and signers to rise from each tier to the next",
        ),
        ("data: b: c", "1:8: mapping values are not allowed"),
        ("- fleet", "1:1: invalid type: sequence, expected a mapping"),
        ("fleet: a\n---\nfleet: b", "more than one document"),
        ("fleet: a\0b", "control characters are not allowed"),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let said = refusal(text);
        let placed = expected.starts_with(|c: char| c.is_ascii_digit());
        if if placed { !said.starts_with(expected) } else { !said.contains(expected) } {
            wrong.push(format!("{text:?}\n  said     {said}\n  expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_a_file_that_was_named_must_exist() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.yaml");
    let error = Config::load(Some(&path)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: no such file; --config names a file that exists", path.display())
    );
    // The tests run in the package's directory, which has no fleetform.yaml.
    assert_eq!(Config::load(None), Ok(Config::default()));
}

#[test]
fn paths_are_relative_to_the_file_that_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fleetform.yaml");
    write(&path, b"fleet: ../manifests\n");
    let config = Config::load(Some(&path)).unwrap();
    assert_eq!(config.fleet, dir.path().join("../manifests"));
    assert_eq!(config.data, Path::new("./.fleetform"), "a default is the working directory's");
}

#[test]
fn what_is_no_file_neither_hangs_nor_fills_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
        .unwrap();
    let large = dir.path().join("large");
    write(&large, &vec![b'#'; 1 + (1 << 20)]);
    for (path, why) in [
        (fifo.as_path(), "not a regular file"),
        (dir.path(), "not a regular file"),
        (&large, "larger than"),
    ] {
        let error = Config::load(Some(path)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own file may be torn")]
fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn utf_16_says_so() {
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let text: Vec<u8> = "\u{feff}fleet: x\n".encode_utf16().flat_map(bytes).collect();
        let error = Config::parse(&text, Path::new("fleetform.yaml")).unwrap_err().to_string();
        assert!(error.starts_with("fleetform.yaml:1:1: the file is UTF-16, not UTF-8"), "{error}");
    }
}
