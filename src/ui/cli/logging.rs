//! The program's own log: to standard error, quiet unless asked.

use std::io;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

use super::environment::Environment;
use super::failure::Failure;
use super::global::{Global, LogFormat};
use super::plain_log::Plain;

/// Starts the log; once in a process. Without somebody before it each line has its time.
///
/// # Errors
/// If `FLEETFORM_LOG` is no filter, or a log was started already.
pub(crate) fn start(
    global: &Global,
    environment: &Environment,
    unattended: bool,
) -> Result<(), Failure> {
    let usual = if unattended { "warn,fleetform=info" } else { "warn" };
    let directives = directives(global, environment, usual);
    let filter: Targets = directives.parse().map_err(|e| {
        Failure::new(format!("FLEETFORM_LOG={directives:?} is not a filter: {e}"))
            .help("write it like `info` or `fleetform=debug,warn`")
    })?;
    let color = environment.colored_errors(global.color);
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(color);
    let lines = match global.log_format {
        LogFormat::Text if unattended => lines.with_target(false).boxed(),
        LogFormat::Text => lines.event_format(Plain { color }).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    registry()
        .with(lines.with_filter(filter))
        .try_init()
        .map_err(|e| Failure::new(format!("cannot start the log: {e}")))
}

/// Flags override the environment, as they do the configuration.
fn directives(global: &Global, environment: &Environment, usual: &str) -> String {
    match (global.quiet, global.verbose, &environment.log_filter) {
        (true, ..) => "error".into(),
        (false, 0, Some(filter)) => filter.clone(),
        (false, 0, None) => usual.into(),
        // Libraries are not asked for their details.
        (false, 1, _) => "warn,fleetform=info".into(),
        (false, 2, _) => "warn,fleetform=debug".into(),
        (false, ..) => "info,fleetform=trace".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::cli::args::parse;

    #[test]
    fn how_much_is_said() {
        let filter =
            |text: &str| Environment { log_filter: Some(text.into()), ..Default::default() };
        for (args, environment, expected) in [
            (vec![], Environment::default(), "warn"),
            (vec!["-q"], filter("debug"), "error"),
            (vec!["-v"], filter("debug"), "warn,fleetform=info"),
            (vec!["-vv"], Environment::default(), "warn,fleetform=debug"),
            (vec!["-vvv"], Environment::default(), "info,fleetform=trace"),
            (vec![], filter("fleetform=trace"), "fleetform=trace"),
        ] {
            let args = ["fleetform", "list"].into_iter().chain(args);
            let (cli, _) = parse(args).unwrap();
            assert_eq!(directives(&cli.global, &environment, "warn"), expected);
            expected.parse::<Targets>().unwrap();
        }
    }

    #[test]
    fn a_bad_filter_is_an_error_with_help() {
        let (cli, _) = parse(["fleetform", "list"]).unwrap();
        let bad = Environment { log_filter: Some("fleetform=loud".into()), ..Default::default() };
        let text = start(&cli.global, &bad, false).unwrap_err().render(false);
        assert!(
            text.starts_with("error: FLEETFORM_LOG=\"fleetform=loud\" is not a filter"),
            "{text}"
        );
        assert!(text.contains("help: write it like"), "{text}");
    }
}
