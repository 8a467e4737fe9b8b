//! What runs, so that another process can ask it and end it.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::addresses::Addresses;
use crate::Failure;
use crate::services::process;
use crate::services::server::Server;

/// The file: where everything is, and what it consists of.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    #[serde(flatten)]
    pub addresses: Addresses,
    /// By service.
    #[serde(default)]
    pub running: BTreeMap<String, Running>,
}

/// A service's processes and the folder they live in.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub folder: PathBuf,
    pub servers: Vec<Process>,
}

/// A process that nobody may hold as a child any more.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub name: String,
    pub pid: u32,
    /// When it was started: pids are used again.
    pub started: u64,
    pub port: u16,
    pub end_with: String,
    pub log: PathBuf,
}

impl Record {
    /// The file's content; empty when there is none.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        match fs::read_to_string(file) {
            Ok(text) => serde_json::from_str(&text)
                .map_err(|error| format!("{}: {error}", file.display()).into()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: {error}", file.display()).into()),
        }
    }

    /// In one step, so that a reader sees all or nothing; no file when nothing runs.
    pub fn write(&self, file: &Path) -> Result<(), Failure> {
        if self.running.is_empty() {
            return match fs::remove_file(file) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        let draft = file.with_extension("draft");
        fs::write(&draft, serde_json::to_string_pretty(self)? + "\n")?;
        fs::rename(draft, file)?;
        Ok(())
    }

    /// Takes a service out, ending what is left of it and removing its folder.
    pub fn end(&mut self, service: &str) -> Result<(), Failure> {
        self.addresses.forget(service);
        let Some(running) = self.running.remove(service) else {
            return Ok(());
        };
        for server in &running.servers {
            process::end(server.pid, server.started, &server.end_with)
                .map_err(|failure| format!("{}: {failure}", server.name))?;
        }
        match fs::remove_dir_all(&running.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Running {
    pub fn new(folder: &Path, servers: &[&Server]) -> Result<Self, Failure> {
        let servers = servers.iter().map(|server| Process::of(server));
        Ok(Self {
            folder: folder.to_owned(),
            servers: servers.collect::<Result<_, _>>()?,
        })
    }

    /// Whether none of its processes has ended.
    pub fn lives(&self) -> bool {
        self.servers.iter().all(Process::lives)
    }
}

impl Process {
    fn of(server: &Server) -> Result<Self, Failure> {
        let gone = || format!("{} is gone again", server.name());
        let pid = server.pid().ok_or_else(gone)?;
        Ok(Self {
            name: server.name().to_owned(),
            pid,
            started: process::started(pid).ok_or_else(gone)?,
            port: server.port(),
            end_with: server.end_with().to_owned(),
            log: server.log().to_owned(),
        })
    }

    pub fn lives(&self) -> bool {
        process::started(self.pid) == Some(self.started)
    }
}

#[cfg(test)]
mod tests {
    use super::super::addresses::{Log, Url};
    use super::*;

    fn record(folder: &Path, pid: u32, started: u64) -> Record {
        let server = Process {
            name: "kafka".into(),
            pid,
            started,
            port: 1,
            end_with: "TERM".into(),
            log: folder.join("kafka.log"),
        };
        let running = Running {
            folder: folder.to_owned(),
            servers: vec![server],
        };
        Record {
            addresses: Addresses {
                kafka: Some(Log {
                    brokers: "127.0.0.1:1".into(),
                }),
                ..Addresses::default()
            },
            running: [("kafka".to_owned(), running)].into(),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_goes_with_its_last_service() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.json");
        assert_eq!(Record::read(&file).unwrap(), Record::default());
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        let mut written = record(&home, u32::MAX, 1);
        written.addresses.mariadb = Some(Url {
            url: "mysql://127.0.0.1:2".into(),
        });
        written.write(&file).unwrap();
        assert_eq!(Record::read(&file).unwrap(), written);
        written.end("kafka").unwrap();
        assert!(!home.exists());
        assert_eq!(written.addresses.kafka, None);
        assert!(written.addresses.mariadb.is_some());
        written.write(&file).unwrap();
        assert!(!file.exists());
    }

    #[test]
    fn a_service_lives_while_it_is_the_same_process() {
        let folder = tempfile::tempdir().unwrap();
        let pid = std::process::id();
        let started = process::started(pid).unwrap();
        let lives = |pid, started| record(folder.path(), pid, started).running["kafka"].lives();
        assert!(lives(pid, started));
        assert!(!lives(pid, started + 1));
        assert!(!lives(u32::MAX, started));
    }
}
