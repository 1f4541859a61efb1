//! One result of validation: where, what, and how to mend it.
//!
//! Findings are data. They hold the one line of source that they point at, so that
//! drawing them needs no second look at a file that may have changed since.

pub mod explain;

use std::sync::Arc;

use crate::domain::model::words;

words! {
    /// How bad it is; both make `check` fail.
    Severity { Error = "error", Warning = "warning" }
}

/// A stretch of one line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Relative to the root of the fleet directory, with `/`.
    pub path: Arc<str>,
    /// From 1; 0 where a file as a whole is meant.
    pub line: u32,
    /// From 1, in characters; 0 where a file as a whole is meant.
    pub column: u32,
    /// Characters from `column` on that are meant, at least 1; never past the end of the line.
    pub width: u32,
    /// The line itself, cut to a window of a few hundred characters; empty where there is none.
    pub text: Arc<str>,
    /// How many characters were cut off before the window.
    pub offset: u32,
}

impl Span {
    /// A file or directory as a whole.
    #[must_use]
    pub fn whole(path: &Arc<str>) -> Self {
        Self { path: path.clone(), line: 0, column: 0, width: 1, text: "".into(), offset: 0 }
    }
}

/// One result of validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable; see [`Code`].
    pub code: Code,
    /// See [`Severity`].
    pub severity: Severity,
    /// One sentence without a full stop, values in backquotes, every character harmless.
    pub message: String,
    /// How to mend it: one sentence without a full stop.
    pub help: String,
    /// Where.
    pub span: Span,
    /// The other place where two clash, and what is there.
    pub related: Option<(Span, String)>,
}

impl Finding {
    /// The order in which findings are shown: by place, then by code and text.
    #[must_use]
    pub fn key(&self) -> (&Span, Code, &str) {
        (&self.span, self.code, &self.message)
    }
}

words! {
    /// What kind of mistake it is. The words are stable: scripts and SARIF rules key on them.
    Code {
        /// A file or directory cannot be read.
        Unreadable = "unreadable",
        /// A symbolic link below the root.
        Symlink = "symlink",
        /// A FIFO, socket or device where a manifest should be.
        NotAFile = "not-a-file",
        /// A Git repository below the root.
        GitDirectory = "git-directory",
        /// Over 1 MiB.
        FileTooLarge = "file-too-large",
        /// A path that is not UTF-8, is deceptive, or lies too deep.
        InvalidPath = "invalid-path",
        /// Not UTF-8.
        InvalidUtf8 = "invalid-utf8",
        /// A NUL, control or bidirectional character.
        ForbiddenCharacter = "forbidden-character",
        /// Nothing but white space: what a power failure leaves behind.
        EmptyFile = "empty-file",
        /// Not YAML.
        YamlSyntax = "yaml-syntax",
        /// An anchor, alias or merge key.
        YamlAnchor = "yaml-anchor",
        /// A tag or directive.
        YamlTag = "yaml-tag",
        /// Nested too deep or made of too many nodes.
        YamlTooComplex = "yaml-too-complex",
        /// A key given twice.
        DuplicateKey = "duplicate-key",
        /// A field that the kind does not have.
        UnknownField = "unknown-field",
        /// A field that the kind needs.
        MissingField = "missing-field",
        /// A number, boolean, null, list or mapping where something else belongs.
        WrongType = "wrong-type",
        /// A value of the right type that breaks a rule.
        InvalidValue = "invalid-value",
        /// Not `fleetform/v1`.
        UnsupportedVersion = "unsupported-version",
        /// Neither Device, Profile nor WipeRequest.
        UnknownKind = "unknown-kind",
        /// `status: Wiped` in a device manifest.
        StatusWiped = "status-wiped",
        /// A PIN shorter than the procedure allows.
        PinTooShort = "pin-too-short",
        /// A profile too large for a line of the log.
        ProfileTooLarge = "profile-too-large",
        /// Two manifests of a kind with one name.
        DuplicateName = "duplicate-name",
        /// Two devices with one serial number.
        DuplicateSerial = "duplicate-serial",
        /// A serial number that stands for a missing one: many machines have it.
        PlaceholderSerial = "placeholder-serial",
        /// A device's name or serial number that looks like a device id.
        LooksLikeId = "looks-like-id",
        /// A device's name that is another device's serial number.
        NameIsSerial = "name-is-serial",
        /// A device's profile does not exist.
        UnknownProfile = "unknown-profile",
        /// A device's platform is none of its profile's.
        PlatformNotAllowed = "platform-not-allowed",
        /// No platform given, and the profile has several.
        PlatformAmbiguous = "platform-ambiguous",
        /// A wipe request that shares its file.
        WipeNotAlone = "wipe-not-alone",
        /// More wipe requests than are recorded, and nobody signed them.
        TooManyWipeRequests = "too-many-wipe-requests",
        /// A device says that it was wiped, and nobody asked it to.
        UnexpectedWipe = "unexpected-wipe",
    }
}
