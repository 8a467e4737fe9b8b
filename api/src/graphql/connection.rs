//! Relay connections: which page a client asks for, and opaque cursors.
//!
//! A cursor names a place by what its list is ordered by, so it stays good whatever is added or
//! removed around it.

use async_graphql::{Context, Error, SimpleObject};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use domain::page::{Cursor, CursorValue, End, MAX_PAGE, Page, Window};
use uuid::Uuid;

use crate::fault::{Fault, nullable};

use super::outcome::bad_argument;

/// Where a page of a list begins and ends, and whether there is more.
#[derive(SimpleObject, Clone, Debug)]
pub struct PageInfo {
    /// Whether there is more after this page.
    has_next_page: bool,
    /// Whether there is more before this page.
    has_previous_page: bool,
    /// The cursor of the first entry; null when the page is empty.
    start_cursor: Option<String>,
    /// The cursor of the last entry; null when the page is empty.
    end_cursor: Option<String>,
}

/// The arguments of a connection, as sent.
#[derive(Debug, Default)]
pub struct PageArguments {
    pub first: Option<i32>,
    pub last: Option<i32>,
    pub after: Option<String>,
    pub before: Option<String>,
}

/// What a list is ordered by, and so what its cursors hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderedBy {
    Time,
    Price,
    Name,
}

impl PageArguments {
    /// The part of the list that is wanted.
    ///
    /// # Errors
    /// A sentence for the client: not exactly one of `first` and `last`, a number out of range, a
    /// cursor that is none of this list.
    pub fn window(&self, by: OrderedBy) -> Result<Window, Error> {
        let (count, from) = match (self.first, self.last) {
            (Some(first), None) => (first, End::First),
            (None, Some(last)) => (last, End::Last),
            _ => return Err(bad_argument("Give either `first` or `last`.")),
        };
        let count = usize::try_from(count)
            .ok()
            .filter(|count| (1..=MAX_PAGE).contains(count));
        let Some(count) = count else {
            let message = format!("`first` and `last` are numbers from 1 to {MAX_PAGE}.");
            return Err(bad_argument(message));
        };
        let cursor = |text: &Option<String>| match text.as_deref() {
            None => Ok(None),
            Some(text) => match decode(text, by) {
                Some(cursor) => Ok(Some(cursor)),
                None => Err(bad_argument("That is no cursor of this list.")),
            },
        };
        Ok(Window {
            count,
            from,
            after: cursor(&self.after)?,
            before: cursor(&self.before)?,
        })
    }
}

/// The part that is wanted of a list by time, given as the four arguments of its field; nothing, with
/// an error beside it, where that can't be meant.
pub fn window_by_time(
    ctx: &Context<'_>,
    (first, last, after, before): (Option<i32>, Option<i32>, Option<String>, Option<String>),
) -> Option<Window> {
    let page = PageArguments {
        first,
        last,
        after,
        before,
    };
    nullable(ctx, page.window(OrderedBy::Time).map(Some))
}

/// A page that a port gave, as its connection; nothing, with an error beside it, after a fault.
pub fn shown<T, C>(
    ctx: &Context<'_>,
    page: Result<Page<T>, domain::Fault>,
    connection: impl FnOnce(Page<T>) -> C,
) -> Option<C> {
    let page = page.map(|page| Some(connection(page)));
    nullable(ctx, page.map_err(Fault::from))
}

/// What a connection costs: its entries, as many as were asked for, with all they have.
pub fn cost(first: Option<i32>, last: Option<i32>, entry: usize) -> usize {
    let asked = first.or(last).and_then(|count| usize::try_from(count).ok());
    let entries = asked.unwrap_or(MAX_PAGE).min(MAX_PAGE);
    entries.saturating_mul(entry).saturating_add(1)
}

/// A page's cursors as clients see them.
pub fn page_info<T>(page: &Page<T>) -> PageInfo {
    let cursor = |row: Option<&(Cursor, T)>| row.map(|(cursor, _)| encode(cursor));
    PageInfo {
        has_next_page: page.has_next,
        has_previous_page: page.has_previous,
        start_cursor: cursor(page.rows.first()),
        end_cursor: cursor(page.rows.last()),
    }
}

const TIME: u8 = b't';
const PRICE: u8 = b'p';
const NAME: u8 = b'n';

/// A cursor as clients see it: the kind of value, the id, the value.
pub fn encode(cursor: &Cursor) -> String {
    let mut bytes = Vec::with_capacity(32);
    let (kind, value): (u8, &[u8]) = match &cursor.value {
        CursorValue::At(at) => (TIME, &at.timestamp_millis().to_be_bytes()),
        CursorValue::Minor(minor) => (PRICE, &minor.to_be_bytes()),
        CursorValue::Text(text) => (NAME, text.as_bytes()),
    };
    bytes.push(kind);
    bytes.extend_from_slice(cursor.id.as_bytes());
    bytes.extend_from_slice(value);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str, by: OrderedBy) -> Option<Cursor> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (&kind, rest) = bytes.split_first()?;
    let (id, value) = rest.split_at_checked(16)?;
    let number = || Some(i64::from_be_bytes(value.try_into().ok()?));
    let value = match (kind, by) {
        (TIME, OrderedBy::Time) => CursorValue::At(Timestamp::from_timestamp_millis(number()?)?),
        (PRICE, OrderedBy::Price) => CursorValue::Minor(number()?),
        (NAME, OrderedBy::Name) => CursorValue::Text(String::from_utf8(value.to_vec()).ok()?),
        _ => return None,
    };
    Some(Cursor {
        value,
        id: Uuid::from_slice(id).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursors() -> [(Cursor, OrderedBy); 3] {
        let at = Timestamp::from_timestamp_millis(1_772_344_800_123).unwrap();
        let id = Uuid::from_u128(7);
        [
            (
                Cursor {
                    value: CursorValue::At(at),
                    id,
                },
                OrderedBy::Time,
            ),
            (
                Cursor {
                    value: CursorValue::Minor(-5),
                    id,
                },
                OrderedBy::Price,
            ),
            (
                Cursor {
                    value: CursorValue::Text("비 \"t".to_owned()),
                    id,
                },
                OrderedBy::Name,
            ),
        ]
    }

    #[test]
    fn a_cursor_names_the_same_place_when_it_comes_back() {
        for (cursor, by) in cursors() {
            assert_eq!(decode(&encode(&cursor), by), Some(cursor));
        }
    }

    #[test]
    fn a_cursor_of_a_list_in_another_order_is_none() {
        for (cursor, own) in cursors() {
            for by in [OrderedBy::Time, OrderedBy::Price, OrderedBy::Name] {
                assert_eq!(decode(&encode(&cursor), by).is_some(), by == own);
            }
        }
        for text in ["", "t", "!", "dAAAAAAAAAAAAAAAAAAAAAAHAAAB", "ééé"] {
            assert_eq!(decode(text, OrderedBy::Time), None, "{text}");
        }
    }

    #[test]
    fn a_page_costs_what_it_may_hold() {
        assert_eq!(cost(Some(10), None, 3), 31);
        assert_eq!(cost(None, Some(2), 3), 7);
        assert_eq!(cost(None, None, 3), 301);
        assert_eq!(cost(Some(-1), None, 3), 301);
        assert_eq!(cost(Some(i32::MAX), None, usize::MAX), usize::MAX);
    }
}
