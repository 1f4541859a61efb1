//! JSON and YAML that are as harmless on a terminal as text is.
//!
//! Deceptive characters and commands to CI runners are escaped (`\u202e`), which changes no value:
//! whoever parses the output gets the same string.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::text::{command, safe_lines};
use crate::domain::model::is_deceptive;

/// Pretty-printed, with a newline at the end.
///
/// # Errors
/// If writing fails, or the value has keys that are no strings.
pub(crate) fn pretty<W: Write + ?Sized, T: Serialize + ?Sized>(
    out: &mut W,
    value: &T,
) -> io::Result<()> {
    let formatter = Harmless(PrettyFormatter::new());
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, formatter))?;
    out.write_all(b"\n")
}

/// On one line, with a newline at the end: JSON Lines.
pub(crate) fn line<W: Write + ?Sized, T: Serialize + ?Sized>(
    out: &mut W,
    value: &T,
) -> io::Result<()> {
    let formatter = Harmless(CompactFormatter);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, formatter))?;
    out.write_all(b"\n")
}

/// As a YAML document; deceptive characters are spelled `\u{202e}`, since YAML leaves some as they are.
pub(crate) fn yaml<W: Write + ?Sized, T: Serialize + ?Sized>(
    out: &mut W,
    value: &T,
) -> io::Result<()> {
    // Spelled out before they are quoted: what is spelled out later may be no YAML.
    let value = serde_yaml::to_value(value).map_err(io::Error::other)?;
    let text = serde_yaml::to_string(&spelt_out(value)).map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

/// JSON that something else has written, and no value changed: what is escaped stands in strings.
///
/// # Errors
/// If writing fails.
pub(crate) fn written<W: Write + ?Sized>(out: &mut W, json: &str) -> io::Result<()> {
    for line in json.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        escaped(out, line)?;
        out.write_all(end.as_bytes())?;
    }
    Ok(())
}

fn spelt_out(value: serde_yaml::Value) -> serde_yaml::Value {
    use serde_yaml::Value;
    match value {
        Value::String(text) => Value::String(safe_lines(&text).into_owned()),
        Value::Sequence(list) => Value::Sequence(list.into_iter().map(spelt_out).collect()),
        Value::Mapping(map) => {
            let entries = map.into_iter();
            Value::Mapping(entries.map(|(k, v)| (spelt_out(k), spelt_out(v))).collect())
        }
        other => other,
    }
}

/// Another formatter, but for the deceptive characters in strings.
struct Harmless<F>(F);

macro_rules! delegate {
    ($($name:ident($($arg:ident: $type:ty),*)),+ $(,)?) => {$(
        fn $name<W: Write + ?Sized>(&mut self, out: &mut W $(, $arg: $type)*) -> io::Result<()> {
            self.0.$name(out $(, $arg)*)
        }
    )+};
}

impl<F: Formatter> Formatter for Harmless<F> {
    delegate! {
        begin_array(), end_array(), begin_array_value(first: bool), end_array_value(),
        begin_object(), end_object(), begin_object_key(first: bool), end_object_key(),
        begin_object_value(), end_object_value(),
    }

    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        escaped(out, fragment)
    }
}

fn escaped<W: Write + ?Sized>(out: &mut W, mut rest: &str) -> io::Result<()> {
    loop {
        let deceptive = rest.char_indices().find(|(_, c)| is_deceptive(*c));
        let mark = command(rest).map(|at| (at, '#'));
        let Some((at, c)) = [deceptive, mark].into_iter().flatten().min() else { break };
        // All of them lie below U+10000, so one escape is enough.
        write!(out, "{}\\u{:04x}", &rest[..at], u32::from(c))?;
        rest = &rest[at + c.len_utf8()..];
    }
    out.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deceptive_characters_are_escaped_and_values_kept() {
        let value =
            serde_json::json!({"a\u{202e}": ["\u{1b}[31m", "\u{9b}x\u{feff}", 1, null, {}]});
        let mut compact = Vec::new();
        line(&mut compact, &value).unwrap();
        let compact = String::from_utf8(compact).unwrap();
        assert_eq!(compact, "{\"a\\u202e\":[\"\\u001b[31m\",\"\\u009bx\\ufeff\",1,null,{}]}\n");
        let mut indented = Vec::new();
        pretty(&mut indented, &value).unwrap();
        let indented = String::from_utf8(indented).unwrap();
        assert!(!indented.chars().any(|c| c != '\n' && is_deceptive(c)), "{indented}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&indented).unwrap(), value);
        assert!(indented.starts_with("{\n  \"a\\u202e\": [\n    "));
    }

    #[test]
    fn a_command_to_a_runner_is_escaped_and_its_value_kept() {
        let value =
            serde_json::json!({"##[group]x": "a ##[set-output name=b]c ##vso[task.d]###[e"});
        let mut text = Vec::new();
        line(&mut text, &value).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "{\"#\\u0023[group]x\":\"a #\\u0023[set-output name=b]c #\\u0023vso[task.d]##\\u0023[e\"}\n"
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        // The same of what another writer made.
        let mut again = Vec::new();
        written(&mut again, &format!("{value}\n")).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), text);
    }

    #[test]
    fn yaml_is_harmless() {
        let mut out = Vec::new();
        yaml(&mut out, &serde_json::json!({"a": "x\u{202e}y", "b": "\u{1b}", "c": "1"})).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.chars().any(|c| c != '\n' && is_deceptive(c)), "{text}");
        assert!(text.contains("c: '1'"), "{text}");
        // A line break calls for quotes in which a backslash begins an escape.
        let mut out = Vec::new();
        yaml(&mut out, &serde_json::json!({"a": "\t\u{85}x\n\u{202e}: ##[group]", "b": ["\u{7}"]}))
            .unwrap();
        let read: serde_json::Value = serde_yaml::from_slice(&out).unwrap();
        assert_eq!(read["a"], "\\t\\u{85}x\n\\u{202e}: #\\u{23}[group]");
    }
}
