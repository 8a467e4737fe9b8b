//! PostgreSQL with a user that may make databases.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Command;

use super::home::{Home, Lifetime};
use super::packages::Program;
use super::port;
use super::server::{AS_NOBODY, Recipe, Server, is_root, run};
use crate::Failure;

const FOLDERS: &[&str] = &["/usr/lib/postgresql/*/bin"];
const SERVER: Program = Program {
    name: "postgres",
    package: "postgresql",
    folders: FOLDERS,
};
const INITIALISER: Program = Program {
    name: "initdb",
    package: "postgresql",
    folders: FOLDERS,
};
const ASKER: Program = Program {
    name: "pg_isready",
    package: "postgresql",
    folders: FOLDERS,
};

const USER: &str = "firstcome";

/// Durable as in production (its default: each commit is on the disk), small.
const SETTINGS: [&str; 4] = [
    "listen_addresses=127.0.0.1",
    "max_connections=300",
    "shared_buffers=128MB",
    "log_min_messages=warning",
];

/// One PostgreSQL.
pub struct Postgres {
    server: Server,
    pub(super) home: Home,
}

impl Postgres {
    /// A server of our own.
    pub fn launch() -> Result<Self, Failure> {
        Self::launch_with(&[])
    }

    /// A server of our own with more settings: `ssl=on`.
    pub fn launch_with(settings: &[String]) -> Result<Self, Failure> {
        Self::launch_as(Lifetime::Ours, settings)
    }

    pub(super) fn launch_for(lifetime: Lifetime) -> Result<Self, Failure> {
        Self::launch_as(lifetime, &[])
    }

    fn launch_as(lifetime: Lifetime, settings: &[String]) -> Result<Self, Failure> {
        let program = SERVER.path()?;
        let mut home = Home::new("postgresql", lifetime)?;
        let data = home.path().join("data");
        initialise(&data)?;
        let port = port::free()?;
        let mut arguments = vec!["-D".into(), data.clone().into()];
        let ours = SETTINGS.into_iter();
        for setting in ours.chain(settings.iter().map(String::as_str)) {
            arguments.extend(["-c".into(), setting.into()]);
        }
        // Its own folder is the one place where it may always make its socket.
        let sockets = format!("unix_socket_directories={}", data.display());
        arguments.extend(["-c".into(), sockets.into()]);
        arguments.extend(["-p".into(), port.to_string().into()]);
        let server = Server::launch(Recipe {
            name: "postgresql".into(),
            program,
            arguments,
            port,
            probe: is_ready,
            // Its TERM waits until the last client has gone.
            end_with: "INT",
            never_root: true,
            log: home.path().join("postgresql.log"),
            lifetime,
        })?;
        home.settled();
        Ok(Self { server, home })
    }

    /// A URL of the user that may do everything, in a database of the server's own.
    pub fn url(&self) -> String {
        let port = self.server.port();
        format!("postgres://{USER}:{USER}@127.0.0.1:{port}/postgres")
    }
}

impl Deref for Postgres {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for Postgres {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

/// An empty cluster. It must belong to who runs it, and that may not be root.
fn initialise(data: &Path) -> Result<(), Failure> {
    let mut command = if is_root()? {
        run(Command::new("install")
            .args(["-d", "-m", "700", "-o", "nobody", "-g", "nogroup"])
            .arg(data))?;
        let mut command = Command::new("setpriv");
        command.args(AS_NOBODY).arg(INITIALISER.path()?);
        command
    } else {
        Command::new(INITIALISER.path()?)
    };
    let options = [
        "--auth=trust",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
    ];
    run(command
        .arg("-D")
        .arg(data)
        .args(["-U", USER])
        .args(options)
        // Not every folder we may be in is one that nobody may be in.
        .current_dir("/"))?;
    Ok(())
}

/// Whether it takes connections.
pub(super) fn is_ready(port: u16) -> Result<(), String> {
    let asker = ASKER.path().map_err(|failure| failure.to_string())?;
    let port = port.to_string();
    let server = ["-h", "127.0.0.1", "-p", &port, "-U", USER, "-d", "postgres"];
    run(Command::new(asker).args(server))
        .map(drop)
        .map_err(|failure| failure.to_string())
}
