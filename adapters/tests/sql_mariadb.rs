//! The ledger on MariaDB keeps the stores' law, and what only a server can show.

// The compiler lays out a test with everything that it waits for.
#![recursion_limit = "256"]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise"
)]

#[path = "support/services.rs"]
mod services;
mod stores {
    pub mod accounts;
    pub mod after_sale;
    pub mod apart;
    pub mod batches;
    pub mod bench;
    pub mod books;
    pub mod broken;
    pub mod changes;
    pub mod chaos;
    pub mod dead_letters;
    pub mod forgetting;
    pub mod guards;
    pub mod items;
    pub mod letters;
    pub mod lists;
    pub mod opening;
    pub mod payments;
    pub mod relays;
    pub mod sealing;
    pub mod server;
    pub mod server_suite;
    pub mod sessions;
    pub mod silence;
    pub mod steps;
    pub mod suite;
    pub mod tellings;
    pub mod traces;
    pub mod verifications;
    pub mod wishlists;
}
#[path = "support/traced.rs"]
mod traced;

use stores::bench::Bench;
use stores::server::Shop;

async fn open() -> (Bench, Shop) {
    let shop = shop().await;
    (shop.bench().await, shop)
}

async fn shop() -> Shop {
    Shop::fresh(&services::services().mariadb.url).await
}

stores::suite::suite!(open);
stores::server_suite::server_suite!(shop);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_sealed_anew() {
    let shop = shop().await;
    let open = async |vault| shop.ledger_of(vault).await;
    stores::sealing::everything_is_sealed_anew(open, stores::server::bench).await;
}
