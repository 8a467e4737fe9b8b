//! Rows that should not be, and rows that nobody should read.

use domain::account::{Account, Email};
use domain::ports::{Accounts, Catalogue, Orders, Outbox};
use domain::{FaultKind, ItemId, Language, OrderId};
use sea_orm::ConnectionTrait;

use super::{ID, NAMED, account, add_item, insert_order, open, tamper};
use crate::sql::fault::Stop;

#[tokio::test]
async fn the_law_of_stock_holds_whoever_writes() {
    let (ledger, _folder) = open().await;
    add_item(&ledger).await;
    let id = ID.simple();
    let buyer = format!("INSERT INTO buyer_stock VALUES (x'{id}', x'{id}', 2, 3, 0)");
    tamper(&ledger, &insert_order()).await;
    for broken in [
        "UPDATE stock SET held = 11, admitted = 11",
        "UPDATE stock SET held = -1, released = 1",
        "UPDATE stock SET admitted = 1",
        "UPDATE stock SET released = -1, held = 1",
        "UPDATE stock SET total = -1",
        buyer.as_str(),
        "UPDATE orders SET total_minor = -1",
        "UPDATE orders SET version = 0",
        "UPDATE items SET price_minor = -1",
        "UPDATE items SET limit_per_buyer = 0",
        "UPDATE items SET opens_at = 5, closes_at = 5",
    ] {
        let refused = ledger
            .engine
            .writer
            .execute_unprepared(broken)
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("CHECK constraint failed"),
            "{broken}: {refused}"
        );
        let fault = Stop::from(refused).fault("testing");
        assert_eq!(fault.kind, FaultKind::Corrupt, "a repetition ends the same");
    }
    let stranger = format!("INSERT INTO stock VALUES (x'{:032}', 1, 0, 0, 0, 1, 0)", 77);
    let refused = ledger
        .engine
        .writer
        .execute_unprepared(&stranger)
        .await
        .unwrap_err();
    assert_eq!(
        Stop::from(refused).fault("testing").kind,
        FaultKind::Corrupt
    );
}

#[tokio::test]
async fn a_bad_row_is_named_by_table_column_and_id() {
    for (what, place) in [
        ("UPDATE orders SET status = 'LOST'", "orders.status"),
        ("UPDATE orders SET status = 'ACCEPTED'", "orders.status"),
        ("UPDATE orders SET status = 'PAYING'", "orders.payment_id"),
        ("UPDATE orders SET expires_at = NULL", "orders.expires_at"),
        (
            "UPDATE orders SET expires_at = 9223372036854775807",
            "orders.expires_at",
        ),
        ("UPDATE orders SET currency = 'XXX'", "orders.currency"),
    ] {
        let (ledger, _folder) = open().await;
        tamper(&ledger, &insert_order()).await;
        assert_eq!(ledger.orders(&[OrderId(ID)]).await.unwrap().len(), 1);
        tamper(&ledger, what).await;
        let fault = ledger.orders(&[OrderId(ID)]).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Corrupt, "{what}");
        let detail = fault.detail();
        assert!(
            detail.contains(&format!("{place} of {NAMED}")),
            "{what}: {detail}"
        );
    }
    let (ledger, _folder) = open().await;
    tamper(&ledger, &insert_order()).await;
    tamper(&ledger, "UPDATE orders SET placed_at = 'yesterday'").await;
    let fault = ledger.orders(&[OrderId(ID)]).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Corrupt, "a value of another type");
    assert!(fault.detail().contains("placed_at"), "{}", fault.detail());
    let (ledger, _folder) = open().await;
    add_item(&ledger).await;
    tamper(&ledger, "UPDATE items SET kind = 'GIFT'").await;
    let fault = ledger.items(&[ItemId(ID)]).await.unwrap_err();
    assert!(
        fault.detail().contains(&format!("items.kind of {NAMED}")),
        "{}",
        fault.detail()
    );
    tamper(&ledger, "UPDATE outbox SET payload = '{}'").await;
    let fault = ledger.take(9).await.err().unwrap();
    assert_eq!(fault.kind, FaultKind::Corrupt);
    assert!(
        fault.detail().contains("outbox.payload of 1"),
        "{}",
        fault.detail()
    );
}

#[tokio::test]
async fn personal_data_is_not_on_the_disk() {
    let (ledger, folder) = open().await;
    add_item(&ledger).await;
    assert!(
        Accounts::create(&ledger, &[account(1, "gildong@example.com")])
            .await
            .unwrap()
    );
    let found = ledger
        .by_email(&Email::parse("Gildong@example.com").unwrap())
        .await
        .unwrap();
    assert_eq!(
        found.unwrap().profile.address.as_deref(),
        Some("1 Sejong-daero")
    );
    let on_disk = || {
        let files = std::fs::read_dir(folder.path()).unwrap();
        files
            .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect::<Vec<u8>>()
    };
    for disk in [on_disk(), {
        ledger.close().await.unwrap();
        on_disk()
    }] {
        let has = |text: &str| disk.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(has("Plainly readable"), "what is not personal is found");
        for personal in ["gildong", "Gildong", "example.com", "1234-5678", "Sejong"] {
            assert!(!has(personal), "{personal}");
        }
    }
}

#[tokio::test]
async fn whoever_signed_up_before_there_were_languages_reads_english() {
    let (ledger, _folder) = open().await;
    let kim = Account {
        language: Language::Korean,
        ..account(1, "kim@example.com")
    };
    let kim = std::slice::from_ref(&kim);
    assert!(Accounts::create(&ledger, kim).await.unwrap());
    let language = async || {
        let account = ledger.account(kim[0].id).await.unwrap();
        account.unwrap().language
    };
    assert_eq!(language().await, Language::Korean);
    tamper(&ledger, "UPDATE accounts SET language = NULL").await;
    assert_eq!(language().await, Language::English);
}

#[tokio::test]
async fn a_sealed_column_opens_in_its_own_row_only() {
    let (ledger, _folder) = open().await;
    let two = [
        account(0x1234, "a@example.com"),
        account(2, "b@example.com"),
    ];
    assert!(Accounts::create(&ledger, &two).await.unwrap());
    let swap = "UPDATE accounts SET name = (SELECT other.name FROM accounts AS other \
                WHERE other.id <> accounts.id)";
    tamper(&ledger, swap).await;
    let fault = ledger.account(two[0].id).await.err().unwrap();
    assert!(
        fault
            .detail()
            .contains(&format!("accounts.name of {NAMED}")),
        "{}",
        fault.detail()
    );
}
