//! Whatever is called in whatever order: nothing panics, and what holds always holds still.

use serde_json::json;

use super::*;
use crate::ui::emulator::tenant::Dice;

const GROUP: &str = "0f3c0000-0000-4000-8000-000000000001";

struct Tale {
    world: World,
    dice: Dice,
    wiped: u64,
}

impl Tale {
    fn pick(&mut self, all: &[String]) -> String {
        if all.is_empty() || self.dice.below(20) == 0 {
            return "nothing".to_owned();
        }
        all[usize::try_from(self.dice.below(all.len() as u64)).unwrap()].clone()
    }

    fn devices(&mut self) -> Vec<String> {
        each(&self.world.get(&format!("{MANAGED}?$select=id")), "id")
    }

    /// Something that an application, a device or an administrator may do.
    fn step(&mut self, number: u64) {
        let devices = self.devices();
        let id = self.pick(&devices);
        let serial = format!("R{}", self.dice.below(number + 1));
        let upn = format!("user{:03}@contoso.com", self.dice.below(4));
        let to_group = json!({"target": {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": GROUP}});
        let mut did = Value::Null;
        match self.dice.below(16) {
            0 => {
                let platform = ["windows", "macos", "ios", "android"]
                    [usize::try_from(self.dice.below(4)).unwrap()];
                let enrolled = self.dice.below(2) == 0;
                let given = json!({"serialNumber": format!("R{number}"), "platform": platform, "enrolled": enrolled, "userPrincipalName": upn});
                self.world.hardware(given);
            }
            1 => {
                let body =
                    json!({"keepEnrollmentData": self.dice.below(4) == 0, "keepUserData": false});
                let answer = self.world.call("POST", &format!("{MANAGED}/{id}/wipe"), Some(&body));
                self.wiped += u64::from(answer.status == 204);
            }
            2 => did = json!(["POST", format!("{MANAGED}/{id}/retire"), null]),
            3 => did = json!(["POST", format!("{MANAGED}/{id}/syncDevice"), null]),
            4 => did = json!(["GET", format!("{MANAGED}/{id}/deviceCompliancePolicyStates"), null]),
            5 => {
                let body = json!({"importedWindowsAutopilotDeviceIdentities":
                    [{"serialNumber": serial, "hardwareIdentifier": "aGFzaA=="}]});
                let address =
                    "/v1.0/deviceManagement/importedWindowsAutopilotDeviceIdentities/import";
                did = json!(["POST", address, body]);
            }
            6 => {
                let body = json!({"importedDeviceIdentities": [{"importedDeviceIdentityType": "serialNumber",
                    "importedDeviceIdentifier": serial}], "overwriteImportedDeviceIdentities": true});
                let address =
                    "/beta/deviceManagement/importedDeviceIdentities/importDeviceIdentityList";
                did = json!(["POST", address, body]);
            }
            7 => {
                let user = self.world.tenant.directory.user(&upn).map(|user| user.id.clone());
                let body = json!({"@odata.id": format!("https://x/v1.0/users/{}", user.unwrap_or_default())});
                did = json!(["POST", format!("/v1.0/groups/{GROUP}/members/$ref"), body]);
            }
            8 => {
                let user = self.world.tenant.directory.user(&upn).map(|user| user.id.clone());
                let address =
                    format!("/v1.0/groups/{GROUP}/members/{}/$ref", user.unwrap_or_default());
                did = json!(["DELETE", address, null]);
            }
            9 => {
                let hours = self.dice.below(48);
                let body = json!({
                    "@odata.type": "#microsoft.graph.windows10CompliancePolicy", "displayName": "x",
                    "bitLockerEnabled": true, "scheduledActionsForRule": [{"scheduledActionConfigurations":
                        [{"actionType": "block", "gracePeriodHours": hours}]}],
                });
                let address = "/v1.0/deviceManagement/deviceCompliancePolicies";
                let made = self.world.post(address, &body);
                let address = format!("{address}/{}/assign", made["id"].as_str().unwrap());
                did = json!(["POST", address, {"assignments": [to_group]}]);
            }
            10 => {
                let sku = self.world.tenant.directory.skus.keys().next().cloned();
                let body = json!({"addLicenses": [{"skuId": sku, "disabledPlans": []}], "removeLicenses": []});
                did = json!(["POST", format!("/v1.0/users/{upn}/assignLicense"), body]);
            }
            11 => self.control(
                "PATCH",
                &serial,
                &json!({"facts": {"encrypted": self.dice.clone().below(2) == 0}}),
            ),
            12 => self.control(
                "PATCH",
                &serial,
                &json!({"online": self.dice.clone().below(2) == 0, "joins": true}),
            ),
            13 => self.control("POST", &format!("{serial}/duplicate"), &json!(null)),
            14 => self.control("POST", &format!("{serial}/lose"), &json!(null)),
            _ => {
                let minutes = self.dice.below(600);
                self.world.pass(&format!("{minutes}m"));
            }
        }
        if let Some(did) = did.as_array() {
            let body = Some(&did[2]).filter(|body| !body.is_null());
            let answer = self.world.call(did[0].as_str().unwrap(), did[1].as_str().unwrap(), body);
            assert!(answer.status < 500, "{did:?}: {answer:?}");
        }
    }

    /// What a test does; whether it could be done is no matter.
    fn control(&mut self, method: &str, rest: &str, body: &Value) {
        let mut request =
            World::request("", method, &format!("/emulator/hardware/{rest}"), Some(body));
        if body.is_null() {
            request.body.clear();
        }
        let answer = serve_control(&mut self.world.tenant, &request);
        assert!(answer.status < 500, "{rest}: {answer:?}");
    }

    /// Each record once, whatever the size of a page; each hardware in one living record at most.
    fn check(&mut self) {
        let all = self.devices();
        assert_eq!(BTreeSet::from_iter(&all).len(), all.len());
        let size = 1 + self.dice.below(5);
        let mut next = Some(format!("{MANAGED}?$select=id&$top={size}"));
        let mut paged = Vec::new();
        while let Some(address) = next {
            let page = self.world.get(&address);
            paged.extend(each(&page, "id"));
            let link = page["@odata.nextLink"].as_str();
            next = link.map(|link| link.replace("http://localhost:1", ""));
        }
        assert_eq!(paged, all);
        let state = self.world.control("GET", "/state", &json!(null));
        let wipes =
            state["accepted"].as_array().unwrap().iter().filter(|one| one["command"] == "wipe");
        assert_eq!(wipes.count() as u64, self.wiped);
        for hardware in &self.world.tenant.hardware {
            if let Some(id) = &hardware.managed_device_id {
                let record =
                    self.world.tenant.records.get(id).expect("a record of what is enrolled");
                assert_eq!(record.serial, hardware.serial_number);
            }
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the seed that fails is the last one that was printed")]
fn random_tales_end_well() {
    for seed in 0..40 {
        let mut tale = Tale { world: World::seeded(seed), dice: Dice::new(seed), wiped: 0 };
        let group = json!({"id": GROUP, "displayName": "Standard"});
        tale.world.control("POST", "/groups", &group);
        println!("seed {seed}");
        for number in 0..60 {
            tale.step(number);
        }
        tale.check();
        tale.world.pass("1000h");
        tale.check();
    }
}

#[test]
fn the_same_seed_and_the_same_calls_give_the_same_tenant() {
    let tell = || {
        let mut tale = Tale { world: World::seeded(7), dice: Dice::new(7), wiped: 0 };
        let group = json!({"id": GROUP, "displayName": "Standard"});
        tale.world.control("POST", "/groups", &group);
        for number in 0..60 {
            tale.step(number);
        }
        (tale.world.get(MANAGED), tale.world.control("GET", "/state", &json!(null)))
    };
    assert_eq!(tell(), tell());
}
