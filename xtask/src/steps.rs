//! Steps of a command: each has a name, all of them run, and the end says plainly which failed.

use std::process::{Command, ExitCode};

use xtask::Failure;

/// What ran, in order, and how it ended.
#[derive(Default)]
pub struct Steps {
    done: Vec<(&'static str, bool)>,
}

impl Steps {
    /// Announces and runs a step; whether it passed. Not being able to run it is printed and counts
    /// as its failure.
    pub fn run(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> Result<bool, Failure>,
    ) -> bool {
        println!("==> {name}");
        let passed = step().unwrap_or_else(|failure| {
            eprintln!("{failure}");
            false
        });
        self.done.push((name, passed));
        passed
    }

    /// How many steps failed.
    pub fn failed(&self) -> usize {
        self.done.iter().filter(|(_, passed)| !passed).count()
    }

    /// One line a step, and the exit code they add up to.
    pub fn summary(&self) -> ExitCode {
        println!("==> summary");
        for (name, passed) in &self.done {
            println!("{:<8}{name}", if *passed { "ok" } else { "FAILED" });
        }
        if self.failed() == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Runs a command with our terminal; whether it succeeded.
pub fn succeeds(command: &mut Command) -> Result<bool, Failure> {
    Ok(command.status()?.success())
}
