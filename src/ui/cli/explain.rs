//! `fleetform explain`

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use crate::domain::manifest::finding::Code;
use crate::domain::wording::closest;
use crate::ui::render::explain;
use crate::ui::render::out::Out;

/// Explain the code of a finding, with a wrong and a correct example; without one, list all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform explain
  fleetform explain duplicate-serial
  fleetform explain -o json | jq -r '.codes[].code'

Formats: text, json.")]
pub(crate) struct Args {
    /// The code in brackets after `error`
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
}

/// Prints what a code means, or all codes.
///
/// # Errors
/// If there is no such code, or writing fails.
pub(crate) fn run(args: &Args, format: Format, out: &mut Out) -> Result<Exit, Failure> {
    let code = args.code.as_deref().map(find).transpose()?;
    match (format, code) {
        (Format::Json, Some(code)) => explain::json(&[code], out)?,
        (Format::Json, None) => explain::json(Code::ALL, out)?,
        (_, Some(code)) => explain::text(code, out)?,
        (_, None) => explain::list(out)?,
    }
    Ok(Exit::Done)
}

fn find(text: &str) -> Result<Code, Failure> {
    // As it is copied from a message: `error[unknown-profile]`.
    let text = text.trim();
    let word = text.split_once('[').map_or(text, |(_, rest)| rest.trim_end_matches(']'));
    word.to_ascii_lowercase().parse().map_err(|_| {
        let failure = Failure::new(format!("there is no code {word:?}"));
        match closest(word, Code::WORDS.iter().copied()) {
            Some(meant) => failure.help(format!("did you mean {meant}?")),
            None => failure.help("`fleetform explain` lists all codes"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::render::testing::Screen;

    #[test]
    fn a_code_is_found_however_it_is_copied() {
        for text in ["unknown-profile", "Unknown-Profile", "error[unknown-profile]"] {
            assert_eq!(find(text).unwrap(), Code::UnknownProfile);
        }
        let failure = find("unknown-profil").unwrap_err().render(false);
        assert_eq!(
            failure,
            "error: there is no code \"unknown-profil\"\nhelp: did you mean unknown-profile?\n"
        );
    }

    #[test]
    fn without_a_code_all_are_listed() {
        let screen = Screen::piped();
        run(&Args { code: None }, Format::Text, &mut screen.out()).unwrap();
        assert_eq!(screen.results().lines().count(), Code::ALL.len());
    }
}
