//! What a crowd asks of the API, and what it reads of the answers.

mod after_sale;
mod catalogue;
mod orders;

use serde::Serialize;

#[cfg(test)]
pub use after_sale::BoughtLine;
pub use after_sale::{Bought, bought, cancel_line, return_line};
pub use catalogue::{Coded, Item, STOCK_CHANGED, Stock, by_sku, deals, general, item};
pub use orders::{Asked, Line, Order, PlaceOrder, UserError, orders, pay_order, place_order};

/// The most that a list may be asked for, and the most ids in one request.
pub const MOST_PER_REQUEST: usize = 100;

#[derive(Serialize)]
struct Id<'a> {
    id: &'a str,
}

#[cfg(test)]
mod tests {
    use super::after_sale::{CANCEL_ORDER, ORDER_LINES, REQUEST_RETURN};
    use super::catalogue::{BY_SKU, DEALS, GENERAL, ITEM};
    use super::orders::{ORDERS, PAY_ORDER, PLACE_ORDER};
    use super::*;
    use crate::rush::client::Document;

    #[test]
    fn documents_stand_in_json_as_they_are() {
        for Document(text) in [
            PLACE_ORDER,
            PAY_ORDER,
            ORDERS,
            ORDER_LINES,
            CANCEL_ORDER,
            REQUEST_RETURN,
            ITEM,
            DEALS,
            GENERAL,
            BY_SKU,
            STOCK_CHANGED,
        ] {
            assert_eq!(serde_json::to_string(text).unwrap(), format!("\"{text}\""));
            assert_eq!(
                text.matches('{').count(),
                text.matches('}').count(),
                "{text}"
            );
        }
    }
}
