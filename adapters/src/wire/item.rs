//! Items as JSON, for the cache that processes share.

use domain::deal::Deal;
use domain::item::{Category, Details, Item, Kind};
use domain::stock::Stock;
use domain::{AccountId, Currency, ItemId, Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::{NotAMessage, WireId, instant, read};
use crate::words::Word;

/// The version that is written. A field that is added does not raise it; one that changes its
/// meaning does.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct ItemWire<'a> {
    v: u32,
    id: WireId,
    seller: WireId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sku: Option<String>,
    name: String,
    description: String,
    category: &'a str,
    currency: &'a str,
    /// Minor units of one unit.
    price: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deal: Option<DealWire>,
    stock: StockWire,
    version: i64,
    /// Epoch milliseconds, as all instants.
    created_at: i64,
}

#[derive(Serialize, Deserialize)]
struct DealWire {
    opens_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closes_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    paused: bool,
}

#[derive(Serialize, Deserialize)]
struct StockWire {
    total: i64,
    held: i64,
    admitted: i64,
    released: i64,
    version: i64,
}

/// The JSON of an item.
///
/// # Errors
/// None in practice: every item can be written.
pub fn encode(item: &Item) -> Result<Vec<u8>, NotAMessage> {
    let ms = |at: Timestamp| at.timestamp_millis();
    let details = &item.details;
    let wire = ItemWire {
        v: VERSION,
        id: WireId(item.id.0),
        seller: WireId(item.seller.0),
        sku: item.sku.clone(),
        name: details.name.clone(),
        description: details.description.clone(),
        category: details.category.word(),
        currency: details.price.currency.code(),
        price: details.price.minor,
        deal: item.deal().map(|deal| DealWire {
            opens_at: ms(deal.opens_at),
            closes_at: deal.closes_at.map(ms),
            limit: deal.limit_per_buyer,
            paused: deal.paused,
        }),
        stock: StockWire {
            total: item.stock.total,
            held: item.stock.held,
            admitted: item.stock.admitted,
            released: item.stock.released,
            version: item.stock.version,
        },
        version: item.version,
        created_at: ms(item.created_at),
    };
    serde_json::to_vec(&wire).map_err(|_| NotAMessage::because("it can't be written"))
}

/// The item of a JSON.
///
/// # Errors
/// Not JSON, another version, or a value that no item has.
pub fn decode(json: &[u8]) -> Result<Item, NotAMessage> {
    let wire: ItemWire = read(json)?;
    if wire.v != VERSION {
        return Err(NotAMessage(format!("an item of version {}", wire.v)));
    }
    let category = Category::from_word(wire.category);
    let currency = Currency::from_code(wire.currency);
    let stock = Stock {
        total: wire.stock.total,
        held: wire.stock.held,
        admitted: wire.stock.admitted,
        released: wire.stock.released,
        version: wire.stock.version,
    };
    if !stock.is_sound() {
        return Err(NotAMessage::because("counts that disagree"));
    }
    Ok(Item {
        id: ItemId(wire.id.0),
        seller: AccountId(wire.seller.0),
        sku: wire.sku,
        details: Details {
            name: wire.name,
            description: wire.description,
            category: category.ok_or_else(|| NotAMessage::because("an unknown category"))?,
            price: Money {
                minor: wire.price,
                currency: currency.ok_or_else(|| NotAMessage::because("no currency"))?,
            },
        },
        kind: match wire.deal {
            None => Kind::General,
            Some(deal) => Kind::TimeDeal(Deal {
                opens_at: instant(deal.opens_at)?,
                closes_at: deal.closes_at.map(instant).transpose()?,
                limit_per_buyer: deal.limit,
                paused: deal.paused,
            }),
        },
        stock,
        version: wire.version,
        created_at: instant(wire.created_at)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn item(kind: Kind) -> Item {
        Item {
            id: ItemId(Uuid::from_u128(5)),
            seller: AccountId(Uuid::from_u128(6)),
            sku: Some("LID-1".to_owned()),
            details: Details {
                name: "뚜껑 \"lid\"".to_owned(),
                description: "one\ntwo".to_owned(),
                category: Category::Beauty,
                price: Money {
                    minor: 1_500,
                    currency: Currency::from_code("KRW").unwrap(),
                },
            },
            kind,
            stock: Stock {
                total: 10,
                held: 3,
                admitted: 5,
                released: 2,
                version: 7,
            },
            version: 4,
            created_at: "2026-05-04T03:00:00.123Z".parse().unwrap(),
        }
    }

    fn deal(closes_at: Option<Timestamp>, limit_per_buyer: Option<u32>) -> Kind {
        let opens_at = "2026-05-04T03:00:00.001Z".parse().unwrap();
        Kind::TimeDeal(Deal {
            opens_at,
            closes_at,
            limit_per_buyer,
            paused: closes_at.is_some(),
        })
    }

    #[test]
    fn an_item_comes_back_as_it_was() {
        let closes_at = "2026-05-05T03:00:00Z".parse().ok();
        for kind in [Kind::General, deal(None, None), deal(closes_at, Some(2))] {
            let item = item(kind);
            assert_eq!(decode(&encode(&item).unwrap()), Ok(item));
        }
    }

    #[test]
    fn what_is_no_item_says_why_and_no_more() {
        let json = String::from_utf8(encode(&item(deal(None, None))).unwrap()).unwrap();
        for (from, to) in [
            ("{\"v\":1", "{\"v\":2"),
            ("KRW", "XXXX"),
            ("BEAUTY", "LUXURY"),
            ("\"held\":3", "\"held\":30"),
            ("{\"v\"", "secret{\"v\""),
        ] {
            assert!(json.contains(from), "{from}");
            let error = decode(json.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert!(!error.0.contains("secret"), "{error}");
        }
        let added = json.replacen('{', "{\"colour\":\"blue\",", 1);
        assert!(decode(added.as_bytes()).is_ok(), "fields may be added");
    }
}
