//! The kinds of mistakes.

use crate::domain::model::words;

words! {
    /// How bad it is; both make `check` fail.
    pub(crate) enum Severity { Error = "error", Warning = "warning" }
}

words! {
    /// What kind of mistake it is. The words are stable: scripts and SARIF rules key on them.
    pub(crate) enum Code {
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
        /// A file of `notify.mail.templates` of which no mail can be made.
        MailTemplate = "mail-template",
    }
}
