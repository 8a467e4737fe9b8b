//! How fast a ledger is; not whether it is right: `cargo bench -p adapters --bench ledger`.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a measurement may stop"
)]

#[allow(dead_code, clippy::panic, reason = "the tests use the rest")]
#[path = "../tests/stores/bench.rs"]
mod bench;
#[path = "ledger/speed.rs"]
mod speed;
#[path = "../tests/stores/sqlite.rs"]
mod sqlite;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // Cargo runs benchmarks among the tests too, without this.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    // Each on a ledger of its own, in a folder that lives as long.
    let (bench, _folder) = sqlite::open().await;
    speed::a_hot_deal(bench).await;
    let (bench, _folder) = sqlite::open().await;
    speed::a_shop_of_many_items(bench).await;
    let (bench, _folder) = sqlite::open().await;
    speed::payments(bench).await;
    let (bench, _folder) = sqlite::open().await;
    speed::reads_beside_writes(bench).await;
}
