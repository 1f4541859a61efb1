use std::sync::Arc;
use std::{fs, io};

use expect_test::expect;

use super::text::wipe_text;
use super::{Context, Side, github, json, markdown, text};
use crate::domain::diff::{FleetDiff, diff};
use crate::domain::fleet::{Desired, assemble};
use crate::domain::manifest::parse_file;
use crate::domain::model::Timestamp;
use crate::domain::wipe::Namespace;
use crate::domain::wipe::testing::TestKey;
use crate::domain::wipe::trust::Trust;
use crate::edges::source;
use crate::ui::render::out::Out;
use crate::ui::render::tests::{assert_commands, assert_harmless, assert_markdown, directory};

fn context() -> Context<'static> {
    Context {
        root: "./fleet",
        base: Side { name: "main", commit: Some("0123456789abcdef0123456789abcdef01234567") },
        head: Side { name: "./fleet", commit: None },
        trust: None,
        freeze: None,
        now: Timestamp::from_millis(1_763_800_000_000),
    }
}

fn fleet(files: &[(&str, &str)]) -> Desired {
    assemble(files.iter().map(|(path, text)| parse_file(&(*path).into(), text.as_bytes())))
}

fn device(name: &str, serial: &str, version: &str) -> String {
    format!(
        "apiVersion: fleetform/v1\nkind: Device\nmetadata: {{name: {name}}}\nspec:\n  \
         serialNumber: {serial}\n  userEmail: {name}@example.com\n  profile: Standard\n  \
         osVersion: \"{version}\"\n"
    )
}

const WIPE: &str = "apiVersion: fleetform/v1\nkind: WipeRequest\nmetadata: {name: w}\nspec:\n  \
    ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21\n  deviceId: D007\n  serialNumber: A1\n  scope: full\n  reason: lost\n  \
    requestedBy: bob@example.com\n  confirm: true\n  issuedAt: 2026-11-22T10:00:00Z\n  \
    expiresAt: 2026-11-23T10:00:00Z\n";

/// One of everything.
fn sample() -> FleetDiff {
    let profile = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\n\
                   spec: {platforms: [windows], apps: [VPN], settings: {a: 1, b: 2}}\n";
    let newer = profile.replace("[VPN]", "[VPN, Mail]");
    let (a, b, c) = (device("a", "A1", "1.0"), device("b", "B1", "1.0"), device("c", "C1", "1.0"));
    let base = fleet(&[
        ("p.yaml", profile),
        ("a.yaml", &a),
        ("b.yaml", &b),
        ("c.yaml", &c),
        ("d.yaml", &device("d", "D1", "1.0")),
        ("f.yaml", "f: ["),
    ]);
    let head = fleet(&[
        ("p.yaml", &newer),
        ("a.yaml", &device("a", "A1", "1.1")),
        ("x/b.yaml", &b),
        ("c.yaml", &c.replace("osVersion", "osVersoin")),
        ("e.yaml", &device("e", "E1", "1.0")),
        ("w.yaml", WIPE),
    ]);
    diff(&base, &head)
}

fn drawn(
    diff: &FleetDiff,
    draw: fn(&mut Out, &FleetDiff, Context<'_>) -> io::Result<()>,
) -> String {
    Out::captured(|out| draw(out, diff, context())).unwrap()
}

#[test]
fn as_text() {
    expect![[r#"
        + added    WIPE REQUEST w: D007 (A1), full wipe, lost  ./fleet/w.yaml:1
              requester bob@example.com
              expires   2026-11-23T10:00:00Z
              signed    by nobody
        ~ changed  profile Standard  reaches 3 devices
              apps:
                  - VPN
                + - Mail
              devices: a (A1), b (B1), e (E1)
        ~ changed  A1  a  ./fleet/a.yaml:1
              osVersion: 1.0 -> 1.1
        > moved    B1  b  ./fleet/x/b.yaml:1, was b.yaml
        ! held     C1  c  ./fleet/c.yaml:1
              its manifest cannot be used; what is recorded stays as it is
        - removed  D1  d  ./fleet/d.yaml:1
              the device keeps its settings and is listed as orphaned
        + added    E1  e  ./fleet/e.yaml:1
              e@example.com, profile Standard, windows 1.0, corporate

        error[missing-field]: `spec.osVersion` is missing
         --> ./fleet/c.yaml:4:1
          |
        4 | spec:
          | ^^^^
          |
          = help: add `osVersion`

        error[unknown-field]: unknown field `spec.osVersoin`
         --> ./fleet/c.yaml:8:3
          |
        8 |   osVersoin: "1.0"
          |   ^^^^^^^^^
          |
          = help: did you mean `osVersion`?

        fixed[yaml-syntax]: not valid YAML: while parsing a node, did not find expected node content  ./fleet/f.yaml:2
        Changes: 1 WIPE REQUEST added, 1 device added, 1 device changed, 1 device moved, 1 device held, 1 device removed, 1 profile changed (reaching 3 devices), 2 new findings, 1 finding fixed.
    "#]].assert_eq(&drawn(&sample(), text));
}

#[test]
fn as_markdown() {
    expect![[r####"
        ### Fleetform diff

        **Changes: 1 WIPE REQUEST added, 1 device added, 1 device changed, 1 device moved, 1 device held, 1 device removed, 1 profile changed (reaching 3 devices), 2 new findings, 1 finding fixed.**

        <details open><summary>WIPE REQUESTS: 1</summary>

        ```text
        + added    WIPE REQUEST w: D007 (A1), full wipe, lost  ./fleet/w.yaml:1
              requester bob@example.com
              expires   2026-11-23T10:00:00Z
              signed    by nobody
        ```

        </details>

        <details open><summary>New findings: 2</summary>

        ```text
        error[missing-field]: `spec.osVersion` is missing
         --> ./fleet/c.yaml:4:1
          |
        4 | spec:
          | ^^^^
          |
          = help: add `osVersion`

        error[unknown-field]: unknown field `spec.osVersoin`
         --> ./fleet/c.yaml:8:3
          |
        8 |   osVersoin: "1.0"
          |   ^^^^^^^^^
          |
          = help: did you mean `osVersion`?
        ```

        </details>

        <details open><summary>Profiles: 1</summary>

        ```diff
        ~ changed  profile Standard  reaches 3 devices
              apps:
                  - VPN
        +         - Mail
              devices: a (A1), b (B1), e (E1)
        ```

        </details>

        <details open><summary>Devices added: 1</summary>

        ```diff
        + added    E1  e  ./fleet/e.yaml:1
              e@example.com, profile Standard, windows 1.0, corporate
        ```

        </details>

        <details open><summary>Devices changed: 1</summary>

        ```diff
        ~ changed  A1  a  ./fleet/a.yaml:1
              osVersion: 1.0 -> 1.1
        ```

        </details>

        <details open><summary>Devices moved: 1</summary>

        ```diff
        > moved    B1  b  ./fleet/x/b.yaml:1, was b.yaml
        ```

        </details>

        <details open><summary>Devices held: 1</summary>

        ```diff
        ! held     C1  c  ./fleet/c.yaml:1
              its manifest cannot be used; what is recorded stays as it is
        ```

        </details>

        <details open><summary>Devices removed: 1</summary>

        ```diff
        - removed  D1  d  ./fleet/d.yaml:1
              the device keeps its settings and is listed as orphaned
        ```

        </details>

        <details><summary>Fixed: 1</summary>

        ```text
        fixed[yaml-syntax]: not valid YAML: while parsing a node, did not find expected node content  ./fleet/f.yaml:2
        ```

        </details>

        From `main` (`0123456789ab`) to `./fleet`.
    "####]].assert_eq(&drawn(&sample(), markdown));
}

#[test]
fn as_annotations() {
    expect![[r#"
        ::error file=fleet/c.yaml,line=4,endLine=4,col=1,endColumn=5,title=new missing-field::`spec.osVersion` is missing%0Ahelp: add `osVersion`
        ::error file=fleet/c.yaml,line=8,endLine=8,col=3,endColumn=12,title=new unknown-field::unknown field `spec.osVersoin`%0Ahelp: did you mean `osVersion`?
        ::warning file=fleet/w.yaml,line=1,title=wipe request added::+ added    WIPE REQUEST w: D007 (A1), full wipe, lost  ./fleet/w.yaml:1%0A      requester bob@example.com%0A      expires   2026-11-23T10:00:00Z%0A      signed    by nobody
        ::warning title=profile changed::~ changed  profile Standard  reaches 3 devices%0A      apps:%0A          - VPN%0A        + - Mail%0A      devices: a (A1), b (B1), e (E1)
        ::notice file=fleet/a.yaml,line=1,title=device changed::~ changed  A1  a  ./fleet/a.yaml:1%0A      osVersion: 1.0 -> 1.1
        ::notice file=fleet/x/b.yaml,line=1,title=device moved::> moved    B1  b  ./fleet/x/b.yaml:1, was b.yaml
        ::warning title=device held::! held     C1  c  ./fleet/c.yaml:1%0A      its manifest cannot be used; what is recorded stays as it is
        ::warning title=device removed::- removed  D1  d  ./fleet/d.yaml:1%0A      the device keeps its settings and is listed as orphaned
        ::notice file=fleet/e.yaml,line=1,title=device added::+ added    E1  e  ./fleet/e.yaml:1%0A      e@example.com, profile Standard, windows 1.0, corporate
        ::notice title=fleetform diff::Changes: 1 WIPE REQUEST added, 1 device added, 1 device changed, 1 device moved, 1 device held, 1 device removed, 1 profile changed (reaching 3 devices), 2 new findings, 1 finding fixed.
    "#]].assert_eq(&drawn(&sample(), github));
}

#[test]
fn as_json() {
    let text = drawn(&sample(), json);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["summary"]["devicesMoved"], 1);
    assert_eq!(json["summary"]["devicesMended"], 0);
    assert_eq!(json["devices"][0]["changes"][0]["to"], "1.1");
    assert_eq!(json["profiles"][0]["reaches"], 3);
    assert_eq!(json["wipes"][0]["signatures"], serde_json::json!([]));
    assert_eq!(json["findings"]["mended"][0]["code"], "yaml-syntax");
}

#[test]
fn nothing_is_said_of_nothing() {
    assert_eq!(
        drawn(&FleetDiff::default(), text),
        "No changes. The manifests describe the same fleet.\n"
    );
}

#[test]
fn hostile_fleets_are_harmless_in_all_formats() {
    let dir = directory();
    let hostile = source::load(dir.path());
    let good = fs::read_to_string(dir.path().join("good.yaml")).unwrap();
    let changed = good.replace("GOOD", "good").replace("EVIL", "EVILER");
    let other = fleet(&[("good.yaml", &changed)]);
    for (base, head) in [(&Desired::default(), &hostile), (&hostile, &other), (&other, &hostile)] {
        let diff = diff(base, head);
        assert!(diff.is_change());
        assert_harmless(&drawn(&diff, text));
        assert_harmless(&drawn(&diff, json));
        assert_markdown(&drawn(&diff, markdown));
        assert_commands(&drawn(&diff, github));
    }
}

#[test]
fn a_comment_stays_short_however_large_the_change() {
    let profile = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\n\
                   spec: {platforms: [windows]}\n";
    let many: String = (0..3_000)
        .map(|n| "---\n".to_owned() + &device(&format!("dev{n}"), &format!("S{n}"), "1.0"))
        .collect();
    let base = fleet(&[("p.yaml", profile)]);
    let head = fleet(&[
        ("p.yaml", &profile.replace("]", "]\n  # x\n").replace("{p", "{apps: [x], p")),
        ("m.yaml", &many),
    ]);
    let diff = diff(&base, &head);
    assert_eq!(diff.devices.len(), 3_000);
    let text = drawn(&diff, markdown);
    assert_markdown(&text);
    let shown = text.matches("+ added ").count();
    assert!(
        text.contains(&format!(
            "**Devices added: 3000, of which {} are left out here:**",
            3_000 - shown
        )),
        "{text}"
    );
    assert!(text.contains("3000 devices added"));
}

#[test]
fn who_signed_is_told_as_far_as_it_is_known() {
    let (bob, eve) = (TestKey::ed25519(1), TestKey::ed25519(2));
    let mut diff = sample();
    let file = Arc::make_mut(&mut diff.wipes[0].file);
    for (name, key, message) in [
        ("w.yaml.eve.sig", &eve, WIPE.as_bytes()),
        ("w.yaml.old.sig", &bob, b"other bytes"),
        ("w.yaml.sig", &bob, WIPE.as_bytes()),
    ] {
        file.signatures.insert(name.to_owned(), key.sign(Namespace::Wipe, message));
    }
    let veto = bob.sign(Namespace::Veto, WIPE.as_bytes());
    file.vetoes.insert("w.yaml.veto.sig".to_owned(), veto);
    let trust = Trust::parse(bob.line("bob@example.com").as_bytes(), None).unwrap();
    let rows = |trust| {
        let context = Context { trust, ..context() };
        let text = Out::captured(|out| wipe_text(out, &diff.wipes[0], context)).unwrap();
        text.lines().skip(3).map(|line| line.trim_start().to_owned() + "\n").collect::<String>()
    };
    expect![[r#"
              signed    by somebody with SHA256:4A9jyZBOhnKZvcGQ6TRFbf5Gymb41AfYvYaVmWHD+G4 (w.yaml.eve.sig)
              ignored   w.yaml.old.sig: it does not fit the file: was the file changed after signing, or its line ends (Git's autocrlf)? Then sign it again
              signed    by somebody with SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8 (w.yaml.sig)
              VETOED    by somebody with SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8 (w.yaml.veto.sig)
    "#]].assert_eq(&rows(None));
    expect![[r#"
              ignored   w.yaml.eve.sig: no line of the trust file has the key SHA256:4A9jyZBOhnKZvcGQ6TRFbf5Gymb41AfYvYaVmWHD+G4
              ignored   w.yaml.old.sig: it does not fit the file: was the file changed after signing, or its line ends (Git's autocrlf)? Then sign it again
              signed    by bob@example.com with SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8 (w.yaml.sig)
              VETOED    by bob@example.com with SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8 (w.yaml.veto.sig)
    "#]].assert_eq(&rows(Some(&trust)));
    let context = Context { trust: Some(&trust), ..context() };
    let json = Out::captured(|out| json(out, &diff, context)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let signed = json["wipes"][0]["signedBy"].as_array().unwrap();
    let told = |n: usize, key: &str| signed[n][key].as_str();
    assert_eq!((told(0, "person"), told(0, "code")), (None, Some("unknownKey")));
    assert_eq!((told(1, "key"), told(1, "code")), (None, Some("badSignature")));
    assert_eq!((told(2, "person"), told(2, "code")), (Some("bob@example.com"), None));
}
