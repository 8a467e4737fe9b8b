//! The public clients and audits of `tests/clients`, run by Node against shops that are started for
//! them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::Failure;
use xtask::services::Shop;

use crate::cargo::{Workspace, answer};
use crate::steps::{Steps, succeeds};
use crate::test::{Tally, tests};

const NAME: &str = "clients";
/// The oldest Node that has what the tests are run with.
const NODE: (u32, u32) = (20, 11);
/// How long all of them may take, in seconds.
const LIMIT: &str = "600";
/// How long one of them may take, in milliseconds.
const TEST_LIMIT: &str = "--test-timeout=60000";

/// Runs them where Node is at hand, or says that nothing is known without it.
pub fn add(steps: &mut Steps, workspace: &Workspace, tally: &mut Tally, screen: impl Write) {
    match node() {
        Ok(()) => {
            steps.run(NAME, || run(workspace, tally, screen));
        }
        Err(why) => steps.not_run(NAME, &why),
    }
}

/// Why there is no Node here to run them.
fn node() -> Result<(), String> {
    let (major, minor) = NODE;
    let needed = format!("Node {major}.{minor} or newer, with npm, is not here");
    let version = answer(Command::new("node").arg("--version")).map_err(|_| needed.clone())?;
    answer(Command::new("npm").arg("--version")).map_err(|_| needed.clone())?;
    if parse(&version).is_some_and(|version| version >= NODE) {
        Ok(())
    } else {
        Err(format!("{needed}: this is {}", version.trim()))
    }
}

/// `v20.11.1`, without the last number.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.');
    let mut number = || numbers.next()?.parse().ok();
    Some((number()?, number()?))
}

fn run(workspace: &Workspace, tally: &mut Tally, screen: impl Write) -> Result<bool, Failure> {
    let folder = workspace.root.join("tests/clients");
    install(&folder)?;
    let program = workspace.binary();
    let open = Shop::launch(&program, "")?;
    let list = folder.join("relay/trusted.json");
    let list = list.display();
    let settings = format!("playground = false\n[graphql]\ntrusted_documents = '{list}'\n");
    let trusting = Shop::launch(&program, &settings)?;
    // It ends the whole group when the time is over.
    let mut node = Command::new("timeout");
    node.args(["--kill-after=10", LIMIT, "node", "--test", TEST_LIMIT])
        .args(["--test-reporter=spec", "--test-reporter-destination=stderr"])
        .args(["--test-reporter=tap", "--test-reporter-destination=stdout"])
        .args(files(&folder)?)
        .current_dir(&folder)
        .env("FIRSTCOME_URL", open.endpoint())
        .env("FIRSTCOME_ACCOUNTS", open.accounts())
        .env("FIRSTCOME_TRUSTED_URL", trusting.endpoint());
    tests(&mut node, tally, screen)
}

/// The files of tests, by their names: Node's own search would look into every package too.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = PathBuf::from(entry?.file_name());
        if name.to_string_lossy().ends_with(".test.js") {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}

/// Installs what the lock file says, unless that is what is there.
fn install(folder: &Path) -> Result<(), Failure> {
    let lock = fs::read(folder.join("package-lock.json"))?;
    let mark = folder.join("node_modules/.installed-by");
    if fs::read(&mark).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    // No package has anything to build; none may run anything.
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-fund", "--no-audit"]);
    if !succeeds(npm.current_dir(folder))? {
        return Err("the packages of tests/clients could not be installed".into());
    }
    fs::write(mark, lock)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_too_old_is_seen() {
        for (version, is_enough) in [
            ("v20.11.0\n", true),
            ("v20.20.2\n", true),
            ("v24.0.0\n", true),
            ("v20.10.9\n", false),
            ("v18.20.0\n", false),
            ("20.11.0\n", false),
            ("", false),
        ] {
            let found = parse(version).is_some_and(|version| version >= NODE);
            assert_eq!(found, is_enough, "{version}");
        }
    }
}
