//! Steps of a command: each has a name, all of them run, and the end says plainly which failed.

use std::process::{Command, ExitCode};

use xtask::Failure;

/// What ran, in order, and how it ended.
#[derive(Default)]
pub struct Steps {
    done: Vec<(&'static str, End)>,
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    /// This machine can't: no failure, but nothing is known either.
    NotRun,
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
        let end = if passed { End::Passed } else { End::Failed };
        self.done.push((name, end));
        passed
    }

    /// Says that a step can't be run here, and why.
    pub fn not_run(&mut self, name: &'static str, why: &str) {
        println!("==> {name}");
        eprintln!("not run: {why}");
        self.done.push((name, End::NotRun));
    }

    /// How many steps failed.
    pub fn failed(&self) -> usize {
        let failed = self.done.iter().filter(|(_, end)| *end == End::Failed);
        failed.count()
    }

    /// One line a step, and the exit code they add up to.
    pub fn summary(&self) -> ExitCode {
        println!("==> summary");
        for (name, end) in &self.done {
            let end = match end {
                End::Passed => "ok",
                End::Failed => "FAILED",
                End::NotRun => "not run",
            };
            println!("{end:<8}{name}");
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
