//! The order writer dies in mid-batch, or is taken for dead and comes back.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::fleet::{PLENTY, all_but, assert_known, failing_only, market, node, only, shoppers};
use crate::support::{Caller, Demo, PATIENCE, Process, Sale, Server, Shop, Traffic, verify};

/// Far longer than an order takes to be written while somebody writes.
const STANDSTILL: Duration = Duration::from_millis(1_500);

/// A sale whose only order writer has stopped in the middle of a batch.
struct MidBatch {
    shop: Shop,
    server: Server,
    items: Vec<String>,
    traffic: Traffic,
    /// An item that the traffic leaves alone, and somebody who buys it.
    probe: String,
    prober: Caller,
}

impl MidBatch {
    /// Goes on until the writer does something in its sixth batch; with the writer.
    async fn reached(does: &str) -> (Self, Process) {
        let shop = Shop::with(&[
            ("PAYMENT__ASK_AGAIN_AFTER", "500ms"),
            ("ORDERS__HOLD", "10m"),
        ]);
        shop.migrate().await;
        let point = format!("ledger-batch=5*off->1*{does}");
        let writer = failing_only(&shop, "order-writer", &point);
        let server = shop.server(
            vec![node(&shop).await, node(&shop).await],
            vec![all_but(&shop, "order-writer")],
        );
        let probe = server
            .sign_in(Demo::Seller)
            .await
            .sell(Sale::of(1_000))
            .await;
        let (items, buyers) = market(&server).await;
        let traffic = shoppers(&server, &items, &buyers);
        let sale = Self {
            shop,
            server,
            items,
            traffic,
            probe,
            prober: buyers[0].clone(),
        };
        let standstill = timeout(PATIENCE, async { while sale.is_writing().await {} });
        standstill.await.expect("the fail point in time");
        (sale, writer)
    }

    async fn is_writing(&self) -> bool {
        let order = self.prober.buy(&self.probe, 1).await;
        sleep(STANDSTILL).await;
        self.prober.order(&order).await["state"] == "PENDING_PAYMENT"
    }

    /// Another writer takes over.
    async fn is_taken_over(&mut self) {
        self.server.workers.push(only(&self.shop, "order-writer"));
        self.prober.hold(&self.probe, 1).await;
        self.traffic.goes_on(60).await;
    }

    /// Everything that was answered is there.
    async fn comes_out_right(self) {
        let (answered, tally) = self.traffic.end().await;
        assert_eq!(tally.faults, 0, "{tally:?}");
        assert_known(&tally);
        verify(&self.server, &self.items, PLENTY, &answered).await;
        self.server.assert_audit(0).await;
    }
}

#[tokio::test]
async fn a_writer_killed_in_mid_batch_loses_nothing() {
    let (mut sale, writer) = MidBatch::reached("pause").await;
    writer.kill().await;
    sale.is_taken_over().await;
    sale.comes_out_right().await;
}

#[tokio::test]
async fn a_writer_that_wakes_up_in_mid_batch_writes_nothing_twice() {
    let (mut sale, zombie) = MidBatch::reached("sleep(10000)").await;
    zombie.signal("-STOP");
    sale.is_taken_over().await;
    zombie.signal("-CONT");
    sale.traffic.goes_on(60).await;
    // It goes on as one of two.
    sale.server.workers.push(zombie);
    sale.comes_out_right().await;
}
