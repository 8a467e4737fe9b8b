//! How much of the processors named processes used, by the kernel's own account of them (Linux,
//! proc(5)).

use std::collections::HashMap;
use std::fs;
use std::str::FromStr;
use std::time::Duration;

/// A process to watch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    /// What it is called in the report; several of one name are added up.
    pub name: String,
    pub pid: u32,
    /// Whether what it started is counted with it, also what has ended since.
    pub with_children: bool,
}

/// As it is typed: `api=4711`, or `sql=4711+` with its children.
impl FromStr for Process {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "it has to be NAME=PID, or NAME=PID+ with its children".to_owned();
        let (name, pid) = text.split_once('=').ok_or_else(wrong)?;
        let (pid, with_children) = match pid.strip_suffix('+') {
            Some(pid) => (pid, true),
            None => (pid, false),
        };
        if name.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            name: name.to_owned(),
            pid: pid.parse().map_err(|_| wrong())?,
            with_children,
        })
    }
}

/// Processor time used until a moment: of each watched process, in their order, and of the machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    pub processes: Vec<Duration>,
    pub machine: Machine,
}

/// Processor time of the whole machine since it started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine {
    pub cores: u32,
    /// Spent on anything, the hypervisor's share included.
    pub busy: Duration,
    pub idle: Duration,
}

/// A tick of the kernel's account: `USER_HZ` is 100 on every architecture that Linux runs on.
const TICK: Duration = Duration::from_millis(10);

/// Reads the account of these processes.
///
/// # Errors
/// One of them is not there, or this is not Linux.
pub fn read(watched: &[Process]) -> Result<Reading, String> {
    let stat = fs::read_to_string("/proc/stat")
        .map_err(|error| format!("this system keeps no account in /proc/stat: {error}"))?;
    let machine = machine(&stat).ok_or("/proc/stat is written as nobody knows it")?;
    let family = if watched.iter().any(|process| process.with_children) {
        all_processes()
    } else {
        HashMap::new()
    };
    let used = watched.iter().map(|process| {
        let own = account(process.pid)
            .ok_or_else(|| format!("there is no process {} ({})", process.pid, process.name))?;
        let children = if process.with_children {
            own.ended + descendants(&family, process.pid)
        } else {
            0
        };
        Ok(duration(own.ticks + children))
    });
    Ok(Reading {
        processes: used.collect::<Result<_, String>>()?,
        machine,
    })
}

/// How much memory a process has just now, in bytes; without its children.
///
/// # Errors
/// It is not there, or this is not Linux.
pub fn resident(process: &Process) -> Result<u64, String> {
    let Process { name, pid, .. } = process;
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.map_err(|_| format!("there is no process {pid} ({name})"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let unknown = || format!("/proc/{pid}/status does not say how much memory {name} has");
    kib.map(|kib| kib * 1024).ok_or_else(unknown)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Account {
    parent: u32,
    /// In user and in system mode, all threads, those that have ended too.
    ticks: u64,
    /// Of its children that have ended, with theirs: so a sum over a family never falls.
    ended: u64,
}

fn account(pid: u32) -> Option<Account> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The fields by their numbers in proc(5), from which 3 are before the state.
fn parse(stat: &str) -> Option<Account> {
    // The name of the program may hold anything, brackets and spaces too.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Account {
        parent: u32::try_from(field(4)?).ok()?,
        ticks: field(14)? + field(15)?,
        ended: field(16)? + field(17)?,
    })
}

fn all_processes() -> HashMap<u32, Account> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, account(pid)?))).collect()
}

/// The ticks of everything below `pid`.
fn descendants(family: &HashMap<u32, Account>, pid: u32) -> u64 {
    let children = family.iter().filter(|(_, account)| account.parent == pid);
    children
        .map(|(child, account)| account.ticks + account.ended + descendants(family, *child))
        .sum()
}

fn machine(stat: &str) -> Option<Machine> {
    let mut lines = stat.lines();
    let sum = lines.next()?.strip_prefix("cpu ")?;
    let ticks: Option<Vec<u64>> = sum
        .split_whitespace()
        .map(|ticks| ticks.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal; what guests use is in user already.
    let [user, nice, system, idle, wait, irq, softirq, steal] = *ticks?.first_chunk::<8>()?;
    let cores = lines.take_while(|line| line.starts_with("cpu")).count();
    Some(Machine {
        cores: u32::try_from(cores).ok()?,
        busy: duration(user + nice + system + irq + softirq + steal),
        idle: duration(idle + wait),
    })
}

fn duration(ticks: u64) -> Duration {
    TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_named_by_its_id() {
        let process = |name: &str, pid, with_children| Process {
            name: name.to_owned(),
            pid,
            with_children,
        };
        assert_eq!("api=47".parse(), Ok(process("api", 47, false)));
        assert_eq!("sql 1=1+".parse(), Ok(process("sql 1", 1, true)));
        for text in [
            "", "47", "=47", "api=", "api=x", "api=-1", "api=+", "api=4+7",
        ] {
            assert!(text.parse::<Process>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_account_is_read_past_any_name() {
        let stat = "4711 (a) 1 (b) S 42 4711 4711 0 -1 4194560 8 0 0 0 150 250 3 4 20 0 9 0 77";
        let account = Account {
            parent: 42,
            ticks: 400,
            ended: 7,
        };
        assert_eq!(parse(stat), Some(account));
        assert_eq!(parse("4711 (a) S 42"), None);
    }

    #[test]
    fn the_machine_is_busy_with_what_is_not_waiting() {
        let stat = "cpu  100 1 50 900 30 2 3 4 5 0\ncpu0 50 0\ncpu1 50 0\nintr 7\n";
        let machine = machine(stat).unwrap();
        assert_eq!(
            (machine.cores, machine.busy, machine.idle),
            (2, TICK * 160, TICK * 930)
        );
    }

    #[test]
    fn what_a_process_started_is_counted_with_it_and_stays_counted() {
        let account = |parent, ticks, ended| Account {
            parent,
            ticks,
            ended,
        };
        let mut family = HashMap::from([
            (1, account(0, 1, 0)),
            (2, account(1, 10, 0)),
            (3, account(2, 100, 0)),
            (4, account(9, 1_000, 0)),
        ]);
        assert_eq!(descendants(&family, 1), 110);
        // One ends, and its parent has waited for it.
        family.remove(&3);
        family.insert(2, account(1, 10, 100));
        assert_eq!(descendants(&family, 1), 110);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn whoever_is_not_there_is_named() {
        let process = |pid| Process {
            name: "api".to_owned(),
            pid,
            with_children: true,
        };
        let reading = read(&[process(std::process::id())]).unwrap();
        assert!(reading.machine.cores > 0 && reading.machine.busy >= reading.processes[0]);
        let error = read(&[process(u32::MAX)]).unwrap_err();
        assert!(error.contains("(api)"), "{error}");
        assert!(resident(&process(std::process::id())).unwrap() > 1 << 20);
        let error = resident(&process(u32::MAX)).unwrap_err();
        assert!(error.contains("(api)"), "{error}");
    }
}
