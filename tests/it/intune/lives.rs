//! The whole life of a device of each kind, step by step. After each step nothing is left to do, and
//! finding that out writes nothing.

use serde_json::{Value, json};

use crate::support::{Device, GROUP, OTHER_GROUP, Profile, Site, Tenant, text};

const ANA: &str = "ana@example.com";
const BEN: &str = "ben@example.com";
const SERIAL: &str = "PF3XK9Q2";

/// One device, whose user is Ana, and later Ben.
struct Life<'t> {
    site: Site<'t>,
    manifest: Device,
}

impl<'t> Life<'t> {
    fn new(tenant: &'t Tenant, hardware: Value, manifest: &[(&'static str, &str)]) -> Self {
        let site = Site::new(tenant);
        site.put("standard.yaml", site.standard().yaml());
        let mut given = json!({"serialNumber": SERIAL, "userPrincipalName": ANA});
        given.as_object_mut().expect("a map").extend(hardware.as_object().expect("a map").clone());
        tenant.hardware(given);
        tenant.post("/users", json!({"userPrincipalName": BEN}));
        let version = |platform: &str| match platform {
            "macos" | "android" => "\"15\"",
            "ios" => "\"18\"",
            _ => "\"10.0.26100\"",
        };
        let platform = hardware["platform"].as_str().unwrap_or("windows").to_owned();
        let mut device = Device::new(SERIAL).with("platform", &platform);
        device = device.with("osVersion", version(&platform));
        for (key, value) in manifest {
            device = device.with(key, value);
        }
        Self { site, manifest: device }
    }

    fn write(&self) {
        self.site.put("device.yaml", self.manifest.yaml());
    }

    /// It is declared, and Intune has it already.
    #[track_caller]
    fn is_taken_over(&self) {
        self.write();
        let tenant = self.site.tenant;
        let before = tenant.last_call();
        self.site.apply();
        let written = tenant.written(before);
        let enrolls = |call: &&String| call.contains("dentit");
        assert_eq!(written.iter().filter(enrolls).count(), 0, "{written:?}");
        self.site.settles();
        assert_eq!(tenant.users_of(GROUP), [ANA]);
    }

    /// It is declared: its user gets a license and the profile's group, and what was written besides
    /// is what its kind needs.
    #[track_caller]
    fn is_declared(&self, registered_by: &[&str]) {
        self.write();
        let tenant = self.site.tenant;
        let before = tenant.last_call();
        self.site.settles();
        assert_eq!(tenant.users_of(GROUP), [ANA]);
        assert_eq!(
            tenant.get(&format!("/users/{ANA}"))["licenses"].as_array().map(Vec::len),
            Some(1)
        );
        let written = tenant.written(before);
        let kinds = [
            "/import",
            "/assignUserToDevice",
            "/updateDeviceProperties",
            "/importDeviceIdentityList",
        ];
        let found: Vec<_> = written
            .iter()
            .filter_map(|call| kinds.iter().find(|kind| call.ends_with(*kind)).copied())
            .collect();
        assert_eq!(found, registered_by, "{written:?}");
    }

    /// Its user sets it up, and it tells how it is.
    #[track_caller]
    fn joins(&self, owner: &str) {
        assert_eq!(self.site.stands(SERIAL), "Pending unknown");
        self.site.tenant.wait("45m");
        self.site.settles();
        assert_eq!(
            self.site.stands(SERIAL),
            "Enrolled compliant",
            "{:#}",
            self.site.device(SERIAL)
        );
        assert_eq!(self.site.tenant.device(SERIAL)["record"]["owner"], owner);
    }

    /// It stops being compliant by these facts, and is again by those.
    #[track_caller]
    fn fails_and_recovers(&self, bad: Value, good: Value) {
        let tenant = self.site.tenant;
        tenant.wait("9h");
        tenant.becomes(SERIAL, bad);
        self.site.settles();
        assert_eq!(
            self.site.stands(SERIAL),
            "Enrolled nonCompliant",
            "{:#}",
            self.site.device(SERIAL)
        );
        tenant.wait("5m");
        tenant.becomes(SERIAL, good);
        self.site.settles();
        assert_eq!(
            self.site.stands(SERIAL),
            "Enrolled compliant",
            "{:#}",
            self.site.device(SERIAL)
        );
    }

    /// The profile asks for a longer PIN: the policy in Intune does, too, and no other one is made.
    #[track_caller]
    fn profile_changes(&self, property: &str) {
        let tenant = self.site.tenant;
        let policies = || tenant.get("/policies")["policies"].as_array().expect("a list").clone();
        let before = policies().len();
        self.site.place.replace("fleet/standard.yaml", "minPinLength: 6", "minPinLength: 7");
        self.site.settles();
        let after = policies();
        assert_eq!(after.len(), before);
        let lengths: Vec<_> = after.iter().map(|policy| &policy["properties"][property]).collect();
        assert!(lengths.contains(&&json!(7)), "{after:#?}");
        tenant.wait("9h");
        self.site.settles();
        assert_eq!(self.site.stands(SERIAL), "Enrolled compliant");
    }

    /// It gets another profile, and is in the group of that one only.
    #[track_caller]
    fn gets_another_profile(&mut self) {
        let other = Profile::new("Other", "windows, ios, macos, android");
        let other = other.with("intune", format_args!("{{group: {OTHER_GROUP}}}"));
        self.site.put("other.yaml", other.yaml());
        self.manifest = self.manifest.clone().with("profile", "Other");
        self.write();
        self.site.settles();
        let tenant = self.site.tenant;
        assert_eq!(
            (tenant.users_of(GROUP), tenant.users_of(OTHER_GROUP)),
            (vec![], vec![ANA.into()])
        );
        self.manifest = self.manifest.clone().with("profile", "Standard");
        self.write();
        self.site.settles();
        assert_eq!(
            (tenant.users_of(GROUP), tenant.users_of(OTHER_GROUP)),
            (vec![ANA.into()], vec![])
        );
    }

    /// Ben gets it: Ana leaves the group.
    #[track_caller]
    fn user_changes(&mut self) {
        self.manifest = self.manifest.clone().with("userEmail", BEN);
        self.write();
        self.site.settles();
        assert_eq!(self.site.tenant.users_of(GROUP), [BEN]);
    }

    /// A signed request ends it.
    #[track_caller]
    fn is_wiped(&self, scope: &'static str) {
        let tenant = self.site.tenant;
        self.site.request(SERIAL, scope);
        self.site.settles();
        let (standing, _, why) = self.site.wipe();
        assert_eq!(standing, "issued", "{why}");
        assert!(why.contains("the MDM took the command"), "{why}");
        tenant.wait("30m");
        self.site.settles();
        assert_eq!(text(&self.site.device(SERIAL)["status"]), "Wiped");
        assert_eq!(self.site.wipe().0, "confirmed");
        let accepted = tenant.accepted();
        assert_eq!(accepted.len(), 1, "{accepted:#?}");
        let command = if scope == "full" { "wipe" } else { "retire" };
        assert_eq!(
            (&accepted[0]["command"], &accepted[0]["outcome"]),
            (&json!(command), &json!("done"))
        );
        assert_eq!(tenant.device(SERIAL)["erased"], u32::from(scope == "full"));
        if scope == "full" {
            let body = json!({"keepEnrollmentData": false, "keepUserData": false});
            assert_eq!(accepted[0]["body"], body, "both are always sent");
        }
        tenant.wait("48h");
        self.site.settles();
        self.site.log_is_sound();
        self.site.keeps_its_promises();
    }
}

const HASH: (&str, &str) =
    ("hardware", "{manufacturer: LENOVO, model: X1, autopilotHash: aGFzaA==}");

fn encrypted() -> (Value, Value) {
    (json!({"encrypted": false}), json!({"encrypted": true}))
}

fn pins() -> (Value, Value) {
    (json!({"pinLength": 4}), json!({"pinLength": 8}))
}

#[test]
fn a_windows_laptop_is_registered_by_its_hash_enrolls_and_is_wiped() {
    let tenant = Tenant::paused();
    let mut life = Life::new(&tenant, json!({}), &[HASH]);
    life.is_declared(&["/import"]);
    life.joins("company");
    let (bad, good) = encrypted();
    life.fails_and_recovers(bad, good);
    life.profile_changes("passwordMinimumLength");
    life.gets_another_profile();
    life.user_changes();
    life.is_wiped("full");
}

#[test]
fn a_windows_laptop_that_its_seller_registered_gets_its_user_and_tag() {
    let tenant = Tenant::paused();
    let mut life = Life::new(&tenant, json!({"registered": true}), &[]);
    life.is_declared(&["/assignUserToDevice", "/updateDeviceProperties"]);
    life.joins("company");
    let (bad, good) = pins();
    life.fails_and_recovers(bad, good);
    life.user_changes();
    life.is_wiped("full");
}

#[test]
fn a_windows_laptop_without_autopilot_is_known_by_its_corporate_identifier() {
    let tenant = Tenant::paused();
    let made = json!({"manufacturer": "Microsoft", "model": "surface 5"});
    let fields = ("hardware", "{manufacturer: Microsoft, model: surface 5}");
    let life = Life::new(&tenant, made, &[fields]);
    life.is_declared(&["/importDeviceIdentityList"]);
    life.joins("company");
    let (bad, good) = encrypted();
    life.fails_and_recovers(bad, good);
    life.is_wiped("selective");
}

#[test]
fn an_iphone_lives_and_is_wiped() {
    let tenant = Tenant::paused();
    let mut life = Life::new(&tenant, json!({"platform": "ios"}), &[]);
    life.is_declared(&["/importDeviceIdentityList"]);
    life.joins("company");
    let (bad, good) = pins();
    life.fails_and_recovers(bad, good);
    life.profile_changes("passcodeMinimumLength");
    life.user_changes();
    life.is_wiped("full");
}

#[test]
fn a_mac_lives_and_is_wiped() {
    let tenant = Tenant::paused();
    let mut life = Life::new(&tenant, json!({"platform": "macos"}), &[]);
    life.is_declared(&["/importDeviceIdentityList"]);
    life.joins("company");
    let (bad, good) = encrypted();
    life.fails_and_recovers(bad, good);
    life.profile_changes("passwordMinimumLength");
    life.gets_another_profile();
    life.is_wiped("full");
}

#[test]
fn an_android_phone_of_the_company_lives_and_is_wiped() {
    let tenant = Tenant::paused();
    let mut life = Life::new(&tenant, json!({"platform": "android"}), &[]);
    life.is_declared(&["/importDeviceIdentityList"]);
    life.joins("company");
    let (bad, good) = pins();
    life.fails_and_recovers(bad, good);
    life.profile_changes("passwordMinimumLength");
    life.user_changes();
    life.is_wiped("full");
}

#[test]
fn a_device_that_intune_has_already_is_taken_over_as_it_is() {
    let tenant = Tenant::paused();
    let mut life = Life::new(&tenant, json!({"enrolled": true}), &[HASH]);
    let record = tenant.record_of(SERIAL);
    life.is_taken_over();
    tenant.wait("9h");
    life.site.settles();
    assert_eq!(life.site.stands(SERIAL), "Enrolled compliant");
    assert_eq!(tenant.record_of(SERIAL), record, "it did not enroll anew");
    let (bad, good) = encrypted();
    life.fails_and_recovers(bad, good);
    life.profile_changes("passwordMinimumLength");
    life.user_changes();
    life.is_wiped("full");
}

#[test]
fn a_phone_of_its_users_own_is_never_wiped_in_full() {
    let tenant = Tenant::paused();
    let own = json!({"platform": "ios", "personal": true});
    let life = Life::new(&tenant, own, &[("ownership", "personal")]);
    life.is_declared(&[]);
    life.joins("personal");
    let file = life.site.request(SERIAL, "full");
    life.site.pass();
    let (standing, _, why) = life.site.wipe();
    assert_eq!(standing, "refused", "{why}");
    assert_eq!(tenant.accepted().len(), 0);
    for file in [&file, &format!("{file}.sig")] {
        life.site.place.remove(&format!("fleet/{file}"));
    }
    life.is_wiped("selective");
}

#[test]
fn who_gave_a_device_away_leaves_its_group_though_the_first_push_fails_or_dies() {
    let refused = json!({"match": {"method": "POST", "path": "*/members*"}, "times": 1,
        "action": {"status": 403}});
    let deaths =
        ["ledger.append.fsync.after=0*off->return", "ledger.append.write.before=1*off->return"];
    for death in [None, Some(deaths[0]), Some(deaths[1])] {
        let tenant = Tenant::paused();
        let mut life = Life::new(&tenant, json!({"enrolled": true}), &[]);
        life.is_taken_over();
        life.manifest = life.manifest.clone().with("userEmail", BEN);
        life.write();
        match death {
            None => {
                tenant.fault(refused.clone());
                assert_eq!(life.site.pass().0, 1, "that it failed is said");
            }
            Some(point) => {
                let died = life.site.run_with(&["apply", "--yes"], &[("FAILPOINTS", point)]);
                assert_eq!(died.signal, Some(6), "{point}: {died:#?}");
            }
        }
        assert_ne!(tenant.users_of(GROUP), [BEN], "{death:?}");
        tenant.heal();
        tenant.wait("5m");
        life.site.settles();
        assert_eq!(tenant.users_of(GROUP), [BEN], "{death:?}");
        assert_eq!(life.site.device(SERIAL)["push"]["formerUsers"], Value::Null);
    }
}
