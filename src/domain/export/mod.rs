//! Lists that people upload elsewhere, made of device manifests: exact headers, limits of rows, and
//! nothing that the reader would take for something else.

mod autopilot;
mod corporate_id;
mod corporate_ids;
mod generic;
mod sheet;

#[cfg(test)]
mod tests;

pub(crate) use autopilot::autopilot;
pub(crate) use corporate_id::CorporateId;
pub(crate) use corporate_ids::corporate_ids;
pub(crate) use generic::csv;
pub(crate) use sheet::{Exported, Refused, Sheet};
