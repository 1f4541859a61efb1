//! Every rule by its code and place; and what hostile hands may put into a file.

mod hostile;
mod rules;
mod text;

use super::finding::{Code, Finding, Span};
use super::parse::MAX_FINDINGS;
use super::{Documents, UnusableKind, parse_file, yaml};
use crate::domain::fleet::assemble;
use crate::domain::model::{Digest, is_deceptive};

const DEVICE: &str = "\
apiVersion: fleetform/v1
kind: Device
metadata:
  name: ana-laptop
  labels: {site: madrid}
spec:
  serialNumber: PF3XK9Q2
  userEmail: ana.ruiz@example.com
  profile: Standard
  platform: windows
  osVersion: \"10.0.26100.2314\"
  ownership: corporate
  status: Enrolled
  enrollment: 1
  hardware: {manufacturer: Dell, model: Latitude, autopilotHash: T0VNSU5GTw==}
";

const PROFILE: &str = "\
apiVersion: fleetform/v1
kind: Profile
metadata: {name: Standard}
spec:
  description: Windows 11 workstation
  platforms: [windows]
  apps: [Microsoft 365 Apps, VPN, Antivirus]
  settings: {vpn: {server: vpn.example.com}}
  licenses: [SPE_E3]
  compliance:
    minimumOsVersion: {windows: \"10.0.26100\"}
    antivirus: {required: true, maxSignatureAgeDays: 7}
    encryption: {required: true}
    screenLock: {required: true, minPinLength: 6}
";

const WIPE: &str = "\
apiVersion: fleetform/v1
kind: WipeRequest
metadata: {name: d007-lost}
spec:
  ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21
  deviceId: D007
  serialNumber: PF3XK9Q2
  scope: full
  reason: lost
  requestedBy: bob@example.com
  confirm: true
  issuedAt: 2026-11-22T10:00:00Z
  expiresAt: 2026-11-23T10:00:00Z
";

fn parse(bytes: impl AsRef<[u8]>) -> Documents {
    parse_file(&"a/b.yaml".into(), bytes.as_ref())
}

/// Code and what is pointed at, by the place alone.
fn found(bytes: impl AsRef<[u8]>) -> Vec<(Code, String)> {
    let text = String::from_utf8_lossy(bytes.as_ref()).into_owned();
    let pointed = |finding: &Finding| {
        let Span { line, column, width, .. } = finding.span;
        let line = text.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
        line.chars().skip((column as usize).saturating_sub(1)).take(width as usize).collect()
    };
    parse(bytes).findings.iter().map(|f| (f.code, pointed(f))).collect()
}

fn finished(text: &str, n: usize) -> crate::domain::model::DesiredDevice {
    parse(text).devices.remove(n).finish(crate::domain::model::Platform::Windows)
}

fn check_each(valid: &str, cases: &[(&str, &str, Code, &str)]) {
    assert_eq!(found(valid), []);
    for (from, to, code, pointed) in cases {
        assert!(valid.contains(from), "{from:?}");
        let text = valid.replacen(from, to, 1);
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let parsed = parse(&text);
            // Of a long line only a window is meant.
            let want: String = pointed.chars().take(200).collect();
            let mut found = found(&text);
            found.iter_mut().for_each(|f| f.1 = f.1.chars().take(200).collect());
            assert_eq!(found, [(*code, want)], "{to:?}\n{:#?}", parsed.findings);
            assert_eq!(parsed.devices.len() + parsed.profiles.len() + parsed.wipes.len(), 0);
        }
    }
}
