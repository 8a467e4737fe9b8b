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

/// When a process was started, in the kernel's ticks since boot: with the pid it names one process
/// for good, since pids are used again. Nothing when it is gone, or dead and only unmourned.
pub fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets, which may hold anything.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    match fields.first()? {
        &"Z" | &"X" => None,
        _ => fields.get(19)?.parse().ok(),
    }
}

/// Ends a process in good order, if it is still the one that was started then; by force when it
/// takes too long, which is a failure.
pub fn end(pid: u32, since: u64, politely: &str) -> Result<(), Failure> {
    let ended = || match started(pid) {
        Some(start) if start == since => Err("it is still there"),
        Some(_) | None => Ok(()),
    };
    if ended().is_ok() {
        return Ok(());
    }
    signal(pid, politely)?;
    wait::until("its end", PATIENCE, ended).or_else(|failure| {
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
    fn only_the_process_that_was_meant_is_ended() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let start = started(child.id()).unwrap();
        end(child.id(), start + 1, "TERM").unwrap();
        assert!(child.try_wait().unwrap().is_none(), "another start, alive");
        end(child.id(), start, "TERM").unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
