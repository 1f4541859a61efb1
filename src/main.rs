//! The `fleetform` program: parse, start the log, run, exit.

use std::io::{self, Write as _};

use fleetform::ui::cli;

// Reading a fleet is mostly allocation, and what it leaves free has to go back to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // Failpoints exist in test builds only.
    let scenario = fail::FailScenario::setup();
    let exit = cli::main(std::env::args_os());
    drop(scenario);
    // Whoever reads it may be gone, which the exit code does not tell.
    let _ = io::stdout().flush();
    // To give back memory piece by piece at the end takes longer than many a command.
    signal_hook::low_level::exit(exit.code().into())
}
