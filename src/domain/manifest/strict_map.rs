//! A mapping and nothing else, for what people and devices write by hand.
//!
//! Serde's derived structs also take a list, field by position. What was meant as one
//! thing would be read as another, so the edges wrap their structs in [`StrictMap`].

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A `T` that was written as a mapping of keys to values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct StrictMap<T>(pub(crate) T);

struct Mapping<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Mapping<T> {
    type Value = StrictMap<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of keys to values")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StrictMap<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(StrictMap)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for StrictMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Mapping(PhantomData))
    }
}
