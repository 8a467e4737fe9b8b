//! Redis: one server, and what the shapes of several are made of.

mod cluster;
mod sentinel;

use std::fmt::Write;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Command;

pub use self::cluster::RedisCluster;
pub use self::sentinel::{PRIMARY, RedisSentinel};

use super::home::{Home, Lifetime};
use super::packages::Program;
use super::port;
use super::server::{Recipe, Server, run};
use crate::Failure;

const SERVER: Program = Program {
    name: "redis-server",
    package: "redis-server",
    folders: &[],
};
const CLIENT: Program = Program {
    name: "redis-cli",
    package: "redis-tools",
    folders: &[],
};

/// What a Redis has when it is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: it is a memory.
    Nothing,
    /// What it was told, but for the last second if it was killed.
    AppendOnly,
}

/// One Redis.
pub struct Redis {
    server: Server,
    pub(super) home: Home,
}

impl Redis {
    /// A Redis of our own.
    pub fn launch(keep: Keep) -> Result<Self, Failure> {
        Self::launch_for(Lifetime::Ours, keep)
    }

    pub(super) fn launch_for(lifetime: Lifetime, keep: Keep) -> Result<Self, Failure> {
        let mut home = home("redis", lifetime)?;
        let server = Server::launch(node(&home, "redis", port::free()?, keep, "")?)?;
        home.settled();
        Ok(Self { server, home })
    }

    /// Where it is: `redis://127.0.0.1:21000`.
    pub fn url(&self) -> String {
        url(&self.server)
    }
}

impl Deref for Redis {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for Redis {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

/// A folder for servers, once their programs are there.
fn home(name: &str, lifetime: Lifetime) -> Result<Home, Failure> {
    SERVER.path()?;
    CLIENT.path()?;
    Home::new(name, lifetime)
}

fn url(server: &Server) -> String {
    format!("redis://127.0.0.1:{}", server.port())
}

/// The server `name` with its own folder; its settings stand in a file, because it keeps there what
/// Sentinel tells it.
fn node(home: &Home, name: &str, port: u16, keep: Keep, more: &str) -> Result<Recipe, Failure> {
    let folder = home.folder(name)?;
    let append_only = if keep == Keep::AppendOnly {
        "yes"
    } else {
        "no"
    };
    let mut settings = format!(
        "port {port}\n\
         bind 127.0.0.1\n\
         dir {}\n\
         save \"\"\n\
         appendonly {append_only}\n\
         appendfsync everysec\n\
         maxmemory 512mb\n\
         maxmemory-policy noeviction\n",
        folder.display()
    );
    settings.write_str(more)?;
    let file = home.file(&format!("{name}/redis.conf"), &settings)?;
    recipe(home, name, port, vec![file.into()])
}

fn recipe(
    home: &Home,
    name: &str,
    port: u16,
    arguments: Vec<std::ffi::OsString>,
) -> Result<Recipe, Failure> {
    Ok(Recipe {
        name: name.to_owned(),
        program: SERVER.path()?,
        arguments,
        port,
        probe: ping,
        end_with: "TERM",
        never_root: false,
        log: home.path().join(format!("{name}.log")),
        lifetime: home.lifetime(),
    })
}

/// Whether it answers, with its data loaded.
pub(super) fn ping(port: u16) -> Result<(), String> {
    match ask(port, &["PING"]) {
        Ok(answer) if answer.trim() == "PONG" => Ok(()),
        Ok(answer) => Err(answer.trim().to_owned()),
        Err(failure) => Err(failure.to_string()),
    }
}

/// What a Redis says to a command.
fn ask(port: u16, words: &[&str]) -> Result<String, Failure> {
    let port = port.to_string();
    run(Command::new(client()?)
        .args(["-e", "-h", "127.0.0.1", "-p", &port])
        .args(words))
}

fn client() -> Result<PathBuf, Failure> {
    CLIENT.path()
}
