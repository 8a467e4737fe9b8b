//! Each technology has one place: GraphQL in `api`, SQL in the ledger's adapter, and so on.

use xtask::Failure;

use super::sources::Source;
use super::{Finding, Severity};
use crate::cargo::Workspace;

/// Where a foreign crate may be named.
struct Placement {
    /// Packages that belong together: one technology.
    packages: &'static [&'static str],
    /// Members whose manifest may ask for it.
    members: &'static [&'static str],
    /// Beginnings of the paths of files that may name it: `adapters/src/sql` is that module's file
    /// and its folder.
    places: &'static [&'static str],
}

const PLACEMENTS: [Placement; 9] = [
    Placement {
        packages: &[
            "async-graphql",
            "async-graphql-axum",
            "async-graphql-derive",
            "async-graphql-parser",
            "async-graphql-value",
        ],
        members: &["api"],
        places: &["api"],
    },
    Placement {
        packages: &["axum"],
        members: &["api", "adapters"],
        // The simulated payment provider as a server of its own.
        places: &["api", "adapters/src/payment/server"],
    },
    Placement {
        packages: &["reqwest"],
        // The face and the product are asked by their tests.
        members: &["adapters", "api", "firstcome"],
        places: &["adapters/src/payment", "api/tests", "tests"],
    },
    Placement {
        packages: &["rdkafka"],
        members: &["adapters"],
        places: &["adapters/src/kafka"],
    },
    Placement {
        packages: &["redis"],
        members: &["adapters"],
        // Its tests do to a server what only an operator does.
        places: &["adapters/src/redis", "adapters/tests/gate_redis"],
    },
    Placement {
        packages: &["sea-orm", "sea-query"],
        members: &["adapters", "migrations"],
        // Tests of the ledger say to a server what no port would.
        places: &["adapters/src/sql", "adapters/tests/stores", "migrations"],
    },
    Placement {
        packages: &["sea-orm-migration"],
        members: &["migrations"],
        places: &["migrations"],
    },
    Placement {
        packages: &["sqlx"],
        members: &["adapters"],
        places: &["adapters/src/embedded", "adapters/src/payment"],
    },
    Placement {
        packages: &["lettre", "askama"],
        members: &["adapters"],
        places: &["adapters/src/mail"],
    },
];

/// Ours: only the composition root knows which adapter stands behind a port. (Manifests: see the
/// directions.)
const COMPOSITION: Placement = Placement {
    packages: &["adapters"],
    members: &["firstcome"],
    places: &["src", "adapters"],
};

/// A manifest that asks for a crate whose place is elsewhere.
pub fn check_manifests(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &workspace.members {
        for dependency in &member.dependencies {
            let placed = PLACEMENTS.iter().find(|placement| {
                placement.packages.contains(&dependency.package.as_str())
                    && !placement.members.contains(&member.name.as_str())
            });
            if let Some(placement) = placed {
                let package = &dependency.package;
                let members = placement.members.join(" and ");
                findings.push(Finding {
                    file: member.manifest(),
                    line: dependency.line,
                    rule: format!("only {members} may depend on {package}"),
                    severity: Severity::Error,
                });
            }
        }
    }
    findings
}

/// A file that names a crate whose place is elsewhere.
pub fn check_sources(sources: &[Source]) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for source in sources {
        for name in source.leading_names()? {
            let misplaced = PLACEMENTS.iter().chain([&COMPOSITION]).find(|placement| {
                placement
                    .packages
                    .iter()
                    .any(|package| package.replace('-', "_") == name.word)
                    && !placement
                        .places
                        .iter()
                        .any(|place| is_in(&source.path, place))
            });
            if let Some(placement) = misplaced {
                let places = placement.places.join(" and ");
                let word = &name.word;
                findings.push(Finding {
                    file: source.path.clone(),
                    line: name.line,
                    rule: format!(
                        "`{word}` may be named only in {places} (a module of our own: write `self::{word}`)"
                    ),
                    severity: Severity::Error,
                });
            }
        }
    }
    Ok(findings)
}

/// Whether `path` is the folder `place`, or the module file of that name.
fn is_in(path: &str, place: &str) -> bool {
    path.strip_prefix(place)
        .is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

#[cfg(test)]
mod tests {
    use super::super::{fixture, sources};
    use super::*;

    /// Every technology, a file where it belongs and one where it does not.
    const CASES: [(&str, &str, &str); 11] = [
        (
            "async_graphql",
            "api/src/schema/order.rs",
            "adapters/src/wire.rs",
        ),
        ("axum", "api/src/http.rs", "src/serve.rs"),
        (
            "axum",
            "adapters/src/payment/server/http.rs",
            "adapters/src/payment/stripe.rs",
        ),
        (
            "reqwest",
            "adapters/src/payment/stripe/client.rs",
            "src/rush/client.rs",
        ),
        (
            "rdkafka",
            "adapters/src/kafka/producer.rs",
            "workers/src/order_writer.rs",
        ),
        (
            "redis",
            "adapters/src/redis.rs",
            "adapters/src/redistribution.rs",
        ),
        (
            "sea_orm",
            "adapters/src/sql/orders.rs",
            "adapters/src/embedded/log.rs",
        ),
        (
            "sea_orm_migration",
            "migrations/src/lib.rs",
            "adapters/src/sql/start.rs",
        ),
        (
            "sqlx",
            "adapters/src/embedded/log.rs",
            "adapters/src/sql/orders.rs",
        ),
        ("lettre", "adapters/src/mail/smtp.rs", "workers/src/mail.rs"),
        ("adapters", "src/compose.rs", "tests/race.rs"),
    ];

    #[test]
    fn every_placement_has_a_case() {
        for placement in PLACEMENTS.iter().chain([&COMPOSITION]) {
            let word = placement.packages[0].replace('-', "_");
            assert!(
                CASES.iter().any(|case| case.0 == word),
                "{word} is not tested"
            );
        }
    }

    #[test]
    fn a_file_in_the_right_place_may_name_its_crate() {
        for (word, right, _) in CASES {
            let text = format!("use {word}::Thing;\n");
            assert_eq!(check_sources(&[source(right, &text)]).unwrap(), []);
        }
    }

    #[test]
    fn a_technology_may_be_named_in_its_own_tests() {
        let text = "fn flush() { redis::cmd(\"FLUSHALL\") }\n";
        let own = source("adapters/tests/gate_redis/own.rs", text);
        assert_eq!(check_sources(&[own]).unwrap(), []);
        let other = source("adapters/tests/gate_model.rs", text);
        assert_eq!(check_sources(&[other]).unwrap().len(), 1);
    }

    #[test]
    fn a_file_in_the_wrong_place_is_found_with_its_line() {
        for (word, _, wrong) in CASES {
            let text = format!("//! About {word}.\n\nfn f() {{ {word}::thing() }}\n");
            let findings = check_sources(&[source(wrong, &text)]).unwrap();
            assert_eq!(findings.len(), 1, "{word} in {wrong}");
            assert_eq!((findings[0].file.as_str(), findings[0].line), (wrong, 3));
            assert!(findings[0].rule.contains(word));
        }
    }

    #[test]
    fn a_manifest_that_asks_for_a_misplaced_crate_is_found() {
        let members: &[fixture::Sketch<'_>] = &[
            ("api", &["async-graphql", "axum"]),
            ("workers", &["redis", "sea-orm"]),
            ("domain", &[]),
        ];
        let (_folder, workspace) = fixture::workspace(members, &[]);
        let found: Vec<_> = check_manifests(&workspace)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            found,
            [
                "error: workers/Cargo.toml:6: only adapters may depend on redis",
                "error: workers/Cargo.toml:7: only adapters and migrations may depend on sea-orm",
            ]
        );
    }

    #[test]
    fn files_are_found_in_every_folder_of_every_member() {
        let files: &[(&str, &str)] = &[
            ("tests/race.rs", "use adapters::Gate;"),
            ("workers/src/deep/er.rs", "use lettre::Message;"),
        ];
        let (_folder, workspace) = fixture::workspace(&[("", &[]), ("workers", &[])], files);
        let findings = check_sources(&sources::read(&workspace).unwrap()).unwrap();
        let places: Vec<_> = findings
            .iter()
            .map(|finding| finding.file.as_str())
            .collect();
        assert_eq!(places, ["tests/race.rs", "workers/src/deep/er.rs"]);
    }

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.into(),
            text: text.into(),
        }
    }
}
