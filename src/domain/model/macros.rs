//! What every type that is spelled as a string shares: serde, and closed sets of words.

/// Serde by the type's own `FromStr` and `Display`, from strings only:
/// a number or null where a string belongs is an error, not `"null"`.
macro_rules! as_string {
    ($type:ty) => {
        $crate::domain::model::as_string!($type, |this, serializer| serializer.collect_str(this));
    };
    // Where there is a text already, or a quick way to one.
    ($type:ty, |$this:ident, $serializer:ident| $how:expr) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, $serializer: S) -> Result<S::Ok, S::Error> {
                let $this = self;
                $how
            }
        }
        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                struct Text;
                impl ::serde::de::Visitor<'_> for Text {
                    type Value = $type;
                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str("a string")
                    }
                    fn visit_str<E: ::serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

/// A closed set of words, spelled in manifests, the log and on the command line alike.
macro_rules! words {
    ($(#[$doc:meta])* $vis:vis enum $type:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $type { $(#[doc = concat!("`", $word, "`")] #[doc = ""] $(#[$vdoc])* $variant),+ }
        impl $type {
            /// Every value, in the order in which they are documented.
            #[allow(dead_code, reason = "not every set is listed somewhere")]
            $vis const ALL: &[Self] = &[$(Self::$variant),+];
            /// Their words, in the same order.
            #[allow(dead_code, reason = "not every set is listed somewhere")]
            $vis const WORDS: &[&'static str] = &[$($word),+];
            /// The word that stands for it.
            #[must_use]
            $vis const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.pad(self.as_str()) }
        }
        impl ::std::str::FromStr for $type {
            type Err = $crate::domain::model::Invalid;
            fn from_str(text: &str) -> Result<Self, $crate::domain::model::Invalid> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::domain::model::Invalid(format!("must be one of {}", [$($word),+].join(", ")))),
                }
            }
        }
        $crate::domain::model::as_string!($type, |this, serializer| {
            serializer.serialize_str(this.as_str())
        });
    };
}
pub(crate) use {as_string, words};
