//! Whole rushes against a little shop that can be told to misbehave.

mod replay;
mod stub;
mod sustained;

use clap::Parser;
use domain::Fault;
use domain::use_cases::audit::{AuditReport, Finding, Pipeline};
use serde_json::json;

use super::*;
use stub::{Habit, Item, Manners, State, Stub};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: RushArgs,
}

/// The options as they are typed.
fn args(shop: &Stub, options: &str) -> RushArgs {
    args_to(&shop.url, options)
}

fn args_to(url: &str, options: &str) -> RushArgs {
    let words = ["rush", "--url", url]
        .into_iter()
        .chain(options.split_whitespace());
    Cli::try_parse_from(words).unwrap().args
}

/// A clean audit.
async fn clean() -> Result<AuditReport, Fault> {
    Ok(AuditReport {
        pipeline: Pipeline::AtRest,
        ..Default::default()
    })
}

/// A whole rush, with an account for everybody.
async fn rush(args: RushArgs) -> Result<Outcome, RushError> {
    let plan = plan(args, Uuid::from_u128(7))?;
    let buyers = plan.buyers().iter().map(|name| Buyer {
        token: name.clone(),
    });
    let buyers = buyers.collect();
    run(plan, buyers, clean).await
}

fn deal(available: i64, manners: Manners) -> State {
    let item = |id: &str, available, phase| Item {
        id: id.to_owned(),
        sku: String::new(),
        seller: String::new(),
        available,
        phase: Some(phase),
    };
    let items = vec![
        item("item_best", available, "OPEN"),
        item("item_small", 1, "OPEN"),
        item("item_later", 9_999, "UPCOMING"),
    ];
    State::new(items, manners)
}

#[tokio::test]
async fn a_crowd_takes_the_deal_with_most_stock_and_no_unit_more() {
    let shop = Stub::open(deal(50, Manners::default())).await;
    let options = "--buyers 200 --concurrency 8 --pay 0.5 --subscribers 5";
    let outcome = rush(args(&shop, options)).await.unwrap();
    let told = outcome.to_json()["stampede"].clone();
    assert_eq!(
        (&told["deal"]["id"], &told["deal"]["availableAfter"]),
        (&json!("item_best"), &json!(0))
    );
    assert_eq!(told["orders"]["accepted"], 50);
    assert_eq!(told["orders"]["refused"], json!({ "OUT_OF_STOCK": 150 }));
    assert_eq!(
        (
            &told["orders"]["faults"],
            &told["orders"]["transportErrors"]
        ),
        (&json!({}), &json!({}))
    );
    assert_eq!(told["latency"]["answers"], 200);
    let paid = told["payments"]["accepted"].as_u64().unwrap();
    assert!((20..=30).contains(&paid), "{paid}");
    assert_eq!(told["verified"]["states"]["PAID"].as_u64(), Some(paid));
    let seen = &told["subscribers"];
    assert_eq!(
        (&seen["snapshots"], &seen["stale"], &seen["fallenVersions"]),
        (&json!(5), &json!(0), &json!(0))
    );
    assert!(seen["updates"].as_u64().unwrap() >= 5);
    assert!(outcome.is_clean());
    let mut printed = Vec::new();
    outcome.print(&mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    assert!(
        printed.ends_with("rush: clean\n") && printed.contains("150  refused: OUT_OF_STOCK"),
        "{printed}"
    );
    assert!(
        !printed.contains("buyer-0000001"),
        "a token is printed: {printed}"
    );
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_buys_once() {
    let manners = Manners {
        silent_after: Some(7),
        try_again: Some(5),
        ..Default::default()
    };
    let shop = Stub::open(deal(1_000, manners)).await;
    let outcome = rush(args(&shop, "--buyers 100 --retry --concurrency 4"))
        .await
        .unwrap();
    let told = outcome.to_json()["stampede"].clone();
    assert_eq!(
        (&told["orders"]["accepted"], &told["verified"]["orders"]),
        (&json!(100), &json!(100))
    );
    assert!(told["replayed"].as_u64().unwrap() > 0);
    assert!(told["orders"]["requests"].as_u64().unwrap() > 100);
    assert_eq!(shop.state().states().values().sum::<usize>(), 100);
    assert!(outcome.is_clean());
}

#[tokio::test]
async fn who_does_not_try_again_is_counted_apart() {
    let manners = Manners {
        silent_after: Some(10),
        try_again: Some(4),
        ..Default::default()
    };
    let shop = Stub::open(deal(1_000, manners)).await;
    let outcome = rush(args(&shop, "--buyers 100 --concurrency 1"))
        .await
        .unwrap();
    let orders = outcome.to_json()["stampede"]["orders"].clone();
    assert_eq!(orders["accepted"], 70);
    assert_eq!(orders["refused"], json!({ "TRY_AGAIN": 20 }));
    assert_eq!(
        orders["transportErrors"],
        json!({ "connection broken off": 10 })
    );
    assert!(outcome.is_clean(), "nobody was answered who is not there");
}

#[tokio::test]
async fn an_order_that_was_answered_and_is_gone_is_found_out() {
    let manners = Manners {
        forgets: Some(10),
        ..Default::default()
    };
    let shop = Stub::open(deal(20, manners)).await;
    let outcome = rush(args(&shop, "--buyers 20 --patience 1")).await.unwrap();
    let json = outcome.to_json();
    assert_eq!(
        (&json["stampede"]["verified"]["missing"], &json["clean"]),
        (&json!(2), &json!(false))
    );
    assert_eq!(json["audit"]["invariants"][3]["holds"], false);
    assert!(!outcome.is_clean());
}

#[tokio::test]
async fn subscribers_notice_versions_that_fall_and_values_that_do_not_come() {
    let falling = Manners {
        habit: Habit::FallingVersions,
        ..Default::default()
    };
    let shop = Stub::open(deal(20, falling)).await;
    let outcome = rush(args(&shop, "--buyers 20 --subscribers 2 --patience 1"))
        .await
        .unwrap();
    let seen = outcome.to_json()["stampede"]["subscribers"].clone();
    assert!(
        seen["fallenVersions"].as_u64().unwrap() > 0 && !outcome.is_clean(),
        "{seen}"
    );
}

#[tokio::test]
async fn a_subscriber_who_is_told_nothing_is_stale() {
    let mute = Manners {
        habit: Habit::Mute,
        ..Default::default()
    };
    let shop = Stub::open(deal(20, mute)).await;
    let outcome = rush(args(&shop, "--buyers 20 --subscribers 3 --patience 1"))
        .await
        .unwrap();
    let seen = outcome.to_json()["stampede"]["subscribers"].clone();
    assert_eq!(
        (&seen["snapshots"], &seen["updates"], &seen["stale"]),
        (&json!(3), &json!(0), &json!(3))
    );
    assert!(!outcome.is_clean());
}

#[tokio::test]
async fn a_broken_invariant_and_a_missing_audit_are_not_clean() {
    let shop = Stub::open(deal(20, Manners::default())).await;
    let plan =
        |run: &str| plan(args(&shop, &format!("--buyers 1 --run {run}")), Uuid::nil()).unwrap();
    let buyer = || {
        vec![Buyer {
            token: "one".to_owned(),
        }]
    };
    let broken = async || {
        let detail = "held 5 of total 4".to_owned();
        let finding = Finding {
            invariant: 1,
            subject: Uuid::nil(),
            detail,
        };
        Ok(AuditReport {
            findings: vec![finding],
            pipeline: Pipeline::AtRest,
            ..Default::default()
        })
    };
    let outcome = run(plan("a"), buyer(), broken).await.unwrap();
    assert!(!outcome.is_clean() && outcome.to_json()["audit"]["clean"] == false);
    let failing = async || Err(Fault::unavailable("reading the ledger", "it is locked"));
    let outcome = run(plan("b"), buyer(), failing).await.unwrap();
    assert!(!outcome.is_clean());
    assert_eq!(
        outcome.to_json()["audit"]["failed"],
        "reading the ledger: it is locked"
    );
}

#[tokio::test]
async fn a_run_of_the_same_name_buys_nothing_twice() {
    let shop = Stub::open(deal(100, Manners::default())).await;
    for replayed in [0, 10] {
        let outcome = rush(args(&shop, "--buyers 10 --run twice")).await.unwrap();
        let told = outcome.to_json()["stampede"].clone();
        assert_eq!(
            (&told["orders"]["accepted"], &told["replayed"]),
            (&json!(10), &json!(replayed))
        );
    }
    assert_eq!(shop.state().states().values().sum::<usize>(), 10);
}

#[tokio::test]
async fn it_waits_for_the_next_deal_by_the_engines_clock() {
    let mut state = deal(10, Manners::default());
    state.items.retain(|item| item.phase == Some("UPCOMING"));
    let shop = Stub::open(state).await;
    let error = rush(args(&shop, "--buyers 1")).await.err().unwrap();
    assert!(error.to_string().contains("--open-at"), "{error}");
    let begun = tokio::time::Instant::now();
    let outcome = rush(args(&shop, "--buyers 1 --open-at")).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(outcome.to_json()["stampede"]["deal"]["id"], "item_later");
}

#[tokio::test]
async fn without_anybody_to_answer_there_is_no_rush() {
    let nowhere = "http://127.0.0.1:1/graphql";
    let error = rush(args_to(nowhere, "--buyers 1")).await.err().unwrap();
    assert!(error.to_string().contains("no connection"), "{error}");
    let plan = plan(args_to(nowhere, "--buyers 2"), Uuid::nil()).unwrap();
    let too_few = run(plan, Vec::new(), clean).await;
    assert!(too_few.is_err());
}

#[test]
fn options_that_make_no_sense_are_refused() {
    for options in [
        "--buyers 0",
        "--pay 1.5",
        "--pay -1",
        "--pay NaN",
        "--rate 0",
        "--concurrency 0",
        "--run Winter",
        "--orders a.csv --buyers 5",
        "--orders a.csv --deal item_1",
        "--seller account_1",
    ] {
        let words = ["rush"].into_iter().chain(options.split_whitespace());
        assert!(Cli::try_parse_from(words).is_err(), "{options}");
    }
    assert_eq!(parts_per_million("0.5"), Ok(500_000));
    assert_eq!(parts_per_million("1"), Ok(1_000_000));
}
