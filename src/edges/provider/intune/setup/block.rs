//! After how many hours a device that does not comply loses its access: the one block action of a
//! compliance policy.

use serde_json::{Value, json};

/// The only rule that Graph has for actions.
const RULE: &str = "PasswordRequired";

/// Of a new policy: no message, since Fleetform tells people itself.
pub(super) fn rules(hours: i64) -> Value {
    json!([{"ruleName": RULE, "scheduledActionConfigurations": [block(hours)]}])
}

fn block(hours: i64) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.deviceComplianceActionItem",
        "actionType": "block",
        "gracePeriodHours": hours,
        "notificationTemplateId": "",
        "notificationMessageCCList": [],
    })
}

/// The hours of the block action in what a policy has; nothing where there is none, or several.
pub(super) fn hours(rules: &[Value]) -> Option<i64> {
    let mut blocks = actions(rules).filter(|action| is_block(action));
    let block = blocks.next().filter(|_| blocks.next().is_none());
    block?.get("gracePeriodHours")?.as_i64()
}

/// What a policy has, with this block action; whatever else somebody added stays.
pub(super) fn with_hours(rules: &[Value], hours: i64) -> Value {
    let others = actions(rules).filter(|action| !is_block(action)).cloned();
    let all: Vec<Value> = std::iter::once(block(hours)).chain(others).collect();
    json!([{"ruleName": RULE, "scheduledActionConfigurations": all}])
}

fn actions(rules: &[Value]) -> impl Iterator<Item = &Value> {
    rules.iter().filter_map(|rule| rule.get("scheduledActionConfigurations")?.as_array()).flatten()
}

fn is_block(action: &Value) -> bool {
    action.get("actionType").and_then(Value::as_str) == Some("block")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_block_and_what_others_added_stays() {
        let mail = json!({"id": "m", "actionType": "notification", "gracePeriodHours": 0,
            "notificationTemplateId": "t", "notificationMessageCCList": ["g"]});
        let rule = |actions: &[Value]| {
            vec![json!({"id": "1", "ruleName": RULE, "scheduledActionConfigurations": actions})]
        };
        let seen = rule(&[mail.clone(), json!({"actionType": "block", "gracePeriodHours": 0})]);
        assert_eq!(hours(&seen), Some(0));
        let now = with_hours(&seen, 24);
        let now = now.as_array().unwrap();
        assert_eq!(hours(now), Some(24));
        assert!(actions(now).any(|action| *action == mail));
        assert_eq!(actions(now).count(), 2);
        assert_eq!(hours(rules(24).as_array().unwrap()), Some(24));
        assert_eq!(hours(&rule(&[mail])), None);
        assert_eq!(hours(&[]), None);
        let twice = rule(&[block(24), block(48)]);
        assert_eq!(hours(&twice), None);
        assert_eq!(hours(with_hours(&twice, 24).as_array().unwrap()), Some(24));
    }
}
