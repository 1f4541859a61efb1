//! Lists and fleets.

use super::*;
use crate::domain::model::MdmOwnership;

fn list(text: &str) -> Records {
    let read = read_csv(text.as_bytes(), &Mapping::default());
    assert_eq!(problems(&read.problems), [""; 0]);
    read
}

const LIST: &str = "serial,user,model,labels.site\nPF3XK9Q2,ana@example.com,T14,Madrid\nPF3XK9Q3,bo@example.com,,../../etc\n";

#[test]
fn a_list_is_taken_once_and_a_second_time_nothing_changes() {
    for layout in ["{site}/{name}.yaml", "{site}/devices.yaml", "all.yaml"] {
        let mut world = World::new();
        let first = world.take(list(LIST), &options(layout));
        assert_eq!((first.added, first.changed, first.unchanged), (2, 0, 0));
        assert_eq!(problems(&first.problems), [""; 0]);
        let second = world.take(list(LIST), &options(layout));
        assert_eq!((second.added, second.changed, second.unchanged), (0, 0, 2));
        assert_eq!(second.files, []);
        for path in world.0.keys() {
            assert!(!path.contains("..") && !path.starts_with('/'), "{path}");
        }
    }
}

#[test]
fn a_changed_row_edits_its_manifest_in_place_and_comments_stay() {
    let mut world = World::new();
    world.take(list(LIST), &options("all.yaml"));
    let text = world.0["all.yaml"].replace("userEmail: ana", "# ours\n  userEmail: ana");
    let text = text.replace("profile: Standard", "profile: Standard # the usual");
    // It was moved, renamed and completed by hand since.
    world.0 = BTreeMap::from([
        ("profiles.yaml".into(), PROFILES.into()),
        ("moved/x.yaml".into(), text.clone()),
    ]);
    let changed = LIST
        .replace("ana@", "eva@")
        .replace("T14", "T15")
        .replace("bo@example.com,", "bo@example.com,X1");
    let merged = world.take(list(&changed), &options("all.yaml"));
    assert_eq!((merged.added, merged.changed, merged.unchanged), (0, 2, 0));
    let expected = text.replace("ana@", "eva@").replace("T14", "T15");
    let new = &world.0["moved/x.yaml"];
    let (first, second) = new.split_once("---\n").unwrap();
    assert_eq!(first, expected.split_once("---\n").unwrap().0);
    assert!(second.contains("model: X1"), "{second}");
    assert!(new.contains("# ours\n") && new.contains("# the usual\n"));
}

#[test]
fn what_a_list_does_not_say_comes_from_defaults_for_new_devices_only() {
    let mut world = World::new();
    world.take(list("serial\nPF3XK9Q2\n"), &options("{name}.yaml"));
    let text = &world.0["it-pf3xk9q2.yaml"];
    assert!(
        text.contains("userEmail: it@example.com") && text.contains("profile: Standard"),
        "{text}"
    );
    let mut other = options("{name}.yaml");
    other.defaults.insert(Field::UserEmail, "eva@example.com".to_owned());
    let merged = world.take(list("serial\nPF3XK9Q2\n"), &other);
    assert_eq!(merged.unchanged, 1);
    other.defaults.clear();
    let merged = world.merge(list("serial\nPF3XK9Q4\n"), &other);
    let missing = ["line 2: profile is missing", "line 2: there is no value for {user} in --name"];
    assert_eq!(problems(&merged.problems), missing);
    other.required = &[(Field::Profile, "--profile"), (Field::UserEmail, "--user")];
    let merged = world.merge(list("serial\nPF3XK9Q4\n"), &other);
    let missing = ["line 2: profile is missing", "line 2: userEmail is missing"];
    assert_eq!(problems(&merged.problems), missing);
    assert_eq!(merged.files, []);
}

#[test]
fn names_are_valid_and_nobody_elses() {
    let mut world = World::new();
    let mut named = options("{name}.yaml");
    named.name = "{site}".parse().unwrap();
    let text =
        "serial,labels.site\nPF3XK9Q2,Málaga 1\nPF3XK9Q3,malaga-1\nPF3XK9Q4,端末\nPF3XK9Q5,\n";
    let merged = world.take(list(text), &named);
    let names: Vec<_> = merged.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["malaga-1-2.yaml", "malaga-1.yaml"]);
    assert_eq!(
        problems(&merged.problems),
        [
            "line 4, column 2 (labels.site): `端末` in {site} of --name gives no usable name",
            "line 5, column 2 (labels.site): there is no value for {site} in --name"
        ]
    );
    // The names of the fleet are taken, too, and a name that is given is nobody else's.
    let text = "serial,name\nPF3XK9Q6,malaga-1\nPF3XK9Q7,x\nPF3XK9Q8,x\n";
    let merged = world.take(list(text), &named);
    assert_eq!(
        problems(&merged.problems),
        [
            "line 2, column 2 (name): another device is called `malaga-1` already",
            "line 4, column 2 (name): another device is called `x` already"
        ]
    );
}

#[test]
fn what_does_not_fit_the_fleet_is_said_of_its_line() {
    let world = World::new();
    let text = "serial,profile,platform\nPF3XK9Q2,Standrad,\nPF3XK9Q3,Mobile,\nPF3XK9Q4,Mobile,windows\nPF3XK9Q5,Mobile,ios\n";
    let merged = world.merge(list(text), &options("{name}.yaml"));
    let wrong = read_csv(b"serial,profile,platform\nPF3XK9Q2,Mobile,beos\n", &Mapping::default());
    let refused = world.merge(wrong, &options("{name}.yaml"));
    assert_eq!(
        problems(&refused.problems),
        ["line 2, column 3 (platform): `beos` is not a platform"],
        "and nothing of the profile"
    );
    assert_eq!(
        problems(&merged.problems),
        [
            "line 2, column 2 (profile): there is no profile `Standrad`",
            "line 3, column 2 (profile): it names no platform, and profile Mobile is for ios, \
             android",
            "line 4, column 2 (profile): profile Mobile is not for windows, but for ios, android",
        ]
    );
    assert_eq!(merged.problems[0].help, "did you mean Standard?");
    assert_eq!(merged.files.len(), 1);
    let mut world = World::new();
    world.0.insert("it-pf3xk9q2.yaml".into(), "# a note\n".into());
    let broken = "apiVersion: fleetform/v1\nkind: Device\nmetadata: {name: z}\nspec: {serialNumber: PF3XK9Q3}\n";
    world.0.insert("broken.yaml".into(), broken.into());
    let merged = world.merge(list("serial\nPF3XK9Q2\nPF3XK9Q3\n"), &options("{name}.yaml"));
    assert_eq!(
        problems(&merged.problems),
        [
            "line 2: it-pf3xk9q2.yaml already exists, with something else in it",
            "line 3: its manifest, broken.yaml line 1, has findings",
        ]
    );
}

#[test]
fn all_problems_of_a_row_come_at_once_and_each_has_its_column() {
    let mut all = options("{name}.yaml");
    all.defaults.clear();
    all.required =
        &[(Field::UserEmail, "--user"), (Field::Profile, "--profile"), (Field::OsVersion, "--os")];
    let text = "serial,user,profile,osVersion,name\n,notamail,Nope,ten,\nPF3XK9Q2,,,,a\nPF3XK9Q3,x@example.com,Mobile,18,a\n";
    let read = read_csv(text.as_bytes(), &Mapping::default());
    let merged = World::new().merge(read, &all);
    assert_eq!(
        problems(&merged.problems),
        [
            "line 2, column 1 (serial): there is no serial number",
            "line 2, column 2 (user): `notamail` is not an e-mail address like ana.ruiz@example.com",
            "line 2, column 3 (profile): there is no profile `Nope`",
            "line 2, column 4 (osVersion): `ten` is not a version of dotted numbers like 10.0.26100",
            "line 3, column 2 (user): userEmail is missing",
            "line 3, column 3 (profile): profile is missing",
            "line 3, column 4 (osVersion): osVersion is missing",
            "line 4, column 3 (profile): it names no platform, and profile Mobile is for ios, android",
            "line 4, column 5 (name): another device is called `a` already",
        ]
    );
    assert_eq!(merged.files, []);
}

#[test]
fn a_problem_of_a_device_of_a_tenant_names_it() {
    let device = |name: &str, serial: &str, os: &str| InventoryDevice {
        id: "id-1".into(),
        name: name.into(),
        serial_number: serial.into(),
        user: "a@example.com".into(),
        platform: "iOS".into(),
        os_version: os.into(),
        ownership: MdmOwnership::Company,
        manufacturer: String::new(),
        model: String::new(),
        is_leaving: false,
    };
    let devices = [device("ana", "PF3XK9Q2", "18.1"), device("bo", "", "ten")];
    let merged = World::new().merge(read_inventory(&devices), &options("{name}.yaml"));
    assert_eq!(
        problems(&merged.problems),
        [
            "device `ana`, serial number `PF3XK9Q2`, id-1: profile Standard is not for ios, but for windows",
            "device `bo`, id-1: `ten` is not a version of dotted numbers like 10.0.26100",
            "device `bo`, id-1: it has no serial number",
            "device `bo`, id-1: profile Standard is not for ios, but for windows",
        ]
    );
}

#[test]
fn a_finding_that_the_fleet_would_have_is_a_problem_of_its_row() {
    let mut world = World::new();
    let old = "apiVersion: fleetform/v1\nkind: Device\nmetadata: {name: a, labels: {x: y}}\nspec: {serialNumber: PF3XK9Q1, userEmail: a@example.com, profile: Standard, osVersion: 10.0}\n";
    world.0.insert("all.yaml".into(), format!("# ours\n---\n{}", old.replace("10.0", "'10.0'")));
    let labels: Vec<String> = (0..32).map(|n| format!("labels.k{n}")).collect();
    let row = |serial: &str, last: &str| {
        let cells: Vec<String> = (0..32).map(|n| format!("{last}{n}")).collect();
        format!("{serial},,{}\n", cells.join(","))
    };
    let text = format!("serial,name,{}\n", labels.join(","))
        + &row("PF3XK9Q1", "a")
        + "PF3XK9Q2,PF3XK9Q1\nPF3XK9Q3\n"
        + &row("PF3XK9Q4", &"b".repeat(250));
    let mut read = list(&text);
    let all = options("all.yaml");
    let judged = |world: &World, merged: &Merged| {
        let mut next = World(world.0.clone());
        next.0.extend(merged.files.iter().map(|file| (file.path.clone(), file.new.clone())));
        next.fleet().findings
    };
    let mut merged = world.merge(read.clone(), &all);
    while read.blame(&merged, &judged(&world, &merged)) {
        merged = world.merge(read.clone(), &all);
    }
    assert_eq!(judged(&world, &merged), []);
    assert_eq!(
        problems(&merged.problems),
        [
            "line 2: `metadata.labels` has 33 labels; at most 32 are allowed",
            "line 3, column 2 (name): the device name `PF3XK9Q1` is the serial number of another device",
            "line 5: `metadata.labels` are 8140 bytes; at most 6144 are allowed",
        ]
    );
    assert_eq!((merged.added, merged.changed), (1, 0));
}

/// Random lists into random fleets: whatever is taken is taken once, and says what the list says.
#[test]
fn whatever_a_list_says_its_manifests_say_it_then() {
    let words = ["", "a", "Málaga", "../x", "1", "yes", "a: b", "#x", "'q'", "x, y", "端末"];
    for seed in 0..300_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |n: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % n).unwrap()
        };
        let layout = ["{name}.yaml", "{platform}/{serial}.yaml", "all.yaml"][below(3)];
        let mut world = World::new();
        for round in 0..3 {
            let mut text = String::from("serial;user;model;labels.a;labels.b\n");
            let mut said = BTreeMap::new();
            for _ in 0..below(6) {
                let serial = format!("PF3XK9Q{}", below(8));
                let cells = [words[below(11)], words[below(11)], words[below(11)]];
                let user = ["", "ana@example.com", "bo@example.com"][below(3)];
                if said.contains_key(&serial) {
                    continue;
                }
                let quoted = cells.map(|cell| format!("\"{cell}\""));
                text += &format!("{serial};{user};{}\n", quoted.join(";"));
                said.insert(serial, (user, cells));
            }
            let mut all = options(layout);
            all.defaults.insert(Field::Platform, "windows".to_owned());
            world.take(list(&text), &all);
            let again = world.take(list(&text), &all);
            assert_eq!(again.files, [], "seed {seed}, round {round}\n{text}");
            let fleet = world.fleet();
            for (serial, (user, [model, a, b])) in said {
                let spec = &fleet.by_serial(&serial.parse().unwrap()).unwrap().spec;
                let is = |said: &str, own: Option<&str>| said.is_empty() || own == Some(said);
                let hardware =
                    spec.hardware.as_deref().and_then(|hardware| hardware.model.as_deref());
                assert!(is(user, Some(spec.user_email.as_str())), "seed {seed}");
                assert!(is(model, hardware), "seed {seed}: {model} {hardware:?}");
                assert!(is(a, spec.labels.get("a").map(|v| &**v)), "seed {seed}: {a}");
                assert!(is(b, spec.labels.get("b").map(|v| &**v)), "seed {seed}: {b}");
            }
        }
    }
}
