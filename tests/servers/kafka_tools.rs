//! Kafka as its own tools show it.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;
use xtask::services::kafka_tool;

use crate::engines::Servers;
use crate::fleet::blocking;
use crate::support::Shop;

/// A shop over the shared servers, and where its log is.
pub struct Logged {
    pub shop: Shop,
    brokers: String,
    namespace: String,
}

impl Logged {
    /// A shop with these settings.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let servers = Servers::shared();
        let brokers = servers.kafka.clone();
        let engines = servers.engines();
        Self {
            namespace: engines.namespace(),
            shop: Shop::over(&engines, settings),
            brokers,
        }
    }

    /// What the brokers call a topic of the shop.
    pub fn topic(&self, name: &str) -> String {
        format!("{}.{name}", self.namespace)
    }

    /// Puts records into a topic that are not ours, each under a key of its own.
    pub async fn poison(&self, topic: &str, records: usize) {
        let (brokers, topic) = (self.brokers.clone(), self.topic(topic));
        blocking(move || produce(&brokers, &topic, records)).await;
    }

    /// The first records of a topic, a line each, with their headers; fewer if no more come.
    pub async fn consume(&self, topic: &str, records: usize) -> Vec<String> {
        let (brokers, topic) = (self.brokers.clone(), self.topic(topic));
        blocking(move || consume(&brokers, &topic, records)).await
    }

    /// The same as what they say.
    pub async fn events(&self, topic: &str, records: usize) -> Vec<Value> {
        let lines = self.consume(topic, records).await;
        let events = lines.iter().map(|line| split(line).1);
        events.collect()
    }

    /// What the tool for groups says of one of the shop's.
    pub async fn group(&self, group: &str, arguments: &'static [&'static str]) -> String {
        let (brokers, group) = (self.brokers.clone(), self.topic(group));
        blocking(move || {
            let mut tool =
                kafka_tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand").unwrap();
            tool.args(["--bootstrap-server", &brokers, "--group", &group])
                .args(arguments);
            let output = tool.output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{said}");
            said
        })
        .await
    }

    /// How many records of orders a group has read and how many it has not, by the tool's table:
    /// group, topic, partition, offset, end, lag.
    pub async fn read_and_left(&self, group: &str) -> (u64, u64) {
        let table = self.group(group, &["--describe"]).await;
        let topic = self.topic("orders");
        let (mut read, mut left) = (0_u64, 0_u64);
        for line in table.lines() {
            let columns: Vec<&str> = line.split_whitespace().collect();
            // A partition that nothing was ever read of has a dash.
            let number = |at: usize| columns.get(at).and_then(|text| text.parse().ok());
            if columns.get(1) == Some(&topic.as_str()) {
                read += number(3).unwrap_or(0);
                left += number(5).unwrap_or(0);
            }
        }
        (read, left)
    }
}

/// The headers of a line, and what it says.
pub fn split(line: &str) -> (&str, Value) {
    let (headers, record) = line.split_at(line.find('{').unwrap());
    (headers, serde_json::from_str(record).unwrap())
}

fn produce(brokers: &str, topic: &str, records: usize) {
    let mut producer = kafka_tool("org.apache.kafka.tools.ConsoleProducer").unwrap();
    producer
        .args(["--bootstrap-server", brokers, "--topic", topic])
        .args(["--reader-property", "parse.key=true"])
        .args(["--reader-property", "key.separator=:"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut producer = producer.spawn().unwrap();
    let mut records_in = producer.stdin.take().unwrap();
    for record in 0..records {
        writeln!(records_in, "key-{record}:poison {record}").unwrap();
    }
    drop(records_in);
    assert!(producer.wait().unwrap().success());
}

fn consume(brokers: &str, topic: &str, records: usize) -> Vec<String> {
    let mut consumer = kafka_tool("org.apache.kafka.tools.consumer.ConsoleConsumer").unwrap();
    consumer
        .args(["--bootstrap-server", brokers, "--topic", topic])
        .args(["--from-beginning", "--timeout-ms", "20000"])
        .args(["--max-messages", &records.to_string()])
        .args(["--formatter-property", "print.headers=true"]);
    let output = consumer.output().unwrap();
    let lines = String::from_utf8_lossy(&output.stdout);
    lines.lines().map(str::to_owned).collect()
}
