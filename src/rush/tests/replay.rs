//! A shop's own customers with their baskets.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::stub::{Habit, Item, Manners, State, Stub};
use super::{Outcome, RushError, args, rush};

/// An order book of made-up customers: 23 units of three products, on four invoices.
fn book() -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    let lines = [
        "InvoiceNo,StockCode,Description,Quantity,UnitPrice,CustomerID,Country",
        "900001,10001A,LANTERN,6,2.55,71,United Kingdom",
        "900001,10002,TEA SET,2,4.25,71,United Kingdom",
        "900001,10001a,LANTERN,4,2.55,71,United Kingdom",
        "900001,POST,POSTAGE,1,18,71,United Kingdom",
        "C900002,10001A,LANTERN,-6,2.55,72,United Kingdom",
        "900003,10003,CARD,1,0.42,,United Kingdom",
        "900004,10003,CARD,9,0.42,,United Kingdom",
        "900005,10002,TEA SET,1,4.25,72,France",
        "900006,10002,damages,-3,0,,United Kingdom",
        "C900007,10001A,LANTERN,-5,2.55,71,United Kingdom",
        "C900007,10002,TEA SET,-2,4.25,72,France",
        "C900008,10003,CARD,-1,0.42,,United Kingdom",
    ];
    file.write_all(lines.join("\n").as_bytes()).unwrap();
    file
}

fn goods(units: [i64; 3], manners: Manners) -> State {
    let item = |(number, available): (usize, i64)| Item {
        id: format!("item_{number}"),
        sku: ["10001A", "10002", "10003"][number].to_owned(),
        seller: "account_1".to_owned(),
        available,
        phase: None,
    };
    let items = units.into_iter().enumerate().map(item).collect();
    State::new(items, manners)
}

async fn replay(shop: &Stub, options: &str) -> Result<Outcome, RushError> {
    let book = book();
    let path = book.path().to_str().unwrap().to_owned();
    rush(args(
        shop,
        &format!("--orders {path} --concurrency 2 --patience 2 {options}"),
    ))
    .await
}

fn replayed(outcome: &Outcome) -> Value {
    outcome.to_json()["replay"].clone()
}

#[tokio::test]
async fn a_book_is_bought_paid_and_sold_to_the_unit() {
    let shop = Stub::open(goods([10, 3, 10], Manners::default())).await;
    let outcome = replay(&shop, "--run winter").await.unwrap();
    let told = replayed(&outcome);
    assert_eq!(
        (&told["paid"], &told["paidByEarlierRun"]),
        (&json!(4), &json!(0))
    );
    assert_eq!(
        (&told["sold"]["soldUnits"], &told["sold"]["equal"]),
        (&json!(23), &json!(true))
    );
    assert_eq!(told["book"]["cancellationInvoices"], 3);
    assert_eq!(told["takenBack"], json!(null));
    assert!(outcome.is_clean());

    let again = replay(&shop, "--run winter").await.unwrap();
    assert_eq!(
        (&replayed(&again)["paidByEarlierRun"], again.is_clean()),
        (&json!(4), true)
    );
    assert_eq!(shop.state().states(), [("PAID", 4)].into());

    let other = replay(&shop, "--run spring").await.unwrap();
    let told = replayed(&other);
    assert_eq!(told["notBought"], json!({ "OUT_OF_STOCK": 4 }));
    assert_eq!(told["notBoughtInvoices"][0]["invoice"], "900001");
    assert!(!other.is_clean(), "nothing of it was sold");
    let mut printed = Vec::new();
    other.print(&mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    assert!(
        printed.contains("invoice 900003 (line 7): OUT_OF_STOCK, 1 of 10003: No."),
        "{printed}"
    );
}

#[tokio::test]
async fn a_run_goes_on_where_the_one_before_it_ended() {
    let shop = Stub::open(goods(
        [10, 3, 10],
        Manners {
            habit: Habit::Impatient,
            ..Default::default()
        },
    ))
    .await;
    let outcome = replay(&shop, "--run winter").await.unwrap();
    assert_eq!(replayed(&outcome)["notBought"], json!({ "EXPIRED": 4 }));
    assert_eq!(shop.state().states(), [("EXPIRED", 12)].into());
    shop.state().manners = Manners {
        silent_after: Some(3),
        try_again: Some(5),
        ..Default::default()
    };
    let outcome = replay(&shop, "--run winter").await.unwrap();
    assert!(outcome.is_clean());
    assert_eq!(
        replayed(&outcome)["verified"]["states"],
        json!({ "EXPIRED": 12, "PAID": 4 })
    );
}

#[tokio::test]
async fn what_is_not_sold_as_ordered_is_found_out() {
    let shop = Stub::open(goods(
        [10, 3, 10],
        Manners {
            habit: Habit::Shortchanging,
            ..Default::default()
        },
    ))
    .await;
    let outcome = replay(&shop, "").await.unwrap();
    let sold = replayed(&outcome)["sold"].clone();
    assert_eq!(
        (&sold["equal"], &sold["different"], &sold["soldUnits"]),
        (&json!(false), &json!(3), &json!(17))
    );
    assert!(!outcome.is_clean());
}

#[tokio::test]
async fn what_the_book_takes_back_is_cancelled_or_returned_once() {
    for (habit, way, other, states) in [
        (
            Habit::Good,
            "cancelled",
            "returned",
            [("CANCELLED", 1), ("PAID", 3)].into(),
        ),
        (
            Habit::Quick,
            "returned",
            "cancelled",
            BTreeMap::from([("PAID", 4)]),
        ),
    ] {
        let manners = Manners {
            habit,
            ..Default::default()
        };
        let shop = Stub::open(goods([10, 3, 10], manners)).await;
        for run in 0..2 {
            // The second time all of it has been taken back already.
            let outcome = replay(&shop, "--run winter --take-back").await.unwrap();
            let told = replayed(&outcome);
            let taken = &told["takenBack"];
            assert_eq!(
                taken[way],
                json!({ "lines": 2, "units": 6 }),
                "{run} {told}"
            );
            assert_eq!(taken[other], json!({ "lines": 0, "units": 0 }));
            let without_sale = json!({
                "NO_CUSTOMER": { "lines": 1, "units": 1 },
                "NO_EARLIER_SALE": { "lines": 1, "units": 6 },
                "MORE_THAN_SOLD": { "lines": 1, "units": 1 },
            });
            assert_eq!(taken["withoutSale"], without_sale);
            let sold = &told["sold"];
            assert_eq!(
                (&sold["bookUnits"], &sold["soldUnits"]),
                (&json!(17), &json!(17))
            );
            let customers = &sold["customers"];
            assert_eq!(customers["keptMinor"], json!({ "GBP": 1_700 }));
            assert_eq!(
                (&customers["customers"], outcome.is_clean()),
                (&json!(4), true)
            );
            assert_eq!(shop.state().states(), states);
        }
        // A run that takes nothing back does not find what it sold.
        let outcome = replay(&shop, "--run winter").await.unwrap();
        assert!(!outcome.is_clean());
    }
}

#[tokio::test]
async fn a_pound_that_was_not_given_back_is_found_out() {
    let manners = Manners {
        habit: Habit::Stingy,
        ..Default::default()
    };
    let shop = Stub::open(goods([10, 3, 10], manners)).await;
    let outcome = replay(&shop, "--take-back").await.unwrap();
    let sold = replayed(&outcome)["sold"].clone();
    assert_eq!(
        (&sold["different"], &sold["equal"]),
        (&json!(0), &json!(false))
    );
    let differences = &sold["customers"]["differences"];
    let expected = json!({
        "customer": "customer-71",
        "book": { "units": 7, "minor": { "GBP": 700 } },
        "sold": { "units": 7, "minor": { "GBP": 800 } },
    });
    assert_eq!(differences[0], expected);
    assert!(!outcome.is_clean());
    let mut printed = Vec::new();
    outcome.print(&mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    let line = "customer-71: 7 units for 7.00 GBP by the book, 7 units for 8.00 GBP";
    assert!(printed.contains(line), "{printed}");
}

#[tokio::test]
async fn codes_that_are_not_in_the_catalogue_are_named() {
    let mut state = goods([10, 3, 10], Manners::default());
    state.items.truncate(2);
    let shop = Stub::open(state).await;
    let outcome = replay(&shop, "").await.unwrap();
    let told = replayed(&outcome);
    assert_eq!(told["notInCatalogue"], json!({ "10003": 2 }));
    assert_eq!(told["notBought"], json!({ "NOT_IN_CATALOGUE": 2 }));
    assert_eq!((&told["paid"], outcome.is_clean()), (&json!(2), false));

    let empty = Stub::open(State::default()).await;
    let error = replay(&empty, "").await.err().unwrap();
    assert!(error.to_string().contains("--from-orders"), "{error}");
}

#[tokio::test]
async fn a_code_of_two_sellers_needs_a_seller() {
    let mut state = goods([10, 3, 10], Manners::default());
    let mut others = goods([10, 3, 10], Manners::default()).items;
    for item in &mut others {
        item.id += "_other";
        "account_2".clone_into(&mut item.seller);
    }
    state.items.extend(others);
    let shop = Stub::open(state).await;
    let error = replay(&shop, "").await.err().unwrap();
    assert!(error.to_string().contains("--seller"), "{error}");
    let outcome = replay(&shop, "--seller account_2").await.unwrap();
    assert!(outcome.is_clean());
}
