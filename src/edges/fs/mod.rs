//! Files: written so that they survive a crash, opened so that nothing hostile is followed.

pub(crate) mod cache;
pub(crate) mod directory_facts;
pub mod durable;
pub(crate) mod guarded;
pub(crate) mod kept;
pub(crate) mod known_directory;
pub(crate) mod memory;
pub(crate) mod remote;
pub(crate) mod secret;
pub(crate) mod spool;
pub(crate) mod work_tree;
