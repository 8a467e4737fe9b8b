//! Where the log goes: to standard error, for people or for machines. And traces.

pub mod trace;

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::config::{Log, LogFormat};

/// What is logged, which may be something else from one moment to the next.
pub struct LogFilter(reload::Handle<EnvFilter, Registry>);

impl LogFilter {
    /// Logs what this filter lets through from now on.
    ///
    /// # Errors
    /// A filter that makes no sense.
    pub fn replace(&self, filter: &str) -> Result<(), String> {
        let filter = parse(filter)?;
        self.0.reload(filter).map_err(|error| error.to_string())
    }
}

/// A filter in the words of tracing's `EnvFilter`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(filter: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(filter).map_err(|error| error.to_string())
}

/// Starts logging, and takes over traces.
///
/// # Errors
/// A filter that makes no sense, or a process that logs already.
pub fn start(log: &Log) -> Result<LogFilter, String> {
    let (filter, handle) = reload::Layer::new(parse(&log.filter)?);
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
    started.map_err(|error| error.to_string())?;
    Ok(LogFilter(handle))
}
