//! Which file explains which code.

use super::explanation::Explanation;
use super::{field, file, fleet, yaml};
use crate::domain::manifest::finding::Code;

impl Code {
    /// What it means; see [`Explanation`].
    #[must_use]
    pub(crate) const fn explain(self) -> Explanation {
        match self {
            Self::Unreadable
            | Self::Symlink
            | Self::NotAFile
            | Self::GitDirectory
            | Self::FileTooLarge
            | Self::InvalidPath
            | Self::InvalidUtf8
            | Self::ForbiddenCharacter
            | Self::EmptyFile
            | Self::MailTemplate => file::explain(self),
            Self::YamlSyntax
            | Self::YamlAnchor
            | Self::YamlTag
            | Self::YamlTooComplex
            | Self::DuplicateKey => yaml::explain(self),
            Self::UnknownField
            | Self::MissingField
            | Self::WrongType
            | Self::InvalidValue
            | Self::UnsupportedVersion
            | Self::UnknownKind
            | Self::StatusWiped
            | Self::PinTooShort
            | Self::ProfileTooLarge
            | Self::PlaceholderSerial => field::explain(self),
            Self::DuplicateName
            | Self::DuplicateSerial
            | Self::LooksLikeId
            | Self::NameIsSerial
            | Self::UnknownProfile
            | Self::PlatformNotAllowed
            | Self::PlatformAmbiguous
            | Self::WipeNotAlone
            | Self::TooManyWipeRequests
            | Self::UnexpectedWipe => fleet::explain(self),
        }
    }
}
