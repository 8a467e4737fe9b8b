//! A payment worker dies, or falls asleep, after the provider took the money.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::fleet::{all_but, failing_only, node, only};
use crate::support::{Caller, Demo, Process, Sale, Server, Shop};

/// Far longer than a payment takes, and shorter than it takes until somebody asks after it.
const STANDSTILL: Duration = Duration::from_millis(1_500);

/// An order whose payment the provider has taken, which nobody was told of.
struct Charged {
    shop: Shop,
    server: Server,
    buyer: Caller,
    order: String,
}

impl Charged {
    /// Until the only payment worker does something after the charge; with the worker.
    async fn reached(does: &str) -> (Self, Process) {
        let shop = Shop::with(&[("PAYMENT__ASK_AGAIN_AFTER", "5s")]);
        shop.migrate().await;
        let worker = failing_only(&shop, "payment", &format!("provider-charged=1*{does}"));
        let server = shop.server(
            vec![node(&shop).await, node(&shop).await],
            vec![all_but(&shop, "payment")],
        );
        let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
        let buyer = server.sign_in(Demo::Customer).await;
        let order = buyer.hold(&item, 3).await;
        let payload = buyer.pay(&order, "tok_approve").await;
        assert_eq!(payload["order"]["state"], "PAYING", "{payload}");
        sleep(STANDSTILL).await;
        assert_eq!(buyer.order(&order).await["state"], "PAYING");
        let charged = Self {
            shop,
            server,
            buyer,
            order,
        };
        (charged, worker)
    }

    /// Another worker takes over, and finds the money taken.
    async fn is_paid(&mut self) {
        self.server.workers.push(only(&self.shop, "payment"));
        self.buyer.until_state(&self.order, "PAID").await;
    }

    /// One attempt, one capture (the audit holds the provider's books against the order's), no refund.
    async fn is_paid_once(&self) {
        let order = self.buyer.order(&self.order).await;
        assert_eq!(order["state"], "PAID", "{order}");
        assert_eq!(order["payment"]["attempts"].as_array().unwrap().len(), 1);
        assert_eq!(order["payment"]["attempts"][0]["state"], "CAPTURED");
        assert_eq!(order["refunds"], json!([]));
        self.server.assert_audit(0).await;
    }
}

#[tokio::test]
async fn a_payment_worker_killed_after_the_charge_charges_once() {
    let (mut charged, worker) = Charged::reached("pause").await;
    worker.kill().await;
    charged.is_paid().await;
    charged.is_paid_once().await;
}

#[tokio::test]
async fn a_late_answer_of_the_provider_moves_nothing() {
    let (mut charged, zombie) = Charged::reached("sleep(3000)").await;
    zombie.signal("-STOP");
    charged.is_paid().await;
    let paid = charged.buyer.order(&charged.order).await;
    zombie.signal("-CONT");
    // Its answer comes now, and finds the payment settled.
    sleep(STANDSTILL * 2).await;
    assert_eq!(charged.buyer.order(&charged.order).await, paid);
    charged.is_paid_once().await;
}

#[tokio::test]
async fn a_webhook_that_comes_before_the_answer_settles_the_payment_once() {
    let shop = Shop::with(&[("PAYMENT__ASK_AGAIN_AFTER", "1h")]);
    shop.migrate().await;
    // The answer is on its way for so long; nobody else asks.
    let worker = failing_only(&shop, "payment", "provider-charged=1*sleep(5000)");
    let told = Shop::node(shop.told(&["serve"])).await;
    let server = shop.server(vec![told], vec![all_but(&shop, "payment")]);
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let order = buyer.hold(&item, 3).await;
    buyer.pay(&order, "tok_approve").await;
    let paid = buyer.until_state(&order, "PAID").await;
    sleep(Duration::from_secs(6)).await;
    assert_eq!(buyer.order(&order).await, paid);
    server.assert_audit(0).await;
    worker.assert_calm();
}
