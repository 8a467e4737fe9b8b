//! Dead letters as operators look through and settle them.

use std::collections::HashSet;

use async_trait::async_trait;
use domain::act::Act;
use domain::dead_letter::{FiledLetter, KeptLetter, LetterFilter, Settled};
use domain::message::Offset;
use domain::order::KeyUse;
use domain::page::{Cursor, CursorValue, Page, Window};
use domain::ports::DeadLetters;
use domain::ports::dead_letters::Standing;
use domain::{DeadLetterId, Fault};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use super::entities::dead_letters::{ActiveModel, Column, Entity};
use super::fault::{Stop, while_doing};
use super::paging::{self, Direction, List};
use super::positions::Place;
use super::rows::dead_letter::letter_row;
use super::rows::{BadRow, ms};
use super::{Ledger, bulk, keys, positions, records};
use crate::words::Word;

/// Where the log keeps them, in one order.
const PLACE: Place = Place {
    topic: "dead-letters",
    number: 0,
};

#[async_trait]
impl DeadLetters for Ledger {
    async fn standing(&self) -> Result<Standing, Fault> {
        self.read("asking after dead letters", |on| async move {
            let open = Entity::find().filter(Column::SettledAt.is_null());
            Ok(Standing {
                next: positions::of(&on, PLACE).await?,
                open: open.count(&on).await?,
            })
        })
        .await
    }

    async fn file(
        &self,
        from: Offset,
        letters: &[KeptLetter],
        next: Offset,
    ) -> Result<bool, Fault> {
        self.write("filing dead letters", |on| async move {
            file(&on, from, letters, next).await
        })
        .await
    }

    async fn list(
        &self,
        filter: &LetterFilter,
        window: &Window,
    ) -> Result<Page<FiledLetter>, Fault> {
        self.read("looking through dead letters", |on| async move {
            list(&on, filter, window).await
        })
        .await
    }

    async fn get(&self, id: DeadLetterId) -> Result<Option<FiledLetter>, Fault> {
        let doing = "reading a dead letter";
        let row = Entity::find_by_id(id.0).one(&self.engine.reader);
        let row = while_doing(doing, row).await?;
        Ok(row.map(FiledLetter::try_from).transpose()?)
    }

    async fn settle(
        &self,
        id: DeadLetterId,
        settled: Settled,
        act: &Act,
        key: &KeyUse,
    ) -> Result<bool, Fault> {
        self.write("settling a dead letter", |on| async move {
            if keys::use_of(&on, keys::name(key)).await?.is_some() {
                return Ok(false);
            }
            let update = Entity::update_many()
                .col_expr(Column::SettledAt, Expr::value(ms(settled.at)))
                .col_expr(Column::Settlement, Expr::value(settled.settlement.word()))
                .filter(Column::Id.eq(id.0))
                .filter(Column::SettledAt.is_null());
            if update.exec(&on).await?.rows_affected == 0 {
                return Ok(false);
            }
            records::insert_acts(&on, std::iter::once(act)).await?;
            keys::insert(&on, std::slice::from_ref(key), settled.at).await?;
            Ok(true)
        })
        .await
    }
}

async fn file(
    on: &impl ConnectionTrait,
    from: Offset,
    letters: &[KeptLetter],
    next: Offset,
) -> Result<bool, Stop> {
    if !positions::move_on(on, PLACE, from, next).await? {
        return Ok(false);
    }
    let ids: Vec<Uuid> = letters.iter().map(|letter| letter.id().0).collect();
    let mut known: HashSet<Uuid> = bulk::known::<Entity>(on, Column::Id, &ids).await?;
    let new = letters.iter().filter(|letter| known.insert(letter.id().0));
    let rows = new.map(letter_row).collect();
    bulk::insert::<ActiveModel, _>(on, rows).await?;
    Ok(true)
}

async fn list(
    on: &impl ConnectionTrait,
    filter: &LetterFilter,
    window: &Window,
) -> Result<Page<FiledLetter>, Stop> {
    let mut select = Entity::find();
    if let Some(settled) = filter.settled {
        select = select.filter(if settled {
            Column::SettledAt.is_not_null()
        } else {
            Column::SettledAt.is_null()
        });
    }
    if let Some(group) = filter.group {
        select = select.filter(Column::MemberGroup.eq(group.name()));
    }
    let list = List {
        select,
        value: Column::KeptAt,
        id: Column::Id,
        order: Direction::Falling,
        reads: paging::instant,
    };
    let (rows, around) = list.take(on, window).await?;
    let letters = rows.into_iter().map(FiledLetter::try_from);
    let letters = letters.collect::<Result<_, BadRow>>()?;
    Ok(around.page(letters, |letter: &FiledLetter| Cursor {
        value: CursorValue::At(letter.kept.at),
        id: letter.id.0,
    }))
}
