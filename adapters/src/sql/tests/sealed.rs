//! What is sealed anew, and which columns those are.

use sea_orm::Statement;
use sea_orm::sea_query::{Alias, Query};

use super::*;
use crate::crypto::keyring::Dated;
use crate::sql::sealed::{SEALED, SealedTable, replace, rows, sift};
use domain::ports::Accounts;

/// Columns of bytes that hold no sealed text: ids, digests, and what the log carries.
fn is_plain(column: &str) -> bool {
    let names = ["id", "admission", "fingerprint", "email_index", "payload"];
    let ends = ["_id", "_digest", "_key"];
    names.contains(&column) || ends.iter().any(|end| column.ends_with(end))
}

#[tokio::test]
async fn no_column_of_personal_data_is_left_out() {
    let (ledger, _folder) = open().await;
    let on = &ledger.engine.reader;
    let columns = "SELECT t.name, c.name, c.type FROM sqlite_master AS t, \
                   pragma_table_info(t.name) AS c WHERE t.type = 'table'";
    let columns = Statement::from_string(on.get_database_backend(), columns);
    let mut sealed = Vec::new();
    for row in on.query_all_raw(columns).await.unwrap() {
        let text = |at| row.try_get_by_index::<String>(at).unwrap();
        let (table, column, kind) = (text(0), text(1), text(2).to_lowercase());
        let is_bytes = kind.contains("blob") || kind.contains("binary") || kind.contains("uuid");
        if is_bytes && !is_plain(&column) {
            sealed.push(format!("{table}.{column}"));
        }
    }
    let mut known: Vec<String> = SEALED
        .iter()
        .flat_map(|table| {
            table
                .columns
                .iter()
                .map(|column| format!("{}.{column}", table.name))
        })
        .collect();
    sealed.sort();
    known.sort();
    assert_eq!(
        sealed, known,
        "a new column of bytes is either sealed, and then `SEALED` has it, or named here"
    );
}

#[tokio::test]
async fn what_somebody_writes_in_between_stays_theirs() {
    let (ledger, _folder) = open().await;
    let kim = account(1, "kim@example.com");
    let one = std::slice::from_ref(&kim);
    assert!(Accounts::create(&ledger, one).await.unwrap());
    let names = SealedTable {
        name: "accounts",
        columns: &["name"],
    };
    let read = rows(&ledger.engine.reader, names, None, 9).await.unwrap();
    let next = VaultKey {
        id: 2,
        bytes: [8; 32],
    };
    let keys = [
        Dated::first(VaultKey {
            id: 1,
            bytes: [7; 32],
        }),
        Dated {
            key: next,
            from: Timestamp::from_timestamp(1, 0).unwrap(),
        },
    ];
    let now = Timestamp::from_timestamp(2, 0).unwrap();
    ledger.vault.replace(&keys, now);
    let (found, old) = sift(&ledger.vault, names, read);
    assert_eq!((found.texts, old.len()), (1, 1));

    // The person has another name by now.
    let place = old[0].place;
    let theirs = ledger.vault.seal(place, "Another Name").unwrap();
    let update = Query::update()
        .table(Alias::new("accounts"))
        .value(Alias::new("name"), theirs)
        .take();
    ledger.engine.writer.execute(&update).await.unwrap();
    let moved = replace(&ledger.engine.writer, &old[0]).await.unwrap();
    assert!(!moved, "it replaced what it had not read");
    let read = ledger.account(kim.id).await.unwrap().unwrap();
    assert_eq!(read.profile.name, "Another Name");
}
