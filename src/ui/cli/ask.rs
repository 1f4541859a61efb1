//! A question before something is changed.

use std::io::{self, BufRead as _, Write as _};

use crate::ui::render::out::Out;

/// Whether the answer on the terminal is yes; anything else is a no, and that is said.
///
/// # Errors
/// If it cannot be asked.
pub(super) fn confirmed(question: &str, out: &mut Out) -> io::Result<bool> {
    out.flush()?;
    let mut error = io::stderr().lock();
    write!(error, "{question} Only yes is taken for a yes: ")?;
    error.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" {
        return Ok(true);
    }
    writeln!(error, "Nothing was done.")?;
    Ok(false)
}
