//! MariaDB with a user that may make databases.

use std::ffi::OsString;
use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::ops::{Deref, DerefMut};
use std::process::Command;
use std::time::Duration;

use super::home::{Home, Lifetime};
use super::packages::Program;
use super::port;
use super::server::{Recipe, Server, run};
use crate::Failure;

const SERVER: Program = Program {
    name: "mariadbd",
    package: "mariadb-server",
    folders: &[],
};
const INSTALLER: Program = Program {
    name: "mariadb-install-db",
    package: "mariadb-server",
    folders: &[],
};

/// The user and its password.
const USER: &str = "firstcome";

/// Durable as in production (each commit is on the disk), small, and for many small databases.
const SETTINGS: [&str; 10] = [
    "--skip-log-bin",
    "--skip-name-resolve",
    "--bind-address=127.0.0.1",
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-buffer-pool-size=256M",
    "--innodb-log-file-size=128M",
    "--max-connections=500",
    "--max-allowed-packet=64M",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
];

/// One MariaDB.
pub struct MariaDb {
    server: Server,
    pub(super) home: Home,
}

impl MariaDb {
    /// A server of our own.
    pub fn launch() -> Result<Self, Failure> {
        Self::launch_with(&[])
    }

    /// A server of our own with more options: `--ssl-cert=/path`.
    pub fn launch_with(options: &[String]) -> Result<Self, Failure> {
        Self::launch_as(Lifetime::Ours, options)
    }

    pub(super) fn launch_for(lifetime: Lifetime) -> Result<Self, Failure> {
        Self::launch_as(lifetime, &[])
    }

    fn launch_as(lifetime: Lifetime, options: &[String]) -> Result<Self, Failure> {
        let (program, installer) = (SERVER.path()?, INSTALLER.path()?);
        let mut home = Home::new("mariadb", lifetime)?;
        let data = home.path().join("data");
        // Whoever we are: it refuses to be root without being told so.
        let account = run(Command::new("id").arg("-un"))?;
        let user = format!("--user={}", account.trim());
        let data = format!("--datadir={}", data.display());
        run(Command::new(installer)
            .args(["--no-defaults", &data, &user, "--skip-test-db"])
            .arg("--auth-root-authentication-method=normal"))?;
        let grants = home.file(
            "grants.sql",
            &format!(
                "CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{USER}';\n\
                 GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
            ),
        )?;
        let port = port::free()?;
        let in_home = |name: &str| home.path().join(name).display().to_string();
        let mut arguments: Vec<OsString> = vec!["--no-defaults".into(), data.into(), user.into()];
        arguments.extend(SETTINGS.map(Into::into));
        arguments.push(format!("--port={port}").into());
        arguments.push(format!("--socket={}", in_home("mariadb.sock")).into());
        arguments.push(format!("--pid-file={}", in_home("mariadb.pid")).into());
        arguments.push(format!("--init-file={}", grants.display()).into());
        arguments.extend(options.iter().map(Into::into));
        let server = Server::launch(Recipe {
            name: "mariadb".into(),
            program,
            arguments,
            port,
            probe: greets,
            end_with: "TERM",
            never_root: false,
            log: home.path().join("mariadb.log"),
            lifetime,
        })?;
        home.settled();
        Ok(Self { server, home })
    }

    /// A URL of the user that may do everything, in a database of the server's own.
    pub fn url(&self) -> String {
        let port = self.server.port();
        format!("mysql://{USER}:{USER}@127.0.0.1:{port}/mysql")
    }
}

impl Deref for MariaDb {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for MariaDb {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

/// Whether it greets: a server speaks first, with its protocol's version (10) after four bytes of
/// header, and an error (255) while it can't take anybody.
pub(super) fn greets(port: u16) -> Result<(), String> {
    let greeting = || -> std::io::Result<[u8; 5]> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut greeting = [0; 5];
        stream.read_exact(&mut greeting)?;
        Ok(greeting)
    };
    match greeting() {
        Ok([.., 10]) => Ok(()),
        Ok([.., other]) => Err(format!("it begins with {other}")),
        Err(error) => Err(error.to_string()),
    }
}
