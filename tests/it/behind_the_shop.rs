//! What the two systems that this one replaces had behind their shops: a test a row, by its name.
//! Which row is tested where, `predecessors` says.

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Caller, Demo, Process, Sale, Server, Shop, code, codes, fresh_key, instant, line, until,
};

/// Somebody at each node.
fn at_each_node(server: &Server, caller: &Caller) -> Vec<Caller> {
    server.urls().iter().map(|url| caller.at(url)).collect()
}

/// Readers in a crowd at each node, of whom no two read an item for themselves.
const READERS: usize = 100;

/// Look-aside, whatever the caches are: an edit is seen at every node, no old price is sold, and what
/// the gate took is in the ledger.
#[tokio::test]
async fn caching_shows_an_edit_at_every_node_and_sells_at_no_old_price() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let item = seller.sell(Sale::of(50)).await;
    let buyer = server.sign_up("kim").await;
    let nodes = at_each_node(&server, &buyer);
    let prices = async || {
        let crowd = nodes.iter().flat_map(|node| vec![node; READERS]);
        let items = join_all(crowd.map(|node| node.item(&item))).await;
        let prices = items.iter().map(|item| item["price"]["amount"].clone());
        prices.collect::<Vec<Value>>()
    };
    assert!(prices().await.iter().all(|price| price == "1000"));

    let version = seller.item(&item).await["version"].clone();
    let price = json!({ "amount": "7777", "currencyCode": "KRW" });
    let edit = json!({ "itemId": item, "expectedVersion": version, "price": price });
    assert_eq!(code(&seller.update_item(edit).await), None);
    assert_eq!(seller.item(&item).await["price"], price, "by who edits");
    until("the new price everywhere", || async {
        let is_new = prices().await.iter().all(|price| price == "7777");
        is_new.then_some(())
    })
    .await;
    for node in &nodes {
        let order = node.hold(&item, 2).await;
        assert_eq!(node.order(&order).await["total"]["amount"], "15554");
    }
    assert!(prices().await.iter().all(|price| price == "7777"));

    let admin = server.sign_in(Demo::Admin).await;
    let stock = until("gate and ledger to agree", || async {
        Some(admin.item_stock(&item).await).filter(|stock| stock["agrees"] == true)
    })
    .await;
    let taken = 2 * i64::try_from(nodes.len()).unwrap();
    assert_eq!(stock["gate"]["admitted"], taken);
    assert_eq!(stock["ledger"]["held"], taken);
    server.assert_clean().await;
}

/// What is committed is told although the process dies, and what is not committed is told nobody: of
/// two who cancel, one leaves an event, and its letters go out once.
#[tokio::test]
async fn publish_only_after_commit_tells_all_that_happened_and_nothing_else() {
    const ORDERS: usize = 10;
    let shop = Shop::new();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(100)).await;
    let (email, _) = shop.credentials(Demo::Customer);
    let buyer = server.sign_in(Demo::Customer).await;
    let orders = join_all((0..ORDERS).map(|_| buyer.own(&item, 1))).await;
    let races = orders.iter().map(async |order| {
        let (one, other) = tokio::join!(buyer.cancel(order), buyer.cancel(order));
        let refused = [code(&one), code(&other)].into_iter().flatten().count();
        assert_eq!(refused, 1, "{one} {other}");
    });
    join_all(races).await;
    // Before anybody can have told of all of it.
    server.kill().await;

    let server = shop.start().await;
    let buyer = buyer.at(server.url());
    let mut expected = Vec::new();
    for order in &orders {
        let order = buyer.after(order).await;
        assert_eq!(order["state"], "CANCELLED");
        let number = buyer.order(order["id"].as_str().unwrap()).await["number"].take();
        let number = number.as_str().unwrap().to_owned();
        expected.push(format!("Order {number} is paid"));
        expected.push(format!("Order {number} is cancelled"));
        expected.push(format!("₩1,000 refunded for order {number}"));
    }
    expected.sort();
    let told = || {
        let mut letters = server.mail(&email);
        // One that went out as the process died may go out again, as the same letter.
        letters.sort_by(|one, other| one.id.cmp(&other.id));
        letters.dedup_by(|one, other| one.id == other.id);
        let mut told: Vec<String> = letters.into_iter().map(|letter| letter.subject).collect();
        told.sort();
        told
    };
    until("a letter for everything", || async {
        (told().len() >= expected.len()).then_some(())
    })
    .await;
    assert_eq!(told(), expected);
    until("all refunds", || async {
        let orders = join_all(orders.iter().map(|order| buyer.after(order)));
        let mut refunds = orders
            .await
            .into_iter()
            .map(|mut order| order["refunds"].take());
        refunds
            .all(|refunds| refunds[0]["completedAt"].is_string() && refunds[1].is_null())
            .then_some(())
    })
    .await;
    server.assert_clean().await;
    assert_eq!(told(), expected, "once all is quiet");
}

const MY_PAGE: &str = "{ viewer { profile { email } wishlist(first: 9) { nodes { quantity
    item { name stock { available } } } } orders(first: 9) { nodes { id state
    lines { item { name } } payment { state } shipment { state } } } } }";

/// The provider takes forever and the mail server is not there: my page still answers, whole; a
/// payment waits, is asked again by its key, and charges once. What happens without the gate, which
/// here can't go away by itself, `gate_lost` shows over the servers.
#[tokio::test]
async fn resilience_my_page_answers_and_payments_wait_while_provider_and_mail_are_away() {
    let nobody = xtask::services::free_port().unwrap();
    let shop = Shop::with_provider(&[
        ("PAYMENT__ASK_AGAIN_AFTER", "300ms"),
        ("GUARDS__PROVIDER", "300ms"),
        ("GUARDS__FAILURES", "2"),
        ("GUARDS__PAUSE", "200ms"),
        ("MAIL__SMTP", &format!("smtp://127.0.0.1:{nobody}")),
    ]);
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(10)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let wish = "mutation($input: AddToWishlistInput!) { addToWishlist(input: $input) {
        entry { id } userErrors { code } } }";
    buyer
        .mutate(wish, json!({ "itemId": item, "quantity": 3 }))
        .await;
    shop.provider().signal("-STOP");
    let orders = join_all((0..5).map(|_| buyer.hold(&item, 1))).await;
    for order in &orders {
        let payload = buyer.pay(order, "tok_approve").await;
        assert_eq!(payload["order"]["state"], "PAYING", "{payload}");
    }
    // Until the breaker opens, and while it is open.
    until("the breaker to open", || async {
        let data = buyer.ask(MY_PAGE, json!({})).await;
        let page = &data["viewer"];
        assert_eq!(
            page["wishlist"]["nodes"][0]["item"]["stock"]["available"],
            5
        );
        let orders = page["orders"]["nodes"].as_array().unwrap();
        assert_eq!(orders.len(), 5);
        assert!(orders.iter().all(|order| order["state"] == "PAYING"));
        let words = ["provider", "calls are refused until it does"];
        server.has_printed(&words).then_some(())
    })
    .await;
    shop.provider().signal("-CONT");
    for order in &orders {
        let paid = buyer.until_state(order, "PAID").await;
        assert_eq!(paid["payment"]["attempts"].as_array().unwrap().len(), 1);
    }
    server.assert_audit(0).await;
}

/// One endpoint at every node, which believes no header and no token but its own; one configuration
/// of a file and the environment, whose values have types.
#[tokio::test]
async fn gateway_discovery_and_configuration_are_one_endpoint_and_one_typed_configuration() {
    let shop = Shop::with(&[("ORDERS__MAX_LINES", "3")]);
    let folder = shop.data();
    let file = folder.parent().unwrap().join("firstcome.toml");
    std::fs::write(&file, "[orders]\nmax_lines = 2\nhold = \"7m\"\n").unwrap();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(50)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    let who = "{ viewer { profile { role } } }";
    for node in at_each_node(&server, &buyer) {
        assert_eq!(
            node.ask(who, json!({})).await["viewer"]["profile"]["role"],
            "CUSTOMER"
        );
        // The file says how long, and the environment how many.
        let order = node.buy(&item, 1).await;
        let held = node.until_state(&order, "PENDING_PAYMENT").await;
        let time = instant(&held["paymentDueAt"]) - instant(&held["placedAt"]);
        let minutes = TimeDelta::minutes(7)..TimeDelta::minutes(8);
        assert!(minutes.contains(&time), "{held}");
        let payload = node.place(&vec![line(&item, 1); 3]).await;
        assert_eq!(code(&payload), None, "{payload}");
        let payload = node.place(&vec![line(&item, 1); 4]).await;
        assert_eq!(codes(&payload), ["INVALID_INPUT"], "{payload}");
        assert_eq!(payload["userErrors"][0]["bound"], "3");

        let token = buyer.token().unwrap();
        let cut = &token[..token.len() - 4];
        for forged in [format!("{cut}AAAA"), "garbage".to_owned()] {
            let forger = server.bearer(&forged).at(node.url());
            let answer = forger.post(who, json!({})).await;
            let code = &answer["errors"][0]["extensions"]["code"];
            assert_eq!(code, "UNAUTHENTICATED", "{answer}");
        }
        let nobody = server.anybody().at(node.url());
        let mut request = nobody.request(Method::POST, "/graphql");
        for header in ["X-User-Id", "X-User-Role", "X-Forwarded-User"] {
            request = request.header(header, "1");
        }
        let answer = request.json(&json!({ "query": who })).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["data"]["viewer"], Value::Null, "{answer}");
    }
    server.assert_clean().await;
    std::fs::write(&file, "[orders]\nhold = \"long\"\n").unwrap();
    let mut process = Process::start(shop.command(&["audit"]));
    assert!(!process.exit().await.success());
    let printed = process.output.ended().await;
    assert!(printed.contains("orders.hold"), "{printed}");
}

/// Two hundred at once and a thousand requests, as they measured: every one is answered, and every
/// answer is true. How fast, the benchmark says.
#[tokio::test]
async fn headline_speed_two_hundred_at_once_lose_none_of_a_thousand_orders() {
    const REQUESTS: i64 = 1_000;
    let shop = Shop::new();
    let server = shop.start().await;
    let sale = Sale::of(2 * REQUESTS).limited_to(1);
    let deal = server.sign_in(Demo::Seller).await.sell(sale).await;
    let mut rush = vec!["rush".to_owned()];
    for url in server.urls() {
        rush.extend(["--url".to_owned(), format!("{url}/graphql")]);
    }
    let rest = format!("--deal {deal} --buyers {REQUESTS} --concurrency 200 --retry --json");
    rush.extend(rest.split(' ').map(str::to_owned));
    let rush: Vec<&str> = rush.iter().map(String::as_str).collect();
    let (outcome, exit) = shop.run_json(&rush).await;
    assert_eq!(exit, Some(0), "{outcome}");
    assert_eq!(outcome["clean"], true, "{outcome}");
    let orders = &outcome["stampede"]["orders"];
    assert_eq!(orders["accepted"], REQUESTS, "{outcome}");
    assert_eq!(orders["refused"], json!({}), "{outcome}");
    let verified = &outcome["stampede"]["verified"];
    assert_eq!(
        (&verified["orders"], &verified["missing"]),
        (&json!(REQUESTS), &json!(0))
    );
    server.anybody().until_available(&deal, REQUESTS).await;
    // A busy machine may have had some ask again, which its log tells of.
    server.assert_audit(0).await;
}

/// A deal's stock is at the gate long before it opens, so its first buyer waits for nothing.
#[tokio::test]
async fn never_built_there_deal_stock_is_warm_before_the_deal_opens() {
    let shop = Shop::new();
    let server = shop.start().await;
    let seller = server.sign_in(Demo::Seller).await;
    let opens_at = seller.server_time_in(3_600_000).await;
    let deal = Sale::of(70).deal(json!({ "opensAt": opens_at }));
    let deal = seller.sell(deal).await;
    let admin = server.sign_in(Demo::Admin).await;
    let stock = until("the gate to know it", || async {
        Some(admin.item_stock(&deal).await).filter(|stock| stock["agrees"] == true)
    })
    .await;
    assert_eq!(
        stock["gate"],
        json!({ "admitted": 0, "ceiling": 70, "available": 70 })
    );
    let key = fresh_key();
    let buyer = server.sign_in(Demo::Customer).await;
    let early = buyer.place_under(&key, &[line(&deal, 1)]).await;
    assert_eq!(code(&early), Some("DEAL_NOT_OPEN"), "{early}");
    server.assert_clean().await;
}
