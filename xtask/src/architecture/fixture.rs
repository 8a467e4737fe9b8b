//! Tiny workspaces in a temporary folder, with stand-ins for foreign crates beside them.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::cargo::Workspace;

/// A member: its folder (`""` is the root package) and the dependencies of its manifest, the first
/// of which stands in line 6. `dev:name` is one for tests, in a section of its own at the end.
pub type Sketch<'a> = (&'a str, &'a [&'a str]);

/// A workspace of `members` and more `files`. A dependency that is no member is an empty crate
/// outside of the workspace.
pub fn workspace(members: &[Sketch<'_>], files: &[(&str, &str)]) -> (TempDir, Workspace) {
    let folder = tempfile::tempdir().unwrap();
    let ours: Vec<_> = members
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !name.is_empty())
        .collect();
    let mut root_manifest = String::new();
    for (name, dependencies) in members {
        let manifest = manifest(folder.path(), &ours, name, dependencies);
        if name.is_empty() {
            root_manifest = manifest;
            write(folder.path(), "house/src/lib.rs", "");
        } else {
            write(
                folder.path(),
                &format!("house/{name}/Cargo.toml"),
                &manifest,
            );
            write(folder.path(), &format!("house/{name}/src/lib.rs"), "");
        }
    }
    writeln!(
        root_manifest,
        "[workspace]\nmembers = {ours:?}\nresolver = \"3\""
    )
    .unwrap();
    write(folder.path(), "house/Cargo.toml", &root_manifest);
    for (path, text) in files {
        write(folder.path(), &format!("house/{path}"), text);
    }
    let workspace = Workspace::at(&folder.path().join("house")).unwrap();
    (folder, workspace)
}

fn manifest(folder: &Path, ours: &[&str], name: &str, dependencies: &[&str]) -> String {
    let (package, up) = if name.is_empty() {
        ("firstcome", "")
    } else {
        (name, "../")
    };
    let mut manifest = head(package) + "[dependencies]\n";
    let mut dev_section = String::new();
    for dependency in dependencies {
        let (for_tests, dependency) = match dependency.strip_prefix("dev:") {
            Some(rest) => (true, rest),
            None => (false, *dependency),
        };
        let place = if ours.contains(&dependency) {
            format!("{up}{dependency}")
        } else {
            write(
                folder,
                &format!("foreign/{dependency}/Cargo.toml"),
                &head(dependency),
            );
            write(folder, &format!("foreign/{dependency}/src/lib.rs"), "");
            format!("{up}../foreign/{dependency}")
        };
        let line = format!("{dependency} = {{ path = \"{place}\" }}\n");
        if for_tests {
            dev_section += &line;
        } else {
            manifest += &line;
        }
    }
    if !dev_section.is_empty() {
        manifest += "[dev-dependencies]\n";
        manifest += &dev_section;
    }
    manifest
}

fn head(package: &str) -> String {
    format!("[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
