//! Who may come in, and until when: exemptions.

mod exemptions;
