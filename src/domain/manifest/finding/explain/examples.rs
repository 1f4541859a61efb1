//! How examples are written, and those that several codes share.

use super::explanation::Example;

/// A manifest of a device: its `spec`, line by line.
macro_rules! device {
    ($($line:literal),+ $(,)?) => {
        Example::Manifest(concat!(
            "apiVersion: fleetform/v1\nkind: Device\nmetadata: {name: ana-laptop}\nspec:\n",
            $("  ", $line, "\n"),+
        ))
    };
}

/// A manifest of a profile: its `spec`, line by line.
macro_rules! profile {
    ($($line:literal),+ $(,)?) => {
        Example::Manifest(concat!(
            "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Kiosk}\nspec:\n",
            $("  ", $line, "\n"),+
        ))
    };
}

/// Text as it stands, line by line.
macro_rules! lines {
    ($kind:ident: $($line:literal),+ $(,)?) => { Example::$kind(concat!($($line, "\n"),+)) };
}

pub(super) use {device, lines, profile};

/// The device that most examples are made right by.
pub(super) const GOOD_DEVICE: Example = device!(
    "serialNumber: PF3XK9Q2",
    "userEmail: ana.ruiz@example.com",
    "profile: Standard",
    "osVersion: \"10.0.26100\"",
);

pub(super) const TWO_DEVICES: Example = lines!(Manifest:
    "apiVersion: fleetform/v1",
    "kind: Device",
    "metadata: {name: ana-laptop}",
    "spec: {serialNumber: PF3XK9Q2, userEmail: ana@example.com, profile: Standard, osVersion: \"10.0\"}",
    "---",
    "apiVersion: fleetform/v1",
    "kind: Device",
    "metadata: {name: bo-laptop}",
    "spec: {serialNumber: PF9ZZ001, userEmail: bo@example.com, profile: Standard, osVersion: \"10.0\"}",
);

pub(super) const WIPE: Example = lines!(Manifest:
    "apiVersion: fleetform/v1",
    "kind: WipeRequest",
    "metadata: {name: d007-lost}",
    "spec:",
    "  ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21",
    "  deviceId: D007",
    "  serialNumber: PF3XK9Q2",
    "  scope: full",
    "  reason: lost",
    "  requestedBy: bob@example.com",
    "  confirm: true",
    "  issuedAt: 2026-11-22T10:00:00Z",
    "  expiresAt: 2026-11-23T10:00:00Z",
);

pub(super) const WIPE_AND_PROFILE: Example = lines!(Manifest:
    "apiVersion: fleetform/v1",
    "kind: WipeRequest",
    "metadata: {name: d007-lost}",
    "spec:",
    "  ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21",
    "  deviceId: D007",
    "  serialNumber: PF3XK9Q2",
    "  scope: full",
    "  reason: lost",
    "  requestedBy: bob@example.com",
    "  confirm: true",
    "  issuedAt: 2026-11-22T10:00:00Z",
    "  expiresAt: 2026-11-23T10:00:00Z",
    "---",
    "apiVersion: fleetform/v1",
    "kind: Profile",
    "metadata: {name: Kiosk}",
    "spec: {platforms: [windows]}",
);
