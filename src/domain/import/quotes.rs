//! Quotes of a list that do not match: what follows them is read as something else, and rows with it.

/// A cell whose quotes are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// Lines before the one where its quote opens.
    pub(super) line: u64,
    /// From 1.
    pub(super) column: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The list ends within it.
    Open,
    /// Text follows the closing quote.
    Followed,
}

#[derive(Clone, Copy)]
enum State {
    /// At the beginning of a cell.
    Start,
    Plain,
    Quoted,
    /// After a quote within quotes, which may be the first of two.
    Closed,
    /// After white space after that.
    Past,
}

/// The first cell of a text whose quotes are wrong.
pub(super) fn mismatch(text: &str, separator: u8) -> Option<Mismatch> {
    let mut state = State::Start;
    let (mut line, mut column) = (0, 1);
    let mut opened = (line, column);
    for byte in text.bytes() {
        state = match (state, byte) {
            (State::Start, b'"') => {
                opened = (line, column);
                State::Quoted
            }
            (State::Quoted, b'"') => State::Closed,
            (State::Closed, b'"') | (State::Quoted, _) => State::Quoted,
            (_, byte) if byte == separator => {
                column += 1;
                State::Start
            }
            (_, b'\r' | b'\n') => {
                column = 1;
                State::Start
            }
            (State::Closed | State::Past, b' ' | b'\t') => State::Past,
            (State::Closed | State::Past, _) => {
                let (line, column) = opened;
                return Some(Mismatch { line, column, kind: Kind::Followed });
            }
            (State::Start | State::Plain, _) => State::Plain,
        };
        line += u64::from(byte == b'\n');
    }
    let (line, column) = opened;
    matches!(state, State::Quoted).then_some(Mismatch { line, column, kind: Kind::Open })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_that_swallows_rows_is_found_where_it_opens() {
        let open = |line, column| Some(Mismatch { line, column, kind: Kind::Open });
        let followed = |line, column| Some(Mismatch { line, column, kind: Kind::Followed });
        for (text, expected) in [
            ("", None),
            ("a,b\n1,2\n", None),
            ("a,\"b\"\r\n\"1\",\"\"\n", None),
            ("\"1\n2\",3\n4,5\n", None),
            ("\"say \"\"x\"\"\" ,2\n", None),
            // Not at the beginning of a cell it is a character as others.
            ("19\" monitor,x\n", None),
            (" \"x,y\n", None),
            ("a,\"19 inch\n1,2\n3,4\n", open(0, 2)),
            ("a,b\n1,2\n1,\"", open(2, 2)),
            ("a,\"x\"\"\n1,2\n", open(0, 2)),
            ("\"1\n2\",\"3\n", open(1, 2)),
            ("a,\"19 inch\nb,\"x\"\n", followed(0, 2)),
            ("a,\"19\" monitor\"\n", followed(0, 2)),
            ("\"a\"b\n", followed(0, 1)),
        ] {
            assert_eq!(mismatch(text, b','), expected, "{text:?}");
        }
        assert_eq!(mismatch("a;\"1,2\"\n3;\"\n", b';'), open(1, 2));
    }
}
