//! The SQL server is away for a while.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep_until};
use xtask::services::{MariaDb, Postgres};

use crate::engines::Servers;
use crate::fleet::{
    PLENTY, assert_known, assert_prompt, blocking, hoarders, market, node, shoppers, turn,
    until_lacking, until_whole, worker,
};
use crate::support::{Caller, NoAnswer, Shop, codes, fresh_key, verify};

/// A server that a test may take away and bring back.
trait Away: Send + 'static {
    fn url(&self) -> String;
    fn goes(&mut self);
    fn comes(&mut self);
}

impl Away for MariaDb {
    fn url(&self) -> String {
        MariaDb::url(self)
    }

    fn goes(&mut self) {
        self.stop().unwrap();
    }

    fn comes(&mut self) {
        self.start().unwrap();
    }
}

impl Away for Postgres {
    fn url(&self) -> String {
        Postgres::url(self)
    }

    /// Here by force.
    fn goes(&mut self) {
        self.kill().unwrap();
    }

    fn comes(&mut self) {
        self.start().unwrap();
    }
}

/// A payment that can't begin is told so, and soon.
async fn cannot_pay(buyer: &Caller, order: &str) {
    let begun = Instant::now();
    match buyer.try_pay(&fresh_key(), order, "tok_approve").await {
        Err(none) => {
            assert!(none.is_retryable_fault(), "{none:?}");
            let NoAnswer::Fault(errors) = none else {
                return;
            };
            assert_eq!(errors[0]["extensions"]["code"], "UNAVAILABLE", "{errors}");
        }
        Ok(payload) => assert_eq!(codes(&payload), ["TRY_AGAIN"], "{payload}"),
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
}

async fn away_for(outage: Duration, mut ledger: impl Away) {
    let servers = Servers {
        ledger: ledger.url(),
        ..Servers::shared()
    };
    let settings = [("ORDERS__HOLD", "10m"), ("PAYMENT__ASK_AGAIN_AFTER", "1s")];
    let shop = Shop::over(&servers.engines(), &settings);
    shop.migrate().await;
    let server = shop.server(
        vec![node(&shop).await, node(&shop).await],
        vec![worker(&shop), worker(&shop)],
    );
    let (items, buyers) = market(&server).await;
    let unpaid = buyers[0].hold(&items[0], 1).await;
    let shoppers = shoppers(&server, &items, &buyers);
    let hoarders = hoarders(&server, &items, &buyers);
    shoppers.goes_on(30).await;

    let gone_at = Instant::now();
    ledger = blocking(move || {
        ledger.goes();
        ledger
    })
    .await;
    until_lacking(&server, server.url(), "ledger").await;
    // Orders are accepted, what is read comes from the caches, and payments say what is the matter.
    hoarders.goes_on(30).await;
    for url in server.urls() {
        let buyer = buyers[0].at(url);
        let document = "query($id: ID!) { item(id: $id) { name stock { available } } }";
        let read = buyer.ask(document, json!({ "id": items[0] })).await;
        assert_eq!(read["item"]["name"], "Thing", "{read}");
        assert!(read["item"]["stock"]["available"].is_i64(), "{read}");
        cannot_pay(&buyer, &unpaid).await;
    }
    sleep_until(gone_at + outage).await;
    hoarders.goes_on(20).await;
    let _ledger = blocking(move || {
        ledger.comes();
        ledger
    })
    .await;

    shoppers.goes_on(60).await;
    until_whole(&server, server.url()).await;
    let (mut answered, tally) = shoppers.end().await;
    assert_prompt(&tally);
    assert_known(&tally);
    let (hoarded, tally) = hoarders.end().await;
    assert_prompt(&tally);
    assert_known(&tally);
    assert_eq!(tally.faults, 0, "{tally:?}");
    answered.extend(hoarded);
    assert_eq!(
        buyers[0].cancel(&unpaid).await["order"]["state"],
        "CANCELLED"
    );
    verify(&server, &items, PLENTY, &answered).await;
    server.assert_audit(0).await;
}

#[tokio::test]
async fn a_sale_goes_on_without_mariadb() {
    let _turn = turn().await;
    let mariadb = blocking(|| MariaDb::launch().unwrap()).await;
    away_for(Duration::from_secs(20), mariadb).await;
}

#[tokio::test]
async fn a_sale_goes_on_without_postgresql() {
    let _turn = turn().await;
    let postgresql = blocking(|| Postgres::launch().unwrap()).await;
    away_for(Duration::from_secs(5), postgresql).await;
}
