//! `cargo xtask services`: one set of real servers in the background.

use std::process::ExitCode;

use clap::Subcommand;
use xtask::Failure;
use xtask::services::{self, Addresses, Lifetime, Set};

#[derive(Subcommand)]
pub enum Command {
    /// Start what does not run yet, and print where everything is
    Up,
    /// End what `up` started
    Down,
    /// Ask every server whether it is there
    Status,
}

/// Runs one of them; not everything up, or not everything there, is a failure.
pub fn run(command: &Command) -> Result<ExitCode, Failure> {
    let well = match command {
        Command::Up => up()?,
        Command::Down => down()?,
        Command::Status => status()?,
    };
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn up() -> Result<bool, Failure> {
    let set = Set::up(Lifetime::Lasting)?;
    show(&set.addresses);
    report(&set);
    Ok(set.failures.is_empty())
}

fn down() -> Result<bool, Failure> {
    let ended = services::down()?;
    if ended.is_empty() {
        println!("nothing was up");
    }
    for service in ended {
        println!("{service} ended");
    }
    Ok(true)
}

fn status() -> Result<bool, Failure> {
    let mut well = true;
    for answer in services::status()? {
        let (service, server) = (answer.service, answer.server);
        let pid = answer
            .pid
            .map_or_else(String::new, |pid| format!(", pid {pid}"));
        match answer.answers {
            Ok(()) => println!("{service:<18}answers: {server}{pid}"),
            Err(why) => {
                well = false;
                println!("{service:<18}SILENT: {server}{pid} ({})", why.trim());
            }
        }
    }
    Ok(well)
}

/// One line a service.
pub fn show(addresses: &Addresses) {
    let line = |service: &str, address: String| println!("{service:<18}{address}");
    let redis = &addresses.redis;
    if let Some(server) = &redis.standalone {
        line("redis.standalone", server.url.clone());
    }
    if let Some(set) = &redis.sentinel {
        let sentinels = set.sentinels.join(" ");
        line(
            "redis.sentinel",
            format!("{sentinels}, primary {}", set.primary),
        );
    }
    if let Some(cluster) = &redis.cluster {
        line("redis.cluster", cluster.nodes.join(" "));
    }
    if let Some(kafka) = &addresses.kafka {
        line("kafka", kafka.brokers.clone());
    }
    if let Some(server) = &addresses.mariadb {
        line("mariadb", server.url.clone());
    }
    if let Some(server) = &addresses.postgresql {
        line("postgresql", server.url.clone());
    }
}

/// What could not be started, plainly.
pub fn report(set: &Set) {
    for failure in &set.failures {
        eprintln!("{failure}");
    }
}
