//! `cargo xtask schema`: schema.graphql, printed by the binary, reviewed like code.

use std::fs;
use std::io::ErrorKind;
use std::process::{Command, ExitCode};

use similar::TextDiff;
use xtask::Failure;

use crate::cargo::{Workspace, answer};
use crate::steps::succeeds;

const FILE: &str = "schema.graphql";

/// Builds the binary and writes what it prints.
pub fn write(workspace: &Workspace) -> Result<ExitCode, Failure> {
    build(workspace)?;
    fs::write(workspace.root.join(FILE), print(workspace)?)?;
    println!("{FILE} written");
    Ok(ExitCode::SUCCESS)
}

/// Builds the binary and compares.
pub fn compare(workspace: &Workspace) -> Result<ExitCode, Failure> {
    build(workspace)?;
    Ok(if is_current(workspace)? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether the file is what the binary, already built, prints. Shows the difference if not.
pub fn is_current(workspace: &Workspace) -> Result<bool, Failure> {
    let written = match fs::read_to_string(workspace.root.join(FILE)) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let difference = difference(&written, &print(workspace)?);
    if let Some(difference) = &difference {
        eprintln!("{difference}\n{FILE} is not what the binary prints: run `cargo xtask schema`");
    }
    Ok(difference.is_none())
}

fn build(workspace: &Workspace) -> Result<(), Failure> {
    // As `cargo run` builds it, so that neither undoes the other's work.
    if succeeds(workspace.cargo().arg("build"))? {
        Ok(())
    } else {
        Err("the binary does not build".into())
    }
}

fn print(workspace: &Workspace) -> Result<String, Failure> {
    answer(Command::new(workspace.binary()).arg("schema"))
}

fn difference(written: &str, printed: &str) -> Option<String> {
    (written != printed).then(|| {
        let lines = TextDiff::from_lines(written, printed);
        lines
            .unified_diff()
            .header(FILE, "firstcome schema")
            .to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_no_difference() {
        assert_eq!(difference("type Query\n", "type Query\n"), None);
    }

    #[test]
    fn a_changed_line_is_shown_both_ways() {
        let shown = difference("type A\ntype B\n", "type A\ntype C\n").unwrap();
        assert!(shown.contains("-type B\n+type C\n"), "{shown}");
    }

    #[test]
    fn a_missing_file_differs() {
        assert!(difference("", "type A\n").is_some());
    }
}
