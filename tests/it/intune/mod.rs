//! Fleets in Microsoft Intune, from manifest to wiped: the real binary against the emulator, whose
//! clock only the test moves.

mod access;
mod approvals;
mod behind_our_back;
mod converging;
mod daemon;
mod kills;
mod licensing;
mod lives;
mod mailing;
mod observing;
mod page;
mod registrations;
mod taking_over;
mod wipes;
