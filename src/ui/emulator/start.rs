//! A tenant as the command line asks for it.

use std::path::PathBuf;

use super::fleet::populate;
use super::tenant::{Certificate, Pace, Settings, Tenant};
use crate::domain::model::Timestamp;
use crate::ui::emulator::control::ensure_sku;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) fleet: Option<PathBuf>,
    pub(crate) speed: f64,
    pub(crate) seed: u64,
    pub(crate) start: Timestamp,
    pub(crate) real: Timestamp,
    /// Applications with the PEM of their certificate.
    pub(crate) certificates: Vec<(String, String)>,
}

/// Units of the products that every tenant has.
const UNITS: u64 = 100_000;

/// Makes the tenant.
///
/// # Errors
/// If the fleet directory or a certificate cannot be used.
pub(crate) fn tenant(start: &Start) -> Result<Tenant, String> {
    let mut settings = Settings::default();
    if start.speed == 0.0 {
        // Time stands still: what was written would never be seen.
        settings.consistency_lag_seconds = 0.0;
    }
    let pace = Pace::new(start.start, start.real, start.speed);
    let mut tenant = Tenant::new(start.seed, start.start, pace, settings);
    for product in ["SPE_E3", "SPE_E5", "EMS", "INTUNE_A", "ENTERPRISEPACK"] {
        ensure_sku(&mut tenant, product, UNITS, None);
    }
    for (client_id, pem) in &start.certificates {
        let certificate =
            Certificate::from_pem(pem).map_err(|why| format!("{client_id}: {why}"))?;
        let app = tenant.apps.all.get_mut(client_id);
        let app = app.ok_or_else(|| format!("{client_id}: there is no such application"))?;
        app.certificates.push(certificate);
    }
    if let Some(fleet) = &start.fleet {
        populate(&mut tenant, fleet)?;
    }
    Ok(tenant)
}
