//! What a keeper told in its round before, of items that the gate knew. Rounds look back further than
//! the one before began, so most of what they find was told already.

use std::collections::HashMap;

use crate::gate::{BuyerCount, Telling};
use crate::{AccountId, ItemId};

/// What was told, by item. It lasts for one round, so it never outgrows what changes in the time
/// that a round looks back.
#[derive(Default, Debug)]
pub(super) struct Told(HashMap<ItemId, Item>);

#[derive(Default, Debug)]
struct Item {
    admitted: i64,
    terms: i64,
    buyers: HashMap<AccountId, (i64, i64)>,
}

impl Told {
    pub fn add(&mut self, telling: &Telling) {
        let counts = |count: &BuyerCount| (count.buyer, (count.admitted, count.released));
        let item = Item {
            admitted: telling.admitted,
            terms: telling.terms.version,
            buyers: telling.buyers.iter().map(counts).collect(),
        };
        self.0.insert(telling.item, item);
    }

    /// What of it was not told yet; nothing, when all of it was.
    pub fn news(&self, telling: &Telling) -> Option<Telling> {
        let Some(before) = self.0.get(&telling.item) else {
            return Some(telling.clone());
        };
        let is_news = |count: &&BuyerCount| {
            let told = before.buyers.get(&count.buyer);
            told != Some(&(count.admitted, count.released))
        };
        let buyers: Vec<_> = telling.buyers.iter().filter(is_news).copied().collect();
        let is_old = before.admitted == telling.admitted && before.terms == telling.terms.version;
        let Telling {
            item,
            admitted,
            terms,
            ..
        } = *telling;
        (!is_old || !buyers.is_empty()).then_some(Telling {
            item,
            admitted,
            terms,
            buyers,
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::gate::Terms;

    fn telling(admitted: i64, version: i64, buyers: &[(u128, i64)]) -> Telling {
        let terms = Terms {
            ceiling: 10,
            opens_at: None,
            closes_at: None,
            paused: false,
            limit: None,
            counts_buyers: true,
            version,
        };
        let count = |(buyer, admitted): &(u128, i64)| BuyerCount {
            buyer: AccountId(Uuid::from_u128(*buyer)),
            admitted: *admitted,
            released: 0,
        };
        Telling {
            item: ItemId(Uuid::from_u128(1)),
            admitted,
            terms,
            buyers: buyers.iter().map(count).collect(),
        }
    }

    #[test]
    fn only_news_is_told_again() {
        let first = telling(3, 1, &[(1, 1), (2, 2)]);
        let mut told = Told::default();
        assert_eq!(told.news(&first), Some(first.clone()));
        told.add(&first);
        assert_eq!(told.news(&first), None);
        for (found, news) in [
            (telling(4, 1, &[(1, 1), (2, 3)]), telling(4, 1, &[(2, 3)])),
            (telling(3, 2, &[(1, 1)]), telling(3, 2, &[])),
            (telling(3, 1, &[(3, 1)]), telling(3, 1, &[(3, 1)])),
        ] {
            assert_eq!(told.news(&found), Some(news));
        }
    }
}
