//! The layout of the snapshot: to the byte what `serde_json` prints for people, begun at any depth. Most
//! of it are keys, times and digests, of which nothing is ever escaped: they are copied as they are.

use serde::Serialize;
use serde::ser::{self, Error as _, Impossible};
use serde_json::Error;

/// A comma, a newline and two spaces for each level: what stands before a value.
const BETWEEN: [u8; 2 + 2 * DEEPEST] = {
    let mut text = [b' '; 2 + 2 * DEEPEST];
    (text[0], text[1]) = (b',', b'\n');
    text
};
/// Levels that are written at once.
const DEEPEST: usize = 31;

/// Writes a value as it stands within so many braces.
///
/// # Errors
/// If it is none that a snapshot has.
pub(super) fn write(value: &impl Serialize, level: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    value.serialize(&mut Text { out, level })
}

struct Text<'o> {
    out: &'o mut Vec<u8>,
    level: usize,
}

/// What is in braces or brackets.
struct Within<'t, 'o> {
    text: &'t mut Text<'o>,
    is_empty: bool,
    end: u8,
}

impl<'o> Text<'o> {
    fn begin<'t>(&'t mut self, [begin, end]: [u8; 2]) -> Within<'t, 'o> {
        self.out.push(begin);
        self.level += 1;
        Within { text: self, is_empty: true, end }
    }

    /// Begins a line: after a comma, but for the first one.
    fn line(&mut self, first: bool) {
        let quick = self.level.min(DEEPEST);
        self.out.extend_from_slice(&BETWEEN[usize::from(first)..2 + 2 * quick]);
        (quick..self.level).for_each(|_| self.out.extend_from_slice(b"  "));
    }

    fn plain(&mut self, text: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    /// As the library writes it: numbers, and texts with something to be escaped.
    fn as_json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        serde_json::to_writer(&mut *self.out, value)
    }
}

/// Whether nothing of a text is escaped.
fn is_plain(text: &str) -> bool {
    let is_plain = |b: &u8| *b >= b' ' && *b != b'"' && *b != b'\\';
    // No way out within eight bytes: so they are looked at together.
    let (eights, rest) = text.as_bytes().as_chunks::<8>();
    eights.iter().all(|eight| eight.iter().fold(true, |plain, b| plain & is_plain(b)))
        && rest.iter().all(is_plain)
}

impl Within<'_, '_> {
    fn next(&mut self) {
        self.text.line(std::mem::take(&mut self.is_empty));
    }

    fn close(self) {
        self.text.level -= 1;
        if !self.is_empty {
            self.text.line(true);
        }
        self.text.out.push(self.end);
    }
}

macro_rules! numbers {
    ($($name:ident($type:ty)),+) => {
        $(fn $name(self, value: $type) -> Result<(), Error> { self.as_json(&value) })+
    };
}

impl<'t, 'o> ser::Serializer for &'t mut Text<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Within<'t, 'o>;
    type SerializeTuple = Within<'t, 'o>;
    type SerializeTupleStruct = Within<'t, 'o>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Within<'t, 'o>;
    type SerializeStruct = Within<'t, 'o>;
    type SerializeStructVariant = Impossible<(), Error>;

    numbers!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char)
    );

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        if !is_plain(text) {
            return self.as_json(text);
        }
        self.plain(text);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        Err(Error::custom("a snapshot has no bytes"))
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(word)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut within = self.begin(*b"{}");
        ser::SerializeStruct::serialize_field(&mut within, word, value)?;
        ser::SerializeStruct::end(within)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Within<'t, 'o>, Error> {
        Ok(self.begin(*b"[]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Within<'t, 'o>, Error> {
        Ok(self.begin(*b"[]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Within<'t, 'o>, Error> {
        Ok(self.begin(*b"[]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        Err(Error::custom(format!("a snapshot has no {word} of several values")))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Within<'t, 'o>, Error> {
        Ok(self.begin(*b"{}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Within<'t, 'o>, Error> {
        Ok(self.begin(*b"{}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        Err(Error::custom(format!("a snapshot has no {word} with fields")))
    }
}

macro_rules! elements {
    ($($part:ident::$name:ident),+) => {
        $(impl ser::$part for Within<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn $name<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.next();
                value.serialize(&mut *self.text)
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        })+
    };
}
elements!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field
);

impl ser::SerializeMap for Within<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.next();
        let begin = self.text.out.len();
        key.serialize(&mut *self.text)?;
        if self.text.out.get(begin) != Some(&b'"') {
            return Err(Error::custom("a key of a snapshot is a text"));
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.text.out.extend_from_slice(b": ");
        value.serialize(&mut *self.text)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeStruct for Within<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.next();
        self.text.plain(key);
        self.text.out.extend_from_slice(b": ");
        value.serialize(&mut *self.text)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn it_is_what_the_library_prints_at_any_depth() {
        let mut deep = json!(1);
        for level in 0..60 {
            deep = if level % 2 == 0 { json!([deep, {}]) } else { json!({"a": deep, "b": []}) };
        }
        let flat = json!({
            "a": [], "b": {}, "c": [1, "x\n", null, [], [2.5], -3, true], "d": {"e": {"f": [{}]}},
            "k\"y": "ñ\u{1}\u{7f}\\ and more than eight", "eight by": "8 bytes\t and so on", "": "",
        });
        for value in [json!([]), json!({}), json!("x"), deep, flat] {
            let mut text = Vec::new();
            write(&value, 0, &mut text).unwrap();
            assert_eq!(
                String::from_utf8(text).unwrap(),
                serde_json::to_string_pretty(&value).unwrap()
            );
            let within = |value: &Value| json!({"x": {"y": value}});
            let mut text = Vec::new();
            write(&value, 2, &mut text).unwrap();
            let text = format!(
                "{{\n  \"x\": {{\n    \"y\": {}\n  }}\n}}",
                String::from_utf8(text).unwrap()
            );
            assert_eq!(text, serde_json::to_string_pretty(&within(&value)).unwrap());
        }
    }
}
