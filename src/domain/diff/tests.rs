use super::*;
use crate::domain::fleet::{assemble, local_change};
use crate::domain::manifest::{Documents, parse_file};

const PROFILES: &str = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\n\
    spec: {platforms: [windows], apps: [VPN]}\n---\n\
    apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Mobile}\nspec: {platforms: [ios]}\n";

fn device(name: &str, serial: &str, more: &str) -> String {
    format!(
        "apiVersion: fleetform/v1\nkind: Device\nmetadata: {{name: {name}}}\nspec:\n  \
         serialNumber: {serial}\n  userEmail: a@example.com\n  osVersion: \"1.0\"\n{more}"
    )
}

const WINDOWS: &str = "  profile: Standard\n  platform: windows\n";

fn documents(files: &[(&str, &str)]) -> Vec<Documents> {
    files.iter().map(|(path, text)| parse_file(&(*path).into(), text.as_bytes())).collect()
}

fn fleet(files: &[(&str, &str)]) -> Desired {
    assemble(documents(files))
}

/// Differences in short: `added A1`, `changed A1 osVersion`.
fn told(base: &[(&str, &str)], head: &[(&str, &str)]) -> Vec<String> {
    let FleetDiff { devices, profiles, wipes, new, mended } = diff(&fleet(base), &fleet(head));
    let fields = |changes: &[Change<&'static str>]| {
        changes.iter().map(|change| format!(" {}", change.field)).collect::<String>()
    };
    let mut told = Vec::new();
    for d in devices {
        let fields =
            if d.difference == Difference::Changed { fields(&d.changes) } else { "".into() };
        let from = d.moved_from.map(|from| format!(" from {from}")).unwrap_or_default();
        told.push(format!("{} {}{fields}{from}", d.difference, d.device.spec.serial_number));
    }
    for p in profiles {
        let fields =
            if p.difference == Difference::Changed { fields(&p.changes) } else { "".into() };
        told.push(format!("{} {}{fields} reaches {}", p.difference, p.name, p.reaches.len()));
    }
    told.extend(wipes.iter().map(|w| format!("{} wipe {}", w.difference, w.file.request.name)));
    told.extend(new.iter().map(|f| format!("new {}", f.code)));
    told.extend(mended.iter().map(|f| format!("mended {}", f.code)));
    told
}

#[test]
fn differences() {
    let (a, b) = (device("a", "A1", WINDOWS), device("b", "B1", WINDOWS));
    let p = ("p.yaml", PROFILES);
    let newer = a.replace("\"1.0\"", "\"1.1\"");
    let raised = device("a", "A1", &format!("{WINDOWS}  status: Pending\n  enrollment: 2\n"));
    let broken = a.replace("osVersion", "osVersoin");
    let unreadable = "a: [";
    let both = format!("{b}---\n{a}");
    let more_apps = PROFILES.replace("[VPN]", "[VPN, Mail]");
    let bad_profile = PROFILES.replace("apps: [VPN]", "aps: [VPN]");
    let same = device("a", "A1", &format!("{WINDOWS}  ownership: corporate # as ever\n"));
    for (base, head, expected) in [
        (vec![p], vec![p, ("a.yaml", &*a)], vec!["added A1"]),
        (vec![p, ("a.yaml", &*a)], vec![p], vec!["removed A1"]),
        (vec![p, ("a.yaml", &*a)], vec![p, ("a.yaml", &*newer)], vec!["changed A1 osVersion"]),
        (
            vec![p, ("a.yaml", &*a)],
            vec![p, ("a.yaml", &*raised)],
            vec!["changed A1 status enrollment"],
        ),
        (vec![p, ("a.yaml", &*a)], vec![p, ("x/a.yaml", &*a)], vec!["moved A1 from a.yaml"]),
        (
            vec![p, ("a.yaml", &*a)],
            vec![("p2.yaml", PROFILES), ("x/a.yaml", &*newer)],
            vec!["changed A1 osVersion from a.yaml"],
        ),
        (
            vec![p, ("a.yaml", &*a), ("b.yaml", &*b)],
            vec![p, ("b.yaml", &*both)],
            vec!["moved A1 from a.yaml"],
        ),
        (vec![p, ("a.yaml", &*a)], vec![p, ("a.yaml", &*same)], vec![]),
        (
            vec![p, ("a.yaml", &*a)],
            vec![p, ("a.yaml", &*broken)],
            vec!["held A1", "new missing-field", "new unknown-field"],
        ),
        (
            vec![p, ("a.yaml", &*a)],
            vec![p, ("a.yaml", unreadable)],
            vec!["held A1", "new yaml-syntax"],
        ),
        (
            vec![p, ("a.yaml", &*broken)],
            vec![p, ("a.yaml", &*a)],
            vec!["mended A1", "mended missing-field", "mended unknown-field"],
        ),
        (
            vec![p, ("a.yaml", &*a), ("b.yaml", &*b)],
            vec![("p.yaml", &*more_apps), ("a.yaml", &*a), ("b.yaml", &*b)],
            vec!["changed Standard apps reaches 2"],
        ),
        (
            vec![p, ("a.yaml", &*a)],
            vec![("p.yaml", &*bad_profile), ("a.yaml", &*a)],
            vec!["held A1", "held Standard reaches 1", "new unknown-field"],
        ),
        (
            vec![p, ("a.yaml", &*a)],
            vec![("a.yaml", &*a)],
            vec![
                "held A1",
                "removed Mobile reaches 0",
                "removed Standard reaches 1",
                "new unknown-profile",
            ],
        ),
        // A clash harms both, and both are told.
        (
            vec![p, ("a.yaml", &*a)],
            vec![p, ("a.yaml", &*a), ("c.yaml", &*a)],
            vec![
                "held A1",
                "new duplicate-name",
                "new duplicate-name",
                "new duplicate-serial",
                "new duplicate-serial",
            ],
        ),
    ] {
        let mut told = told(&base, &head);
        let mut expected: Vec<_> = expected.into_iter().map(str::to_owned).collect();
        told.sort();
        expected.sort();
        assert_eq!(told, expected, "{base:?} {head:?}");
        let (fleet_a, fleet_b) = (fleet(&base), fleet(&head));
        assert_eq!(diff(&fleet_a, &fleet_a), FleetDiff::default());
        let change = expected.iter().any(|told| !told.starts_with("moved"));
        assert_eq!(diff(&fleet_a, &fleet_b).is_change(), change);
    }
}

#[test]
fn findings_that_only_moved_are_neither_new_nor_mended() {
    let broken = device("a", "A1", WINDOWS).replace("osVersion", "osVersoin");
    let lower = format!("# a comment\n\n{broken}");
    let p = ("p.yaml", PROFILES);
    for head in [("a.yaml", &*lower), ("z/a.yaml", &*broken)] {
        assert_eq!(told(&[p, ("a.yaml", &broken)], &[p, head]), Vec::<String>::new());
    }
    // Of two equal ones, one is mended.
    let twice = [p, ("a.yaml", "a: ["), ("b.yaml", "a: [")];
    assert_eq!(told(&twice, &[p, ("a.yaml", "a: [")]), ["mended yaml-syntax"]);
}

#[test]
fn wipes_are_known_by_their_content() {
    let wipe = |name: &str| {
        format!(
            "apiVersion: fleetform/v1\nkind: WipeRequest\nmetadata: {{name: {name}}}\nspec:\n  \
             ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21\n  deviceId: D007\n  serialNumber: A1\n  scope: full\n  reason: lost\n  \
             requestedBy: bob@example.com\n  confirm: true\n  issuedAt: 2026-11-22T10:00:00Z\n  \
             expiresAt: 2026-11-23T10:00:00Z\n"
        )
    };
    let (one, two) = (wipe("one"), wipe("two"));
    assert_eq!(told(&[], &[("w.yaml", &one)]), ["added wipe one"]);
    assert_eq!(told(&[("w.yaml", &one)], &[("v.yaml", &one)]), ["moved wipe one"]);
    assert_eq!(
        told(&[("w.yaml", &one)], &[("w.yaml", &two)]),
        ["added wipe two", "removed wipe one"]
    );
    let base = fleet(&[("w.yaml", &one)]);
    let mut head = base.clone();
    let mut signed = WipeFile::clone(&head.wipes[0]);
    signed.signatures.insert("w.yaml.sig".into(), b"x".to_vec());
    head.wipes[0] = Arc::new(signed);
    assert_eq!(diff(&base, &head).wipes[0].difference, Difference::Changed);
}

/// The short way must say what the long way says, wherever it says anything.
#[test]
fn a_change_that_is_judged_alone_means_what_it_means_among_all() {
    let others: Vec<String> =
        (0..20).map(|n| device(&format!("o{n}"), &format!("O{n}"), WINDOWS)).collect();
    let paths: Vec<String> = (0..20).map(|n| format!("o/{n}.yaml")).collect();
    let mut rest: Vec<(&str, &str)> =
        paths.iter().map(|p| &**p).zip(others.iter().map(|o| &**o)).collect();
    rest.push(("p.yaml", PROFILES));
    let ios = "  profile: Mobile\n  platform: ios\n";
    let versions: Vec<Vec<(&str, String)>> = vec![
        vec![("a.yaml", device("a", "A1", WINDOWS))],
        vec![("b/a.yaml", device("a", "A1", WINDOWS))],
        vec![("a.yaml", device("a", "A1", &format!("{WINDOWS}  status: Failed\n")))],
        vec![("a.yaml", device("a", "a1", &format!("{WINDOWS}  enrollment: 3\n")))],
        vec![("a.yaml", device("a", "A1", &format!("{WINDOWS}  nonsense: 3\n")))],
        vec![("a.yaml", device("a", "A1", ios))],
        vec![("a.yaml", device("a", "O3", WINDOWS))],
        vec![("a.yaml", device("o3", "A1", WINDOWS))],
        vec![("a.yaml", device("a", "A1", "  profile: Mobile\n"))],
        vec![("a.yaml", device("a", "A1", "  profile: Nobody\n  platform: ios\n"))],
        vec![("a.yaml", "x: [".into())],
        vec![("a.yaml", PROFILES.replace("Standard", "Other").replace("Mobile", "Third"))],
        vec![],
    ];
    let mut judged = 0;
    for base in &versions {
        for head in &versions {
            let parse = |files: &Vec<(&str, String)>| {
                let mut all = Documents::default();
                let files: Vec<_> = files.iter().map(|(path, text)| (*path, &**text)).collect();
                documents(&files).into_iter().for_each(|d| all.absorb(d));
                all
            };
            let (base, head) = (parse(base), parse(head));
            let Some((short_base, short_head)) = local_change(&base, &head) else { continue };
            judged += 1;
            let whole = |documents: &Documents| {
                assemble(super::tests::documents(&rest).into_iter().chain([documents.clone()]))
            };
            let (whole_base, whole_head) = (whole(&base), whole(&head));
            let short = diff(&short_base, &short_head);
            let long = diff(&whole_base, &whole_head);
            if whole_base.devices.len() == rest.len() {
                assert_eq!(short, long);
            }
            // Of a device in conflict with others before and after, only the fields are told.
            assert_eq!((&short.new, &short.mended), (&long.new, &long.mended));
        }
    }
    assert!(judged > 20, "{judged}");
}
