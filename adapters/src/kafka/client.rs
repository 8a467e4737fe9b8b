//! What all clients of the brokers share: where their own words go, and what their errors are.

use std::time::Duration;

use domain::Fault;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

/// A client without callbacks.
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }
}

impl ConsumerContext for Quiet {}

/// A line of the library: about connections and groups, never about what records hold.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, line: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning => tracing::warn!(facility, "kafka: {line}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
            tracing::debug!(facility, "kafka: {line}");
        }
    }
}

/// An error that no call answers with. The library heals most by itself and logs them, too.
pub(super) fn log_error(error: &KafkaError, reason: &str) {
    tracing::debug!(%error, "kafka: {reason}");
}

/// Infrastructure that failed: everything the brokers refuse may work again.
pub(super) fn fault(doing: &'static str) -> impl FnOnce(KafkaError) -> Fault {
    move |error| Fault::unavailable(doing, error)
}

/// Runs what blocks beside the runtime's own threads.
pub(super) async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> Result<T, KafkaError> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(fault(doing)),
        Err(error) => Err(Fault::unavailable(doing, error)),
    }
}

/// Waits on a thread of [`blocking`] work.
#[allow(
    clippy::disallowed_methods,
    reason = "it is not one of the runtime's own threads"
)]
pub(super) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
