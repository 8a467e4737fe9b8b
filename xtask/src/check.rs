//! `cargo xtask check`: what can be said about the code without running it.

use std::process::ExitCode;

use crate::cargo::Workspace;
use crate::steps::{Steps, succeeds};
use crate::{architecture, compose};

/// Runs every check, also after one has failed.
pub fn run(workspace: &Workspace) -> ExitCode {
    let mut steps = Steps::default();
    add(&mut steps, workspace);
    steps.summary()
}

/// The checks, as steps of whichever command asks for them.
pub fn add(steps: &mut Steps, workspace: &Workspace) {
    steps.run("formatting", || {
        succeeds(workspace.cargo().args(["fmt", "--all", "--check"]))
    });
    steps.run("architecture", || architecture::check(workspace));
    compose::add(steps, workspace);
    steps.run("lints", || {
        let clippy = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ];
        succeeds(workspace.cargo().args(clippy))
    });
}
