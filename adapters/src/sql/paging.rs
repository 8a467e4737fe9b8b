//! Pages by keyset: a place in a list is a value and an id, never a number of rows.

use domain::page::{Cursor, CursorValue, End, Window};
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
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    Rising,
    Falling,
}

/// A place in a list, there or not.
#[derive(Clone, Debug)]
pub struct Place {
    pub value: Value,
    pub id: Uuid,
}

/// A cursor that is of another list: nothing here is beside it.
pub struct AnotherList;

/// Which part of the list is wanted.
pub struct Part {
    pub count: usize,
    pub from: End,
    pub after: Option<Place>,
    pub before: Option<Place>,
}

/// Rows in the list's order, and whether there are others on either side of them.
pub struct Taken<M> {
    pub rows: Vec<M>,
    pub has_previous: bool,
    pub has_next: bool,
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
    /// Takes one part.
    pub async fn take(
        self,
        on: &impl ConnectionTrait,
        part: Part,
    ) -> Result<Taken<E::Model>, DbErr> {
        let mut select = self.select.clone();
        if let Some(place) = &part.after {
            select = select.filter(self.beside(place, Side::After));
        }
        if let Some(place) = &part.before {
            select = select.filter(self.beside(place, Side::Before));
        }
        let order = match (self.order, part.from) {
            (Direction::Rising, End::First) | (Direction::Falling, End::Last) => Order::Asc,
            (Direction::Rising, End::Last) | (Direction::Falling, End::First) => Order::Desc,
        };
        let select = select
            .order_by(self.value, order.clone())
            .order_by(self.id, order);
        // One more than asked for tells whether the list goes on.
        let mut rows = select.limit(part.count as u64 + 1).all(on).await?;
        let goes_on = rows.len() > part.count;
        rows.truncate(part.count);
        if part.from == End::Last {
            rows.reverse();
        }
        let (is_first, is_last) = (part.from == End::First, part.from == End::Last);
        let has_previous = is_last && goes_on || self.any(on, part.after, Side::UpTo).await?;
        let has_next = is_first && goes_on || self.any(on, part.before, Side::FromOn).await?;
        Ok(Taken {
            rows,
            has_previous,
            has_next,
        })
    }

    /// Takes the window of a list that is ordered by an instant.
    pub async fn take_by_time(
        self,
        on: &impl ConnectionTrait,
        window: &Window,
    ) -> Result<Taken<E::Model>, DbErr> {
        let (Ok(after), Ok(before)) = (
            at_instant(window.after.as_ref()),
            at_instant(window.before.as_ref()),
        ) else {
            return Ok(Taken {
                rows: Vec::new(),
                has_previous: false,
                has_next: false,
            });
        };
        let part = Part {
            count: window.count,
            from: window.from,
            after,
            before,
        };
        self.take(on, part).await
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

/// The place of a cursor in a list that is ordered by an instant.
fn at_instant(cursor: Option<&Cursor>) -> Result<Option<Place>, AnotherList> {
    match cursor {
        None => Ok(None),
        Some(Cursor {
            value: CursorValue::At(at),
            id,
        }) => Ok(Some(Place {
            value: ms(*at).into(),
            id: *id,
        })),
        Some(_) => Err(AnotherList),
    }
}
