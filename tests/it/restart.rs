//! Power cuts, Ctrl-C, and starts that go on where the last one ended.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::support::{
    Caller, Demo, PATIENCE, Sale, Server, Shop, code, codes, fresh_key, line, until,
};

/// What a buyer did with an order after it was accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Then {
    Nothing,
    Cancelled,
    Paid(&'static str),
}

impl Then {
    /// The state that it comes to.
    fn state(self) -> &'static str {
        match self {
            Self::Nothing | Self::Paid("tok_decline") => "PENDING_PAYMENT",
            Self::Cancelled => "CANCELLED",
            Self::Paid(_) => "PAID",
        }
    }
}

/// An order that was answered.
struct Answered {
    buyer: Caller,
    key: String,
    lines: Vec<Value>,
    id: String,
    then: Then,
}

/// Buyers who order all the time, and send what gets no answer again under the same key.
struct Traffic {
    /// Where the server is; it moves with every start.
    url: watch::Sender<String>,
    answered: Arc<Mutex<Vec<Answered>>>,
    buyers: Vec<tokio::task::JoinHandle<()>>,
    ended: watch::Sender<bool>,
}

impl Traffic {
    fn start(buyers: &[Caller], items: &[String]) -> Self {
        let (url, at) = watch::channel(buyers[0].url().to_owned());
        let (ended, end) = watch::channel(false);
        let answered = Arc::new(Mutex::new(Vec::new()));
        // Each twice, so that a buyer's requests overlap too.
        let buyers = buyers.iter().chain(buyers).map(|buyer| {
            let buyer = Buyer {
                caller: buyer.clone(),
                url: at.clone(),
                items: items.to_vec(),
            };
            tokio::spawn(buyer.order_until(end.clone(), Arc::clone(&answered)))
        });
        Self {
            url,
            buyers: buyers.collect(),
            answered,
            ended,
        }
    }

    /// Waits until so many more orders are answered.
    async fn goes_on(&self, orders: usize) {
        let before = self.answered.lock().unwrap().len();
        until("more orders", || async {
            (self.answered.lock().unwrap().len() >= before + orders).then_some(())
        })
        .await;
    }

    fn moves_to(&self, server: &Server) {
        self.url.send_replace(server.url().to_owned());
    }

    async fn end(self) -> Vec<Answered> {
        self.ended.send_replace(true);
        for buyer in self.buyers {
            buyer.await.unwrap();
        }
        Arc::into_inner(self.answered)
            .unwrap()
            .into_inner()
            .unwrap()
    }
}

/// What a buyer asks for, again and again until there is an answer.
enum Ask<'a> {
    Place(&'a [Value]),
    Pay(&'a str, &'static str),
    Cancel(&'a str),
}

struct Buyer {
    caller: Caller,
    url: watch::Receiver<String>,
    items: Vec<String>,
}

impl Buyer {
    async fn order_until(self, ended: watch::Receiver<bool>, answered: Arc<Mutex<Vec<Answered>>>) {
        for number in 0.. {
            if *ended.borrow() {
                return;
            }
            let key = fresh_key();
            let mut lines = vec![line(&self.items[number % self.items.len()], 1)];
            if number % 4 == 0 {
                lines = self.items.iter().map(|item| line(item, 2)).collect();
            }
            let payload = self.insist(&Ask::Place(&lines), &key).await;
            let id = payload["order"]["id"].as_str().unwrap().to_owned();
            let then = self.then(number, &id).await;
            let buyer = self.caller.clone();
            answered.lock().unwrap().push(Answered {
                buyer,
                key,
                lines,
                id,
                then,
            });
        }
    }

    /// Pays or cancels, or does neither.
    async fn then(&self, number: usize, id: &str) -> Then {
        let then = match number % 7 {
            0 => Then::Paid("tok_approve"),
            1 => Then::Paid("tok_timeout_then_approve"),
            2 => Then::Paid("tok_decline"),
            3 => Then::Paid("tok_answer_twice"),
            4 => Then::Cancelled,
            _ => Then::Nothing,
        };
        let ask = match then {
            Then::Nothing => return then,
            Then::Cancelled => Ask::Cancel(id),
            Then::Paid(method) => Ask::Pay(id, method),
        };
        self.insist(&ask, &fresh_key()).await;
        then
    }

    /// Asks until there is an answer other than *try again*, which must not be a refusal.
    async fn insist(&self, ask: &Ask<'_>, key: &str) -> Value {
        let insisting = async {
            loop {
                let caller = self.caller.at(&self.url.borrow().clone());
                let asked = match ask {
                    Ask::Place(lines) => caller.try_place(key, lines).await,
                    Ask::Pay(id, method) => caller.try_pay(key, id, method).await,
                    Ask::Cancel(id) => caller.try_cancel(key, id).await,
                };
                match asked {
                    Ok(payload) if codes(&payload).is_empty() => return payload,
                    Ok(payload) => assert_eq!(codes(&payload), ["TRY_AGAIN"], "{payload}"),
                    Err(error) => assert!(!error.is_timeout(), "{error}"),
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let answer = tokio::time::timeout(PATIENCE, insisting).await;
        answer.expect("an answer in time")
    }
}

/// Holds everything that was answered against what is there now.
async fn verify(server: &Server, items: &[String], total: i64, answered: &[Answered]) {
    let mut sold = vec![0; items.len()];
    for Answered { lines, then, .. } in answered {
        for line in lines.iter().filter(|_| *then != Then::Cancelled) {
            let item = items.iter().position(|item| *item == line["itemId"]);
            sold[item.unwrap()] += line["quantity"].as_i64().unwrap();
        }
    }
    let checks = stream::iter(answered).map(|answered| async move {
        let buyer = answered.buyer.at(server.url());
        let is_settled = |order: &Value| !["ACCEPTED", "PAYING"].contains(&state(order));
        let order = buyer.until_order(&answered.id, "settled", is_settled).await;
        assert_eq!(state(&order), answered.then.state(), "{order}");
        let again = buyer.place_under(&answered.key, &answered.lines).await;
        assert_eq!(code(&again), None, "{again}");
        assert_eq!(again["order"]["id"], answered.id);
        assert_eq!(again["replayed"], true);
    });
    let () = checks.buffer_unordered(8).collect().await;
    for (item, sold) in items.iter().zip(sold) {
        let anybody = server.anybody();
        anybody.until_available(item, total - sold).await;
        assert_eq!(anybody.item(item).await["stock"]["total"], total);
    }
    server.assert_clean().await;
}

fn state(order: &Value) -> &str {
    order["state"].as_str().unwrap_or("not there")
}

/// A server with two items of so many units each, and three buyers.
async fn open(shop: &Shop, total: i64) -> (Server, Vec<String>, Vec<Caller>) {
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let items = vec![
        seller.sell(Sale::of(total)).await,
        seller.sell(Sale::of(total)).await,
    ];
    let buyers = vec![
        server.sign_in(Demo::Customer).await,
        server.sign_in(Demo::Admin).await,
        seller,
    ];
    (server, items, buyers)
}

#[tokio::test]
async fn power_cuts_in_the_middle_of_a_sale_lose_nothing() {
    let shop = Shop::with(&[("PAYMENT__ASK_AGAIN_AFTER", "500ms")]);
    let (mut server, items, buyers) = open(&shop, 100_000).await;
    let traffic = Traffic::start(&buyers, &items);
    for _ in 0..4 {
        traffic.goes_on(40).await;
        server.kill().await;
        server = shop.start().await;
        traffic.moves_to(&server);
    }
    traffic.goes_on(40).await;
    let answered = traffic.end().await;
    verify(&server, &items, 100_000, &answered).await;

    // What was true stays true.
    server.kill().await;
    let server = shop.start().await;
    verify(&server, &items, 100_000, &answered).await;
}

#[tokio::test]
async fn an_interrupt_drains_and_the_next_start_goes_on() {
    let shop = Shop::with(&[("PAYMENT__ASK_AGAIN_AFTER", "500ms")]);
    let (mut server, items, buyers) = open(&shop, 100_000).await;
    let traffic = Traffic::start(&buyers, &items);
    for _ in 0..2 {
        traffic.goes_on(40).await;
        assert_eq!(server.stop().await, Some(0));
        server = shop.start().await;
        traffic.moves_to(&server);
    }
    traffic.goes_on(40).await;
    let answered = traffic.end().await;
    verify(&server, &items, 100_000, &answered).await;
}

#[tokio::test]
async fn a_payment_in_flight_is_brought_to_its_end_by_the_next_start() {
    let shop = Shop::with(&[
        ("PAYMENT__SIMULATED__LATENCY", "1s"),
        ("PAYMENT__ASK_AGAIN_AFTER", "500ms"),
    ]);
    let (mut server, items, buyers) = open(&shop, 10).await;
    for (units, signal) in [(9, "-KILL"), (8, "-INT"), (7, "-TERM")] {
        let buyer = buyers[0].at(server.url());
        let order = buyer.hold(&items[0], 1).await;
        let payload = buyer.pay(&order, "tok_approve").await;
        assert_eq!(payload["order"]["state"], "PAYING", "{payload}");
        let exit = server.stop_by(signal).await;
        assert_eq!(exit, (signal != "-KILL").then_some(0), "{signal}");
        server = shop.start().await;
        let buyer = buyers[0].at(server.url());
        let paid = buyer.until_state(&order, "PAID").await;
        assert_eq!(paid["payment"]["attempts"].as_array().unwrap().len(), 1);
        buyer.until_available(&items[0], units).await;
        server.assert_clean().await;
    }
}

#[tokio::test]
async fn parcels_catch_up_on_the_days_that_were_missed() {
    let shop = Shop::with(&[("DELIVERY__DAY", "1s")]);
    let (server, items, buyers) = open(&shop, 10).await;
    let order = buyers[0].own(&items[0], 1).await;
    server.kill().await;
    sleep(Duration::from_secs(3)).await;
    let server = shop.start().await;
    let buyer = buyers[0].at(server.url());
    let delivered = |order: &Value| order["shipment"]["state"] == "DELIVERED";
    buyer.until_order(&order, "delivered", delivered).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn unpaid_orders_expire_while_nobody_is_there() {
    let mut shop = Shop::with(&[("ORDERS__HOLD", "2s")]);
    let (server, items, buyers) = open(&shop, 10).await;
    let order = buyers[0].hold(&items[0], 3).await;
    server.kill().await;
    // The time is the order's own: a new setting is for new orders.
    shop.set("ORDERS__HOLD", "1h");
    let server = shop.start().await;
    let buyer = buyers[0].at(server.url());
    buyer.until_state(&order, "EXPIRED").await;
    buyer.until_available(&items[0], 10).await;
    server.assert_clean().await;
}

#[tokio::test]
async fn what_is_in_a_folder_stays_as_it_is() {
    let shop = Shop::new();
    let server = shop.start().await;
    let who = [Demo::Customer, Demo::Seller, Demo::Admin];
    let credentials = who.map(|who| shop.credentials(who));
    let buyer = server.sign_in(Demo::Customer).await;
    let earbuds = buyer.item_named("Wireless earbuds").await;
    let id = earbuds["id"].as_str().unwrap();
    buyer.own(id, 2).await;
    let catalogue = "{ items(first: 100, orderBy: OLDEST_FIRST) { totalCount edges { node {
        id name version stock { total available } deal { opensAt } } } } }";
    let before = buyer.ask(catalogue, json!({})).await;
    assert_eq!(before["items"]["totalCount"], 6);
    assert_eq!(server.stop().await, Some(0));

    let server = shop.start().await;
    // Whoever is signed in stays so.
    let buyer = buyer.at(server.url());
    assert_eq!(buyer.ask(catalogue, json!({})).await, before);
    assert_eq!(buyer.available(id).await, 98);
    assert_eq!(who.map(|who| shop.credentials(who)), credentials);
    for (who, (email, password)) in who.into_iter().zip(&credentials) {
        server.sign_in(who).await;
        let printed = server.printed();
        let line = printed.lines().find(|line| line.contains(email)).unwrap();
        assert!(line.trim_end().ends_with(password), "{line}");
    }
    server.assert_clean().await;
}

#[tokio::test]
async fn a_folder_has_one_server() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (status, printed) = shop.start_in_vain().await;
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.contains(server.url()), "{printed}");
    // The first one has not noticed.
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(1)).await;
    server.sign_in(Demo::Customer).await.hold(&item, 1).await;
    server.assert_clean().await;
    // The folder is free again, however it ends.
    server.kill().await;
    shop.start().await.assert_clean().await;
}

#[tokio::test]
async fn a_first_start_that_is_cut_short_leaves_a_whole_shop() {
    // Cut at moments spread over the time in which the demo is put in.
    for step in 0..6 {
        let shop = Shop::new();
        let accounts = shop.data().join("demo-accounts.json");
        let mut process = shop.spawn();
        until("the demo's accounts", || async {
            accounts.exists().then_some(())
        })
        .await;
        sleep(Duration::from_millis(3 * step)).await;
        process.kill().unwrap();
        process.wait().unwrap();

        let server = shop.start().await;
        let document = "{ items(first: 100) { totalCount } }";
        let data = server.anybody().ask(document, json!({})).await;
        assert_eq!(data["items"]["totalCount"], 6, "cut at step {step}");
        for who in [Demo::Customer, Demo::Seller, Demo::Admin] {
            server.sign_in(who).await;
        }
    }
}
