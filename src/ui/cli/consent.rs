//! A question that only one word answers.

use std::io::{self, BufRead as _, Write as _};

use crate::ui::render::out::Out;

/// Asks on the terminal, and waits; anything but `yes` is a no. What it is about is in `out`, and
/// has to be seen first.
///
/// # Errors
/// If the terminal cannot be written to or read.
pub(super) fn ask(question: &str, out: &mut Out) -> io::Result<bool> {
    out.flush()?;
    let mut error = io::stderr().lock();
    write!(error, "{question} Only \"yes\" is accepted: ")?;
    error.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
