//! The domain decides; it does no input or output, knows no wire format and no runtime.

use xtask::Failure;

use super::{Finding, Severity};
use crate::cargo::Workspace;

/// Crates the domain's tree must not contain, and what each would bring in.
const IMPURE: [(&str, &[&str]); 8] = [
    (
        "storage",
        &[
            "sea-orm",
            "sea-query",
            "sqlx",
            "sqlx-core",
            "redis",
            "rusqlite",
            "libsqlite3-sys",
        ],
    ),
    ("a broker", &["rdkafka"]),
    ("mail", &["lettre"]),
    (
        "the face",
        &["async-graphql", "axum", "hyper", "http", "tower", "reqwest"],
    ),
    (
        "a wire format",
        &["serde", "serde_core", "serde_json", "toml"],
    ),
    (
        "a runtime",
        &["tokio", "tokio-util", "async-std", "smol", "mio", "socket2"],
    ),
    ("ambient randomness", &["rand", "getrandom"]),
    ("ambient time (chrono's `clock`)", &["iana-time-zone"]),
];

/// Impure crates among the domain's normal dependencies, at the line that brings them in.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let Some(domain) = workspace
        .members
        .iter()
        .find(|member| member.name == "domain")
    else {
        return Err("the workspace has no domain".into());
    };
    let mut findings = Vec::new();
    let mut direct = String::new();
    for (depth, name) in workspace.tree(&["--package", "domain", "--edges", "normal"])? {
        if depth == 1 {
            direct.clone_from(&name);
        }
        if let Some((what, _)) = IMPURE
            .iter()
            .find(|(_, names)| names.contains(&name.as_str()))
        {
            let declared = domain.dependencies.iter().find(|one| one.package == direct);
            let finding = Finding {
                file: domain.manifest(),
                line: declared.map_or(1, |dependency| dependency.line),
                rule: format!("domain must stay free of {what}: {direct} brings in {name}"),
                severity: Severity::Error,
            };
            // The tree names a crate once for every way that leads to it.
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn found(members: &[fixture::Sketch<'_>]) -> Vec<String> {
        let (_folder, workspace) = fixture::workspace(members, &[]);
        check(&workspace)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn harmless_crates_pass() {
        assert_eq!(
            found(&[("domain", &["chrono", "uuid"]), ("api", &["serde"])]),
            [""; 0]
        );
    }

    #[test]
    fn every_impure_crate_is_found() {
        for (what, names) in IMPURE {
            for name in names {
                let expected = format!(
                    "error: domain/Cargo.toml:7: domain must stay free of {what}: {name} brings in {name}"
                );
                assert_eq!(found(&[("domain", &["chrono", name])]), [expected]);
            }
        }
    }

    #[test]
    fn a_crate_reached_twice_is_found_once() {
        let members: &[fixture::Sketch<'_>] = &[
            ("domain", &["helper"]),
            ("helper", &["other", "tokio"]),
            ("other", &["tokio"]),
        ];
        assert_eq!(found(members).len(), 1);
    }

    #[test]
    fn an_impure_crate_is_found_behind_another() {
        let members: &[fixture::Sketch<'_>] = &[("domain", &["helper"]), ("helper", &["tokio"])];
        assert_eq!(
            found(members),
            [
                "error: domain/Cargo.toml:6: domain must stay free of a runtime: helper brings in tokio"
            ]
        );
    }
}
