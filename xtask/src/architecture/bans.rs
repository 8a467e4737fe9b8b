//! The bans of deny.toml, for those who have no cargo-deny: it needs installing, this does not.

use std::fs;

use xtask::Failure;

use super::{Finding, Severity};
use crate::cargo::Workspace;

/// Banned crates anywhere in the workspace's tree, on any system.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let text = fs::read_to_string(workspace.root.join("deny.toml"))?;
    let banned = banned(&text)?;
    let scope = [
        "--workspace",
        "--edges",
        "normal,build,dev",
        "--target",
        "all",
    ];
    let mut tree: Vec<String> = workspace
        .tree(&scope)?
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    tree.sort();
    tree.dedup();
    let found = banned.into_iter().filter(|(name, _)| tree.contains(name));
    Ok(found
        .map(|(name, reason)| Finding {
            file: "deny.toml".into(),
            line: 1 + text
                .lines()
                .position(|line| line.contains(&format!("\"{name}\"")))
                .unwrap_or(0),
            rule: format!(
                "{name} is banned, yet in the tree (cargo tree --invert {name}): {reason}"
            ),
            severity: Severity::Error,
        })
        .collect())
}

/// Names and reasons under `[bans] deny`.
fn banned(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let table: toml::Table = text.parse()?;
    let Some(deny) = table
        .get("bans")
        .and_then(|bans| bans.get("deny")?.as_array())
    else {
        return Err("deny.toml has no [bans] deny".into());
    };
    deny.iter()
        .map(|entry| {
            let word = |key| {
                entry
                    .get(key)
                    .and_then(toml::Value::as_str)
                    .map(str::to_owned)
            };
            word("crate").zip(word("reason")).ok_or_else(|| {
                format!("deny.toml: a ban is {{ crate, reason }}, not {entry:?}").into()
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    const DENY: &str = "[bans]\ndeny = [\n  { crate = \"rsa\", reason = \"leaks\" },\n]\n";

    #[test]
    fn a_banned_crate_is_found() {
        let (_folder, workspace) =
            fixture::workspace(&[("domain", &["rsa"])], &[("deny.toml", DENY)]);
        let found: Vec<_> = check(&workspace)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        let expected =
            "error: deny.toml:3: rsa is banned, yet in the tree (cargo tree --invert rsa): leaks";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn a_tree_without_it_passes() {
        let (_folder, workspace) =
            fixture::workspace(&[("domain", &["sha2"])], &[("deny.toml", DENY)]);
        assert_eq!(check(&workspace).unwrap(), []);
    }

    #[test]
    fn a_ban_nobody_can_read_is_no_ban_and_fails() {
        assert!(banned("[bans]\ndeny = [\"rsa\"]\n").is_err());
        assert!(banned("[bans]\n").is_err());
    }
}
