use std::collections::BTreeMap;
use std::path::Path;

use chrono::TimeDelta;
use rustix::fs::{FileType, Mode};

use super::*;
use crate::domain::access::{Requirement, Resource, Rules, Users};
use crate::domain::model::Digest;
use crate::domain::notify_settings::{AlertSettings, NotifySettings};
use crate::domain::provider_settings::ProviderSettings;
use crate::domain::settings::{FreezeLimits, Settings, Wipes};
use crate::domain::wipe::quorum::{Tier, Tiers};

fn parse(text: &str) -> Result<Config, Error> {
    let config = Config::parse(text.as_bytes(), Path::new("conf/fleetform.yaml"))?;
    assert_eq!(config.digest, Some(Digest::of(text.as_bytes())));
    Ok(Config { digest: None, ..config })
}

/// `LINE:COLUMN: MESSAGE`
fn refusal(text: &str) -> String {
    let error = parse(text).expect_err(text);
    error.to_string().strip_prefix("conf/fleetform.yaml:").expect("the file first").to_owned()
}

/// Of a file outside of every checkout.
fn load(explicit: Option<&Path>) -> Result<Config, Error> {
    Config::load(explicit, None).map(|loaded| loaded.config)
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
  requireHead: false
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
        data_is_named: true,
        trust: TrustPaths {
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
    let beside =
        Config { fleet: "conf/fleet".into(), data: "conf/.fleetform".into(), ..Config::default() };
    for text in nothing {
        assert_eq!(parse(text).as_ref(), Ok(&beside), "{text:?}");
    }
}

#[test]
fn every_key_is_read() {
    let config = parse(
        "fleet: /srv/fleet\ndata: state\nenrollment: {deadline: 1h 30m}\nsync: {interval: 90s}\n\
         compliance: {blockAfter: 2d}\norphans: {archiveAfter: 90d}\nlimits: {maxRemovedPercent: 0, minFleet: 0}\n\
         trust: {allowedSigners: a, revokedKeys: b}\nhttp: {listen: '[::1]:80', tokenFile: t,\
         names: [Fleet.example.com, '[fd00::7]', 10.0.0.5]}\nnotify: {alerts: {stuckAfter: 2h}}\n\
         wipes: {requireHead: true, maxValidity: 1h, delay: 5m, quorum: [{upTo: 1, per: 1h, signers: 2}]}\n\
         access: {publicUrl: 'https://fleet.example.com/', maxAge: 1h, tokenFile: a, helpUrl: 'https://it.example.com',\
         resources: {SAP: {require: [fresh, corporate], users: any}}}\n",
    )
    .unwrap();
    let expected = Config {
        fleet: "/srv/fleet".into(),
        data: "conf/state".into(),
        data_is_named: true,
        provider: ProviderSettings::Local,
        settings: Settings {
            enrollment_deadline: TimeDelta::minutes(90),
            sync_interval: TimeDelta::seconds(90),
            block_after: TimeDelta::days(2),
            archive_after: Some(TimeDelta::days(90)),
            limits: FreezeLimits { max_removed_percent: 0, min_fleet: 0 },
            wipes: Wipes {
                require_head: true,
                max_validity: TimeDelta::hours(1),
                delay: TimeDelta::minutes(5),
                quorum: Tiers::new(vec![Tier { up_to: 1, per: TimeDelta::hours(1), signers: 2 }])
                    .unwrap(),
            },
            ..Settings::default()
        },
        trust: TrustPaths {
            allowed_signers: Some("conf/a".into()),
            revoked_keys: Some("conf/b".into()),
        },
        http_listen: Some("[::1]:80".parse().unwrap()),
        http_token_file: Some("conf/t".into()),
        digest: None,
        http_names: vec!["Fleet.example.com".into(), "[fd00::7]".into(), "10.0.0.5".into()],
        access: Some(Access {
            rules: Rules {
                resources: BTreeMap::from([(
                    "SAP".into(),
                    Resource {
                        require: vec![Requirement::Fresh, Requirement::Corporate],
                        users: Users::Any,
                    },
                )]),
                max_age: TimeDelta::hours(1),
                help_url: Some("https://it.example.com".into()),
            },
            public_url: Some("https://fleet.example.com".into()),
            token_file: Some("conf/a".into()),
        }),
        index: true,
        notify: NotifySettings {
            alerts: AlertSettings { stuck_after: TimeDelta::hours(2), ..AlertSettings::default() },
            ..NotifySettings::default()
        },
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
        ("provider: {kind: jamf}", "provider.kind: must be one of local, intune"),
        ("provider: {kind: intune}", "`provider.tenant` is missing"),
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
        (
            "notify: {alerts: {stuckAfter: 3s}}",
            "string \"3s\", expected a duration like 30m, 8h or 7d, at least 1m",
        ),
        ("notify: {alerts: {unreconciledAfter: 59s}}", "at least 1m"),
        ("access: {maxAge: 10ms}", "at least 1s"),
        ("sync: {interval: 8 parsecs}", "a duration like 30m"),
        ("sync: {interval: 99999 years}", "a duration like 30m"),
        ("sync: {interval: 999999999999999999999999h}", "a duration like 30m"),
        (
            "wipes: {delay: -1s}",
            "1:16: wipes.delay: invalid value: string \"-1s\", expected a duration like 30m, 8h or 7d, 0s or more",
        ),
        ("wipes: {maxValidity: 0s}", "wipes.maxValidity: "),
        ("wipes: {requireHead: maybe}", "wipes.requireHead: "),
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
        ("http: {names: fleet.example.com}", "http.names: invalid type: string"),
        (
            "http: {names: ['*']}",
            "http.names: invalid value: string \"*\", expected a list of host",
        ),
        ("http: {names: ['a.example:80']}", "a list of host names or addresses as they stand in"),
        ("http: {names: ['https://a.example']}", "without a port"),
        ("http: {names: ['fd00::7']}", "without a port"),
        ("http: {names: ['a.example.']}", "without a port"),
        ("http: {names: ['']}", "http.names"),
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
        ("notify: {mail: {transport: graph, from: a@b.c}}", "needs `provider.kind: intune`"),
        ("notify: {sms: {}}", "notify: unknown field `sms`"),
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
    let error = load(Some(&path)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: no such file; --config names a file that exists", path.display())
    );
    // The tests run in the package's directory, which has no fleetform.yaml.
    assert_eq!(load(None), Ok(Config::default()));
}

#[test]
fn paths_are_relative_to_the_file_that_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fleetform.yaml");
    write(&path, b"fleet: ../manifests\n");
    let config = load(Some(&path)).unwrap();
    assert_eq!(config.fleet, dir.path().join("../manifests"));
    assert_eq!(config.data, dir.path().join(".fleetform"), "a default as well");
    write(&path, b"{}\n");
    assert_eq!(load(Some(&path)).unwrap().fleet.to_str(), dir.path().join("fleet").to_str());
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
        let error = load(Some(path)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// A directory with a checkout in `repo`, and `outside` of it.
fn checkout() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().canonicalize().unwrap();
    for path in ["repo/.git", "repo/fleet", "repo/conf", "outside"] {
        std::fs::create_dir_all(at.join(path)).unwrap();
    }
    (dir, at)
}

const ALL_KEYS: &[u8] = b"fleet: FLEET\ndata: /elsewhere\nprovider: {kind: local}\n\
    enrollment: {deadline: 1h}\nsync: {interval: 1h}\ncompliance: {blockAfter: 1h}\n\
    limits: {maxRemovedPercent: 100}\ntrust: {allowedSigners: /evil}\nwipes: {delay: 1h}\n\
    http: {listen: \"127.0.0.1:1\"}\naccess: {resources: {SAP: {require: [declared]}}}\n\
    notify: {mail: {server: a, from: a@b.c}}\n";

#[test]
fn in_a_checkout_only_the_fleet_directory_counts() {
    let (_dir, at) = checkout();
    let symlink = |to: &str, link: &str| {
        std::os::unix::fs::symlink(at.join(to), at.join(link)).unwrap();
    };
    let text = |fleet: &str| {
        let text = std::str::from_utf8(ALL_KEYS).unwrap();
        text.replace("FLEET", at.join(fleet).to_str().unwrap())
    };
    write(&at.join("repo/f.yaml"), text("repo/fleet").as_bytes());
    write(&at.join("repo/fleet/f.yaml"), text("repo/fleet").as_bytes());
    write(&at.join("outside/f.yaml"), text("repo/fleet").as_bytes());
    symlink("repo/f.yaml", "outside/to-inside.yaml");
    symlink("outside/f.yaml", "repo/to-outside.yaml");
    symlink("repo/conf", "outside/conf");
    write(&at.join("repo/conf/f.yaml"), text("repo/fleet").as_bytes());
    for (file, counts) in [
        ("repo/f.yaml", false),
        ("repo/fleet/f.yaml", false),
        ("outside/../repo/f.yaml", false),
        ("outside/to-inside.yaml", false),
        ("repo/to-outside.yaml", false),
        ("outside/conf/f.yaml", false),
        ("outside/f.yaml", true),
    ] {
        let loaded = Config::load(Some(&at.join(file)), None).unwrap();
        assert_eq!(loaded.ignored.is_none(), counts, "{file}");
        assert_eq!(loaded.config.fleet, at.join("repo/fleet"), "{file}");
        assert_eq!(loaded.config.settings == Settings::default(), !counts, "{file}");
        assert_eq!(loaded.config.trust == TrustPaths::default(), !counts, "{file}");
        assert_eq!(loaded.config.http_listen.is_none(), !counts, "{file}");
        assert_eq!(loaded.config.access.is_none(), !counts, "{file}");
        assert_eq!(loaded.config.notify == NotifySettings::default(), !counts, "{file}");
        if let Some(ignored) = loaded.ignored {
            assert_eq!(loaded.config.data, at.join(file).with_file_name(".fleetform"));
            assert_eq!(ignored.checkout, at.join("repo"));
            let keys =
                "access compliance data enrollment http limits notify provider sync trust wipes";
            assert_eq!(ignored.keys.join(" "), keys, "every key but fleet");
        }
    }
    // What gives nothing is not complained of.
    write(&at.join("repo/f.yaml"), b"fleet: ./fleet\ntrust:\n");
    assert_eq!(Config::load(Some(&at.join("repo/f.yaml")), None).unwrap().ignored, None);
}

#[test]
fn what_holds_the_fleet_directory_is_a_checkout_whatever_leads_there() {
    let (_dir, at) = checkout();
    let load = |fleet: &str| {
        let text = b"trust: {allowedSigners: /etc/x}\n";
        write(&at.join("repo/conf/f.yaml"), text);
        let loaded = Config::load(Some(&at.join("repo/conf/f.yaml")), Some(&at.join(fleet)));
        loaded.unwrap().ignored.map(|ignored| ignored.checkout)
    };
    let repo = Some(at.join("repo"));
    assert_eq!(load("repo/fleet"), repo);
    assert_eq!(load("repo/not-there/yet"), repo);
    assert_eq!(load("outside"), None);
    // A submodule is a work tree in a work tree.
    std::fs::create_dir_all(at.join("repo/sub/fleet")).unwrap();
    write(&at.join("repo/sub/.git"), b"gitdir: ../.git/modules/sub\n");
    assert_eq!(load("repo/sub/fleet"), repo);
    // The way there, as git-sync makes it, and a link that a change can turn elsewhere.
    std::os::unix::fs::symlink(at.join("repo/fleet"), at.join("current")).unwrap();
    assert_eq!(load("current"), repo);
    std::os::unix::fs::symlink(at.join("outside"), at.join("repo/linked")).unwrap();
    assert_eq!(load("repo/linked"), repo);
    // Without `.git`, as in an export, it is the fleet directory itself.
    std::fs::remove_dir(at.join("repo/.git")).unwrap();
    assert_eq!(load("repo/fleet"), None);
    assert_eq!(load("repo/conf"), Some(at.join("repo/conf")));
}

#[test]
fn utf_16_says_so() {
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let text: Vec<u8> = "\u{feff}fleet: x\n".encode_utf16().flat_map(bytes).collect();
        let error = Config::parse(&text, Path::new("fleetform.yaml")).unwrap_err().to_string();
        assert!(error.starts_with("fleetform.yaml:1:1: the file is UTF-16, not UTF-8"), "{error}");
    }
}
