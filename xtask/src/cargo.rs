//! Cargo, asked about the workspace and told to do things in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use xtask::Failure;

/// The workspace as `cargo metadata` sees it, without its foreign crates.
pub struct Workspace {
    pub root: PathBuf,
    pub target: PathBuf,
    pub members: Vec<Member>,
}

/// One crate of ours.
pub struct Member {
    pub name: String,
    /// Its folder, relative to the root; empty for the root package.
    pub folder: String,
    pub dependencies: Vec<Dependency>,
}

/// A line of a member's manifest, whichever section it stands in.
pub struct Dependency {
    /// The package's own name, also where the manifest renames it.
    pub package: String,
    /// Where it is declared, counted from 1.
    pub line: usize,
    /// Whether only tests and benchmarks see it.
    pub dev: bool,
}

impl Workspace {
    /// The workspace this program was built from.
    pub fn find() -> Result<Self, Failure> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self::at(here.parent().unwrap_or(here))
    }

    /// The workspace whose root manifest lies in `root`.
    pub fn at(root: &Path) -> Result<Self, Failure> {
        let output =
            answer(command(root).args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Value = serde_json::from_str(&output)?;
        let root = PathBuf::from(text(&metadata["workspace_root"])?);
        let mut members = Vec::new();
        for package in list(&metadata["packages"])? {
            members.push(member(&root, package)?);
        }
        members.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self {
            target: text(&metadata["target_directory"])?.into(),
            root,
            members,
        })
    }

    /// Cargo, started in the root.
    pub fn cargo(&self) -> Command {
        command(&self.root)
    }

    /// The product as a build of the workspace left it.
    pub fn binary(&self) -> PathBuf {
        let name = format!("firstcome{}", std::env::consts::EXE_SUFFIX);
        self.target.join("debug").join(name)
    }

    /// `cargo tree` over the given scope as (depth, name) rows, top down.
    pub fn tree(&self, scope: &[&str]) -> Result<Vec<(usize, String)>, Failure> {
        let output = answer(
            self.cargo()
                .arg("tree")
                .args(scope)
                .args(["--prefix", "depth", "--format", " {p}"]),
        )?;
        output
            .lines()
            .filter(|line| !line.is_empty())
            .map(tree_row)
            .collect()
    }
}

impl Member {
    /// The manifest's path, relative to the root.
    pub fn manifest(&self) -> String {
        if self.folder.is_empty() {
            "Cargo.toml".to_owned()
        } else {
            format!("{}/Cargo.toml", self.folder)
        }
    }
}

/// What a command prints; its failure with what it complained about.
pub fn answer(command: &mut Command) -> Result<String, Failure> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed ({}):\n{complaint}", output.status).into())
}

fn command(folder: &Path) -> Command {
    // The toolchain that started us, if it was cargo.
    #[allow(
        clippy::disallowed_methods,
        reason = "set by cargo for its children, not configuration"
    )]
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(folder);
    command
}

fn member(root: &Path, package: &Value) -> Result<Member, Failure> {
    let manifest = PathBuf::from(text(&package["manifest_path"])?);
    let source = std::fs::read_to_string(&manifest)?;
    let mut dependencies = Vec::new();
    for dependency in list(&package["dependencies"])? {
        let package = text(&dependency["name"])?;
        let key = dependency["rename"].as_str().unwrap_or(package);
        dependencies.push(Dependency {
            package: package.to_owned(),
            line: declared_at(&source, key),
            dev: dependency["kind"].as_str() == Some("dev"),
        });
    }
    let folder = manifest
        .parent()
        .and_then(|folder| folder.strip_prefix(root).ok());
    Ok(Member {
        name: text(&package["name"])?.to_owned(),
        folder: folder.map(slashed).unwrap_or_default(),
        dependencies,
    })
}

/// The line on which a manifest declares `key`: `key = …`, `key.workspace = …` or
/// `[dependencies.key]`. The first line where it is spelled differently.
fn declared_at(manifest: &str, key: &str) -> usize {
    let declares = |line: &str| {
        let row = line.trim_start().strip_prefix(key);
        row.is_some_and(|rest| rest.starts_with([' ', '.', '=']))
            || line.trim_end().ends_with(&format!("dependencies.{key}]"))
    };
    manifest
        .lines()
        .position(declares)
        .map_or(1, |index| index + 1)
}

/// `2serde v1.0.229 (*)`, as printed with `--prefix depth --format " {p}"`.
fn tree_row(line: &str) -> Result<(usize, String), Failure> {
    let mut words = line.split_whitespace();
    let depth = words.next().and_then(|depth| depth.parse().ok());
    match (depth, words.next()) {
        (Some(depth), Some(name)) => Ok((depth, name.to_owned())),
        _ => Err(format!("cargo tree printed a line we cannot read: {line}").into()),
    }
}

/// A path with `/` on every system.
pub fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

fn text(value: &Value) -> Result<&str, Failure> {
    value
        .as_str()
        .ok_or_else(|| "cargo metadata left a name out".into())
}

fn list(value: &Value) -> Result<&Vec<Value>, Failure> {
    value
        .as_array()
        .ok_or_else(|| "cargo metadata left a list out".into())
}
