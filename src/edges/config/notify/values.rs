//! Values of `notify`: each says what it takes.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use chrono::{NaiveTime, TimeDelta, Timelike as _};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::domain::model::check_text;

/// A text of one line.
pub(super) struct Line(pub(super) String);

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = string(deserializer, "a string (quote it if it looks like something else)")?;
        match check_text(&text, 1000) {
            Err(why) => Err(D::Error::custom(why)),
            Ok(()) if text.trim().is_empty() => Err(D::Error::custom("must not be empty")),
            Ok(()) => Ok(Self(text)),
        }
    }
}

/// A template: a text of several lines.
pub(super) struct Block(pub(super) String);

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = string(deserializer, "a string (quote it if it looks like something else)")?;
        text.split(['\n', '\t'])
            .try_for_each(|line| check_text(line, 8000))
            .map_err(D::Error::custom)?;
        Ok(Self(text))
    }
}

/// A time of the day: `07:30`.
pub(super) struct TimeOfDay(pub(super) TimeDelta);

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = string(deserializer, "a time of the day in UTC like \"07:00\", in quotes")?;
        let time = NaiveTime::parse_from_str(&text, "%H:%M").map_err(|_| {
            D::Error::custom(format!("{text} is not a time of the day like \"07:00\" (UTC)"))
        })?;
        Ok(Self(TimeDelta::seconds(time.num_seconds_from_midnight().into())))
    }
}

/// Keys and values, no key twice.
pub(super) struct Pairs<K, V>(pub(super) BTreeMap<K, V>);

impl<K, V> Default for Pairs<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, K, V> Deserialize<'de> for Pairs<K, V>
where
    K: Deserialize<'de> + Ord + fmt::Display,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Mapping<K, V>(PhantomData<(K, V)>);
        impl<'de, K, V> Visitor<'de> for Mapping<K, V>
        where
            K: Deserialize<'de> + Ord + fmt::Display,
            V: Deserialize<'de>,
        {
            type Value = Pairs<K, V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of keys to values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = BTreeMap::new();
                while let Some(key) = map.next_key::<K>()? {
                    if pairs.contains_key(&key) {
                        return Err(A::Error::custom(format!("duplicate key `{key}`")));
                    }
                    let value = map.next_value()?;
                    pairs.insert(key, value);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Mapping(PhantomData))
    }
}

/// Of texts, without their wrappers.
pub(super) fn lines(pairs: Pairs<String, Line>) -> BTreeMap<String, String> {
    pairs.0.into_iter().map(|(key, Line(value))| (key, value)).collect()
}

fn string<'de, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<String, D::Error> {
    struct Text(&'static str);
    impl Visitor<'_> for Text {
        type Value = String;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }
    }
    deserializer.deserialize_any(Text(expected))
}
