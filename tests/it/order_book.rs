//! An order book of another shop: taken in as a catalogue, and replayed to the unit.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::rehearsal::endpoint;
use crate::support::{Demo, Server, Shop, until};

/// An order book: what is no product, what is taken back, who has no number, what is not sound.
const BOOK: &str = "\
InvoiceNo,StockCode,Description,Quantity,UnitPrice,CustomerID,Country
1,22001,RED CUP,6,2.55,17850,United Kingdom
1,22002B,BLUE CUP,2,3.00,17850,United Kingdom
2,22001,RED CUP,1,2.65,,United Kingdom
2,POST,POSTAGE,1,18.00,,United Kingdom
C3,22001,RED CUP,-1,2.55,17850,United Kingdom
4,22002B,BLUE CUP,3,3.10,17851,France
4,22002B,BLUE CUP,1,3.10,17851,France
5,22003,GREEN CUP,some,1.00,17851,France
";

#[tokio::test]
async fn an_order_book_is_taken_in_and_replayed_to_the_unit() {
    let shop = Shop::with(&[("PAYMENT__SIMULATED__LATENCY", "5ms")]);
    let server = shop.start().await;
    let book = shop.data().join("book.csv");
    std::fs::write(&book, BOOK).unwrap();
    let book = book.to_str().unwrap();
    let (report, _) = shop
        .run_json(&["import", "--from-orders", book, "--json"])
        .await;
    let anybody = server.anybody();
    let document = "query($skus: [String!]) { items(first: 10, filter: { skus: $skus }) {
        edges { node { name sku price { amount } stock { total available } } } } }";
    let stock = async || {
        let data = anybody
            .ask(
                document,
                json!({ "skus": ["22001", "22002B", "22003", "POST"] }),
            )
            .await;
        let items = data["items"]["edges"].as_array().unwrap().clone();
        let item = |edge: &Value| {
            let item = &edge["node"];
            let fields = json!([
                item["price"]["amount"],
                item["stock"]["total"],
                item["stock"]["available"]
            ]);
            (item["sku"].as_str().unwrap().to_owned(), fields)
        };
        items.iter().map(item).collect::<BTreeMap<_, _>>()
    };
    // The last price, and as many units as the book sells.
    let expected = [
        ("22001".to_owned(), json!(["2.65", 7, 7])),
        ("22002B".to_owned(), json!(["3.10", 6, 6])),
    ];
    assert_eq!(stock().await, BTreeMap::from(expected), "{report}");

    let url = endpoint(&server);
    let rush = [
        "rush", "--url", &url, "--orders", book, "--run", "book", "--json",
    ];
    for _ in 0..2 {
        // The second time everything is there already.
        let (outcome, exit) = shop.run_json(&rush).await;
        assert_eq!(
            (exit, &outcome["clean"]),
            (Some(0), &json!(true)),
            "{outcome}"
        );
        let verified = &outcome["replay"]["verified"];
        assert_eq!(verified["states"], json!({ "PAID": 3 }), "{outcome}");
        let expected = [
            ("22001".to_owned(), json!(["2.65", 7, 0])),
            ("22002B".to_owned(), json!(["3.10", 6, 0])),
        ];
        assert_eq!(stock().await, BTreeMap::from(expected));
    }
    server.assert_clean().await;
}

/// Five red cups and two blue ones stay sold: two of the lines take back more than was sold before, or
/// what nobody bought.
const TAKEN_BACK: &str = "\
InvoiceNo,StockCode,Description,Quantity,UnitPrice,CustomerID,Country
1,22001,RED CUP,6,2.55,17850,United Kingdom
1,22002B,BLUE CUP,2,3.00,17850,United Kingdom
2,22001,RED CUP,1,2.65,,United Kingdom
C3,22001,RED CUP,-1,2.55,17850,United Kingdom
4,22002B,BLUE CUP,3,3.10,17851,France
4,22002B,BLUE CUP,1,3.10,17851,France
5,22001,RED CUP,2,2.65,17850,United Kingdom
C6,22001,RED CUP,-3,2.65,17850,United Kingdom
C7,22002B,BLUE CUP,-9,3.10,17851,France
C7,POST,POSTAGE,-1,18.00,17851,France
C8,22002B,BLUE CUP,-1,3.10,17852,France
";

/// Takes the catalogue of the book in; the book's path.
async fn take_in(shop: &Shop) -> String {
    let book = shop.data().join("book.csv");
    std::fs::write(&book, TAKEN_BACK).unwrap();
    let book = book.to_str().unwrap().to_owned();
    shop.run_json(&["import", "--from-orders", &book, "--json"])
        .await;
    book
}

/// Replays the book with what it takes back, twice under one name, of which so many orders were paid
/// before; how it was taken back.
async fn take_back(shop: &Shop, server: &Server, book: &str, paid_before: u64) -> Value {
    let url = endpoint(server);
    let rush = [
        "rush",
        "--url",
        &url,
        "--orders",
        book,
        "--run",
        "book",
        "--take-back",
        "--json",
    ];
    let mut taken = Value::Null;
    for run in 0..2 {
        let (outcome, exit) = shop.run_json(&rush).await;
        assert_eq!(
            (exit, &outcome["clean"]),
            (Some(0), &json!(true)),
            "{run} {outcome}"
        );
        let replay = &outcome["replay"];
        let expected = if run == 0 { paid_before } else { 4 };
        assert_eq!(replay["paidByEarlierRun"], expected);
        let without_sale = json!({
            "NOT_GOODS": { "lines": 1, "units": 1 },
            "MORE_THAN_SOLD": { "lines": 1, "units": 5 },
            "NO_EARLIER_SALE": { "lines": 1, "units": 1 },
        });
        assert_eq!(replay["takenBack"]["withoutSale"], without_sale);
        let sold = &replay["sold"];
        assert_eq!(
            (&sold["bookUnits"], &sold["soldUnits"]),
            (&json!(7), &json!(7))
        );
        // 5 at 2.65 and 2 at 3.10: the last prices.
        let money = json!({ "GBP": 1_945 });
        let customers = &sold["customers"];
        assert_eq!(
            (&customers["bookMinor"], &customers["keptMinor"]),
            (&money, &money)
        );
        if run == 1 {
            assert_eq!(taken, replay["takenBack"], "nothing is taken back twice");
        }
        taken = replay["takenBack"].clone();
    }
    let (audit, exit) = shop.run_json(&["audit", "--json"]).await;
    assert_eq!((exit, &audit["clean"]), (Some(0), &json!(true)), "{audit}");
    taken
}

#[tokio::test]
async fn what_an_order_book_takes_back_is_cancelled_before_dispatch() {
    let shop = Shop::with(&[("PAYMENT__SIMULATED__LATENCY", "5ms")]);
    let server = shop.start().await;
    let book = take_in(&shop).await;
    let taken = take_back(&shop, &server, &book, 0).await;
    assert_eq!(taken["cancelled"], json!({ "lines": 3, "units": 8 }));
    assert_eq!(taken["returned"], json!({ "lines": 0, "units": 0 }));
    server.assert_clean().await;
}

#[tokio::test]
async fn what_an_order_book_takes_back_is_returned_after_delivery() {
    let shop = Shop::with(&[
        ("PAYMENT__SIMULATED__LATENCY", "5ms"),
        ("DELIVERY__DAY", "1s"),
        ("RETURNS__DAYS_TO_REQUEST", "600"),
    ]);
    let server = shop.start().await;
    let book = take_in(&shop).await;
    let url = endpoint(&server);
    let rush = [
        "rush", "--url", &url, "--orders", &book, "--run", "book", "--json",
    ];
    let (outcome, exit) = shop.run_json(&rush).await;
    assert_eq!(exit, Some(0), "{outcome}");
    let admin = server.sign_in(Demo::Admin).await;
    until("all parcels to arrive", || async {
        let document = "{ backOffice { orders(first: 10) {
            nodes { order { shipment { state } } } } } }";
        let data = admin.ask(document, json!({})).await;
        let orders = data["backOffice"]["orders"]["nodes"].as_array().unwrap();
        let mut states = orders.iter().map(|o| &o["order"]["shipment"]["state"]);
        states.all(|state| state == "DELIVERED").then_some(())
    })
    .await;
    let taken = take_back(&shop, &server, &book, 4).await;
    assert_eq!(taken["cancelled"], json!({ "lines": 0, "units": 0 }));
    assert_eq!(taken["returned"], json!({ "lines": 3, "units": 8 }));
    server.assert_clean().await;
}
