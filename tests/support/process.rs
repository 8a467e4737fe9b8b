//! A process of the product.

use std::process::{Child, Command, ExitStatus, Stdio};

use super::output::Output;
use super::until;

/// A process that was started, with everything that it prints. Dropped, it is gone.
pub struct Process {
    child: Child,
    pub output: Output,
}

impl Process {
    /// Starts a command, without waiting for anything.
    pub fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = Output::of(&mut child);
        Self { child, output }
    }

    /// Everything it has printed so far.
    pub fn printed(&self) -> String {
        self.output.text()
    }

    /// Nothing in the log is an error, and no task has panicked.
    pub fn assert_calm(&self) {
        let printed = self.printed();
        let loud: Vec<&str> = printed
            .lines()
            .filter(|line| line.contains("ERROR") || line.contains("panicked"))
            .collect();
        assert_eq!(loud, Vec::<&str>::new(), "{printed}");
    }

    /// Sends it a signal, by its name with a hyphen.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Has it read its settings again, and waits until it has printed this once more.
    pub async fn reload(&self, printed: &str) {
        let times = || self.printed().matches(printed).count();
        let before = times();
        self.signal("-HUP");
        let more = || std::future::ready((times() > before).then_some(()));
        until(printed, more).await;
    }

    /// Ends it as a power cut would.
    pub async fn kill(mut self) {
        self.child.kill().unwrap();
        self.exit().await;
    }

    /// Sends it a signal that it ends by, and gives its exit code.
    pub async fn stop_by(mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.exit().await.code()
    }

    /// How it ended, once it has.
    pub async fn exit(&mut self) -> ExitStatus {
        until("the process to end", || {
            std::future::ready(self.child.try_wait().unwrap())
        })
        .await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Gone already after `kill` and `stop_by`.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the process printed:\n{}", self.output.text());
        }
    }
}
