//! Whatever goes wrong in whatever order: once it stops, the fleet comes to what the manifests say,
//! and a further pass writes nothing.
//!
//! `FUZZ_SEED` repeats a tale, `FUZZ_SECONDS` says how long new ones are told.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Device, Dice, GROUP, Output, Site, Tenant, number};
use crate::sweeps::seed;

const ANA: &str = "ana@example.com";
const BEN: &str = "ben@example.com";
/// The device that is wiped in the end.
const LOST: &str = "C3";
const OTHERS: [&str; 3] = ["A1", "B2", "D4"];
/// Things that happen in a tale.
const STEPS: u64 = 14;

/// What is called where something goes wrong.
const PATHS: [&str; 12] = [
    "*/managedDevices",
    "*/managedDevices/*",
    "*/members*",
    "*/deviceCompliancePolicies*",
    "*/assign*",
    "*/import*",
    "*/users*",
    "*/token",
    "*/wipe",
    "*/wipe",
    "*/operationApprovalRequests",
    "*",
];

struct Tale<'t> {
    site: Site<'t>,
    dice: Dice,
    requested: bool,
}

impl<'t> Tale<'t> {
    fn begin(tenant: &'t Tenant, seed: u64) -> Self {
        let site = Site::new(tenant);
        site.put("standard.yaml", site.standard().with("platforms", "[windows]").yaml());
        tenant.post("/users", json!({"userPrincipalName": BEN}));
        for serial in ["A1", "B2", LOST, "D4"] {
            let enrolled = serial != "D4";
            tenant.hardware(json!({"serialNumber": serial, "userPrincipalName": ANA,
                "enrolled": enrolled}));
            let hash = "{manufacturer: LENOVO, model: X1, autopilotHash: aGFzaA==}";
            site.put(&format!("{serial}.yaml"), Device::new(serial).with("hardware", hash).yaml());
        }
        tenant.wait("9h");
        Self { site, dice: Dice(seed), requested: false }
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::try_from(self.dice.below(all.len() as u64)).expect("small")]
    }

    /// Something happens; what it was.
    fn goes_on(&mut self) -> String {
        let tenant = self.site.tenant;
        let what = match self.dice.below(12) {
            0..=4 => {
                let rule = self.rule();
                tenant.fault(rule.clone());
                rule.to_string()
            }
            5 => {
                let user = self.one_of(&[ANA, BEN]);
                let yaml = self.site.place.read("fleet/B2.yaml");
                let other = if user == ANA { BEN } else { ANA };
                self.site.put("B2.yaml", yaml.replace(other, user));
                format!("B2 is {user}'s")
            }
            6 => {
                let length = 6 + self.dice.below(3);
                let yaml = self.site.place.read("fleet/standard.yaml");
                let (before, after) = yaml.split_once("minPinLength: ").expect("a length");
                let changed = format!("{before}minPinLength: {length}{}", &after[1..]);
                self.site.put("standard.yaml", changed);
                format!("a PIN has {length} digits")
            }
            7 => self.console(),
            8 => {
                let encrypted = self.dice.below(2) == 0;
                tenant.patch("/hardware/A1", json!({"facts": {"encrypted": encrypted}}));
                format!("A1 is encrypted: {encrypted}")
            }
            9 if !self.requested && self.site.place.logged("device.provisioned") == 4 => {
                self.requested = true;
                self.site.request(LOST, "full");
                "a wipe is signed".into()
            }
            10 => {
                if self.dice.below(2) == 0 {
                    tenant.post("/approvals/policies", json!({"policyType": "deviceWipe"}));
                    "wipes need approval".into()
                } else {
                    tenant.delete("/approvals/policies");
                    "wipes need no approval".into()
                }
            }
            _ => {
                self.approve();
                "what waits is approved".into()
            }
        };
        let time = self.one_of(&["1m", "5m", "20m", "3h"]);
        tenant.wait(time);
        format!("{what}; {time} go by")
    }

    fn rule(&mut self) -> Value {
        let path = self.one_of(&PATHS);
        let action = match self.dice.below(8) {
            0 => json!({"cut": "before"}),
            1 => json!({"cut": "after"}),
            2 => json!({"cut": "during"}),
            _ => {
                let status =
                    [429, 503, 500, 401, 403][usize::try_from(self.dice.below(5)).expect("5")];
                let takes_effect = self.dice.below(3) == 0;
                json!({"status": status, "retryAfter": "0", "takesEffect": takes_effect})
            }
        };
        let times = if action["cut"].is_null() { 1 + self.dice.below(8) } else { 1 };
        json!({"match": {"path": path}, "skip": self.dice.below(4), "times": times, "action": action})
    }

    /// Somebody changes something in the console.
    fn console(&mut self) -> String {
        let tenant = self.site.tenant;
        let policies = tenant.get("/policies")["policies"].as_array().expect("a list").clone();
        let Some(id) = policies.first().and_then(|policy| policy["id"].as_str()) else {
            return "the console is empty".into();
        };
        let policy = format!("/policies/{id}");
        match self.dice.below(4) {
            0 => {
                let weaker = json!({"passwordMinimumLength": 4, "storageRequireEncryption": false});
                tenant.patch(&policy, json!({"properties": weaker}));
                "the policy is weakened".into()
            }
            1 => {
                tenant.patch(&policy, json!({"groups": []}));
                "the policy is assigned to nobody".into()
            }
            2 => {
                tenant.delete(&policy);
                "the policy is deleted".into()
            }
            _ => {
                for user in tenant.users_of(GROUP) {
                    tenant.delete(&format!("/groups/{GROUP}/members/{user}"));
                }
                "the group is emptied".into()
            }
        }
    }

    fn approve(&self) {
        let requests = self.site.tenant.get("/approvals")["requests"].take();
        for request in requests.as_array().expect("a list") {
            if request["status"] == "needsApproval" {
                let code = request["code"].as_str().expect("a code");
                self.site
                    .tenant
                    .post(&format!("/approvals/{code}"), json!({"decision": "approve"}));
            }
        }
    }

    /// A pass, which may die at a write of its log; how it ended.
    fn pass(&mut self) -> String {
        let dies = (self.dice.below(4) == 0).then(|| {
            let step = self.one_of(&["write.before", "write.after", "fsync.before", "fsync.after"]);
            format!("ledger.append.{step}={}*off->return", self.dice.below(8))
        });
        let variables: Vec<_> = dies.iter().map(|point| ("FAILPOINTS", point.as_str())).collect();
        let output = self.site.run_with(&["apply", "--yes"], &variables);
        self.site.keeps_its_promises();
        format!("a pass: {:?} {:?} {dies:?}", output.code, output.signal)
    }

    /// Nothing goes wrong any more: soon nothing is left to do, and everything is as declared.
    fn ends_well(&mut self) {
        let tenant = self.site.tenant;
        tenant.heal();
        let (mut quiet, mut left) = (0, String::new());
        for _ in 0..10 {
            self.approve();
            tenant.wait("9h");
            let before = tenant.accepted();
            let output = self.site.run(&["apply", "--yes"]);
            let plan = self.site.plan();
            left = format!("{output:#?}\n{:#}", plan["actions"]);
            // What was given now is done some minutes later.
            let done = plan["actions"] == json!([]) && tenant.accepted() == before;
            quiet = if done && is_well(&output) { quiet + 1 } else { 0 };
            if quiet == 2 {
                break;
            }
        }
        assert_eq!(quiet, 2, "there is always something left: {left}");
        let before = tenant.last_call();
        let output = self.site.run(&["apply", "--yes"]);
        assert!(is_well(&output), "{output:#?}");
        assert_eq!(tenant.written(before), [""; 0], "a further pass writes nothing");
        self.is_as_declared();
        self.site.log_is_sound();
        self.site.keeps_its_promises();
    }

    fn is_as_declared(&self) {
        let tenant = self.site.tenant;
        for serial in OTHERS {
            let device = self.site.device(serial);
            assert_eq!(device["status"], "Enrolled", "{device:#}");
            assert_eq!(device["push"]["state"], "pushed", "{device:#}");
        }
        let lost = self.site.device(LOST);
        let taken = tenant.accepted().len();
        // Where Graph refused a command that it took all the same, all we know hours later is that the
        // record is gone.
        let gone = lost["status"] == "Wiped" || lost["missingSince"].is_string();
        assert_eq!(gone, taken == 1, "{lost:#}");
        assert!(lost["status"] != "Wiped" || taken == 1, "{lost:#}");
        let yaml = self.site.place.read("fleet/B2.yaml");
        let mut users = vec![ANA];
        users.extend(yaml.contains(BEN).then_some(BEN));
        assert_eq!(tenant.users_of(GROUP), users);
        let policies = tenant.get("/policies")["policies"].as_array().expect("a list").clone();
        let ours: Vec<_> =
            policies.iter().filter(|policy| policy["kind"] == "deviceCompliancePolicies").collect();
        assert_eq!(ours.len(), 1, "one policy, never two: {ours:#?}");
        let wanted = self.site.place.read("fleet/standard.yaml");
        let length = &ours[0]["properties"]["passwordMinimumLength"];
        assert!(wanted.contains(&format!("minPinLength: {length}")), "{:#}", ours[0]);
        assert_eq!(ours[0]["properties"]["storageRequireEncryption"], true);
        assert_eq!(ours[0]["assignments"][0]["target"]["groupId"], GROUP);
    }
}

/// It ended well, but for a wipe that waits for an approval or has expired.
fn is_well(output: &Output) -> bool {
    matches!(output.code, Some(0 | 3))
}

#[test]
#[expect(clippy::print_stdout, reason = "who repeats a tale needs its seed")]
fn whatever_goes_wrong_in_whatever_order_the_fleet_comes_to_what_its_manifests_say() {
    let begun = Instant::now();
    let long = Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(0));
    let mut seed = seed("FUZZ_SEED");
    loop {
        println!("FUZZ_SEED={seed}");
        let tenant = Tenant::paused();
        let mut tale = Tale::begin(&tenant, seed);
        for _ in 0..STEPS {
            println!("{}", tale.goes_on());
            println!("{}", tale.pass());
        }
        tale.ends_well();
        if begun.elapsed() >= long {
            return;
        }
        seed = Dice(seed).below(u64::MAX);
    }
}
