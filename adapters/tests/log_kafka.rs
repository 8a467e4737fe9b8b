//! The log over Kafka under the log's conformance suite, and what only Kafka has to do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "conformance/log.rs"]
mod conformance;
#[path = "support/services.rs"]
mod services;

use std::sync::Arc;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::kafka::{KafkaLog, KafkaSettings, create_topics, delete_topics};
use async_trait::async_trait;
use conformance::{PARTITIONS, World, log_suite, suite};
use domain::ports::Log;

/// A log of its own at the shared brokers.
struct Kafka {
    settings: KafkaSettings,
    log: Arc<KafkaLog>,
}

impl Kafka {
    async fn new() -> Self {
        let settings = settings();
        let topics = create_topics(&settings).await;
        topics.map_err(|fault| fault.detail()).unwrap();
        let log = connect(&settings).await;
        Self { settings, log }
    }
}

fn settings() -> KafkaSettings {
    KafkaSettings {
        brokers: services::services().kafka.brokers.clone(),
        namespace: services::namespace(),
        partitions: PARTITIONS.try_into().unwrap(),
        // The least that brokers allow.
        session_timeout: Duration::from_secs(6),
        ..KafkaSettings::default()
    }
}

async fn connect(settings: &KafkaSettings) -> Arc<KafkaLog> {
    let log = KafkaLog::connect(settings.clone(), Arc::new(SystemClock)).await;
    Arc::new(log.map_err(|fault| fault.detail()).unwrap())
}

#[async_trait]
impl World for Kafka {
    fn log(&self) -> Arc<dyn Log> {
        self.log.clone()
    }

    async fn after_a_restart(&self) -> Arc<dyn Log> {
        connect(&self.settings).await
    }
}

/// Brokers keep files open for every partition there is.
impl Drop for Kafka {
    fn drop(&mut self) {
        let settings = self.settings.clone();
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(delete_topics(&settings))
        });
        if let Ok(Err(fault)) = deleting.join() {
            eprintln!("topics of a test are left: {}", fault.detail());
        }
    }
}

log_suite!(Kafka::new().await);
