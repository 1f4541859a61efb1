//! `fleetform wipe new|sign|verify` as a person runs them.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{Lab, VETO, WIPE, key, public, signature, write};

/// A directory where the binary works: `fleet`, `data` and a trust file; Git says `bob`.
struct Desk(Lab);

impl Desk {
    fn new() -> Self {
        let lab = Lab::new();
        fs::remove_dir_all(lab.path("data")).expect("removed");
        let config = "fleet: fleet\ndata: data\ntrust: {allowedSigners: etc/allowed_signers}\n";
        write(lab.path("fleetform.yaml"), config);
        fs::create_dir_all(lab.path("home/.ssh")).expect("a directory");
        write(lab.path("home/.gitconfig"), "[user]\n\temail = bob@example.com\n");
        let desk = Self(lab);
        assert!(desk.run(&["apply", "--yes", "--new-ledger"]).status.success());
        desk
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetform"));
        command.args(args).current_dir(self.0.path("")).env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.0.path("home"));
        command.output().expect("it runs")
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["-o", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)))
    }

    fn code(&self, args: &[&str]) -> i32 {
        self.run(args).status.code().expect("a code")
    }

    fn sign(&self, file: &str, who: &str, more: &[&str]) -> Value {
        let key = key(who);
        let args = ["wipe", "sign", file, "--key", key.to_str().expect("UTF-8")];
        self.json(&[&args, more].concat())
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const FILE: &str = "fleet/wipes/d001-lost.yaml";

#[test]
fn from_a_lost_laptop_to_the_command() {
    let desk = Desk::new();
    let written = desk.json(&["wipe", "new", "D001", "--reason", "lost"]);
    assert_eq!(written["path"], FILE);
    assert_eq!(written["serialNumber"], "SN001");
    assert_eq!(
        (&written["scope"], &written["requestedBy"]),
        (&"full".into(), &"bob@example.com".into())
    );
    assert_eq!(
        (&written["needs"], &written["next"][0]),
        (&1.into(), &format!("fleetform wipe sign {FILE}").into())
    );
    assert_eq!(desk.code(&["wipe", "verify", FILE]), 3);
    let signed = desk.sign(FILE, "bob", &[]);
    assert_eq!(signed["signature"], format!("{FILE}.sig"));
    assert_eq!((&signed["signer"], &signed["counts"]), (&"bob@example.com".into(), &true.into()));
    let verified = desk.json(&["wipe", "verify", FILE]);
    assert_eq!(verified["verdict"], "accepted");
    let rules = verified["rules"].as_array().expect("rules");
    assert!(rules.iter().all(|rule| rule["state"] == "holds"), "{rules:#?}");
    let plan = said_on_stdout(&desk.run(&["plan"]));
    assert!(
        plan.starts_with("==== WIPE REQUESTS: 1 ====\nWIPE NOW: D001 (SN001), full wipe, lost"),
        "{plan}"
    );
    assert_eq!(desk.code(&["apply", "--yes"]), 0);
    assert_eq!(desk.0.commands(), 1);
    assert_eq!(desk.code(&["wipe", "verify", FILE]), 0);
    assert!(said_on_stdout(&desk.run(&["list"])).contains("wipe issued"));
    let shown = desk.json(&["show", "SN001"]);
    assert_eq!(shown["wipes"][0]["state"], "issued");
}

fn said_on_stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn what_ssh_keygen_signs_counts_and_what_we_sign_ssh_keygen_verifies() {
    let desk = Desk::new();
    desk.json(&["wipe", "new", "D001", "--reason", "stolen"]);
    let file = "fleet/wipes/d001-stolen.yaml";
    let bytes = fs::read(desk.0.path(file)).expect("the request");
    write(desk.0.path(&format!("{file}.sig")), signature("bob2", WIPE, &bytes));
    assert_eq!(desk.json(&["wipe", "verify", file])["verdict"], "accepted");
    let signed = desk.sign(file, "carol", &[]);
    let verified = Command::new("ssh-keygen")
        .args([
            "-Y",
            "verify",
            "-f",
            "etc/allowed_signers",
            "-I",
            "carol@example.com",
            "-n",
            WIPE,
            "-s",
        ])
        .arg(signed["signature"].as_str().expect("a path"))
        .current_dir(desk.0.path(""))
        .stdin(fs::File::open(desk.0.path(file)).expect("the request"))
        .output()
        .expect("ssh-keygen is needed: apt-get install openssh-client");
    assert!(verified.status.success(), "{}", said(&verified));
}

#[test]
fn a_signature_overwrites_no_other() {
    let desk = Desk::new();
    desk.json(&["wipe", "new", "D001", "--reason", "lost"]);
    let names = ["bob", "carol", "dave", "eve", "bob2"]
        .map(|who| desk.sign(FILE, who, &[])["signature"].clone());
    let own: Vec<_> = names
        .iter()
        .map(|n| n.as_str().expect("a path").strip_prefix(FILE).expect("beside"))
        .collect();
    assert_eq!(own[..3], [".sig", ".carol.sig", ".dave.sig"]);
    assert!(own[3].starts_with(".key-"), "a stranger goes by the key: {own:?}");
    assert_eq!(own[4], ".bob.sig");
    let again = desk.sign(FILE, "bob", &[]);
    assert_eq!(
        (&again["signature"], &again["written"]),
        (&format!("{FILE}.sig").into(), &false.into())
    );
    let verified = desk.json(&["wipe", "verify", FILE]);
    assert_eq!(verified["files"].as_array().expect("files").len(), 5);
    assert_eq!(verified["wipe"]["signers"].as_array().expect("people").len(), 3);
}

#[test]
fn a_veto_refuses_it() {
    let desk = Desk::new();
    desk.json(&["wipe", "new", "D001", "--reason", "lost"]);
    desk.sign(FILE, "bob", &[]);
    let veto = desk.sign(FILE, "dave", &["--veto"]);
    assert_eq!(
        (&veto["signature"], &veto["namespace"]),
        (&format!("{FILE}.veto.sig").into(), &VETO.into())
    );
    assert_eq!(desk.code(&["wipe", "verify", FILE]), 1);
    assert_eq!(desk.code(&["apply", "--yes"]), 3);
    assert_eq!((desk.0.commands(), desk.0.kinds()), (0, vec!["wipe.vetoed".to_owned()]));
}

#[test]
fn requests_that_would_be_refused_are_not_written() {
    let desk = Desk::new();
    for (args, why) in [
        (&["D005", "--reason", "lost", "--scope", "full"][..], "personal device"),
        (&["D099", "--reason", "lost"], "no device"),
        (&["D001", "--reason", "lost", "--valid", "73h"], "at most --valid 3d"),
        (&["D001", "--reason", "lost", "--valid", "0s"], "expired before"),
        (&["D001", "--reason", "bored"], "invalid value"),
        (&["D001", "--reason", "lost", "--requested-by", "bob"], "e-mail"),
        (&["D001", "--reason", "lost", "--file", "x.txt"], "cannot be the name of a manifest"),
        (&["D001", "--reason", "lost", "--file", "fleet/dev-1.yaml"], "already exists"),
    ] {
        let output = desk.run(&[&["wipe", "new"], args].concat());
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(said(&output).contains(why), "{args:?}: {}", said(&output));
    }
    assert!(
        fs::read_dir(desk.0.path("fleet/wipes")).is_err()
            || fs::read_dir(desk.0.path("fleet/wipes")).expect("it").count() == 0
    );
    assert_eq!(desk.json(&["wipe", "new", "D005", "--reason", "lost"])["scope"], "selective");
}

#[test]
fn a_second_request_gets_a_name_of_its_own() {
    let desk = Desk::new();
    desk.json(&["wipe", "new", "D001", "--reason", "lost"]);
    let args = ["wipe", "new", "SN001", "--reason", "lost", "--valid", "1h", "-o", "json"];
    let output = desk.run(&args);
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(
        notes.contains("there is a request for D001 already: fleet/wipes/d001-lost.yaml"),
        "{notes}"
    );
    let second: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(second["path"], "fleet/wipes/d001-lost-2.yaml");
    assert_eq!(desk.code(&["check"]), 0);
}

#[test]
fn keys_that_do_not_serve_leave_no_file() {
    let desk = Desk::new();
    desk.json(&["wipe", "new", "D001", "--reason", "lost"]);
    let rsa = key("rsa");
    let output = desk.run(&["wipe", "sign", FILE, "--key", rsa.to_str().expect("UTF-8")]);
    assert!(said(&output).contains("`ssh-rsa` are not supported"), "{}", said(&output));
    let output = desk.run(&["wipe", "sign", FILE]);
    assert!(said(&output).contains("no key to sign with"), "{}", said(&output));
    assert_eq!(fs::read_dir(desk.0.path("fleet/wipes")).expect("it").count(), 1);
}

#[test]
fn the_key_of_git_or_of_the_home_directory_is_taken() {
    let desk = Desk::new();
    desk.json(&["wipe", "new", "D001", "--reason", "lost"]);
    fs::copy(key("carol"), desk.0.path("home/.ssh/id_ecdsa")).expect("copied");
    assert_eq!(desk.json(&["wipe", "sign", FILE])["signer"], "carol@example.com");
    fs::copy(key("dave"), desk.0.path("home/work")).expect("copied");
    let config = "[user]\n\temail = bob@example.com\n\tsigningkey = ~/work\n";
    write(desk.0.path("home/.gitconfig"), config);
    assert_eq!(desk.json(&["wipe", "sign", FILE])["signer"], "dave@example.com");
}

/// An agent with these keys; it ends with this.
struct Agent {
    child: std::process::Child,
    socket: std::path::PathBuf,
}

impl Agent {
    fn with(desk: &Desk, who: &[&str]) -> Self {
        let socket = desk.0.path("agent");
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a"]).arg(&socket);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut agent = Self { child: command.spawn().expect("ssh-agent"), socket };
        // It answers once it listens.
        while !agent.add(&key(who[0])) {
            assert!(agent.child.try_wait().expect("a child").is_none(), "ssh-agent ended");
        }
        assert!(who[1..].iter().all(|who| agent.add(&key(who))));
        agent
    }

    fn add(&self, key: &std::path::Path) -> bool {
        let mut command = Command::new("ssh-add");
        command.arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket);
        command.stderr(std::process::Stdio::null()).status().expect("ssh-add").success()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_key_that_git_names_signs_through_the_agent_and_never_another_one() {
    let desk = Desk::new();
    desk.json(&["wipe", "new", "D001", "--reason", "lost"]);
    // What must never be taken instead.
    fs::copy(key("carol"), desk.0.path("home/.ssh/id_ed25519")).expect("copied");
    let agent = Agent::with(&desk, &["bob", "dave"]);
    let sign = |configured: &str| {
        let text = format!("[user]\n\tsigningkey = {configured}\n[gpg]\n\tformat = ssh\n");
        write(desk.0.path("home/.gitconfig"), text);
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetform"));
        command.args(["wipe", "sign", FILE, "-o", "json"]).current_dir(desk.0.path("")).env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", desk.0.path("home"));
        let output = command.env("SSH_AUTH_SOCK", &agent.socket).output().expect("it runs");
        let signed: Option<Value> = serde_json::from_slice(&output.stdout).ok();
        signed.map(|signed| signed["signer"].clone()).ok_or_else(|| said(&output))
    };
    assert_eq!(sign(&public("bob")).expect("signed"), "bob@example.com");
    assert_eq!(sign(&format!("key::{}", public("dave"))).expect("signed"), "dave@example.com");
    for (configured, part) in [
        (public("eve"), "ssh-add"),
        (format!("key::{}", public("eve")), "ssh-add"),
        ("~/.ssh/gone".into(), "~/.ssh/gone"),
        ("key::ssh-ed25519".into(), "has no key"),
        ("3AA5C34371567BD2".into(), "3AA5C34371567BD2"),
    ] {
        let why = sign(&configured).expect_err("not with another key");
        assert!(why.contains("user.signingkey") && why.contains(part), "{configured}: {why}");
    }
}

#[test]
fn without_ssh_keygen_the_error_says_how_to_install_it() {
    let desk = Desk::new();
    desk.json(&["wipe", "new", "D001", "--reason", "lost"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetform"));
    command.args(["wipe", "sign", FILE, "--key"]).arg(key("bob"));
    let output = command.current_dir(desk.0.path("")).env_clear().env("PATH", "/nowhere").output();
    let text = said(&output.expect("it runs"));
    assert!(text.contains("apt-get install openssh-client"), "{text}");
}

#[test]
fn what_cannot_be_judged_is_said() {
    let desk = Desk::new();
    desk.json(&["wipe", "new", "D001", "--reason", "lost"]);
    fs::remove_file(desk.0.path("etc/allowed_signers")).expect("removed");
    let output = desk.run(&["check", "--data", "nothing"]);
    assert_eq!(output.status.code(), Some(0));
    let text = said(&output);
    assert!(text.contains("does not exist") && text.contains("no ledger in nothing"), "{text}");
    let output = desk.run(&["wipe", "verify", FILE, "--data", "nothing"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("there is no ledger in nothing"), "{}", said(&output));
    // The default need not hold a ledger.
    write(desk.0.path("bare.yaml"), "fleet: fleet\ntrust: {allowedSigners: etc/allowed_signers}\n");
    let verified = desk.json(&["wipe", "verify", FILE, "--config", "bare.yaml"]);
    let state = |rule: &str| {
        let rules = verified["rules"].as_array().expect("rules");
        rules.iter().find(|r| r["rule"] == rule).expect(rule)["state"].clone()
    };
    assert_eq!((state("device"), state("trust")), ("unknown".into(), "fails".into()));
    assert_eq!((state("ledger"), state("head")), ("unknown".into(), "holds".into()));
    assert_eq!(verified["verdict"], "unknown", "no verdict that looks like the server's");
    assert_eq!(verified["wipe"]["code"], "noLedger", "{verified}");
    let signed = desk.sign(FILE, "bob", &[]);
    assert_eq!(signed["counts"], Value::Null);
}

#[test]
fn a_request_elsewhere_is_judged_as_if_it_were_in_the_fleet() {
    let desk = Desk::new();
    let written = desk.run(&["wipe", "new", "D001", "--reason", "lost", "--file", "draft.yaml"]);
    let warning = "warning: draft.yaml is outside the fleet directory ";
    assert!(said(&written).contains(warning), "{}", said(&written));
    desk.sign("draft.yaml", "bob", &[]);
    let output = desk.run(&["wipe", "verify", "draft.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = said_on_stdout(&output);
    let (_, note) = text.split_once("\nACCEPTED: ").expect("a verdict");
    assert!(note.contains("is outside the fleet directory"), "{text}");
    assert_eq!(desk.json(&["wipe", "verify", "draft.yaml"])["inFleet"], false);

    fs::rename(desk.0.path("draft.yaml"), desk.0.path("fleet/draft.yaml")).expect("moved");
    fs::rename(desk.0.path("draft.yaml.sig"), desk.0.path("fleet/draft.yaml.sig")).expect("moved");
    assert_eq!(desk.json(&["wipe", "verify", "fleet/draft.yaml"])["inFleet"], true);
    let text = said_on_stdout(&desk.run(&["wipe", "verify", "fleet/draft.yaml"]));
    assert!(text.contains("\nACCEPTED: ") && !text.contains("not there"), "{text}");
}

#[test]
fn malformed_requests_are_refused_with_their_findings() {
    let desk = Desk::new();
    desk.json(&["wipe", "new", "D001", "--reason", "lost"]);
    let text = fs::read_to_string(desk.0.path(FILE)).expect("the request");
    write(desk.0.path(FILE), text.replace("confirm: true", "confirm: false"));
    for args in [&["wipe", "verify", FILE][..], &["wipe", "sign", FILE], &["check"]] {
        let output = desk.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let all = said(&output) + &said_on_stdout(&output);
        assert!(all.contains("must be `true`"), "{args:?}: {all}");
    }
}

#[test]
fn the_list_says_who_signed_what_is_missing_and_how_many_wipes_are_left() {
    let desk = Desk::new();
    let listed = desk.json(&["wipe", "list"]);
    assert_eq!(listed["requests"], serde_json::json!([]));
    let budget = |listed: &Value| listed["budget"][0]["left"].as_u64();
    assert_eq!(budget(&listed), Some(3));
    desk.json(&["wipe", "new", "D001", "--reason", "lost"]);
    let listed = desk.json(&["wipe", "list"]);
    let request = &listed["requests"][0];
    assert_eq!((&request["name"], &request["state"]), (&"d001-lost".into(), &"held".into()));
    assert_eq!((&request["needs"], &request["signers"]), (&1.into(), &serde_json::json!([])));
    desk.sign(FILE, "bob", &[]);
    let text = said_on_stdout(&desk.run(&["wipe", "list"]));
    assert!(text.contains("d001-lost: signed by bob@example.com;"), "{text}");
    assert_eq!(desk.code(&["apply", "--yes"]), 0);
    let listed = desk.json(&["wipe", "list"]);
    assert_eq!((budget(&listed), &listed["requests"][0]["state"]), (Some(2), &"issued".into()));
    let text = said_on_stdout(&desk.run(&["wipe", "list"]));
    assert!(
        text.contains("up to 3 wipes in 1d, each signed by 1 person: 2 left (1 used)"),
        "{text}"
    );
}

#[test]
fn the_trust_file_is_explained_person_by_person_and_a_broken_one_is_an_error() {
    let desk = Desk::new();
    let checked = desk.json(&["trust", "check"]);
    let people = checked["people"].as_array().expect("people");
    let emails: Vec<_> = people.iter().map(|person| person["email"].clone()).collect();
    assert_eq!(emails, ["bob@example.com", "carol@example.com", "dave@example.com"]);
    assert_eq!(people[0]["keys"].as_array().map(Vec::len), Some(2), "bob has two keys");
    assert_eq!((&checked["signers"], &checked["tiers"][1]["reachable"]), (&3.into(), &true.into()));
    write(desk.0.path("etc/allowed_signers"), "nonsense\n");
    let broken = desk.run(&["trust", "check"]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(said(&broken).contains("line 1"), "{}", said(&broken));
    write(desk.0.path("fleetform.yaml"), "data: data\n");
    let none = desk.run(&["trust", "check"]);
    assert!(said(&none).contains("trust.allowedSigners"), "{}", said(&none));
}
