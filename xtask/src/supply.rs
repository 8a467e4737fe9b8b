//! `cargo deny`: licences, second versions, bans and sources of every crate, and advisories wherever
//! their database can be had. deny.toml says what is allowed, and why.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::Failure;

use crate::cargo::{Workspace, answer};
use crate::steps::{Steps, succeeds};

/// The one that is installed. Others may know other checks, or call them by other names.
const VERSION: &str = "0.20.2";
/// Where deny.toml has cargo-deny keep advisories, below the root.
const ADVISORIES: &str = "target/advisory-dbs";

/// What can be said of advisories here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Database {
    /// Fetched just now.
    Fresh,
    /// Of an earlier time; cargo-deny refuses one that is older than 90 days.
    Kept,
    None,
}

/// Checks what we build on. Where cargo-deny can't be had at all, or no database of advisories, that
/// is said: nothing is known then.
pub fn add(steps: &mut Steps, workspace: &Workspace) {
    const CHECKS: &str = "cargo deny: licences, duplicates, bans, sources";
    const NEWS: &str = "cargo deny: advisories";
    let program = match program(workspace) {
        Ok(program) => program,
        Err(failure) => {
            let why = format!("cargo-deny {VERSION} can't be installed here: {failure}");
            steps.not_run(CHECKS, &why);
            steps.not_run(NEWS, &why);
            return;
        }
    };
    let deny = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(&workspace.root).args(arguments);
        command
    };
    steps.run(CHECKS, || {
        // A reason that is no longer needed is an error, so that the lists stay true.
        let lints = ["-D", "unmatched-skip", "-D", "license-not-encountered"];
        let mut check = deny(&["--all-features", "check"]);
        succeeds(check.args(lints).args(["bans", "licenses", "sources"]))
    });
    let fetched = answer(&mut deny(&["fetch", "db"]));
    match database(fetched.is_ok(), &workspace.root.join(ADVISORIES)) {
        Database::Fresh => {
            let check = ["--all-features", "check", "advisories"];
            steps.run(NEWS, || succeeds(&mut deny(&check)));
        }
        Database::Kept => {
            let check = ["--all-features", "--offline", "check", "advisories"];
            steps.run(NEWS, || succeeds(&mut deny(&check)));
        }
        Database::None => {
            let cause = fetched.err().map(|failure| failure.to_string());
            let cause = cause.unwrap_or_default();
            let why = cause.lines().rfind(|line| !line.trim().is_empty());
            let why = why.unwrap_or_default();
            let why = format!(
                "the database of advisories can't be fetched, and none was kept: {why}. Whether a \
                 crate has a known hole is NOT known from this run"
            );
            steps.not_run(NEWS, &why);
        }
    }
}

fn database(is_fetched: bool, folder: &Path) -> Database {
    if is_fetched {
        return Database::Fresh;
    }
    // What a clone that failed leaves is no database.
    let is_database = |folder: PathBuf| folder.join(".git").exists();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    if entries.map(|entry| entry.path()).any(is_database) {
        Database::Kept
    } else {
        Database::None
    }
}

/// cargo-deny, built once into the target folder: unoptimised, which takes a minute or two.
fn program(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let tools = workspace.target.join("tools");
    let root = tools.join(format!("cargo-deny-{VERSION}"));
    let program = root.join("bin/cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    eprintln!("building cargo-deny {VERSION}");
    let build = tools.join("build");
    let mut install = workspace.cargo();
    install.args(["install", "cargo-deny", "--locked", "--debug", "--quiet"]);
    install.args(["--version", VERSION]);
    install.arg("--root").arg(&root);
    install.arg("--target-dir").arg(&build);
    let installed = answer(&mut install);
    // A gigabyte that nobody needs again; a leftover only takes room.
    let _ = fs::remove_dir_all(build);
    installed.map(|_| program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advisories_are_known_or_not_known_and_never_guessed() {
        let folder = tempfile::tempdir().unwrap();
        let dbs = folder.path().join("dbs");
        assert_eq!(database(true, &dbs), Database::Fresh);
        assert_eq!(database(false, &dbs), Database::None);
        fs::create_dir_all(dbs.join("advisory-db-1")).unwrap();
        fs::write(dbs.join("db.lock"), "").unwrap();
        assert_eq!(database(false, &dbs), Database::None, "a clone that failed");
        fs::create_dir_all(dbs.join("advisory-db-1/.git")).unwrap();
        assert_eq!(database(false, &dbs), Database::Kept);
    }
}
