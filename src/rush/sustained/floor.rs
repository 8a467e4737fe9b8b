//! What the machine could do at most, measured in the same run: the same crowd sends the same
//! requests to a server that does nothing, in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::rush::RushError;
use crate::rush::endpoint::Nodes;

use super::Measured;
use super::press::Press;
use super::processor::Process;

/// The hidden role.
pub const ROLE: &str = "floor";
/// The share of a rehearsal's time that each of the two floors takes: one before, one after it.
const SHARE: u32 = 4;

/// A server that does nothing; it ends with this.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// # Errors
    /// It can't be started.
    fn start() -> Result<Self, RushError> {
        let wrong = |error: std::io::Error| RushError::new(format!("no floor: {error}"));
        let program = std::env::current_exe().map_err(wrong)?;
        let mut child = Command::new(program)
            .arg(ROLE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(wrong)?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            // It says one line as soon as it listens.
            BufReader::new(stdout).read_line(&mut url).map_err(wrong)?;
        }
        let url = url.trim().to_owned();
        Ok(Self { child, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Measures it with the crowd of `press`, in a share of its time.
///
/// # Errors
/// The server can't be started, or there is no crowd.
pub(super) async fn measure(press: &Press) -> Result<Measured, RushError> {
    let server = Server::start()?;
    let press = Press {
        nodes: Nodes::parse(std::slice::from_ref(&server.url)).map_err(RushError::new)?,
        warm_up: (press.warm_up / SHARE).max(Duration::from_millis(500)),
        duration: (press.duration / SHARE).max(Duration::from_secs(1)),
        ..press.clone()
    };
    let watched = [Process {
        name: "no-op server".to_owned(),
        pid: server.child.id(),
        with_children: false,
    }];
    super::measure(press, &watched).await
}
