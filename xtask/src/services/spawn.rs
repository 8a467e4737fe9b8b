//! The parent of every server of this process.
//!
//! A server that must not outlive us is told when its parent dies (`setpriv --pdeathsig`), and the
//! kernel means the *thread* that started it. A test's thread ends before others are done with what
//! it started, so one thread that lives as long as the process starts them all.

use std::io;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, Sender};

use crate::Failure;

struct Job {
    command: Command,
    answer: Sender<io::Result<Child>>,
}

/// Starts a command on the thread that lives as long as this process.
pub fn spawn(command: Command) -> Result<Child, Failure> {
    static JOBS: OnceLock<Sender<Job>> = OnceLock::new();
    let jobs = JOBS.get_or_init(|| {
        let (jobs, queue) = mpsc::channel();
        std::thread::spawn(move || work(&queue));
        jobs
    });
    let program = command.get_program().to_owned();
    let (answer, child) = mpsc::channel();
    jobs.send(Job { command, answer })
        .map_err(|_| "the thread that starts servers is gone")?;
    child
        .recv()?
        .map_err(|error| format!("{}: {error}", program.display()).into())
}

fn work(queue: &Receiver<Job>) {
    for Job {
        mut command,
        answer,
    } in queue
    {
        // Whoever asked may have gone; the child then ends with this process.
        let _ = answer.send(command.spawn());
    }
}
