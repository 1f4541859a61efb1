//! The texts that are built in.

/// What shows the paragraphs of a mail as HTML.
pub(super) const LAYOUT: &str = "layout.html";

macro_rules! texts {
    ($($name:literal),+ $(,)?) => {
        /// Each with its name below the folder of templates.
        pub(super) const BUILT_IN: &[(&str, &str)] = &[
            (LAYOUT, include_str!("texts/layout.html")),
            $(($name, include_str!(concat!("texts/", $name)))),+
        ];
    };
}

texts! {
    "de/alert.txt",
    "de/blocked.txt",
    "de/compliant.txt",
    "de/digest.txt",
    "de/enrollmentFailed.txt",
    "de/nonCompliant.txt",
    "de/reminder.txt",
    "de/summary.txt",
    "de/test.txt",
    "de/wipeIssued.txt",
    "de/wipeIssuedUser.txt",
    "de/wipeRefused.txt",
    "de/words.txt",
    "en/alert.txt",
    "en/blocked.txt",
    "en/compliant.txt",
    "en/digest.txt",
    "en/enrollmentFailed.txt",
    "en/nonCompliant.txt",
    "en/reminder.txt",
    "en/summary.txt",
    "en/test.txt",
    "en/wipeIssued.txt",
    "en/wipeIssuedUser.txt",
    "en/wipeRefused.txt",
    "en/words.txt",
    "es/alert.txt",
    "es/blocked.txt",
    "es/compliant.txt",
    "es/digest.txt",
    "es/enrollmentFailed.txt",
    "es/nonCompliant.txt",
    "es/reminder.txt",
    "es/summary.txt",
    "es/test.txt",
    "es/wipeIssued.txt",
    "es/wipeIssuedUser.txt",
    "es/wipeRefused.txt",
    "es/words.txt",
}
