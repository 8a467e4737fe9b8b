//! Where the log goes: to standard error, for people or for machines. And traces.

pub mod trace;

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::config::{Log, LogFormat};

/// Starts logging, and takes over traces.
///
/// # Errors
/// A filter that makes no sense, or a process that logs already.
pub fn start(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| format!("log.filter: {error}"))?;
    let for_a_person = std::io::stderr().is_terminal();
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(for_a_person);
    let lines = match log.format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().with_filter(filter).boxed(),
    };
    let started: Result<(), TryInitError> = tracing_subscriber::registry()
        .with(lines)
        .with(trace::layer())
        .try_init();
    started.map_err(|error| error.to_string())
}
