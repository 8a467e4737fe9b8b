//! Kafka is away for a while.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use xtask::services::Kafka;

use crate::engines::{Redis, Servers};
use crate::fleet::{
    PLENTY, assert_known, assert_prompt, blocking, hoarders, market, node, shoppers, turn,
    until_lacking, until_whole, worker, worker_with_health,
};
use crate::support::{Shop, verify};

/// How long it is away.
const OUTAGE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn orders_are_accepted_without_kafka_and_written_once_it_is_back() {
    let _turn = turn().await;
    let mut kafka = blocking(|| Kafka::launch().unwrap()).await;
    let servers = Servers {
        redis: Redis::sentinel(),
        kafka: kafka.brokers(),
        ..Servers::shared()
    };
    let settings = [("ORDERS__HOLD", "10m"), ("PAYMENT__ASK_AGAIN_AFTER", "1s")];
    let shop = Shop::over(&servers.engines(), &settings);
    shop.migrate().await;
    let (with_health, health) = worker_with_health(&shop).await;
    let server = shop.server(
        vec![node(&shop).await, node(&shop).await],
        vec![worker(&shop), with_health],
    );
    let (items, buyers) = market(&server).await;
    let shoppers = shoppers(&server, &items, &buyers);
    let hoarders = hoarders(&server, &items, &buyers);
    shoppers.goes_on(30).await;

    let gone_at = Instant::now();
    kafka = blocking(move || {
        kafka.stop().unwrap();
        kafka
    })
    .await;
    for url in server.urls() {
        until_lacking(&server, url, "log").await;
    }
    until_lacking(&server, &health, "log").await;
    // Whoever only orders notices nothing; units are taken as before.
    hoarders.goes_on(30).await;
    sleep_until(gone_at + OUTAGE).await;
    hoarders.goes_on(20).await;
    let _kafka = blocking(move || {
        kafka.start().unwrap();
        kafka
    })
    .await;

    shoppers.goes_on(60).await;
    for url in server.urls().into_iter().chain([health.as_str()]) {
        until_whole(&server, url).await;
    }
    let (mut answered, tally) = shoppers.end().await;
    assert_prompt(&tally);
    assert_known(&tally);
    let (hoarded, tally) = hoarders.end().await;
    assert_prompt(&tally);
    assert_known(&tally);
    assert_eq!(tally.faults, 0, "{tally:?}");
    answered.extend(hoarded);
    verify(&server, &items, PLENTY, &answered).await;
    server.assert_audit(0).await;
}
