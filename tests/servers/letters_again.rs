//! Everything is told again, and nobody is written to again.

use serde_json::Value;
use xtask::services::kafka_tool;

use crate::engines::Servers;
use crate::fleet::blocking;
use crate::support::{Demo, Sale, Shop, code, until};

/// What Kafka's own tool says of the mail worker's group.
fn group(brokers: &str, namespace: &str, arguments: &[&str]) -> String {
    let mut tool =
        kafka_tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand").unwrap();
    tool.args(["--bootstrap-server", brokers])
        .args(["--group", &format!("{namespace}.mail")])
        .args(arguments);
    let output = tool.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// How many records of orders the group has read and how many it has not, by the tool's table: group,
/// topic, partition, offset, end, lag.
fn read_and_left(table: &str, namespace: &str) -> (u64, u64) {
    let topic = format!("{namespace}.orders");
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

#[tokio::test]
async fn what_is_told_twice_is_written_once() {
    let servers = Servers::shared();
    let brokers = servers.kafka.clone();
    let engines = servers.engines();
    let namespace = engines.namespace();
    let shop = Shop::over(&engines, &[]);
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let (email, _) = shop.credentials(Demo::Customer);
    let order = buyer.own(&item, 1).await;
    assert_eq!(code(&buyer.cancel(&order).await), None);
    let is_refunded = |order: &Value| order["refunds"][0]["completedAt"].is_string();
    buyer.until_order(&order, "refunded", is_refunded).await;
    let letters = server.until_mail(&email, 3).await;
    assert_eq!(server.stop().await, Some(0));

    let ask = async |arguments: &'static [&'static str]| {
        let (brokers, namespace) = (brokers.clone(), namespace.clone());
        blocking(move || {
            let said = group(&brokers, &namespace, arguments);
            read_and_left(&said, &namespace)
        })
        .await
    };
    let (read, left) = ask(&["--describe"]).await;
    assert_eq!((read, left), (5, 0), "placed to refunded");
    ask(&[
        "--reset-offsets",
        "--to-earliest",
        "--all-topics",
        "--execute",
    ])
    .await;
    assert_eq!(ask(&["--describe"]).await, (0, 5), "all of it again");

    let server = shop.start().await;
    server
        .anybody()
        .request_verification("kim@example.com")
        .await;
    server.mailed_code("kim@example.com").await;
    until("all of it to be read again", || async {
        (ask(&["--describe"]).await == (5, 0)).then_some(())
    })
    .await;
    assert_eq!(server.mail(&email), letters);
    server.assert_clean().await;
}
