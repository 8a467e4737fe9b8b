//! firstcome: an engine for selling what runs out. One binary, many roles.

mod audit_report;
mod banner;
mod cli;
mod compose;
mod demo;
mod import;
mod instance;
mod operator;
mod roles;
mod rush;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
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
