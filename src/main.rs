//! The `fleetform` program: parse, start the log, run, exit.

use std::process::ExitCode;

use fleetform::ui::cli;

// Reading a fleet is mostly allocation, and what it leaves free has to go back to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Failpoints exist in test builds only.
    let _scenario = fail::FailScenario::setup();
    cli::main(std::env::args_os()).into()
}
