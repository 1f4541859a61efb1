//! A profile reaches devices: what a platform has for devices that are still to
//! enroll is prepared, and whoever is to have the profile is in its group.
//!
//! Nothing is written where it is so already. What one device lacks harms no other. A device that is in
//! Intune is taken over as it is; no device is ever enrolled again, or removed.

mod groups;
mod identifier;
mod lookups;
mod many;
mod one;
mod staging;
#[cfg(test)]
mod tests;

pub(super) use lookups::records;
