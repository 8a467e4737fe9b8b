//! How fast a ledger is; not whether it is right: `cargo bench -p adapters --bench ledger`. A file
//! always, and the servers of `cargo xtask services up` where they run.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a measurement may stop"
)]

#[allow(dead_code, clippy::panic, reason = "the tests use the rest")]
#[path = "../tests/stores/bench.rs"]
mod bench;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/stores/server.rs"]
mod server;
#[allow(clippy::panic, reason = "without servers it is not asked")]
#[path = "../tests/support/services.rs"]
mod services;
#[path = "ledger/speed.rs"]
mod speed;
#[path = "../tests/stores/sqlite.rs"]
mod sqlite;

use bench::Bench;
use server::Shop;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // Cargo runs benchmarks among the tests too, without this.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("SQLite");
    all(async || sqlite::open().await).await;
    if !services::are_there() {
        println!("no servers: run `cargo xtask services up` to measure them too");
        return;
    }
    let services = services::services();
    for (name, url) in [
        ("MariaDB", &services.mariadb.url),
        ("PostgreSQL", &services.postgresql.url),
    ] {
        println!("{name}");
        all(async || {
            let shop = Shop::fresh(url).await;
            (shop.bench().await, shop)
        })
        .await;
    }
}

/// Each on a fresh ledger, which lives as long as what `open` gives with it.
async fn all<Keep>(open: impl AsyncFn() -> (Bench, Keep)) {
    let (bench, _keep) = open().await;
    speed::a_hot_deal(bench).await;
    let (bench, _keep) = open().await;
    speed::a_shop_of_many_items(bench).await;
    let (bench, _keep) = open().await;
    speed::payments(bench).await;
    let (bench, _keep) = open().await;
    speed::reads_beside_writes(bench).await;
}
