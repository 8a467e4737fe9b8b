//! What only those who run the shop may see.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::ports::back_office;
use domain::use_cases::audit;
use domain::use_cases::view_order::OrderView;
use domain::{AccountId, DeadLetterId, ItemId, OrderId, Refusal};

use crate::fault::{Fault, nullable};
use crate::graphql::Graph;
use crate::graphql::connection::{cost, shown, window_by_time};
use crate::graphql::ids::GlobalId;
use crate::graphql::lists::{
    AccountConnection, BackOfficeOrderConnection, DeadLetterConnection, OperatorActConnection,
    StockMovementConnection,
};
use crate::graphql::outcome::refused;
use crate::graphql::scalars::{DateTime, Uuid, count};

use super::account::{Account, AccountRole};
use super::audit::StockAudit;
use super::dead_letter::{DeadLetter, DeadLetterFilter};
use super::item::Item;
use super::order::{Order, OrderState};

/// The back office.
pub struct BackOffice;

/// For those who run the shop: role ADMIN.
#[Object]
impl BackOffice {
    /// Anybody's orders that the ledger has, the newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100; or give `last`.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100; or give `first`.")] last: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which orders; all of them without it.")] filter: Option<OrderFilter>,
    ) -> Option<BackOfficeOrderConnection> {
        let window = window_by_time(ctx, (first, last, after, before))?;
        let filter = filter.unwrap_or_default().parse();
        let filter = nullable(ctx, filter.map(Some).map_err(|r| refused(ctx, &r.reason)))?;
        let page = Graph::of(ctx)
            .ports
            .back_office
            .orders(&filter, &window)
            .await;
        shown(ctx, page, BackOfficeOrderConnection::of)
    }

    /// Anybody's order that the ledger has; null when there is none of that id.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order's id, `order_…`.")] id: ID,
    ) -> Option<BackOfficeOrder> {
        let id = OrderId::parse(&id).ok()?;
        let orders = Graph::of(ctx).ports.orders.orders(&[id]).await;
        let order = orders.map(|mut orders| orders.pop().map(BackOfficeOrder::of));
        nullable(ctx, order.map_err(Fault::from))
    }

    /// Accounts, the newest first; those made for rehearsals are left out.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100; or give `last`.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100; or give `first`.")] last: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which accounts; all of them without it.")] filter: Option<UserFilter>,
    ) -> Option<AccountConnection> {
        let window = window_by_time(ctx, (first, last, after, before))?;
        let filter = filter.unwrap_or_default().parse();
        let filter = nullable(ctx, filter.map(Some).map_err(|r| refused(ctx, &r.reason)))?;
        let page = Graph::of(ctx)
            .ports
            .back_office
            .accounts(&filter, &window)
            .await;
        shown(ctx, page, AccountConnection::of)
    }

    /// The stock of one item by the ledger and by the gate, with the movements that explain it; null
    /// when there is no such item.
    async fn item_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item's id, `item_…`.")] item_id: ID,
    ) -> Option<ItemStock> {
        let id = ItemId::parse(&item_id).ok()?;
        let found = ItemStock::load(ctx, id).await;
        nullable(ctx, found)
    }

    /// What operators did, the newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100; or give `last`.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100; or give `first`.")] last: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only what was done to this: the `subject` of an act.")] subject: Option<
            Uuid,
        >,
        #[graphql(desc = "Only what this operator did, `account_…`.")] operator_id: Option<ID>,
    ) -> Option<OperatorActConnection> {
        let window = window_by_time(ctx, (first, last, after, before))?;
        let operator = operator_id.as_ref().map(AccountId::parse).transpose();
        let operator = operator.map(Some).map_err(|reason| refused(ctx, &reason));
        let filter = back_office::ActFilter {
            subject: subject.map(|subject| subject.0),
            operator: nullable(ctx, operator)?,
        };
        let page = Graph::of(ctx)
            .ports
            .back_office
            .acts(&filter, &window)
            .await;
        shown(ctx, page, OperatorActConnection::of)
    }

    /// Records that could not be handled, the newest first. They are here seconds after they were put
    /// aside.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn dead_letters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100; or give `last`.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100; or give `first`.")] last: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which dead letters; all of them without it.")] filter: Option<
            DeadLetterFilter,
        >,
    ) -> Option<DeadLetterConnection> {
        let window = window_by_time(ctx, (first, last, after, before))?;
        let filter = filter.unwrap_or_default().parse();
        let page = Graph::of(ctx)
            .ports
            .dead_letters
            .list(&filter, &window)
            .await;
        shown(ctx, page, DeadLetterConnection::of)
    }

    /// A record that could not be handled; null when there is none of that id.
    async fn dead_letter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The dead letter's id, `letter_…`.")] id: ID,
    ) -> Option<DeadLetter> {
        let id = DeadLetterId::parse(&id).ok()?;
        let letter = Graph::of(ctx).ports.dead_letters.get(id).await;
        let letter = letter.map(|letter| letter.map(DeadLetter::from));
        nullable(ctx, letter.map_err(Fault::from))
    }

    /// Holds the ledger against itself, against the gate and against the payment provider. It reads
    /// everything and waits up to 15 seconds for the pipeline to come to rest. Null when something
    /// can't be read.
    #[graphql(complexity = "1000 + child_complexity")]
    async fn stock_audit(&self, ctx: &Context<'_>) -> Option<StockAudit> {
        let report = audit::audit(&Graph::of(ctx).ports).await;
        nullable(
            ctx,
            report
                .map(|report| Some(report.into()))
                .map_err(Fault::from),
        )
    }
}

/// Which orders are wanted; an order has to meet everything that is given.
#[derive(InputObject, Debug, Default)]
pub struct OrderFilter {
    /// Placed by this account, `account_…`.
    buyer_id: Option<ID>,
    /// In one of these states.
    states: Option<Vec<OrderState>>,
    /// Placed at this instant or later.
    placed_from: Option<DateTime>,
    /// Placed before this instant.
    placed_before: Option<DateTime>,
}

impl OrderFilter {
    fn parse(self) -> Result<back_office::OrderFilter, Refusal> {
        let buyer = self.buyer_id.as_ref().map(AccountId::parse).transpose();
        let states = self.states.unwrap_or_default();
        Ok(back_office::OrderFilter {
            buyer: buyer.map_err(|reason| reason.at(["buyerId"]))?,
            states: states.into_iter().map(Into::into).collect(),
            placed_from: self.placed_from.map(|at| at.0),
            placed_before: self.placed_before.map(|at| at.0),
        })
    }
}

/// Which accounts are wanted; an account has to meet everything that is given.
#[derive(InputObject, Default)]
pub struct UserFilter {
    /// With this e-mail address, the whole of it: addresses are kept sealed and found by a digest.
    #[graphql(secret)]
    email: Option<String>,
    /// With this role.
    role: Option<AccountRole>,
}

impl UserFilter {
    fn parse(self) -> Result<back_office::AccountFilter, Refusal> {
        let email = self.email.as_deref().map(domain::account::Email::parse);
        let email = email.transpose().map_err(|reason| reason.at(["email"]))?;
        Ok(back_office::AccountFilter {
            email,
            role: self.role.map(Into::into),
        })
    }
}

/// An order with who placed it.
pub struct BackOfficeOrder {
    buyer: AccountId,
    order: Order,
}

impl BackOfficeOrder {
    /// The order that the ledger gave.
    pub fn of(order: domain::order::Order) -> Self {
        Self {
            buyer: order.buyer,
            order: Order(OrderView::Written(Box::new(order))),
        }
    }
}

/// Anybody's order, with who placed it.
#[Object]
impl BackOfficeOrder {
    /// The order.
    async fn order(&self) -> &Order {
        &self.order
    }

    /// Who placed it, `account_…`.
    async fn buyer_id(&self) -> ID {
        self.buyer.to_global()
    }

    /// Who placed it; null when the account is gone or can't be read.
    async fn buyer(&self, ctx: &Context<'_>) -> Option<Account> {
        let account = Graph::of(ctx).ports.accounts.account(self.buyer).await;
        let account = account.map(|account| account.map(Account));
        nullable(ctx, account.map_err(Fault::from))
    }
}

/// An item's stock as each of those who count it has it.
pub struct ItemStock {
    id: ItemId,
    item: Item,
    ledger: LedgerStock,
    gate: Option<GateStock>,
}

impl ItemStock {
    async fn load(ctx: &Context<'_>, id: ItemId) -> Result<Option<Self>, Fault> {
        let ports = &Graph::of(ctx).ports;
        let Some(item) = ports.catalogue.items(&[id]).await?.pop() else {
            return Ok(None);
        };
        let level = ports.gate.exact_levels(&[id]).await?.pop();
        let stock = item.stock;
        Ok(Some(Self {
            id,
            item: Item(Arc::new(item)),
            ledger: LedgerStock {
                total: count(stock.total),
                held: count(stock.held),
                admitted: count(stock.admitted),
                released: count(stock.released),
                available: count(stock.available()),
            },
            gate: level.map(|level| GateStock {
                admitted: count(level.admitted),
                ceiling: count(level.terms.ceiling),
                available: count(level.terms.ceiling - level.admitted),
            }),
        }))
    }
}

/// An item's stock as each of those who count it has it.
#[Object]
impl ItemStock {
    /// The item.
    async fn item(&self) -> &Item {
        &self.item
    }

    /// What the ledger has: what every order is written against.
    async fn ledger(&self) -> &LedgerStock {
        &self.ledger
    }

    /// What the gate has; null when it has not loaded the item. While orders are on their way it is
    /// ahead of the ledger.
    async fn gate(&self) -> Option<&GateStock> {
        self.gate.as_ref()
    }

    /// Whether both have the same left.
    async fn agrees(&self) -> bool {
        let gate = self.gate.as_ref();
        gate.is_none_or(|gate| gate.available == self.ledger.available)
    }

    /// What moved of it, the newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn movements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100; or give `last`.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100; or give `first`.")] last: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Option<StockMovementConnection> {
        let window = window_by_time(ctx, (first, last, after, before))?;
        let page = Graph::of(ctx)
            .ports
            .back_office
            .movements(self.id, &window)
            .await;
        shown(ctx, page, StockMovementConnection::of)
    }
}

/// What the ledger counts of an item.
#[derive(SimpleObject)]
pub struct LedgerStock {
    /// Units there are, sold ones included.
    total: i32,
    /// Units that orders hold or have bought.
    held: i32,
    /// Units ever let through the gate, each once.
    admitted: i32,
    /// Units ever given back, or let through without an order getting them.
    released: i32,
    /// `total` less `held`.
    available: i32,
}

/// What the gate counts of an item.
#[derive(SimpleObject)]
pub struct GateStock {
    /// Units it ever let through.
    admitted: i32,
    /// Units it may ever let through.
    ceiling: i32,
    /// `ceiling` less `admitted`.
    available: i32,
}
