//! Where a service lives: a temporary folder with its data, settings and logs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::Failure;

/// How long a service runs unless somebody ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the value that stands for it, and never longer than this process, however that
    /// ends.
    Ours,
    /// Until somebody ends it by its pid.
    Lasting,
}

/// A folder that others may look into (a server may run as another user), removed at the end unless
/// something went wrong.
pub struct Home {
    folder: TempDir,
    settled: bool,
    lifetime: Lifetime,
}

impl Home {
    /// Kept until [`settled`](Self::settled) says that what it is for has come about.
    pub fn new(name: &str, lifetime: Lifetime) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("firstcome-{name}-"))
            .permissions(fs::Permissions::from_mode(0o755))
            .disable_cleanup(true)
            .tempdir()?;
        Ok(Self {
            folder,
            settled: false,
            lifetime,
        })
    }

    /// The service is up: the folder may go with it.
    pub fn settled(&mut self) {
        self.settled = true;
        self.folder
            .disable_cleanup(self.lifetime == Lifetime::Lasting);
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// A new folder in it.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.path().join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// A new file in it.
    pub fn file(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let file = self.path().join(name);
        fs::write(&file, text)?;
        Ok(file)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() || !self.settled {
            self.folder.disable_cleanup(true);
            eprintln!("logs and data are kept in {}", self.path().display());
        }
    }
}
