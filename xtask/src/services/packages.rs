//! Programs of Debian's packages: found, or installed where we may.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::server::is_root;
use crate::Failure;

/// A program and the package that brings it.
pub struct Program {
    pub name: &'static str,
    pub package: &'static str,
    /// Folders to look in beside the PATH's; `*` stands for a version, the newest of which counts.
    pub folders: &'static [&'static str],
}

impl Program {
    /// Its path, after installing its package if it must be and can be.
    pub fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = self.find()? {
            return Ok(path);
        }
        // One at a time, and the second one finds it done.
        let _lock = lock(&folder().join("packages"))?;
        if let Some(path) = self.find()? {
            return Ok(path);
        }
        install(self)?;
        self.find()?.ok_or_else(|| {
            format!(
                "{} is not where package {} puts it",
                self.name, self.package
            )
            .into()
        })
    }

    fn find(&self) -> Result<Option<PathBuf>, Failure> {
        let mut folders = self.folders.iter().copied();
        if let Some(found) = folders.find_map(|folder| in_folder(folder, self.name)) {
            return Ok(Some(found));
        }
        // Servers' programs are where an ordinary user's PATH does not go.
        let output = Command::new("sh")
            .args(["-c", "PATH=\"$PATH:/usr/sbin:/sbin\"; command -v \"$0\""])
            .arg(self.name)
            .output()?;
        let path = String::from_utf8(output.stdout)?;
        Ok(output.status.success().then(|| path.trim().into()))
    }
}

fn in_folder(folder: &str, name: &str) -> Option<PathBuf> {
    let Some((before, after)) = folder.split_once('*') else {
        let path = Path::new(folder).join(name);
        return path.is_file().then_some(path);
    };
    let versions = fs::read_dir(before).ok()?.filter_map(|entry| {
        let path = entry.ok()?.path();
        let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
        let program = path.join(after.trim_start_matches('/')).join(name);
        program.is_file().then_some((version, program))
    });
    versions.max().map(|(_, program)| program)
}

/// Held until dropped, for whatever `path` is about, also against other processes.
pub fn lock(path: &Path) -> Result<File, Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::create(path.with_added_extension("lock"))?;
    file.lock()?;
    Ok(file)
}

/// What survives from one run to the next: addresses, artefacts, locks.
pub fn folder() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).join("target/services")
}

/// Installs `$0` without letting Debian start the service it brings: a system's own policy is left
/// alone, a missing one stands for as long as this takes.
const INSTALL: &str = r#"
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --quiet --yes --no-install-recommends "$0"
"#;

fn install(program: &Program) -> Result<(), Failure> {
    let Program { name, package, .. } = program;
    let mut command = if is_root()? {
        Command::new("sh")
    } else if may_become_root() {
        let mut command = Command::new("sudo");
        command.args(["--non-interactive", "sh"]);
        command
    } else {
        return Err(format!(
            "{name} is missing, and only root may install it: apt-get install {package}"
        )
        .into());
    };
    eprintln!("{name} is missing: installing Debian's package {package}");
    let output = command
        .args(["-c", INSTALL, package])
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!(
        "{name} is missing, and its package {package} can't be installed: {}",
        said.trim()
    )
    .into())
}

fn may_become_root() -> bool {
    let asked = Command::new("sudo")
        .args(["--non-interactive", "true"])
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_a_folder_counts() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["9", "15", "13", "common"] {
            let programs = folder.path().join(version).join("bin");
            fs::create_dir_all(&programs).unwrap();
            fs::write(programs.join("initdb"), "").unwrap();
        }
        let pattern = format!("{}/*/bin", folder.path().display());
        let found = in_folder(&pattern, "initdb").unwrap();
        assert_eq!(found, folder.path().join("15/bin/initdb"));
        assert_eq!(in_folder(&pattern, "postgres"), None);
    }

    #[test]
    fn a_program_of_the_path_is_found_and_a_missing_one_is_not() {
        let program = |name| Program {
            name,
            package: "none",
            folders: &[],
        };
        assert!(program("sh").find().unwrap().unwrap().ends_with("sh"));
        assert_eq!(program("no-such-program").find().unwrap(), None);
    }
}
