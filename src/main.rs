//! firstcome: an engine for selling what runs out. One binary, many roles.

// The future of a role holds those of everything it opens, some of them very deep.
#![recursion_limit = "256"]

mod audit_report;
mod banner;
mod cli;
mod compose;
mod demo;
mod import;
mod instance;
mod operator;
mod probes;
mod process;
mod reload;
mod roles;
mod rush;
mod setup;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Places where a test stops this process, by `FAILPOINTS=place=action`.
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(cli::run(Cli::parse())),
        Err(error) => {
            eprintln!("firstcome: no runtime: {error}");
            ExitCode::FAILURE
        }
    }
}
