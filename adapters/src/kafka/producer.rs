//! Writing: records of many publishers travel together, each publisher hears of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Fault;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::Notify;

use super::client::{fault, log, log_error};
use super::settings::KafkaSettings;

const DOING: &str = "publishing to the log";
/// How much longer than a record's own time limit a publisher waits: the library looks for records
/// that are too old once a second.
const GRACE: Duration = Duration::from_millis(1_500);

/// A record on its way to a topic.
pub(super) struct Outgoing<'a> {
    pub topic: &'a str,
    /// None: that of its key.
    pub partition: Option<i32>,
    pub key: &'a [u8],
    pub payload: &'a [u8],
    pub headers: Option<OwnedHeaders>,
}

/// The one producer of a process.
pub(super) struct Producer {
    settings: KafkaSettings,
    current: Mutex<Arc<Sender>>,
}

type Sender = ThreadedProducer<Reports>;

impl Producer {
    pub fn new(settings: KafkaSettings) -> Result<Self, Fault> {
        let current = Mutex::new(sender(&settings)?);
        Ok(Self { settings, current })
    }

    /// Sends all records; returns once every replica in sync has them.
    ///
    /// # Errors
    /// One of them was not confirmed in time: any of them may be there or not.
    pub async fn send(
        &self,
        count: usize,
        records: impl Iterator<Item = Outgoing<'_>>,
    ) -> Result<(), Fault> {
        let sending = Arc::new(Sending::new(count));
        {
            let sender = self.current()?;
            for record in records {
                enqueue(&sender, record, &sending);
            }
        }
        let patience = self.settings.delivery_timeout + GRACE;
        match tokio::time::timeout(patience, sending.finished()).await {
            Ok(None) => Ok(()),
            Ok(Some(error)) => Err(fault(DOING)(error)),
            Err(late) => Err(Fault::unavailable(DOING, late)),
        }
    }

    /// The producer, a new one where the last can never send again: so ends one whose order the
    /// brokers have lost track of.
    fn current(&self) -> Result<Arc<Sender>, Fault> {
        let mut current = self.lock();
        if current.context().is_over() {
            tracing::error!("the producer of the log can't go on and is replaced");
            *current = sender(&self.settings)?;
        }
        Ok(current.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Sender>> {
        // Nothing under it can panic half way.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sender(settings: &KafkaSettings) -> Result<Arc<Sender>, Fault> {
    let reports = Reports {
        fatal: AtomicUsize::new(0),
    };
    let sender = settings.producer().create_with_context(reports);
    sender
        .map(Arc::new)
        .map_err(fault("starting the producer of the log"))
}

fn enqueue(sender: &Sender, record: Outgoing<'_>, sending: &Arc<Sending>) {
    let mut outgoing = BaseRecord::with_opaque_to(record.topic, sending.clone())
        .key(record.key)
        .payload(record.payload);
    if let Some(partition) = record.partition {
        outgoing = outgoing.partition(partition);
    }
    if let Some(headers) = record.headers {
        outgoing = outgoing.headers(headers);
    }
    if let Err((error, _)) = sender.send(outgoing) {
        sender.context().note(&error);
        sending.reported(Some(error));
    }
}

/// Hears what became of records, on the producer's own thread.
struct Reports {
    /// Errors after which the producer sends nothing any more.
    fatal: AtomicUsize,
}

impl Reports {
    fn note(&self, error: &KafkaError) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.fatal.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn is_over(&self) -> bool {
        self.fatal.load(Ordering::Relaxed) > 0
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.note(&error);
        log_error(&error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Arc<Sending>;

    fn delivery(&self, result: &DeliveryResult<'_>, sending: Arc<Sending>) {
        let error = result.as_ref().err().map(|(error, _)| error.clone());
        if let Some(error) = &error {
            self.note(error);
        }
        sending.reported(error);
    }
}

/// Records that somebody waits for.
struct Sending {
    left: AtomicUsize,
    error: Mutex<Option<KafkaError>>,
    done: Notify,
}

impl Sending {
    fn new(records: usize) -> Self {
        Self {
            left: AtomicUsize::new(records),
            error: Mutex::new(None),
            done: Notify::new(),
        }
    }

    fn error(&self) -> MutexGuard<'_, Option<KafkaError>> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of them was confirmed or given up.
    fn reported(&self, error: Option<KafkaError>) {
        if let Some(error) = error {
            self.error().get_or_insert(error);
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.done.notify_one();
        }
    }

    /// Waits until all were; the first error, if there was one.
    async fn finished(&self) -> Option<KafkaError> {
        if self.left.load(Ordering::Acquire) > 0 {
            self.done.notified().await;
        }
        self.error().take()
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // Whoever publishes waits for the answer, so there is nothing left but what nobody waits for
        // any more; it is given a moment.
        let _ = self.lock().flush(Duration::from_millis(500));
    }
}
