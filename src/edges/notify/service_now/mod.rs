//! ServiceNow, by its Table API (v2).
//!
//! A part of a query that an instance does not understand is dropped without a word, and other
//! tickets come back: so every row is compared with the key that was asked for, byte for byte, and
//! none that differs is touched. A ticket is looked for before it is made, since nobody else keeps it
//! from being made twice.

mod login;
mod rows;
mod table;

pub(crate) use table::ServiceNow;
