//! Where the brokers are, and what is asked of them.

use std::time::Duration;

use domain::Fault;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// What goes to a member at once: some thirty orders. Smaller answers cost the brokers more than
/// what is in them.
const BATCH_BYTES: &str = "16384";

/// How a log over Kafka is reached and how its topics are made. The defaults suit one broker on
/// this machine.
#[derive(Clone, Debug)]
pub struct KafkaSettings {
    /// `host:port`, separated by commas; some of the brokers are enough.
    pub brokers: String,
    /// Stands before every topic and group, with a dot, so that several shops can share brokers;
    /// may be empty.
    pub namespace: String,
    /// Partitions of a topic. For ever: another number would send a key's records elsewhere.
    pub partitions: u16,
    /// On how many brokers a record is kept.
    pub replication: u16,
    /// How many of those have to have it before it counts as written.
    pub min_insync: u16,
    /// How long records are kept: longer than any outage that is to be survived.
    pub retention: Duration,
    /// After how long a record that no broker has confirmed is given up.
    pub delivery_timeout: Duration,
    /// How long a record waits for others to travel with it. A request costs the brokers as much as
    /// many records do: five milliseconds instead of one halve what an order costs them.
    pub linger: Duration,
    pub compression: Compression,
    /// After how long without a sign of life a member of a group counts as crashed.
    pub session_timeout: Duration,
    /// How long a member may take between two polls, and so to finish what it has before it gives
    /// partitions up; after that they are taken from it.
    pub drain_timeout: Duration,
    /// How long questions about the log may take.
    pub query_timeout: Duration,
    /// The time between two commits of a member that stores all the time.
    pub commit_period: Duration,
    /// How long brokers let accepted orders gather before they hand them to the order writer; a
    /// batch goes at once.
    pub gather_orders: Duration,
    /// The same for events and whoever else reads in a group.
    pub gather_events: Duration,
    /// What a consumer reads ahead at most, in KiB.
    pub read_ahead_kib: u32,
}

/// How batches travel and are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    None,
    Lz4,
}

impl Default for KafkaSettings {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092".to_owned(),
            namespace: String::new(),
            partitions: 6,
            replication: 1,
            min_insync: 1,
            retention: Duration::from_hours(14 * 24),
            delivery_timeout: Duration::from_secs(3),
            linger: Duration::from_millis(5),
            compression: Compression::None,
            session_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_mins(2),
            query_timeout: Duration::from_secs(5),
            commit_period: Duration::from_millis(100),
            gather_orders: Duration::from_millis(20),
            gather_events: Duration::from_millis(50),
            read_ahead_kib: 16 * 1_024,
        }
    }
}

impl KafkaSettings {
    /// # Errors
    /// Settings with which nothing could ever be written.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let wrong = if self.brokers.trim().is_empty() {
            "no brokers"
        } else if self.partitions == 0 || self.replication == 0 || self.min_insync == 0 {
            "partitions, replication and the replicas in sync are at least one"
        } else if self.min_insync > self.replication {
            "more replicas have to be in sync than there are"
        } else {
            return Ok(());
        };
        Err(Fault::corrupt("reading the settings of the log", wrong))
    }

    /// What every client has in common.
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", "firstcome");
        // Brokers make topics that are asked for, unless told not to; these have settings of their
        // own and are made by `firstcome migrate`.
        config.set("allow.auto.create.topics", "false");
        config.set("socket.keepalive.enable", "true");
        config.set("socket.timeout.ms", "10000");
        config.set("socket.connection.setup.timeout.ms", "5000");
        // A broker that comes back is found at once.
        config.set("reconnect.backoff.ms", "50");
        config.set("reconnect.backoff.max.ms", "1000");
        config.set("log.connection.close", "false");
        config.set_log_level(RDKafkaLogLevel::Notice);
        config
    }

    /// A client that writes: each record once, in order per partition, confirmed by all replicas in
    /// sync.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut config = self.client();
        let timeout = self.delivery_timeout.as_millis().to_string();
        let compression = match self.compression {
            Compression::None => "none",
            Compression::Lz4 => "lz4",
        };
        config.set("enable.idempotence", "true");
        config.set("acks", "all");
        config.set("message.timeout.ms", &timeout);
        config.set("request.timeout.ms", &timeout);
        config.set("retry.backoff.ms", "50");
        config.set("queue.buffering.max.ms", millis(self.linger));
        config.set("queue.buffering.max.messages", "100000");
        config.set("queue.buffering.max.kbytes", "131072");
        config.set("compression.codec", compression);
        // As the Java clients': whoever else writes sends a key to the same partition.
        config.set("partitioner", "murmur2_random");
        config
    }

    /// A client that reads without being a member: it only asks.
    pub(super) fn inquirer(&self) -> ClientConfig {
        let mut config = self.client();
        config.set("enable.auto.commit", "false");
        config
    }

    /// One that reads as `group` all the time, and lets records gather.
    pub(super) fn member(&self, group: &str, gather: Duration) -> ClientConfig {
        let mut config = self.consumer(group);
        config.set("fetch.min.bytes", BATCH_BYTES);
        config.set("fetch.wait.max.ms", gather.as_millis().to_string());
        config
    }

    /// A client that reads as `group`.
    pub(super) fn consumer(&self, group: &str) -> ClientConfig {
        let mut config = self.inquirer();
        let session_ms = self.session_timeout.as_millis();
        let drain_ms = self.drain_timeout.max(self.session_timeout).as_millis();
        config.set("group.id", group);
        config.set("enable.auto.offset.store", "false");
        config.set("auto.offset.reset", "earliest");
        config.set("partition.assignment.strategy", "cooperative-sticky");
        config.set("session.timeout.ms", session_ms.to_string());
        // How soon a member hears that others came.
        config.set("heartbeat.interval.ms", (session_ms / 10).to_string());
        config.set("max.poll.interval.ms", drain_ms.to_string());
        // Read ahead for a few batches of the order writer, and no more than the memory allows.
        config.set("queued.min.messages", "10000");
        config.set(
            "queued.max.messages.kbytes",
            self.read_ahead_kib.to_string(),
        );
        config.set("fetch.max.bytes", "8388608");
        config.set("fetch.queue.backoff.ms", "20");
        config.set("fetch.error.backoff.ms", "100");
        config
    }
}

fn millis(duration: Duration) -> String {
    (duration.as_secs_f64() * 1_000.0).to_string()
}
