//! What is sealed, sealed again: every column of personal data, a page of rows at a time.

use domain::Fault;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::Ledger;
use super::fault::{Stop, while_doing};
use crate::crypto::vault::{Place, Vault};

/// A table with sealed columns; its rows are found by `id`.
#[derive(Clone, Copy, Debug)]
pub struct SealedTable {
    pub name: &'static str,
    pub columns: &'static [&'static str],
}

/// Every column that holds personal data. A column that is missing here keeps its old key from ever
/// being dropped by anybody's mistake, but is never sealed anew: a test holds this against the schema.
pub const SEALED: &[SealedTable] = &[
    SealedTable {
        name: "accounts",
        columns: &["email", "name", "phone", "address"],
    },
    SealedTable {
        name: "verifications",
        columns: &["email"],
    },
    SealedTable {
        name: "orders",
        columns: &["delivery_address"],
    },
];

/// What was found in some rows, and done to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Resealed {
    /// Sealed texts that were looked at.
    pub texts: u64,
    /// Those that another key had sealed, and that the vault's has now.
    pub resealed: u64,
    /// Those that somebody else wrote in between: with whichever key, the next look shows.
    pub overtaken: u64,
    /// Those that no key opens. They stay as they are.
    pub unreadable: u64,
}

impl Resealed {
    /// Whether the vault's key had sealed everything.
    pub fn is_nothing_left(&self) -> bool {
        self.resealed == 0 && self.overtaken == 0 && self.unreadable == 0
    }
}

impl std::ops::AddAssign for Resealed {
    fn add_assign(&mut self, more: Self) {
        self.texts += more.texts;
        self.resealed += more.resealed;
        self.overtaken += more.overtaken;
        self.unreadable += more.unreadable;
    }
}

/// A text that is to be sealed anew.
pub(super) struct Old {
    pub(super) place: Place,
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Ledger {
    /// Seals with the vault's key what another one sealed in up to `most` rows behind `after`, in the
    /// order of their ids. Returns what was found, and the last of the rows; none once there are no
    /// more. What somebody writes at the same time is theirs: only the text that was read is replaced.
    ///
    /// # Errors
    /// A fault of the ledger; what was sealed anew before it stays so.
    pub async fn reseal(
        &self,
        table: SealedTable,
        after: Option<Uuid>,
        most: u64,
    ) -> Result<(Resealed, Option<Uuid>), Fault> {
        let (mut found, old, last) = while_doing("reading what is sealed", async {
            let rows = rows(&self.engine.reader, table, after, most).await?;
            let last = rows.last().map(|(id, _)| *id);
            let (found, old) = sift(&self.vault, table, rows);
            Ok::<_, Stop>((found, old, last))
        })
        .await?;
        // Each on its own: it locks one row for a moment, and waits for nobody while it has it.
        for text in &old {
            let moved = self.write(
                "sealing anew",
                |on| async move { Ok(replace(&on, text).await?) },
            );
            if moved.await? {
                found.resealed += 1;
            } else {
                found.overtaken += 1;
            }
        }
        Ok((found, last))
    }
}

pub(super) type Row = (Uuid, Vec<Option<Vec<u8>>>);

pub(super) async fn rows(
    on: &impl ConnectionTrait,
    table: SealedTable,
    after: Option<Uuid>,
    most: u64,
) -> Result<Vec<Row>, DbErr> {
    let mut select = Query::select();
    select
        .column(Alias::new("id"))
        .columns(table.columns.iter().map(|column| Alias::new(*column)))
        .from(Alias::new(table.name))
        .order_by(Alias::new("id"), Order::Asc)
        .limit(most);
    if let Some(after) = after {
        select.and_where(Expr::col(Alias::new("id")).gt(after));
    }
    let rows = on.query_all(&select).await?;
    let row = |row: &sea_orm::QueryResult| {
        let sealed = (1..=table.columns.len()).map(|at| row.try_get_by_index(at));
        Ok((row.try_get_by_index(0)?, sealed.collect::<Result<_, _>>()?))
    };
    rows.iter().map(row).collect()
}

/// What another key than the vault's has sealed, with what it will be.
pub(super) fn sift(vault: &Vault, table: SealedTable, rows: Vec<Row>) -> (Resealed, Vec<Old>) {
    let (mut found, mut old) = (Resealed::default(), Vec::new());
    for (row, texts) in rows {
        for (column, from) in table.columns.iter().zip(texts) {
            let Some(from) = from else { continue };
            found.texts += 1;
            if from.first() == Some(&vault.sealing()) {
                continue;
            }
            let place = Place {
                table: table.name,
                column,
                row,
            };
            let opened = vault.open(place, &from);
            match opened.and_then(|text| vault.seal(place, &text)) {
                Ok(to) => old.push(Old { place, from, to }),
                Err(error) => {
                    found.unreadable += 1;
                    let (table, column, row) = (place.table, place.column, row.to_string());
                    tracing::error!(table, column, row, %error, "a sealed text can't be opened");
                }
            }
        }
    }
    (found, old)
}

/// Replaces a text that is still there; whether it was.
pub(super) async fn replace(on: &impl ConnectionTrait, text: &Old) -> Result<bool, DbErr> {
    let column = || Alias::new(text.place.column);
    let update = Query::update()
        .table(Alias::new(text.place.table))
        .value(column(), text.to.clone())
        .and_where(Expr::col(Alias::new("id")).eq(text.place.row))
        .and_where(Expr::col(column()).eq(text.from.clone()))
        .take();
    Ok(on.execute(&update).await?.rows_affected() == 1)
}
