//! docker-compose.yml, read by Docker Compose itself. It needs no engine for that, but to be there.

use std::process::Command;

use crate::cargo::Workspace;
use crate::steps::{Steps, succeeds};

/// The oldest major version that knows the format.
const MAJOR: u32 = 2;
/// As a plug-in of Docker's client, and as a program of its own.
const PROGRAMS: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];

/// Checks the file, or says that nobody here can.
pub fn add(steps: &mut Steps, workspace: &Workspace) {
    const NAME: &str = "docker-compose.yml";
    let Some(mut compose) = PROGRAMS.into_iter().find_map(at_hand) else {
        steps.not_run(NAME, "Docker Compose 2 is not here to read it");
        return;
    };
    steps.run(NAME, || {
        let config = ["config", "--quiet"];
        succeeds(compose.args(config).current_dir(&workspace.root))
    });
}

/// The program, if it is one that we need.
fn at_hand(words: &[&str]) -> Option<Command> {
    let command = || {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        command
    };
    let output = command().args(["version", "--short"]).output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && is_new_enough(&version)).then(command)
}

/// `2.40.3`, or `v2.40.3`.
fn is_new_enough(version: &str) -> bool {
    let major = version.trim().trim_start_matches('v').split('.').next();
    major
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| major >= MAJOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_strange_versions_are_not_asked() {
        assert!(is_new_enough("2.40.3\n"));
        assert!(is_new_enough("v5.6.0"));
        assert!(!is_new_enough("1.29.2"));
        assert!(!is_new_enough("dev"));
        assert!(!is_new_enough(""));
    }

    #[test]
    fn a_program_that_is_missing_is_not_at_hand() {
        assert!(at_hand(&["no-such-program", "compose"]).is_none());
        assert!(at_hand(&["false"]).is_none());
    }
}
