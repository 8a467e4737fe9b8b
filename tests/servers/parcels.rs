//! Two workers at the same parcels, at the same moment.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use futures_util::future::join_all;

use crate::engines;
use crate::fleet::{all_but, blocking, node, only};
use crate::kafka_tools::Logged;
use crate::support::{Demo, Sale, Shop, until};

const PARCELS: usize = 100;

/// A session that has every parcel's row: whoever wants to move one waits for it.
struct Held(Child);

impl Held {
    async fn begin(shop: &Shop) -> Self {
        let url = shop.setting("LEDGER__URL").unwrap().to_owned();
        blocking(move || {
            let mut client = engines::mariadb("mariadb", &url);
            client
                .args(["--batch", "--skip-column-names", "--unbuffered"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped());
            let mut held = Self(client.spawn().unwrap());
            held.say("BEGIN; UPDATE shipments SET status = status; SELECT 'held';");
            let mut line = String::new();
            let stdout = held.0.stdout.take().unwrap();
            BufReader::new(stdout).read_line(&mut line).unwrap();
            assert_eq!(line.trim(), "held");
            held
        })
        .await
    }

    fn say(&mut self, statement: &str) {
        let stdin = self.0.stdin.as_mut().unwrap();
        writeln!(stdin, "{statement}").unwrap();
        stdin.flush().unwrap();
    }

    async fn let_go(mut self) {
        self.say("COMMIT;");
        drop(self.0.stdin.take());
        blocking(move || assert!(self.0.wait().unwrap().success())).await;
    }
}

/// Waits until two sessions of the shop's wait for rows that they want to change.
async fn until_both_wait(shop: &Shop) {
    const WAITING: &str = "SELECT COUNT(*) FROM information_schema.processlist
        WHERE db = DATABASE() AND id <> CONNECTION_ID() AND time > 0 AND info LIKE '%UPDATE%'";
    let url = shop.setting("LEDGER__URL").unwrap();
    until("both workers to wait", || async {
        let mut client = engines::mariadb("mariadb", url);
        client.args(["--batch", "--skip-column-names", "--execute", WAITING]);
        let output = blocking(move || client.output().unwrap()).await;
        (output.stdout.trim_ascii() == b"2").then_some(())
    })
    .await;
}

#[tokio::test]
async fn of_two_workers_on_a_hundred_due_shipments_each_moves_a_parcel_once() {
    let logged = Logged::with(&[("DELIVERY__DAY", "1s"), ("DELIVERY__DAYS_TO_DELIVER", "10")]);
    let shop = &logged.shop;
    shop.migrate().await;
    let mut server = shop.server(
        vec![node(shop).await, node(shop).await],
        vec![all_but(shop, "delivery")],
    );
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(PARCELS.try_into().unwrap())).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let orders = join_all((0..PARCELS).map(|_| buyer.own(&item, 1))).await;

    // They are due; both workers have read so before either can move one.
    let held = Held::begin(shop).await;
    server
        .workers
        .extend([(); 2].map(|()| only(shop, "delivery")));
    until_both_wait(shop).await;
    held.let_go().await;
    for order in &orders {
        let is_sent = |order: &serde_json::Value| order["shipment"]["state"] == "IN_TRANSIT";
        buyer.until_after(order, "on its way", is_sent).await;
    }
    // The same for their arrival.
    let held = Held::begin(shop).await;
    until_both_wait(shop).await;
    held.let_go().await;
    for order in &orders {
        buyer.until_delivered(order).await;
    }

    let (email, _) = shop.credentials(Demo::Customer);
    let letters = server.until_mail(&email, 3 * PARCELS).await;
    server.assert_clean().await;
    assert_eq!(server.mail(&email), letters);
    let mut told = BTreeMap::new();
    for letter in &letters {
        *told.entry(letter.subject.as_str()).or_insert(0) += 1;
    }
    assert_eq!(told.len(), 3 * PARCELS, "each of them once");
    assert!(told.values().all(|count| *count == 1));

    // Placed, payment asked for, paid, dispatched, delivered.
    let events = 5 * PARCELS;
    let count = u64::try_from(events).unwrap();
    assert_eq!(logged.read_and_left("mail").await, (count, 0));
    let mut moved = BTreeMap::new();
    for event in logged.events("orders", events).await {
        let (kind, subject) = (&event["type"], &event["subject"]);
        *moved
            .entry((kind.to_string(), subject.to_string()))
            .or_insert(0) += 1;
    }
    for kind in ["order.dispatched", "order.delivered"] {
        let of_kind = moved.keys().filter(|(of, _)| of.contains(kind));
        assert_eq!(of_kind.count(), PARCELS, "{kind}");
    }
    assert!(moved.values().all(|count| *count == 1), "{moved:?}");
}
