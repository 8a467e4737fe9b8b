//! One direction: `api`, `workers` and `adapters` know the domain, the root knows everybody.

use super::{Finding, Severity};
use crate::cargo::Workspace;

/// Which members a member may depend on, in any section of its manifest.
const DIRECTIONS: [(&str, &[&str]); 7] = [
    ("domain", &[]),
    ("migrations", &[]),
    ("adapters", &["domain", "migrations"]),
    ("api", &["domain"]),
    ("workers", &["domain"]),
    (
        "firstcome",
        &["adapters", "api", "domain", "migrations", "workers"],
    ),
    ("xtask", &[]),
];

/// Dependencies between members that point the wrong way, and members nobody has placed yet.
pub fn check(workspace: &Workspace) -> Vec<Finding> {
    let ours: Vec<_> = workspace
        .members
        .iter()
        .map(|member| member.name.as_str())
        .collect();
    let mut findings = Vec::new();
    for member in &workspace.members {
        let error = |line, rule| Finding {
            file: member.manifest(),
            line,
            rule,
            severity: Severity::Error,
        };
        let name = &member.name;
        let Some((_, allowed)) = DIRECTIONS.iter().find(|(known, _)| known == name) else {
            findings.push(error(
                1,
                format!("{name} has no place in the architecture's directions"),
            ));
            continue;
        };
        for dependency in &member.dependencies {
            let package = dependency.package.as_str();
            if ours.contains(&package) && !allowed.contains(&package) {
                findings.push(error(
                    dependency.line,
                    format!("{name} may not depend on {package}"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn found(members: &[fixture::Sketch<'_>]) -> Vec<String> {
        let (_folder, workspace) = fixture::workspace(members, &[]);
        check(&workspace).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_house_as_drawn_passes() {
        let members: &[fixture::Sketch<'_>] = &[
            ("", &["adapters", "api", "domain", "workers"]),
            ("adapters", &["domain", "migrations", "redis"]),
            ("api", &["domain", "axum"]),
            ("domain", &[]),
            ("migrations", &[]),
            ("workers", &["domain"]),
        ];
        assert_eq!(found(members), [""; 0]);
    }

    #[test]
    fn a_dependency_against_the_direction_is_found() {
        let members: &[fixture::Sketch<'_>] = &[
            ("adapters", &[]),
            ("api", &["adapters"]),
            ("domain", &["migrations"]),
            ("migrations", &[]),
        ];
        assert_eq!(
            found(members),
            [
                "error: api/Cargo.toml:6: api may not depend on adapters",
                "error: domain/Cargo.toml:6: domain may not depend on migrations",
            ]
        );
    }

    #[test]
    fn a_new_member_has_to_be_placed() {
        assert_eq!(
            found(&[("shop", &[])]),
            ["error: shop/Cargo.toml:1: shop has no place in the architecture's directions"]
        );
    }
}
