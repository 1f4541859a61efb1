//! What follows when a device does not comply: `scheduledActionsForRule`.

use serde_json::{Map, Value, json};

use super::call::{check, objects, text};
use super::refusal::Refusal;
use crate::ui::emulator::tenant::{Dice, Policy};

const ACTIONS: [&str; 7] = [
    "noAction",
    "notification",
    "block",
    "retire",
    "wipe",
    "removeResourceAccessProfiles",
    "pushNotification",
];
/// As many hours as a grace period may have.
const MOST_HOURS: i64 = 8760;

/// Rules as they are kept: there must be one block action, and only one.
pub(super) fn read_rules(
    dice: &mut Dice,
    given: Vec<&Map<String, Value>>,
) -> Result<Vec<Value>, Refusal> {
    let mut rules = Vec::new();
    let mut blocks = 0;
    for rule in given {
        let known = ["id", "ruleName", "scheduledActionConfigurations"];
        check(rule, "microsoft.graph.deviceComplianceScheduledActionForRule", &known)?;
        let mut items = Vec::new();
        for item in objects(rule, "scheduledActionConfigurations")? {
            blocks += u32::from(text(item, "actionType")? == Some("block"));
            items.push(read_item(dice, item)?);
        }
        rules.push(json!({
            "id": dice.id(),
            "ruleName": text(rule, "ruleName")?,
            "scheduledActionConfigurations": items,
        }));
    }
    if blocks == 1 {
        return Ok(rules);
    }
    Err(Refusal::bad(format!(
        "A compliance policy must have one and only one block action; this one has {blocks}."
    )))
}

fn read_item(dice: &mut Dice, item: &Map<String, Value>) -> Result<Value, Refusal> {
    let known = [
        "actionType",
        "gracePeriodHours",
        "id",
        "notificationMessageCCList",
        "notificationTemplateId",
    ];
    check(item, "microsoft.graph.deviceComplianceActionItem", &known)?;
    let action = text(item, "actionType")?.unwrap_or("noAction");
    if !ACTIONS.contains(&action) {
        return Err(Refusal::bad(format!("Invalid value '{action}' for actionType.")));
    }
    let hours = item.get("gracePeriodHours").map_or(Some(0), Value::as_i64);
    let hours = hours.filter(|hours| (0..=MOST_HOURS).contains(hours));
    let hours = hours.ok_or_else(|| {
        Refusal::bad(format!("gracePeriodHours: a number of hours from 0 to {MOST_HOURS}."))
    })?;
    let copies = item.get("notificationMessageCCList").cloned();
    Ok(json!({
        "id": dice.id(),
        "actionType": action,
        "gracePeriodHours": hours,
        "notificationTemplateId": text(item, "notificationTemplateId")?.unwrap_or_default(),
        "notificationMessageCCList": copies.filter(Value::is_array).unwrap_or_else(|| json!([])),
    }))
}

/// As Graph shows them: the items only where they are expanded, too.
pub(super) fn show_rules(policy: &Policy, with_items: bool) -> Vec<Value> {
    let mut rules = policy.scheduled.clone();
    for rule in rules.iter_mut().filter_map(Value::as_object_mut).filter(|_| !with_items) {
        rule.remove("scheduledActionConfigurations");
    }
    rules
}
