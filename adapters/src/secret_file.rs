//! Files that only their owner may read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use domain::ports::Entropy;

/// Writes a file with mode 0600, wholly or not at all.
///
/// # Errors
/// Whatever the disk says.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    // One that a crash left behind may have another mode.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write_new(&beside, content)?;
    fs::rename(&beside, path)?;
    sync_folder(path)
}

/// Writes a file that is not there yet, with mode 0600, wholly or not at all. Where somebody else
/// was first, theirs stays.
///
/// # Errors
/// Whatever the disk says.
pub fn create(path: &Path, content: &[u8], entropy: &dyn Entropy) -> io::Result<()> {
    let mut mark = [0; 8];
    entropy.fill(&mut mark);
    let beside = path.with_extension(format!("{:016x}", u64::from_le_bytes(mark)));
    write_new(&beside, content)?;
    // Unlike a renaming, a link never takes the place of another.
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(path),
    }
}

/// A name lasts no longer than its folder's last write: what is sealed with a key must not outlive
/// the file that has it.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Reads a file, unless others may read it too.
///
/// # Errors
/// Whatever the disk says, or [`io::ErrorKind::PermissionDenied`] for a file that is open to others.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        let text = "others may read it: set its mode to 0600";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    fs::read(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn a_secret_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap(), b"two");
        create(&path, b"three", &SystemEntropy).unwrap();
        assert_eq!(read(&path).unwrap(), b"two");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(
            read(&path).unwrap_err().kind(),
            io::ErrorKind::PermissionDenied
        );
    }
}
