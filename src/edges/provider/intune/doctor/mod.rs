//! Whether a tenant has all that is needed of it, and how to get what is missing.
//!
//! It reads and asks for tokens; it writes nothing, and makes no call with the registration that may
//! wipe. What was found is judged by pure functions, so that each verdict can be tested alone. What
//! does not depend on each other is asked at the same time; the order of the checks never changes.

mod answers;
mod approvals;
mod examine;
mod hosts;
mod licenses;
mod permissions;
mod profiles;
mod registrations;
#[cfg(test)]
mod tests;
