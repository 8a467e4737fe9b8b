//! The roles, as far as they get without servers.

use std::process::Command;
use std::time::Duration;

use tokio::time::Instant;

use crate::support::{Process, Shop, until};

/// Addresses where nobody listens. (Port 1 is nobody's.)
const NOWHERE: [(&str, &str); 7] = [
    (
        "LEDGER__URL",
        "mysql://shop:hunter2hunter2@127.0.0.1:1/shop",
    ),
    ("REDIS__NODES", "127.0.0.1:1"),
    ("KAFKA__BROKERS", "127.0.0.1:1"),
    ("PAYMENT__URL", "http://127.0.0.1:1"),
    ("PAYMENT__SECRET_KEY", "sk_nowhere"),
    ("PAYMENT__WEBHOOK_SECRET", "whsec_nowhere"),
    ("PROCESS__START", "4s"),
];

/// What a command that must fail says.
async fn failure(mut command: Command) -> String {
    let done = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = done.await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[tokio::test]
async fn a_role_without_servers_says_which_keys_to_set() {
    let shop = Shop::with(&[]);
    for role in ["serve", "work"] {
        let said = failure(shop.command(&[role])).await;
        for key in ["ledger.url", "redis.nodes", "kafka.brokers", role] {
            assert!(said.contains(key), "{role}: {said}");
        }
    }
}

#[tokio::test]
async fn servers_that_are_set_in_part_are_all_named() {
    let shop = Shop::with(&[("REDIS__NODES", "127.0.0.1:1"), ("REDIS__MODE", "magic")]);
    let said = failure(shop.command(&["migrate"])).await;
    assert!(said.contains("redis.mode"), "{said}");

    let shop = Shop::with(&[("REDIS__NODES", "127.0.0.1:1"), ("WORK__LINGER", "5s")]);
    for command in [&[][..], &["serve"], &["work"], &["migrate"], &["audit"]] {
        let said = failure(shop.command(command)).await;
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(
            lines,
            [
                "firstcome: work.linger: must last at most a second",
                "firstcome: ledger.url: must be set too, as redis.nodes is",
                "firstcome: kafka.brokers: must be set too, as redis.nodes is",
            ],
            "{command:?}"
        );
    }
}

#[tokio::test]
async fn a_worker_that_is_not_there_is_told_with_those_that_are() {
    let shop = Shop::with(&NOWHERE);
    let said = failure(shop.command(&["work", "--only", "payment,order_writer"])).await;
    assert!(said.contains("\"order_writer\""), "{said}");
    assert!(
        said.contains("order-writer, payment, cancellation"),
        "{said}"
    );
}

#[tokio::test]
async fn who_is_not_prepared_is_told_to_migrate_and_makes_no_keys() {
    let shop = Shop::with(&NOWHERE);
    for command in [
        &["serve"][..],
        &["work"],
        &["audit"],
        &["import", "none.csv"],
    ] {
        let said = failure(shop.command(command)).await;
        assert!(said.contains("reading the keys"), "{command:?}: {said}");
        assert!(said.contains("firstcome migrate"), "{command:?}: {said}");
    }
    assert!(!shop.data().join("keys.json").exists());
}

#[tokio::test]
async fn servers_that_do_not_answer_are_waited_for_and_named() {
    let shop = Shop::with(&NOWHERE);
    let begin = Instant::now();
    let said = failure(shop.command(&["migrate"])).await;
    assert!(begin.elapsed() >= Duration::from_secs(4), "{said}");
    assert!(said.contains("waiting for it"), "{said}");
    assert!(said.contains("\"sql\""), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    // What it made is there for the next try, and it is no longer the keys that are missing.
    assert!(shop.data().join("keys.json").exists());
    let said = failure(shop.command(&["serve"])).await;
    assert!(said.contains("opening the ledger"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn a_node_that_waits_for_servers_can_be_stopped() {
    let mut shop = Shop::with(&NOWHERE);
    failure(shop.command(&["migrate"])).await;
    shop.set("PROCESS__START", "10m");
    for role in ["serve", "work"] {
        let mut process = Process::start(shop.command(&[role]));
        until("the node to wait", || async {
            process.printed().contains("waiting for it").then_some(())
        })
        .await;
        process.signal("-TERM");
        assert_eq!(process.exit().await.code(), Some(0), "{role}");
    }
}
