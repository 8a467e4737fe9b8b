//! The operator's commands, beside a running shop and on one that is stopped.

use serde_json::{Value, json};

use crate::support::{Demo, Sale, Server, Shop, code, fresh_key, until};

/// Where crowds are sent.
pub fn endpoint(server: &Server) -> String {
    format!("{}/graphql", server.url())
}

#[tokio::test]
async fn a_thousand_buyers_for_a_hundred_units_buy_exactly_a_hundred() {
    let shop = Shop::new();
    let server = shop.start().await;
    let sale = Sale::of(100).limited_to(1);
    let deal = server.sign_in(Demo::Seller).await.sell(sale).await;
    let (url, run) = (endpoint(&server), "first");
    let rush = [
        "rush",
        "--url",
        &url,
        "--deal",
        &deal,
        "--buyers",
        "1000",
        "--subscribers",
        "20",
        "--pay",
        "1",
        "--run",
        run,
        "--json",
    ];
    let (outcome, exit) = shop.run_json(&rush).await;
    assert_eq!(exit, Some(0), "{outcome}");
    assert_eq!(outcome["clean"], true);
    let stampede = &outcome["stampede"];
    let orders = &stampede["orders"];
    assert_eq!(orders["accepted"], 100);
    assert_eq!(orders["refused"], json!({ "OUT_OF_STOCK": 900 }));
    assert_eq!(stampede["payments"]["accepted"], 100);
    assert_eq!(stampede["verified"]["states"], json!({ "PAID": 100 }));
    assert_eq!(stampede["deal"]["availableAfter"], 0);
    assert_eq!(stampede["subscribers"]["stale"], 0);
    assert_eq!(server.anybody().available(&deal).await, 0);

    // The same run again: who bought is not sold a second unit, nobody else gets one.
    let (again, exit) = shop.run_json(&rush).await;
    assert_eq!(exit, Some(0), "{again}");
    assert_eq!(again["stampede"]["orders"]["accepted"], 100);
    assert_eq!(again["stampede"]["replayed"], 100);
    server.assert_clean().await;

    // Its buyers go; what they bought stays.
    let (status, printed) = shop.run(&["rehearsal-clear"]).await;
    assert!(status.success());
    assert!(printed.contains("1000"), "{printed}");
    let (audit, exit) = shop.run_json(&["audit", "--json"]).await;
    assert_eq!((exit, &audit["clean"]), (Some(0), &json!(true)), "{audit}");
    assert_eq!(audit["orders"]["PAID"], 100);
    server.assert_clean().await;
}

#[tokio::test]
async fn a_crowd_that_nobody_answers_is_no_success() {
    let shop = Shop::new();
    let server = shop.start().await;
    let (status, printed) = shop
        .run(&["rush", "--url", &endpoint(&server), "--deal", "item_1"])
        .await;
    assert_eq!(status.code(), Some(1), "{printed}");
    let url = endpoint(&server);
    server.kill().await;
    let rush = [
        "rush",
        "--url",
        &url,
        "--buyers",
        "5",
        "--timeout",
        "1",
        "--patience",
        "1",
    ];
    let (status, printed) = shop.run(&rush).await;
    assert_eq!(status.code(), Some(1), "{printed}");
}

#[tokio::test]
async fn an_audit_reads_a_running_shop_and_a_stopped_one() {
    let shop = Shop::new();
    let server = shop.start().await;
    let item = server.sign_in(Demo::Seller).await.sell(Sale::of(5)).await;
    let buyer = server.sign_in(Demo::Customer).await;
    buyer.own(&item, 2).await;
    buyer.hold(&item, 1).await;
    let (running, exit) = shop.run_json(&["audit", "--json"]).await;
    assert_eq!(exit, Some(0), "{running}");
    assert_eq!(server.stop().await, Some(0));
    let (stopped, exit) = shop.run_json(&["audit", "--json"]).await;
    assert_eq!(exit, Some(0), "{stopped}");
    for audit in [running, stopped] {
        assert_eq!(audit["clean"], true, "{audit}");
        assert_eq!(audit["orders"], json!({ "PAID": 1, "PENDING_PAYMENT": 1 }));
        assert_eq!(
            (&audit["items"], &audit["payments"]),
            (&json!(7), &json!(1))
        );
    }
    // Looking has changed nothing.
    let server = shop.start().await;
    assert_eq!(server.anybody().available(&item).await, 2);
    server.assert_clean().await;
}

#[tokio::test]
async fn a_crowd_that_orders_for_a_time_tells_what_the_shop_keeps_up() {
    let shop = Shop::new();
    let server = shop.start().await;
    let sale = Sale::of(1_000_000);
    let item = server.sign_in(Demo::Seller).await.sell(sale).await;
    let url = endpoint(&server);
    // The shop is a child of this process.
    let watch = format!("shop={}+", std::process::id());
    let rush = format!(
        "rush --for 2s --warm-up 500ms --url {url} --item {item} --connections 8 --buyers 20 \
         --subscribers 4 --watch {watch} --floor --json"
    );
    let rush: Vec<&str> = rush.split_whitespace().collect();
    let (outcome, exit) = shop.run_json(&rush).await;
    assert_eq!(exit, Some(0), "{outcome}");
    let sustained = &outcome["sustained"];
    let orders = &sustained["orders"];
    let accepted = orders["accepted"].as_u64().unwrap();
    assert!(accepted > 20, "{sustained}");
    assert_eq!(orders["refused"], json!({}));
    assert_eq!(orders["transportErrors"], json!({}));
    let rate = sustained["ordersPerSecond"].as_u64().unwrap();
    assert!(rate.abs_diff(accepted / 2) <= 1, "{sustained}");
    assert!(sustained["writtenPerSecond"].as_u64().unwrap() <= rate);
    // Everything that was answered is there, that of the warm-up too.
    let verified = sustained["verified"]["orders"].as_u64().unwrap();
    assert!(verified > accepted, "{sustained}");
    assert_eq!(outcome["audit"]["orders"]["PENDING_PAYMENT"], verified);
    assert_eq!(sustained["subscribers"]["stale"], 0);
    let last = &sustained["subscribers"]["last"]["available"];
    assert_eq!(last.as_u64(), Some(1_000_000 - verified));
    // Nothing costs less than nothing.
    let floor = &sustained["floor"];
    assert!(floor["requestsPerSecond"].as_u64().unwrap() > 0, "{floor}");
    assert_eq!(floor["before"]["orders"]["faults"], json!({}));
    assert_eq!(floor["after"]["orders"]["transportErrors"], json!({}));
    for costs in [&sustained["processors"], &floor["before"]["processors"]] {
        let costs = costs["microsecondsPerOrder"].as_object().unwrap();
        assert!(costs.values().all(|cost| cost.as_f64().unwrap() > 0.0));
    }
    server.assert_clean().await;
}

#[tokio::test]
async fn a_catalogue_is_taken_in_row_by_row() {
    let shop = Shop::new();
    let server = shop.start().await;
    let file = shop.data().join("catalogue.csv");
    let rows = "sku,name,price,currency,stock\n\
        X-1,First,10.00,GBP,5\n\
        X-2,Second,ten,GBP,5\n\
        X-1,Again,1.00,GBP,5\n\
        X-4,Fourth,1.00,GBP,-1\n\
        X-5,Fifth,2500,KRW,1\n";
    std::fs::write(&file, rows).unwrap();
    let (report, _) = shop
        .run_json(&["import", file.to_str().unwrap(), "--json"])
        .await;
    let anybody = server.anybody();
    let names = async |skus: &[&str]| {
        let document = "query($skus: [String!]) { items(
            first: 10, orderBy: BY_NAME, filter: { skus: $skus }
        ) { edges { node { id name } } } }";
        let mut data = anybody.ask(document, json!({ "skus": skus })).await;
        data["items"]["edges"].take()
    };
    let all = names(&["X-1", "X-2", "X-4", "X-5"]).await;
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 2, "{report}");
    assert_eq!(all[0]["node"]["name"], "Fifth");
    assert_eq!(all[1]["node"]["name"], "First");
    // What came in beside the running shop sells there.
    let buyer = server.sign_in(Demo::Customer).await;
    buyer.hold(all[0]["node"]["id"].as_str().unwrap(), 1).await;
    let refused: Vec<&Value> = report["refused"].as_array().unwrap().iter().collect();
    let lines: Vec<&Value> = refused.iter().map(|row| &row["line"]).collect();
    assert_eq!(lines, [3, 4, 5], "{report}");

    // The codes are the demo's seller's now.
    let seller = server.sign_in(Demo::Seller).await;
    let payload = seller
        .create_item(&Sale::of(1).sku("X-1"), &fresh_key())
        .await;
    assert_eq!(code(&payload), Some("INVALID_INPUT"), "{payload}");
    server.assert_clean().await;
}

/// A port that was free a moment ago: the crowd knows one address, over every restart.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn a_rush_over_power_cuts_finds_every_order_that_was_answered() {
    const UNITS: i64 = 1_500;
    let mut shop = Shop::new();
    shop.set("LISTEN", &format!("127.0.0.1:{}", free_port()));
    let mut server = shop.start().await;
    let deal = server
        .sign_in(Demo::Seller)
        .await
        .sell(Sale::of(UNITS))
        .await;
    let url = endpoint(&server);
    let rush = [
        "rush",
        "--url",
        &url,
        "--deal",
        &deal,
        "--buyers",
        "2000",
        "--subscribers",
        "10",
        "--retry",
        "--json",
    ];
    let cuts = async {
        for left in [1_200, 900, 600] {
            until("the sale to go on", || async {
                (server.anybody().available(&deal).await <= left).then_some(())
            })
            .await;
            server.kill().await;
            server = shop.start().await;
        }
        server
    };
    let ((outcome, exit), server) = tokio::join!(shop.run_json(&rush), cuts);
    assert_eq!(exit, Some(0), "{outcome}");
    assert_eq!(outcome["clean"], true, "{outcome}");
    let stampede = &outcome["stampede"];
    assert_eq!(stampede["verified"]["missing"], 0);
    // An answer that got lost was asked for again, so every unit has its buyer.
    assert_eq!(stampede["orders"]["accepted"], UNITS, "{outcome}");
    assert_eq!(server.anybody().available(&deal).await, 0);
    server.assert_clean().await;
}
