//! Lists, a page at a time, by stable keyset cursors.

use uuid::Uuid;

use crate::Timestamp;
use crate::item::Category;
use crate::{AccountId, Money};

/// Which part of a list is wanted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Window {
    /// At most this many, from the given end.
    pub count: usize,
    pub from: End,
    /// Only what comes after this place.
    pub after: Option<Cursor>,
    /// Only what comes before this place.
    pub before: Option<Cursor>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    First,
    Last,
}

/// A place in a list: the value it is ordered by, and the id that makes it unique.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cursor {
    pub value: CursorValue,
    pub id: Uuid,
}

/// What a list is ordered by.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum CursorValue {
    At(Timestamp),
    Minor(i64),
    Text(String),
}

/// A page, in the list's order whichever end it was taken from.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub rows: Vec<(Cursor, T)>,
    pub has_previous: bool,
    pub has_next: bool,
}

/// The most rows of a page.
pub const MAX_PAGE: usize = 100;

/// Which items are wanted, and in which order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ItemQuery {
    pub filter: ItemFilter,
    pub order: ItemOrder,
    pub window: Window,
}

#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct ItemFilter {
    pub kind: Option<ItemKindFilter>,
    pub category: Option<Category>,
    pub seller: Option<AccountId>,
    /// With one of these codes, exactly as the shop wrote them; empty asks for any. At most
    /// [`MAX_PAGE`].
    pub skus: Vec<String>,
    /// Contained in the name, whatever the case.
    pub name_contains: Option<String>,
    pub price_from: Option<Money>,
    pub price_to: Option<Money>,
    /// Only what orders could still get, as the ledger has it.
    pub in_stock: bool,
    /// Deals that open from here on.
    pub opens_from: Option<Timestamp>,
    /// Deals that open before.
    pub opens_before: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ItemKindFilter {
    General,
    TimeDeal,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ItemOrder {
    NewestFirst,
    OldestFirst,
    CheapestFirst,
    DearestFirst,
    ByName,
    /// Deals by their opening, the earliest first; items that are no deals are left out.
    OpensFirst,
}
