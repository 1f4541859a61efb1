//! Profiles: a table of all, and one with all that there is to say about it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use super::table::{Column, Table};
use super::text::safe_lines;
use crate::domain::model::{
    AntivirusRequirement, ComplianceState, EncryptionRequirement, Name, Platform, Profile,
    Requirements, ScreenLockRequirement, Status,
};
use crate::domain::state::{Device, State};
use crate::domain::wording::short;

/// All that are recorded, by name, each with its devices.
#[derive(Debug, Serialize)]
pub(crate) struct Profiles<'a> {
    version: u32,
    profiles: Vec<Counted<'a>>,
}

/// A profile, and how many devices have it.
#[derive(Debug, Serialize)]
struct Counted<'a> {
    #[serde(flatten)]
    profile: &'a Profile,
    devices: usize,
    #[serde(rename = "nonCompliant")]
    non_compliant: usize,
}

/// Devices that count: neither wiped nor archived.
fn devices_of<'a>(state: &'a State, name: &'a Name) -> impl Iterator<Item = &'a Device> {
    let devices = state.devices.values();
    devices.filter(move |device| {
        device.spec.profile == *name && !device.is_wiped() && device.rare.archived_since.is_none()
    })
}

fn is_non_compliant(device: &&Device) -> bool {
    device.compliance.state == ComplianceState::NonCompliant
}

impl<'a> Profiles<'a> {
    #[must_use]
    pub(crate) fn of(state: &'a State) -> Self {
        let mut counts: BTreeMap<&Name, (usize, usize)> = BTreeMap::new();
        for device in state.devices.values() {
            if !device.is_wiped() && device.rare.archived_since.is_none() {
                let (devices, failing) = counts.entry(&device.spec.profile).or_default();
                *devices += 1;
                *failing += usize::from(is_non_compliant(&device));
            }
        }
        let counted = |profile: &'a Profile| {
            let (devices, non_compliant) = counts.get(&profile.name).copied().unwrap_or_default();
            Counted { profile, devices, non_compliant }
        };
        let profiles = state.profiles.values().map(|profile| counted(profile)).collect();
        Self { version: 1, profiles }
    }

    /// One of them.
    #[must_use]
    pub(crate) fn only(mut self, name: &Name) -> Self {
        self.profiles.retain(|counted| counted.profile.name == *name);
        self
    }

    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let mut table = Table::new([
            Column::whole("NAME"),
            Column::whole("DEVICES"),
            Column::whole("NONCOMPLIANT"),
            Column::whole("PLATFORMS"),
            Column::cut("LICENSES", 8).or_hide(2),
            Column::cut("APPS", 12).or_hide(1),
            Column::cut("DESCRIPTION", 12),
        ]);
        for Counted { profile, devices, non_compliant } in &self.profiles {
            table.push([
                profile.name.as_str().into(),
                devices.to_string().into(),
                non_compliant.to_string().into(),
                platforms(profile).into(),
                profile.licenses.join(", ").into(),
                profile.apps.join(", ").into(),
                profile.description.as_str().into(),
            ]);
        }
        table.write(out)
    }

    /// Names, one a line.
    pub(crate) fn names(&self, out: &mut Out) -> io::Result<()> {
        self.profiles.iter().try_for_each(|counted| writeln!(out, "{}", counted.profile.name))
    }

    /// `{"version": 1, "profiles": [{"name", …, "devices", "nonCompliant"}]}`.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::pretty(out, self)
    }

    pub(crate) fn yaml(&self, out: &mut Out) -> io::Result<()> {
        json::yaml(out, self)
    }
}

fn platforms(profile: &Profile) -> String {
    profile.platforms.iter().map(|platform| platform.as_str()).collect::<Vec<_>>().join(", ")
}

/// One profile.
#[derive(Debug, Serialize)]
pub(crate) struct ShownProfile<'a> {
    version: u32,
    profile: &'a Profile,
    devices: BTreeMap<&'static str, usize>,
    #[serde(rename = "nonCompliant")]
    non_compliant: usize,
}

impl<'a> ShownProfile<'a> {
    #[must_use]
    pub(crate) fn of(state: &'a State, profile: &'a Profile) -> Self {
        let mut devices: BTreeMap<_, _> =
            Status::ALL.iter().map(|status| (status.as_str(), 0)).collect();
        for device in devices_of(state, &profile.name) {
            *devices.entry(device.status.as_str()).or_default() += 1;
        }
        let non_compliant = devices_of(state, &profile.name).filter(is_non_compliant).count();
        Self { version: 1, profile, devices, non_compliant }
    }

    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let Self { version: _, profile, devices, non_compliant } = self;
        let counts: Vec<_> = devices
            .iter()
            .filter(|(_, n)| **n > 0)
            .map(|(status, n)| format!("{n} {status}"))
            .chain((*non_compliant > 0).then(|| format!("{non_compliant} not compliant")))
            .collect();
        let mut rows = vec![
            ("Profile", profile.name.to_string()),
            ("Description", profile.description.clone()),
            ("Platforms", platforms(profile)),
            ("Apps", profile.apps.join(", ")),
            ("Licenses", profile.licenses.join(", ")),
            ("Devices", if counts.is_empty() { "none".into() } else { counts.join(", ") }),
            ("Revision", short(profile.digest)),
        ];
        if let Some(intune) = &profile.intune {
            rows.push(("Intune group", intune.group.to_string()));
        }
        for (key, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
            let key = format!("{:<15}", format!("{key}:"));
            let value = out.paint(Tone::Plain, value).to_string();
            writeln!(out, "{}{value}", out.paint(Tone::Strong, &key))?;
        }
        let required = required(&profile.compliance);
        if !required.is_empty() {
            writeln!(out, "{}", out.paint(Tone::Strong, "Compliance:"))?;
        }
        for line in required {
            writeln!(out, "  {}", out.paint(Tone::Plain, &line))?;
        }
        if profile.settings.as_object().is_some_and(|settings| !settings.is_empty()) {
            writeln!(out, "{}", out.paint(Tone::Strong, "Settings:"))?;
            let text = serde_yaml::to_string(&profile.settings).map_err(io::Error::other)?;
            for line in safe_lines(&text).lines() {
                writeln!(out, "  {line}")?;
            }
        }
        Ok(())
    }

    /// `{"version": 1, "profile": {…}, "devices": {status: n}, "nonCompliant": n}`.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::pretty(out, self)
    }

    pub(crate) fn yaml(&self, out: &mut Out) -> io::Result<()> {
        json::yaml(out, self)
    }
}

/// What is required, a line each.
fn required(compliance: &Requirements) -> Vec<String> {
    let Requirements { minimum_os_version, antivirus, encryption, screen_lock } = compliance;
    let version = |(platform, version): (&Platform, _)| {
        format!("osVersion on {platform}: at least {version}")
    };
    let mut lines: Vec<_> = minimum_os_version.iter().map(version).collect();
    if let Some(AntivirusRequirement { required: true, max_signature_age_days }) = antivirus {
        let age =
            max_signature_age_days.map(|days| format!(", signatures at most {days} days old"));
        lines.push(format!("antivirus: on{}", age.unwrap_or_default()));
    }
    if let Some(EncryptionRequirement { required: true }) = encryption {
        lines.push("encryption: on".to_owned());
    }
    if let Some(ScreenLockRequirement { required: true, min_pin_length }) = screen_lock {
        lines.push(format!("screenLock: on, a PIN of at least {min_pin_length} digits"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::ui::render::testing::{Screen, state};

    #[test]
    fn profiles_are_shown_with_who_has_them() {
        let state = state();
        let screen = Screen::piped();
        Profiles::of(&state).text(&mut screen.out()).unwrap();
        let profile = state.profiles.values().next().unwrap();
        ShownProfile::of(&state, profile).text(&mut screen.out()).unwrap();
        expect![[r#"
            NAME      DEVICES  NONCOMPLIANT  PLATFORMS  LICENSES  APPS                     DESCRIPTION
            Standard  1        1             windows    SPE_E3    Microsoft 365 Apps, VPN  Windows 11 workstation
            Profile:       Standard
            Description:   Windows 11 workstation
            Platforms:     windows
            Apps:          Microsoft 365 Apps, VPN
            Licenses:      SPE_E3
            Devices:       1 Enrolled, 1 not compliant
            Revision:      1900eab6c028
            Compliance:
              encryption: on
        "#]].assert_eq(&screen.results());
    }
}
