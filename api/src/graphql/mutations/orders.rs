//! Buying.

use async_graphql::{Context, ID, InputObject, Object};
use domain::account::Role;
use domain::delivery::Address;
use domain::order::Portion;
use domain::payment::PaymentMethod;
use domain::rate::Action;
use domain::refusal::{Refusals, Rule};
use domain::use_cases::cancel_order::{CancelOrder, cancel_order};
use domain::use_cases::change_order::Changed;
use domain::use_cases::pay_order::{PayOrder, pay_order};
use domain::use_cases::place_order::{PlaceOrder, Placement, Wanted, place_order};
use domain::use_cases::view_order::{OrderView, view_order};
use domain::{
    AccountId, Failure, IdempotencyKey, ItemId, OrderId, Quantity, Reason, WishlistEntryId,
};

use crate::graphql::Graph;
use crate::graphql::ids::GlobalId;
use crate::graphql::limited::of_account;
use crate::graphql::objects::order::Order;
use crate::graphql::outcome::{answer, payload};
use crate::graphql::scalars::Uuid;
use crate::request::RequestContext;

/// Mutations of buyers.
#[derive(Default)]
pub struct Orders;

#[Object]
impl Orders {
    /// Takes stock for an order and writes it down, all lines or none. It answers with the order in
    /// state ACCEPTED; a moment later it is PENDING_PAYMENT, and its units are the buyer's until
    /// `paymentDueAt`. The same buyer and key always name the same order, so a request whose answer
    /// was lost can be sent again. For whoever is signed in.
    ///
    /// It takes either lines or entries of the requester's wishlist. Entries become a line each, with
    /// the quantity they have at that moment, and go off the wishlist together with the order's
    /// becoming PENDING_PAYMENT, even if they were changed in between; an order that ends REJECTED
    /// leaves them there. A refusal names the entry by its place, and the item.
    ///
    /// Refusals: `Unauthenticated`, `InvalidInput`, `NotFound`, `OutOfStock`, `PurchaseLimitReached`,
    /// `DealNotOpen`, `DealClosed`, `DealPaused`, `CurrencyMismatch`, `TotalTooLarge`, `IdempotencyKeyReused`,
    /// `RateLimited`, `TryAgain`.
    async fn place_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to order.")] input: PlaceOrderInput,
    ) -> Option<PlaceOrderPayload> {
        answer(ctx, input.place(ctx).await)
    }

    /// Starts a payment of an order that waits for one. It answers with the order in state PAYING;
    /// what the provider said shows in the order a moment later. For the order's buyer.
    ///
    /// Refusals: `Unauthenticated`, `InvalidInput`, `NotFound`, `StateConflict`, `PaymentWindowClosed`,
    /// `IdempotencyKeyReused`, `TryAgain`.
    async fn pay_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to pay, and how.")] input: PayOrderInput,
    ) -> Option<PayOrderPayload> {
        answer(ctx, input.pay(ctx).await)
    }

    /// Takes an order or parts of it back before it is dispatched. The units are back on sale at once;
    /// what was paid for them goes back, see `refunds`. For the order's buyer.
    ///
    /// Refusals: `Unauthenticated`, `InvalidInput`, `NotFound`, `StateConflict`, `IdempotencyKeyReused`,
    /// `TryAgain`.
    async fn cancel_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to cancel.")] input: CancelOrderInput,
    ) -> Option<CancelOrderPayload> {
        answer(ctx, input.cancel(ctx).await)
    }
}

/// What to order.
#[derive(InputObject, Debug)]
pub struct PlaceOrderInput {
    /// Made by the client, fresh for every order that is meant, the same for every repetition. With
    /// the same lines, or the same entries whatever became of them, it answers the same order and
    /// takes nothing; with others it is refused.
    idempotency_key: Uuid,
    /// What to order, at least one line. An item may stand on several; its units are added up. Exactly
    /// one of this and `wishlistEntryIds` is given.
    lines: Option<Vec<OrderLineInput>>,
    /// Entries of the requester's wishlist to order, `wish_…`, at least one and each once. Exactly one
    /// of this and `lines` is given.
    wishlist_entry_ids: Option<Vec<ID>>,
}

/// Units of an item to order.
#[derive(InputObject, Debug)]
pub struct OrderLineInput {
    /// The item, `item_…`.
    item_id: ID,
    /// Units, 1 to 1000000.
    quantity: i32,
}

payload! {
    /// What became of `placeOrder`.
    PlaceOrderPayload {
        /// The order; null exactly when it was refused.
        order: Order,
        /// Whether the same key had placed it before; nothing was taken by this request then.
        replayed: bool,
    }
}

impl PlaceOrderInput {
    async fn place(self, ctx: &Context<'_>) -> Result<PlaceOrderPayload, Failure> {
        let ports = &Graph::of(ctx).ports;
        let buyer = buyer(ctx)?;
        of_account(ctx, Action::PlaceOrder, buyer).await?;
        let wanted = self.wanted(ports.policies.max_lines)?;
        let key = IdempotencyKey(self.idempotency_key.0);
        let placement = place_order(ports, PlaceOrder { buyer, key, wanted }).await?;
        let replayed = placement.replayed;
        let order = view(ctx, buyer, placement).await?;
        Ok(PlaceOrderPayload::done(ctx, Order(order), replayed))
    }

    fn wanted(&self, most: usize) -> Result<Wanted, Failure> {
        match (&self.lines, &self.wishlist_entry_ids) {
            (Some(lines), None) => Ok(Wanted::Lines(parse_lines(lines, most)?)),
            (None, Some(ids)) => Ok(Wanted::Entries(parse_entries(ids, most)?)),
            (None, None) | (Some(_), Some(_)) => Err(Reason::from(Rule::ExactlyOne).into()),
        }
    }
}

fn parse_lines(given: &[OrderLineInput], most: usize) -> Result<Vec<(ItemId, Quantity)>, Failure> {
    refuse_beyond(most, "lines", given.len())?;
    let mut refusals = Refusals::default();
    let mut lines = Vec::with_capacity(given.len());
    for (at, line) in given.iter().enumerate() {
        let place = |field: &str| ["lines".to_owned(), at.to_string(), field.to_owned()];
        let item = ItemId::parse(&line.item_id).map_err(|r| r.at(place("itemId")));
        let quantity = Quantity::new(line.quantity.into()).map_err(|r| r.at(place("quantity")));
        if let (Some(item), Some(quantity)) = (refusals.take(item), refusals.take(quantity)) {
            lines.push((item, quantity));
        }
    }
    refusals.or(lines)
}

fn parse_entries(given: &[ID], most: usize) -> Result<Vec<WishlistEntryId>, Failure> {
    refuse_beyond(most, "wishlistEntryIds", given.len())?;
    let mut refusals = Refusals::default();
    let mut entries = Vec::with_capacity(given.len());
    for (at, id) in given.iter().enumerate() {
        let place = ["wishlistEntryIds".to_owned(), at.to_string()];
        let entry = WishlistEntryId::parse(id).map_err(|reason| reason.at(place));
        entries.extend(refusals.take(entry));
    }
    refusals.or(entries)
}

/// Before anything is said of single entries: a list beyond the bound has one refusal.
fn refuse_beyond(most: usize, field: &str, count: usize) -> Result<(), Failure> {
    if count <= most {
        return Ok(());
    }
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    Err(Reason::from(Rule::TooLong { most }).at([field]).into())
}

/// The order that was placed. A fresh one is as it was just written down; one that was placed before
/// may have come further.
async fn view(
    ctx: &Context<'_>,
    buyer: AccountId,
    placement: Placement,
) -> Result<OrderView, Failure> {
    let earlier = match (placement.replayed, placement.draft) {
        (false, Some(draft)) => return Ok(OrderView::Accepted(draft)),
        (_, draft) => draft,
    };
    let found = view_order(&Graph::of(ctx).ports, buyer, placement.order).await;
    match (found, earlier) {
        (Ok(Some(view)), _) => Ok(view),
        (_, Some(draft)) => Ok(OrderView::Accepted(draft)),
        (Ok(None), None) => Err(Reason::TryAgain { after_ms: 200 }.into()),
        (Err(fault), None) => Err(fault.into()),
    }
}

/// What to pay, and how.
#[derive(InputObject, Debug)]
pub struct PayOrderInput {
    /// The order, `order_…`.
    order_id: ID,
    /// Made by the client, fresh for every attempt that is meant, the same for every repetition.
    idempotency_key: Uuid,
    /// The payment provider's token for how the buyer pays, 1 to 255 characters. Never a card number.
    #[graphql(secret)]
    payment_method: String,
    /// Where the parcel goes, 1 to 200 characters; the address of the buyer's profile without it.
    #[graphql(secret)]
    delivery_address: Option<String>,
}

payload! {
    /// What became of `payOrder`.
    PayOrderPayload {
        /// The order, in state PAYING or beyond; null exactly when it was refused.
        order: Order,
        /// Whether the same key had started this payment before.
        replayed: bool,
    }
}

impl PayOrderInput {
    async fn pay(self, ctx: &Context<'_>) -> Result<PayOrderPayload, Failure> {
        let buyer = buyer(ctx)?;
        let order = order_id(&self.order_id)?;
        let key = IdempotencyKey(self.idempotency_key.0);
        let method = PaymentMethod(self.payment_method);
        let address = self.delivery_address.map(Address::new).transpose();
        let command = PayOrder {
            buyer,
            key,
            order,
            method,
            address: address.map_err(|reason| reason.at(["deliveryAddress"]))?,
        };
        let changed = pay_order(&Graph::of(ctx).ports, command).await?;
        let replayed = changed.replayed;
        Ok(PayOrderPayload::done(ctx, changed.into(), replayed))
    }
}

/// What to cancel.
#[derive(InputObject, Debug)]
pub struct CancelOrderInput {
    /// The order, `order_…`.
    order_id: ID,
    /// Made by the client, fresh for every cancellation that is meant, the same for every repetition.
    idempotency_key: Uuid,
    /// What of it, each line at most once; all that is left of it without this.
    lines: Option<Vec<OrderPortionInput>>,
}

/// Units of one line of an order.
#[derive(InputObject, Debug)]
pub struct OrderPortionInput {
    /// The line's `number`, from 1.
    line: i32,
    /// Units of it, at least 1 and at most what is left of it.
    quantity: i32,
}

/// The portions that are named; none where all that is left is meant.
pub(super) fn portions(
    named: Option<Vec<OrderPortionInput>>,
    most: usize,
) -> Result<Vec<Portion>, Failure> {
    let Some(named) = named else {
        return Ok(Vec::new());
    };
    let refused = |rule: Rule| Failure::from(Reason::from(rule).at(["lines"]));
    if named.is_empty() {
        return Err(refused(Rule::TooShort { least: 1 }));
    }
    if named.len() > most {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        return Err(refused(Rule::TooLong { most }));
    }
    let mut refusals = Refusals::default();
    let mut portions = Vec::with_capacity(named.len());
    for (at, portion) in named.iter().enumerate() {
        let place = |field: &str| ["lines".to_owned(), at.to_string(), field.to_owned()];
        let line = u32::try_from(portion.line).ok();
        let line = line.and_then(|line| line.checked_sub(1));
        let line = line.ok_or_else(|| Reason::NotFound.at(place("line")));
        let quantity = Quantity::new(portion.quantity.into()).map_err(|r| r.at(place("quantity")));
        if let (Some(line), Some(quantity)) = (refusals.take(line), refusals.take(quantity)) {
            portions.push(Portion { line, quantity });
        }
    }
    refusals.or(portions)
}

payload! {
    /// What became of `cancelOrder`.
    CancelOrderPayload {
        /// The order, in state CANCELLED when nothing of it is left; null exactly when it was refused.
        order: Order,
        /// Whether the same key had cancelled it before.
        replayed: bool,
    }
}

impl CancelOrderInput {
    async fn cancel(self, ctx: &Context<'_>) -> Result<CancelOrderPayload, Failure> {
        let buyer = buyer(ctx)?;
        let order = order_id(&self.order_id)?;
        let key = IdempotencyKey(self.idempotency_key.0);
        let ports = &Graph::of(ctx).ports;
        let command = CancelOrder {
            buyer,
            key,
            order,
            lines: portions(self.lines, ports.policies.max_lines)?,
        };
        let changed = cancel_order(ports, command).await?;
        let replayed = changed.replayed;
        Ok(CancelOrderPayload::done(ctx, changed.into(), replayed))
    }
}

impl From<Changed> for Order {
    fn from(changed: Changed) -> Self {
        Self(OrderView::Written(Box::new(changed.order)))
    }
}

pub(super) fn buyer(ctx: &Context<'_>) -> Result<AccountId, Reason> {
    RequestContext::of(ctx).requester.acting_as(Role::Customer)
}

pub(super) fn order_id(id: &ID) -> Result<OrderId, Failure> {
    OrderId::parse(id).map_err(|reason| reason.at(["orderId"]).into())
}
