//! The ledger as operators look at it.

use async_trait::async_trait;
use domain::account::Account;
use domain::act::Act;
use domain::movement::Movement;
use domain::order::Order;
use domain::page::{Cursor, CursorValue, Page, Window};
use domain::ports::BackOffice;
use domain::ports::back_office::{AccountFilter, ActFilter, OrderFilter};
use domain::{Fault, ItemId};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::entities::{accounts, operator_acts, orders, stock_movements};
use super::fault::Stop;
use super::orders::whole;
use super::paging::{self, Direction, List};
use super::rows::account::{account, email_index};
use super::rows::{BadRow, ms};
use super::{Ledger, records};
use crate::words::Word;

#[async_trait]
impl BackOffice for Ledger {
    async fn orders(&self, filter: &OrderFilter, window: &Window) -> Result<Page<Order>, Fault> {
        self.read("looking through orders", |on| async move {
            self.orders_like(&on, filter, window).await
        })
        .await
    }

    async fn accounts(
        &self,
        filter: &AccountFilter,
        window: &Window,
    ) -> Result<Page<Account>, Fault> {
        self.read("looking through accounts", |on| async move {
            self.accounts_like(&on, filter, window).await
        })
        .await
    }

    async fn movements(&self, item: ItemId, window: &Window) -> Result<Page<Movement>, Fault> {
        self.read("reading movements of stock", |on| async move {
            use stock_movements::{Column, Entity};
            let list = List {
                select: Entity::find().filter(Column::ItemId.eq(item.0)),
                value: Column::At,
                id: Column::Id,
                order: Direction::Falling,
                reads: paging::instant,
            };
            let (rows, around) = list.take(&on, window).await?;
            let movements = rows.into_iter().map(Movement::try_from);
            let movements = movements.collect::<Result<_, BadRow>>()?;
            Ok(around.page(movements, |movement: &Movement| Cursor {
                value: CursorValue::At(movement.at),
                id: movement.id,
            }))
        })
        .await
    }

    async fn acts(&self, filter: &ActFilter, window: &Window) -> Result<Page<Act>, Fault> {
        self.read("reading the audit log", |on| async move {
            use operator_acts::{Column, Entity};
            let mut select = Entity::find();
            if let Some(subject) = filter.subject {
                select = select.filter(Column::SubjectId.eq(subject));
            }
            if let Some(operator) = filter.operator {
                select = select.filter(Column::OperatorId.eq(operator.0));
            }
            let list = List {
                select,
                value: Column::At,
                id: Column::Id,
                order: Direction::Falling,
                reads: paging::instant,
            };
            let (rows, around) = list.take(&on, window).await?;
            let acts = rows.into_iter().map(Act::try_from);
            let acts = acts.collect::<Result<_, BadRow>>()?;
            Ok(around.page(acts, |act: &Act| Cursor {
                value: CursorValue::At(act.at),
                id: act.id.0,
            }))
        })
        .await
    }

    async fn record(&self, act: &Act) -> Result<(), Fault> {
        self.write("adding to the audit log", |on| async move {
            records::insert_acts(&on, std::iter::once(act)).await
        })
        .await
    }
}

impl Ledger {
    async fn orders_like(
        &self,
        on: &impl ConnectionTrait,
        filter: &OrderFilter,
        window: &Window,
    ) -> Result<Page<Order>, Stop> {
        use orders::{Column, Entity};
        let mut select = Entity::find();
        if let Some(buyer) = filter.buyer {
            select = select.filter(Column::BuyerId.eq(buyer.0));
        }
        if !filter.states.is_empty() {
            let words = filter.states.iter().map(|state| state.word());
            select = select.filter(Column::Status.is_in(words));
        }
        if let Some(from) = filter.placed_from {
            select = select.filter(Column::PlacedAt.gte(ms(from)));
        }
        if let Some(before) = filter.placed_before {
            select = select.filter(Column::PlacedAt.lt(ms(before)));
        }
        let list = List {
            select,
            value: Column::PlacedAt,
            id: Column::Id,
            order: Direction::Falling,
            reads: paging::instant,
        };
        let (rows, around) = list.take(on, window).await?;
        let orders = whole(on, &self.vault, rows).await?;
        Ok(around.page(orders, |order| Cursor {
            value: CursorValue::At(order.placed_at),
            id: order.id.0,
        }))
    }

    async fn accounts_like(
        &self,
        on: &impl ConnectionTrait,
        filter: &AccountFilter,
        window: &Window,
    ) -> Result<Page<Account>, Stop> {
        use accounts::{Column, Entity};
        let mut select = Entity::find().filter(Column::Rehearsal.eq(false));
        if let Some(email) = &filter.email {
            select = select.filter(Column::EmailIndex.eq(email_index(&self.vault, email)));
        }
        if let Some(role) = filter.role {
            select = select.filter(Column::Role.eq(role.word()));
        }
        let list = List {
            select,
            value: Column::CreatedAt,
            id: Column::Id,
            order: Direction::Falling,
            reads: paging::instant,
        };
        let (rows, around) = list.take(on, window).await?;
        let accounts = rows.into_iter().map(|row| account(&self.vault, row));
        let accounts = accounts.collect::<Result<_, BadRow>>()?;
        Ok(around.page(accounts, |account: &Account| Cursor {
            value: CursorValue::At(account.created_at),
            id: account.id.0,
        }))
    }
}
