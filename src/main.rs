//! The `fleetform` program: parse, start the log, run, exit.

use std::process::ExitCode;

use fleetform::ui::cli;

fn main() -> ExitCode {
    // Failpoints exist in test builds only.
    let _scenario = fail::FailScenario::setup();
    cli::main(std::env::args_os()).into()
}
