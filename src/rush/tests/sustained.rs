//! Rushes that go on for a time.

use super::*;

fn stock(available: i64) -> Vec<Item> {
    let item = |id: &str, available| Item {
        id: id.to_owned(),
        sku: String::new(),
        seller: String::new(),
        available,
        phase: None,
    };
    vec![item("item_small", 1), item("item_best", available)]
}

async fn press(shop: &Stub, options: &str) -> Outcome {
    let options = format!("--for 1s --warm-up 200ms --connections 4 --buyers 6 {options}");
    rush(args(shop, &options)).await.unwrap()
}

#[tokio::test]
async fn it_orders_for_its_time_and_finds_every_order_again() {
    let shop = Stub::open(State::new(stock(10_000_000), Manners::default())).await;
    let own = format!("--watch shop={0} --watch shop={0}+", std::process::id());
    let outcome = press(&shop, &own).await;
    assert!(outcome.is_clean());
    let told = outcome.to_json()["sustained"].clone();
    assert_eq!(told["items"], json!(["item_best"]));
    let accepted = told["orders"]["accepted"].as_u64().unwrap();
    assert!(
        accepted > 10 && told["ordersPerSecond"] == accepted,
        "{told}"
    );
    assert_eq!(told["bySecond"]["most"], accepted);
    assert_eq!(told["latency"]["answers"], accepted);
    // Those of the warm-up are not counted, but they have to be there too.
    let verified = told["verified"]["orders"].as_u64().unwrap();
    assert!(verified > accepted, "{told}");
    assert_eq!(told["verified"]["states"]["PENDING_PAYMENT"], verified);
    let written = told["writtenPerSecond"].as_u64().unwrap();
    assert!(0 < written && written <= accepted, "{told}");
    // The shop is in this process: it costs twice what the crowd does, being watched twice.
    let costs = &told["processors"]["microsecondsPerOrder"];
    let cost = |name: &str| costs[name].as_f64().unwrap();
    assert!(cost("crowd") > 0.0, "{costs}");
    assert!(
        (cost("shop") - 2.0 * cost("crowd")).abs() < cost("crowd") / 2.0,
        "{costs}"
    );
    let mut printed = Vec::new();
    outcome.print(&mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    assert!(printed.contains("orders a second") && printed.ends_with("rush: clean\n"));
}

#[tokio::test]
async fn the_items_take_turns_and_what_is_refused_is_no_order() {
    let shop = Stub::open(State::new(stock(5), Manners::default())).await;
    let options = "--for 1s --warm-up 0s --connections 4 --item item_small --item item_best";
    let outcome = rush(args(&shop, options)).await.unwrap();
    let told = outcome.to_json()["sustained"].clone();
    assert_eq!(told["orders"]["accepted"], 6);
    let refused = told["orders"]["refused"]["OUT_OF_STOCK"].as_u64().unwrap();
    // Whoever is refused pauses before the next order.
    assert!((4..200).contains(&refused), "{told}");
    assert!(outcome.is_clean());
}

#[tokio::test]
async fn an_order_that_is_forgotten_is_missed() {
    let manners = Manners {
        forgets: Some(50),
        ..Default::default()
    };
    let shop = Stub::open(State::new(stock(10_000_000), manners)).await;
    let outcome = press(&shop, "--patience 1").await;
    let told = outcome.to_json()["sustained"].clone();
    assert!(told["verified"]["missing"].as_u64().unwrap() > 0, "{told}");
    assert!(!outcome.is_clean());
}

#[tokio::test]
async fn nodes_share_the_crowd_and_are_told_apart() {
    let items = || State::new(stock(10_000_000), Manners::default());
    let (one, other) = (Stub::open(items()).await, Stub::open(items()).await);
    let options = format!("--for 1s --warm-up 0s --connections 4 --url {}", other.url);
    let outcome = rush(args(&one, &options)).await.unwrap();
    let nodes = outcome.to_json()["sustained"]["nodes"].clone();
    assert_eq!(nodes, json!([one.url, other.url]));
    for shop in [&one, &other] {
        assert!(shop.state().states().values().sum::<usize>() > 10);
    }
    // These two are not one shop, so half of the orders are not found where they are asked for.
    assert!(!outcome.is_clean());
}

#[tokio::test]
async fn a_process_that_is_not_there_can_not_be_watched() {
    let shop = Stub::open(State::new(stock(9), Manners::default())).await;
    let options = format!("--for 1s --watch api={}", u32::MAX);
    let error = rush(args(&shop, &options)).await.err().unwrap();
    assert!(error.to_string().contains("(api)"), "{error}");
    assert!(shop.state().states().is_empty());
}

#[test]
fn what_makes_no_sense_for_a_time_is_refused() {
    for options in [
        "--for soon",
        "--for 1s --deal item_1",
        "--for 1s --rate 5",
        "--for 1s --retry",
        "--for 1s --watch api",
        "--watch api=1",
        "--item item_1",
        "--floor",
    ] {
        let words = ["rush"].into_iter().chain(options.split_whitespace());
        assert!(Cli::try_parse_from(words).is_err(), "{options}");
    }
}
