//! How a server's ledger is opened, and what it is told.

use adapters::sql::{Ledger, LedgerSettings};
use domain::event::{AccountEvent, Event};
use domain::ports::Clock;
use domain::{EventId, FaultKind};

use super::bench::{LONG, account, at, buyer, id, item_id, order_id, record};
use super::server::{Shop, settings};

pub async fn a_schema_that_is_not_there_or_another_is_said_so(shop: &Shop) {
    let said = async || {
        let fault = shop.try_open(&settings()).await.err().expect("refused");
        assert_eq!(fault.kind, FaultKind::Corrupt, "a repetition ends the same");
        fault.detail()
    };
    let raw = shop.raw().await;
    raw.say("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_tomorrow', 0)")
        .await;
    assert!(said().await.contains("later program"), "{}", said().await);
    let fault = shop.migrate().await.unwrap_err();
    assert!(
        fault.detail().contains("later program"),
        "{}",
        fault.detail()
    );

    raw.say("DELETE FROM seaql_migrations WHERE version > 'm0004_accounts'")
        .await;
    assert!(
        said().await.contains("run `firstcome migrate`"),
        "{}",
        said().await
    );
    raw.say("DROP TABLE seaql_migrations").await;
    assert!(
        said().await.contains("run `firstcome migrate`"),
        "{}",
        said().await
    );
    let nowhere = Shop::named(&shop.url());
    let fault = nowhere.try_open(&settings()).await.err().expect("refused");
    assert!(
        fault.detail().contains("run `firstcome migrate`"),
        "{}",
        fault.detail()
    );
}

pub async fn several_migrate_at_once(shop: &Shop) {
    let fresh = Shop::named(&shop.url());
    let (one, two, three) = tokio::join!(fresh.migrate(), fresh.migrate(), fresh.migrate());
    for migrated in [one, two, three] {
        migrated.map_err(|fault| fault.detail()).unwrap();
    }
    fresh.migrate().await.unwrap();
    let bench = fresh.bench().await;
    assert!(bench.accounts.is_empty().await.unwrap());
}

pub async fn an_account_from_before_there_was_a_second_factor_gets_one(shop: &Shop) {
    let bench = shop.bench().await;
    let created = bench
        .accounts
        .create(&[account(1, "kim@example.com")])
        .await;
    assert!(created.unwrap());
    let raw = shop.raw().await;
    raw.say("UPDATE accounts SET second_factor = NULL").await;
    for on in [false, true] {
        let happened = AccountEvent::SecondFactorSet { on };
        let event = Event::of_account(EventId(id(13, 1)), buyer(1), at(50), happened);
        let set = bench.accounts.set_second_factor(buyer(1), on, &event).await;
        assert!(set.unwrap());
        let read = bench.accounts.account(buyer(1)).await.unwrap();
        assert_eq!(read.unwrap().second_factor, on);
        assert_eq!(bench.events().await, u64::from(on), "none had none before");
    }
}

pub async fn nobody_hears_the_password(shop: &Shop) {
    let url = shop.url();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (user, place) = rest.rsplit_once('@').unwrap();
    let user = user.split(':').next().unwrap();
    let quick = LedgerSettings {
        acquire_timeout: std::time::Duration::from_millis(300),
        ..settings()
    };
    let (host, database) = place.split_once('/').unwrap();
    let nowhere = format!("{}:1", host.rsplit_once(':').unwrap().0);
    for url in [
        format!("{scheme}://{user}:hush-hush%2Fhush@{nowhere}/{database}"),
        format!("{scheme}://nobody:hush-hush%2Fhush@{place}"),
        format!("{scheme}://{user}:hush-hush%2Fhush@{host}"),
        format!("{scheme}://{user}:hush-hush%FFhush@{place}"),
        format!("{scheme}://{user}:hush-hush%2Fhush@{place}:99999999/x"),
        format!("oracle://{user}:hush-hush%2Fhush@{place}"),
    ] {
        let faults = [
            Ledger::migrate(&url, &quick).await.err(),
            Ledger::open(
                &url,
                &quick,
                std::sync::Arc::new(adapters::clock::SystemClock),
                super::server::vault(),
            )
            .await
            .err(),
        ];
        // A server that trusts everybody lets the wrong password pass.
        for fault in faults.into_iter().flatten() {
            let said = format!("{} {fault:?}", fault.detail());
            assert!(!said.contains("hush"), "{said}");
        }
    }
}

/// What no row may be, and the constraint that says so.
const BROKEN: &[(&str, &str)] = &[
    (
        "UPDATE stock SET held = 11, admitted = 12",
        "stock_held_in_range",
    ),
    (
        "UPDATE stock SET held = -1, admitted = 0",
        "stock_held_in_range",
    ),
    ("UPDATE stock SET admitted = 1", "stock_counts_agree"),
    (
        "UPDATE stock SET released = -1, held = 4",
        "stock_released_in_range",
    ),
    ("UPDATE stock SET total = -1", "stock_held_in_range"),
    (
        "UPDATE buyer_stock SET released = admitted + 1",
        "buyer_stock_released_in_range",
    ),
    (
        "UPDATE buyer_stock SET released = -1",
        "buyer_stock_released_in_range",
    ),
    (
        "UPDATE orders SET total_minor = -1",
        "orders_total_in_range",
    ),
    ("UPDATE orders SET version = 0", "orders_version_positive"),
    (
        "UPDATE order_lines SET quantity = 0",
        "order_lines_quantity_positive",
    ),
    (
        "UPDATE order_lines SET price_minor = -1",
        "order_lines_price_in_range",
    ),
    (
        "UPDATE payments SET attempt = 0",
        "payments_attempt_positive",
    ),
    (
        "UPDATE payments SET amount_minor = -1",
        "payments_amount_in_range",
    ),
    (
        "UPDATE refunds SET amount_minor = -1",
        "refunds_amount_in_range",
    ),
    ("UPDATE items SET price_minor = -1", "items_price_in_range"),
    (
        "UPDATE items SET limit_per_buyer = 0",
        "items_limit_positive",
    ),
    (
        "UPDATE items SET opens_at = 5, closes_at = 5",
        "items_window_in_order",
    ),
    (
        "UPDATE writer_positions SET next_offset = -1",
        "writer_positions_in_range",
    ),
    ("UPDATE stock SET item_id = order_id FROM orders", ""),
    ("DELETE FROM items", "stock_item"),
    ("DELETE FROM orders", ""),
];

pub async fn the_law_of_stock_holds_whoever_writes(shop: &Shop) {
    let bench = shop.bench().await;
    let item = bench.deal(1, 10, Some(3)).await;
    bench
        .write_holding(&[record(1, 1, &[(item, 2)])], LONG)
        .await;
    let paid = bench.paid(2, 2, item).await;
    let refund = super::bench::new_ids(2).refund;
    bench
        .done(&paid.cancel(&[], refund, super::bench::at(30)).unwrap())
        .await;
    let raw = shop.raw().await;
    for (broken, constraint) in BROKEN {
        let refused = raw.try_say(broken).await.expect_err(broken);
        assert!(refused.contains(*constraint), "{broken}: {refused}");
    }
    assert_eq!(raw.try_say("UPDATE stock SET changed_at = 1").await, Ok(1));
    assert!(bench.audit.buyers_off(9).await.unwrap().is_empty());
}

pub async fn the_clock_is_the_servers_wherever_it_is(shop: &Shop) {
    let raw = shop.raw().await;
    if !raw.is_mysql() {
        let database = raw.text("SELECT current_database()::text").await;
        raw.say(&format!(
            "ALTER DATABASE {database} SET timezone TO 'Asia/Seoul'"
        ))
        .await;
    }
    let bench = shop.bench().await;
    let item = bench.general(1, 10).await;
    let before = adapters::clock::SystemClock.now();
    bench
        .write_holding(&[record(1, 1, &[(item_id(1), 1)])], LONG)
        .await;
    let after = adapters::clock::SystemClock.now();
    let order = bench.order(order_id(1)).await;
    let domain::order::OrderState::PendingPayment { expires_at } = order.state else {
        panic!("{order:?}")
    };
    let set_at = expires_at - chrono::TimeDelta::milliseconds(LONG);
    assert!(
        before <= set_at && set_at <= after,
        "{before} {set_at} {after}"
    );
    let since = bench.catalogue.tellings_since(Some(before), None, 9).await;
    assert_eq!(since.unwrap()[0].item, item);
}
