//! Files: written so that they survive a crash, opened so that nothing hostile is followed.

pub mod durable;
pub mod work_tree;
