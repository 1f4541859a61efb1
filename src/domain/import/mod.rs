//! Lists of others, made into device manifests: rows in, texts of files out, nothing written.
//!
//! A list says what it says and no more: what it leaves out comes from defaults for a device that is
//! new, and stays as it is for one that has a manifest. All that is wrong comes at once, with line and
//! column. Cells are strangers' text: a path that is made of one stays in the fleet directory.

mod apple;
mod autopilot;
mod blame;
mod corporate_ids;
mod damage;
mod dates;
mod decode;
mod field;
mod generic;
mod imei;
mod inventory;
mod merge;
mod options;
mod problem;
mod quotes;
mod record;
mod slug;
mod table;
mod template;

#[cfg(test)]
mod tests;

pub(crate) use apple::read as read_apple;
pub(crate) use autopilot::read as read_autopilot;
pub(crate) use corporate_ids::read as read_corporate_ids;
pub(crate) use damage::is_formula;
pub(crate) use field::Field;
pub(crate) use generic::{HEADERS, read as read_csv};
pub(crate) use inventory::{InventoryDevice, read as read_inventory};
pub(crate) use merge::{FileChange, Merged, merge};
pub(crate) use options::Options;
pub(crate) use problem::{Cell, Problem};
pub(crate) use record::{Mapping, Records};
pub(crate) use template::{Layout, NameTemplate};
