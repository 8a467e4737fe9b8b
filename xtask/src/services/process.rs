//! Processes of this machine, also those that are not our children.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::wait;
use crate::Failure;

/// How long a server may take to end in good order.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks a process to end, as `kill -s` spells the signal.
pub fn signal(pid: u32, signal: &str) -> Result<(), Failure> {
    let sent = Command::new("sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid.to_string()])
        .output()?;
    if sent.status.success() {
        Ok(())
    } else {
        let complaint = String::from_utf8_lossy(&sent.stderr).into_owned();
        Err(format!("SIG{signal} to {pid}: {}", complaint.trim()).into())
    }
}

/// The processes that this one started and that still run.
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|child| field(*child, PARENT) == Some(u64::from(pid)))
        .collect()
}

/// Ends a process without asking it; returns when it is gone. Not for our own children, which are
/// there until we have mourned them.
pub fn kill(pid: u32) -> Result<(), Failure> {
    let Some(since) = started(pid) else {
        return Ok(());
    };
    // It may have ended in the meantime.
    let sent = signal(pid, "KILL");
    wait::until("its end", PATIENCE, || gone(pid, since)).or(sent)
}

/// When a process was started, in the kernel's ticks since boot: with the pid it names one process
/// for good, since pids are used again. Nothing when it is gone, or dead and only unmourned.
pub fn started(pid: u32) -> Option<u64> {
    field(pid, STARTED)
}

/// Fields of `/proc/…/stat`, counted from 0 behind the program's name.
const PARENT: usize = 1;
const STARTED: usize = 19;

fn field(pid: u32, index: usize) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets, and may hold anything.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    match fields.first()? {
        &"Z" | &"X" => None,
        _ => fields.get(index)?.parse().ok(),
    }
}

fn gone(pid: u32, since: u64) -> Result<(), &'static str> {
    if started(pid) == Some(since) {
        Err("it is still there")
    } else {
        Ok(())
    }
}

/// Ends a process in good order, if it is still the one that was started then; by force when it
/// takes too long, which is a failure.
pub fn end(pid: u32, since: u64, politely: &str) -> Result<(), Failure> {
    if gone(pid, since).is_ok() {
        return Ok(());
    }
    signal(pid, politely)?;
    wait::until("its end", PATIENCE, || gone(pid, since)).or_else(|failure| {
        signal(pid, "KILL")?;
        Err(failure)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_start_and_keeps_it() {
        let start = started(std::process::id());
        assert!(start.is_some());
        assert_eq!(start, started(std::process::id()));
        assert_eq!(started(u32::MAX), None);
    }

    #[test]
    fn children_are_found_and_killed() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 600 & sleep 600 & wait"])
            .spawn()
            .unwrap();
        let found = wait::until("its children", PATIENCE, || match children(shell.id()) {
            found if found.len() == 2 => Ok(found),
            found => Err(format!("{found:?}")),
        });
        let found = found.unwrap();
        shell.kill().unwrap();
        shell.wait().unwrap();
        for child in &found {
            assert!(started(*child).is_some(), "it outlived its parent");
            kill(*child).unwrap();
            assert_eq!(started(*child), None);
            kill(*child).unwrap();
        }
    }

    #[test]
    fn only_the_process_that_was_meant_is_ended() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let start = started(child.id()).unwrap();
        end(child.id(), start + 1, "TERM").unwrap();
        assert!(child.try_wait().unwrap().is_none(), "another start, alive");
        end(child.id(), start, "TERM").unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
