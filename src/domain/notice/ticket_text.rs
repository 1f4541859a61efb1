//! The fields of a ticket: built in, over them those of the configuration, over these those for the
//! profile of the device. Each is a template.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, context};
use serde::{Deserialize, Serialize};

use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::notify_settings::ServiceNowSettings;
use crate::domain::state::Device;
use crate::domain::wording::harmless_within;

/// ServiceNow cuts longer ones, and somewhere else.
const LONGEST_TITLE: usize = 160;
const LONGEST: usize = 4_000;

const BUILT_IN: [(&str, &str); 4] = [
    ("short_description", "{{ device.id }} {{ device.name }}: {{ problem }}"),
    (
        "description",
        "Device: {{ device.id }} {{ device.name }}, serial number {{ device.serialNumber }}, \
         {{ device.platform }} {{ device.osVersion }}\n\
         User: {{ device.userEmail }}\n\
         Profile: {{ device.profile }}\n\
         Problem: {{ problem }}\n\
         {% if missing %}Not reported: {{ missing | join(\", \") }}\n{% endif %}\
         Since: {{ since }} (entry {{ entry }} of the log)\n\
         More: fleetform show {{ device.id }}",
    ),
    // Low impact, medium urgency: of one device. Priority follows from both.
    ("impact", "3"),
    ("urgency", "2"),
];

/// What closes an incident, as ServiceNow delivers it.
const CLOSING: [(&str, &str); 3] = [
    ("state", "6"),
    ("close_code", "Solution provided"),
    ("close_notes", "{{ problem }} since {{ since }} (entry {{ entry }} of Fleetform's log)."),
];

/// What a template speaks of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subject {
    device: SubjectDevice,
    /// A clause: "is not compliant: encryption".
    problem: String,
    failing: Vec<String>,
    missing: Vec<String>,
    since: String,
    entry: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubjectDevice {
    id: String,
    name: String,
    serial_number: String,
    user_email: String,
    profile: String,
    platform: String,
    os_version: String,
    ownership: String,
    labels: BTreeMap<String, String>,
}

impl Subject {
    /// Of a device, as it is recorded.
    #[must_use]
    pub(crate) fn new(
        (id, device): (DeviceId, &Device),
        problem: String,
        (failing, missing): (&[String], &[String]),
        (entry, since): (u64, Timestamp),
    ) -> Self {
        let spec = &device.spec;
        let labels = spec.labels.iter().map(|(key, value)| (key.to_string(), value.to_string()));
        Self {
            device: SubjectDevice {
                id: id.to_string(),
                name: spec.name.to_string(),
                serial_number: spec.serial_number.to_string(),
                user_email: spec.user_email.to_string(),
                profile: spec.profile.to_string(),
                platform: spec.platform.to_string(),
                os_version: spec.os_version.to_string(),
                ownership: spec.ownership.to_string(),
                labels: labels.collect(),
            },
            problem,
            failing: failing.to_vec(),
            missing: missing.to_vec(),
            since: since.short(),
            entry,
        }
    }

    /// One that has everything but labels, to try templates with.
    fn example() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            device: SubjectDevice {
                id: text("D007"),
                name: text("ana-ruiz-laptop"),
                serial_number: text("PF3XK9Q2"),
                user_email: text("ana.ruiz@example.com"),
                profile: text("Standard"),
                platform: text("windows"),
                os_version: text("10.0.26100"),
                ownership: text("corporate"),
                labels: BTreeMap::new(),
            },
            problem: text("is not compliant: encryption"),
            failing: vec![text("encryption")],
            missing: Vec::new(),
            since: text("2026-11-24T08:00:00Z"),
            entry: 1790,
        }
    }
}

impl ServiceNowSettings {
    /// The fields of a new ticket.
    #[must_use]
    pub(crate) fn opening(&self, subject: &Subject) -> BTreeMap<String, String> {
        let profile =
            self.profiles.iter().find(|(name, _)| *name.as_str() == *subject.device.profile);
        let mut templates: BTreeMap<&str, &str> = BUILT_IN.into();
        for more in [Some(&self.fields), profile.map(|(_, fields)| fields)].into_iter().flatten() {
            templates.extend(more.iter().map(|(name, template)| (&**name, &**template)));
        }
        rendered(&templates, subject)
    }

    /// The fields that close one; none where people do.
    #[must_use]
    pub(crate) fn closing(&self, subject: &Subject) -> BTreeMap<String, String> {
        if !self.close {
            return BTreeMap::new();
        }
        let mut templates: BTreeMap<&str, &str> = CLOSING.into();
        templates.extend(self.close_fields.iter().map(|(name, template)| (&**name, &**template)));
        rendered(&templates, subject)
    }
}

/// That every template can be rendered.
///
/// # Errors
/// Which one cannot, and why.
pub(crate) fn check(settings: &ServiceNowSettings) -> Result<(), String> {
    let (subject, environment) = (Subject::example(), environment());
    let profiles = settings.profiles.values();
    for fields in [&settings.fields, &settings.close_fields].into_iter().chain(profiles) {
        for (name, template) in fields {
            render(&environment, template, &subject).map_err(|why| {
                format!(
                    "`notify.serviceNow`: the template of {name} cannot be used: {why}; there are device.id, \
                     name, serialNumber, userEmail, profile, platform, osVersion, ownership and labels \
                     (with a default: `{{{{ device.labels.site | default(\"\") }}}}`), problem, failing, \
                     missing, since and entry"
                )
            })?;
        }
    }
    Ok(())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment
}

/// A field whose template fails is left out: a ticket that lacks a group is better than none.
fn rendered(templates: &BTreeMap<&str, &str>, subject: &Subject) -> BTreeMap<String, String> {
    let environment = environment();
    let mut fields = BTreeMap::new();
    for (name, template) in templates {
        if let Ok(text) = render(&environment, template, subject) {
            let most = if *name == "short_description" { LONGEST_TITLE } else { LONGEST };
            let lines = text.lines().map(|line| harmless_within(line, most));
            let text = lines.collect::<Vec<_>>().join("\n");
            let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
            fields.insert((*name).to_owned(), text[..end].to_owned());
        }
    }
    fields
}

fn render(
    environment: &Environment<'_>,
    template: &str,
    subject: &Subject,
) -> Result<String, String> {
    let Subject { device, problem, failing, missing, since, entry } = subject;
    let context = context! { device, problem, failing, missing, since, entry };
    let text = environment.render_str(template, context);
    text.map(|text| text.trim_end().to_owned()).map_err(|error| {
        // The first line says it; others show the template again.
        error.to_string().lines().next().unwrap_or_default().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notify_settings::ServiceNowLogin;

    fn settings() -> ServiceNowSettings {
        let fields = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        ServiceNowSettings {
            url: "https://example.service-now.com".into(),
            login: ServiceNowLogin::ApiKey { file: "key".into() },
            ca_file: None,
            private_addresses: Vec::new(),
            table: "incident".into(),
            fields: fields(&[("assignment_group", "Desk"), ("category", "{{ device.platform }}")]),
            profiles: [(
                "Executive".parse().unwrap(),
                fields(&[("urgency", "1"), ("impact", "1"), ("assignment_group", "VIP")]),
            )]
            .into(),
            close: true,
            close_fields: fields(&[("close_code", "Solved (Permanently)")]),
        }
    }

    #[test]
    fn what_is_configured_goes_over_what_is_built_in_and_a_profile_over_both() {
        let settings = settings();
        let fields = settings.opening(&Subject::example());
        for (name, text) in [
            ("short_description", "D007 ana-ruiz-laptop: is not compliant: encryption"),
            ("assignment_group", "Desk"),
            ("category", "windows"),
            ("impact", "3"),
            ("urgency", "2"),
        ] {
            assert_eq!(fields[name], text);
        }
        assert!(fields["description"].contains("User: ana.ruiz@example.com\nProfile: Standard\n"));
        let mut boss = Subject::example();
        boss.device.profile = "Executive".into();
        let fields = settings.opening(&boss);
        assert_eq!((&*fields["urgency"], &*fields["impact"]), ("1", "1"), "an urgent one");
        assert_eq!((&*fields["assignment_group"], &*fields["category"]), ("VIP", "windows"));
    }

    #[test]
    fn nothing_is_closed_unless_that_is_configured() {
        let mut settings = settings();
        let fields = settings.closing(&Subject::example());
        assert_eq!((&*fields["state"], &*fields["close_code"]), ("6", "Solved (Permanently)"));
        settings.close = false;
        assert!(settings.closing(&Subject::example()).is_empty());
    }

    #[test]
    fn a_template_that_cannot_be_used_is_refused_by_its_name() {
        for (template, why) in [
            ("{{ device.color }}", "undefined"),
            ("{{ device.labels.site }}", "undefined"),
            ("{% if %}", "syntax error"),
            ("{{ nothing }}", "undefined"),
        ] {
            let mut settings = settings();
            settings.fields.insert("category".into(), template.into());
            let refused = check(&settings).unwrap_err();
            assert!(refused.contains("category") && refused.contains(why), "{template}: {refused}");
        }
        let mut fine = settings();
        fine.fields.insert("location".into(), "{{ device.labels.site | default(\"\") }}".into());
        check(&fine).unwrap();
    }

    #[test]
    fn what_strangers_wrote_is_short_and_moves_no_cursor() {
        let mut subject = Subject::example();
        subject.problem = format!("\u{202e}{}", "x".repeat(9_000));
        let fields = settings().opening(&subject);
        assert!(fields["short_description"].chars().count() <= LONGEST_TITLE);
        assert!(fields["description"].chars().count() <= LONGEST);
        assert!(!fields.values().any(|text| text.contains('\u{202e}')));
    }
}
