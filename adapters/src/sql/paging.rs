//! Pages by keyset: a place in a list is a value and an id, never a number of rows.

use domain::page::{Cursor, CursorValue, End, Page, Window};
use sea_orm::sea_query::{Order, Value};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use uuid::Uuid;

use super::rows::ms;

/// A list in the order of a column, and of the id where values are equal.
pub struct List<E: EntityTrait> {
    pub select: Select<E>,
    pub value: E::Column,
    pub id: E::Column,
    pub order: Direction,
    /// The value of a cursor, if it is one of this list's.
    pub reads: fn(&CursorValue) -> Option<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    Rising,
    Falling,
}

/// A place in a list, there or not.
struct Place {
    value: Value,
    id: Uuid,
}

/// A cursor that is of another list: nothing here is beside it.
struct AnotherList;

/// Whether a list has others on either side of some rows.
#[derive(Clone, Copy, Default)]
pub struct Around {
    has_previous: bool,
    has_next: bool,
}

/// A side of a place, with or without the place itself.
#[derive(Clone, Copy)]
enum Side {
    After,
    Before,
    UpTo,
    FromOn,
}

impl<E: EntityTrait> List<E> {
    /// Takes the rows of a window, in the list's order.
    pub async fn take(
        self,
        on: &impl ConnectionTrait,
        window: &Window,
    ) -> Result<(Vec<E::Model>, Around), DbErr> {
        let (Ok(after), Ok(before)) = (
            self.place(window.after.as_ref()),
            self.place(window.before.as_ref()),
        ) else {
            return Ok((Vec::new(), Around::default()));
        };
        let mut select = self.select.clone();
        if let Some(place) = &after {
            select = select.filter(self.beside(place, Side::After));
        }
        if let Some(place) = &before {
            select = select.filter(self.beside(place, Side::Before));
        }
        let order = match (self.order, window.from) {
            (Direction::Rising, End::First) | (Direction::Falling, End::Last) => Order::Asc,
            (Direction::Rising, End::Last) | (Direction::Falling, End::First) => Order::Desc,
        };
        let select = select
            .order_by(self.value, order.clone())
            .order_by(self.id, order);
        // One more than asked for tells whether the list goes on.
        let mut rows = select.limit(window.count as u64 + 1).all(on).await?;
        let goes_on = rows.len() > window.count;
        rows.truncate(window.count);
        if window.from == End::Last {
            rows.reverse();
        }
        let (is_first, is_last) = (window.from == End::First, window.from == End::Last);
        let has_previous = is_last && goes_on || self.any(on, after, Side::UpTo).await?;
        let has_next = is_first && goes_on || self.any(on, before, Side::FromOn).await?;
        let around = Around {
            has_previous,
            has_next,
        };
        Ok((rows, around))
    }

    /// The place of a cursor.
    fn place(&self, cursor: Option<&Cursor>) -> Result<Option<Place>, AnotherList> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let value = (self.reads)(&cursor.value).ok_or(AnotherList)?;
        let id = cursor.id;
        Ok(Some(Place { value, id }))
    }

    /// Whether the list has rows on that side of the place; none where no place is given, since
    /// then the part begins or ends where the list does.
    async fn any(
        &self,
        on: &impl ConnectionTrait,
        place: Option<Place>,
        side: Side,
    ) -> Result<bool, DbErr> {
        let Some(place) = place else { return Ok(false) };
        let select = self.select.clone().filter(self.beside(&place, side));
        let select = select.select_only().column(self.id).limit(1);
        Ok(select.into_tuple::<Uuid>().one(on).await?.is_some())
    }

    /// The rows on one side of a place. The first comparison is the one an index can use.
    fn beside(&self, place: &Place, side: Side) -> Condition {
        let (value, id) = (self.value, self.id);
        let at = || place.value.clone();
        let later = match side {
            Side::After | Side::FromOn => self.order == Direction::Rising,
            Side::Before | Side::UpTo => self.order == Direction::Falling,
        };
        let (from, past, beyond) = if later {
            let beyond = match side {
                Side::After | Side::Before => id.gt(place.id),
                Side::UpTo | Side::FromOn => id.gte(place.id),
            };
            (value.gte(at()), value.gt(at()), beyond)
        } else {
            let beyond = match side {
                Side::After | Side::Before => id.lt(place.id),
                Side::UpTo | Side::FromOn => id.lte(place.id),
            };
            (value.lte(at()), value.lt(at()), beyond)
        };
        Condition::all()
            .add(from)
            .add(Condition::any().add(past).add(beyond))
    }
}

impl Around {
    /// The page of what was made of the rows that were taken.
    pub fn page<T>(self, rows: Vec<T>, cursor: impl Fn(&T) -> Cursor) -> Page<T> {
        Page {
            rows: rows.into_iter().map(|row| (cursor(&row), row)).collect(),
            has_previous: self.has_previous,
            has_next: self.has_next,
        }
    }
}

/// What a list that is ordered by an instant reads of a cursor.
pub fn instant(value: &CursorValue) -> Option<Value> {
    match value {
        CursorValue::At(at) => Some(ms(*at).into()),
        CursorValue::Minor(_) | CursorValue::Text(_) => None,
    }
}

/// The same of one that is ordered by an amount.
pub fn amount(value: &CursorValue) -> Option<Value> {
    match value {
        CursorValue::Minor(minor) => Some((*minor).into()),
        CursorValue::At(_) | CursorValue::Text(_) => None,
    }
}

/// The same of one that is ordered by a text.
pub fn text(value: &CursorValue) -> Option<Value> {
    match value {
        CursorValue::Text(text) => Some(text.clone().into()),
        CursorValue::At(_) | CursorValue::Minor(_) => None,
    }
}
