//! One server process that can end and come back on the same port and data.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::home::Lifetime;
use super::{process, spawn, wait};
use crate::Failure;

/// How long a server may take until it answers: generous, since a build may share the cores.
const START: Duration = Duration::from_mins(2);
/// How long it may take to end in good order.
const STOP: Duration = Duration::from_mins(1);
/// Lines of a log that say why a server did not come up.
const TAIL: usize = 20;

/// Whether the server on this port answers; else why not.
pub type Probe = fn(u16) -> Result<(), String>;

/// What it takes to start a server.
pub struct Recipe {
    /// The server in a word, for logs and messages: `replica-1`.
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    /// On 127.0.0.1, where its clients find it.
    pub port: u16,
    pub probe: Probe,
    /// The signal that ends it in good order without waiting for its clients.
    pub end_with: &'static str,
    /// Whether it refuses to run as root, and runs as nobody then.
    pub never_root: bool,
    /// Where its output goes.
    pub log: PathBuf,
    pub lifetime: Lifetime,
}

/// A server of ours. Ends with the value.
pub struct Server {
    recipe: Recipe,
    child: Option<Child>,
}

impl Server {
    /// Started, and answering.
    pub fn launch(recipe: Recipe) -> Result<Self, Failure> {
        let mut server = Self {
            recipe,
            child: None,
        };
        server.start()?;
        Ok(server)
    }

    /// Starts it if it does not run, on the port and data it had; returns when it answers.
    pub fn start(&mut self) -> Result<(), Failure> {
        if self.child.is_some() {
            return Ok(());
        }
        self.child = Some(spawn::spawn(self.command()?)?);
        let failure = match self.come_up() {
            Ok(None) => return Ok(()),
            Ok(Some(status)) => format!("{} ended at once ({status})", self.name()),
            Err(failure) => failure.to_string(),
        };
        self.kill()?;
        let log = &self.recipe.log;
        Err(format!("{failure}; {} ends in\n{}", log.display(), tail(log)).into())
    }

    /// Waits until it answers, or has ended: how.
    fn come_up(&mut self) -> Result<Option<String>, Failure> {
        let Recipe {
            name, port, probe, ..
        } = &self.recipe;
        let child = &mut self.child;
        wait::until(&format!("{name} on port {port}"), START, || {
            ended(child.as_mut()).map_or_else(|| probe(*port).map(|()| None), |how| Ok(Some(how)))
        })
    }

    /// Ends it in good order: what it was told is written, its clients are disconnected.
    pub fn stop(&mut self) -> Result<(), Failure> {
        let Some(child) = &mut self.child else {
            return Ok(());
        };
        process::signal(child.id(), self.recipe.end_with)?;
        let ended = wait::until(&self.recipe.name, STOP, || {
            ended(Some(child)).ok_or("it still runs")
        });
        self.kill()?;
        ended.map(drop)
    }

    /// SIGKILL, also for the processes it consists of: it has no chance to write anything. Returns
    /// when all of it is gone.
    pub fn kill(&mut self) -> Result<(), Failure> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        let parts = process::children(child.id());
        child.kill()?;
        child.wait()?;
        parts.into_iter().try_for_each(process::kill)
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Where its clients find it, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.recipe.port
    }

    /// What it is called among the servers of its service.
    pub fn name(&self) -> &str {
        &self.recipe.name
    }

    /// Its output.
    pub fn log(&self) -> &Path {
        &self.recipe.log
    }

    pub(super) fn end_with(&self) -> &'static str {
        self.recipe.end_with
    }

    /// Leaves it to itself.
    pub(super) fn release(&mut self) {
        self.child = None;
    }

    fn command(&self) -> Result<Command, Failure> {
        let recipe = &self.recipe;
        let mut words: Vec<OsString> = Vec::new();
        if recipe.lifetime == Lifetime::Ours {
            words.extend(["--pdeathsig", "KILL"].map(Into::into));
        }
        if recipe.never_root && is_root()? {
            words.extend(AS_NOBODY.map(Into::into));
        }
        let mut command = if words.is_empty() {
            Command::new(&recipe.program)
        } else {
            let mut command = Command::new("setpriv");
            command.args(words).arg(&recipe.program);
            command
        };
        let log = open_log(&recipe.log)?;
        command
            .args(&recipe.arguments)
            // Not every folder we may be in is one that nobody may be in.
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C at the terminal is for whoever started it, who then ends it.
            .process_group(0);
        Ok(command)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(failure) = self.kill() {
            eprintln!("{}: {failure}", self.recipe.name);
        }
    }
}

/// `setpriv`'s words for a program that refuses root.
pub const AS_NOBODY: [&str; 3] = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"];

/// Whether this process may do everything.
pub fn is_root() -> Result<bool, Failure> {
    let output = Command::new("id").arg("-u").output()?;
    Ok(output.stdout.trim_ascii() == b"0")
}

/// Runs a helper to its end; what it printed, or its failure with what it complained about.
pub fn run(command: &mut Command) -> Result<String, Failure> {
    let program = command.get_program().to_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let status = output.status;
    Err(format!("{} failed ({status}): {}", program.display(), said.trim()).into())
}

fn open_log(path: &Path) -> Result<File, Failure> {
    let log = OpenOptions::new().create(true).append(true).open(path);
    log.map_err(|error| format!("{}: {error}", path.display()).into())
}

/// How a child ended, if it did.
fn ended(child: Option<&mut Child>) -> Option<String> {
    match child?.try_wait() {
        Ok(status) => status.map(|status| status.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(folder: &Path, script: &str) -> Recipe {
        Recipe {
            name: "thing".into(),
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            port: 1,
            probe: |_| Ok(()),
            end_with: "TERM",
            never_root: false,
            log: folder.join("thing.log"),
            lifetime: Lifetime::Ours,
        }
    }

    #[test]
    fn a_server_that_ends_at_once_tells_why() {
        let folder = tempfile::tempdir().unwrap();
        let mut recipe = recipe(folder.path(), "echo the disk is full >&2; exit 3");
        recipe.probe = |_| Err("silence".into());
        let failure = Server::launch(recipe).err().unwrap().to_string();
        assert!(
            failure.contains("thing ended at once (exit status: 3)"),
            "{failure}"
        );
        assert!(failure.ends_with("the disk is full"), "{failure}");
    }

    #[test]
    fn a_server_that_may_not_be_root_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut recipe = recipe(folder.path(), "id -u; sleep 600");
        recipe.never_root = true;
        let server = Server::launch(recipe).unwrap();
        let account = wait::until("its account", START, || {
            match fs::read_to_string(server.log()) {
                Ok(account) if account.is_empty() => Err("nothing yet".to_owned()),
                account => account.map_err(|error| error.to_string()),
            }
        });
        assert_ne!(account.unwrap(), "0\n");
    }

    #[test]
    fn a_stop_is_in_good_order_and_a_kill_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let script = "trap 'echo bye; exit' TERM; echo hello; while :; do sleep 0.05; done";
        let mut server = Server::launch(recipe(folder.path(), script)).unwrap();
        let said = |count| {
            wait::until("its greeting", START, || {
                let log = fs::read_to_string(folder.path().join("thing.log")).unwrap();
                let greeted = log.matches("hello").count() == count;
                if greeted { Ok(log) } else { Err("not yet") }
            })
            .unwrap()
        };
        said(1);
        server.stop().unwrap();
        assert_eq!(server.pid(), None);
        assert_eq!(said(1), "hello\nbye\n");
        server.start().unwrap();
        said(2);
        server.kill().unwrap();
        assert_eq!(said(2), "hello\nbye\nhello\n");
    }

    #[test]
    fn the_end_of_a_log_is_its_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let lines: Vec<_> = (0..TAIL + 5).map(|line| line.to_string()).collect();
        fs::write(&log, lines.join("\n")).unwrap();
        assert_eq!(tail(&log), lines[5..].join("\n"));
        assert_eq!(tail(&folder.path().join("missing")), "");
    }
}
