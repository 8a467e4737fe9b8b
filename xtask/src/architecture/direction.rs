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

/// Which members may have which others beside their tests: only those start real servers.
const IN_TESTS: [(&str, &[&str]); 2] = [("adapters", &["xtask"]), ("firstcome", &["xtask"])];

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
            let for_tests = dependency.dev && may_in_tests(name, package);
            if ours.contains(&package) && !allowed.contains(&package) && !for_tests {
                findings.push(error(
                    dependency.line,
                    format!("{name} may not depend on {package}"),
                ));
            }
        }
    }
    findings
}

fn may_in_tests(member: &str, package: &str) -> bool {
    IN_TESTS
        .iter()
        .any(|(known, more)| *known == member && more.contains(&package))
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
            ("", &["adapters", "api", "domain", "workers", "dev:xtask"]),
            ("adapters", &["domain", "migrations", "redis", "dev:xtask"]),
            ("api", &["domain", "axum"]),
            ("domain", &[]),
            ("migrations", &[]),
            ("workers", &["domain"]),
            ("xtask", &[]),
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
    fn real_servers_are_for_the_tests_of_those_who_meet_them() {
        let members: &[fixture::Sketch<'_>] = &[
            ("adapters", &["xtask"]),
            ("workers", &["dev:xtask"]),
            ("xtask", &[]),
        ];
        assert_eq!(
            found(members),
            [
                "error: adapters/Cargo.toml:6: adapters may not depend on xtask",
                "error: workers/Cargo.toml:7: workers may not depend on xtask",
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
