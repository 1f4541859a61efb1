//! Tests of the layout.

mod forms;
mod random;
