//! A ledger in memory: the same decisions as the one in SQL, one transaction a call.

use std::collections::{BTreeMap, HashMap};

use domain::batch::{self, BatchView, Room};
use domain::gate::{BuyerCount, Receipt, Telling, Terms};
use domain::item::Kind;
use domain::message::OrderRecord;
use domain::order::{Order, OrderState, Rejection};
use domain::stock::{Stock, StockMove};
use domain::{AccountId, AdmissionId, ItemId, OrderId, Timestamp};

pub struct Ledger {
    kinds: BTreeMap<ItemId, Kind>,
    pub stock: BTreeMap<ItemId, Stock>,
    buyers: BTreeMap<(ItemId, AccountId), BuyerCount>,
    pub admissions: HashMap<AdmissionId, OrderId>,
    pub orders: BTreeMap<OrderId, Order>,
}

impl Ledger {
    pub fn new(items: &[(ItemId, Kind, i64)]) -> Self {
        let stock = items
            .iter()
            .map(|(item, _, total)| (*item, Stock::new(*total).unwrap()));
        Self {
            kinds: items.iter().map(|(item, kind, _)| (*item, *kind)).collect(),
            stock: stock.collect(),
            buyers: BTreeMap::new(),
            admissions: HashMap::new(),
            orders: BTreeMap::new(),
        }
    }

    fn limit(&self, item: ItemId) -> Option<u32> {
        match self.kinds[&item] {
            Kind::General => None,
            Kind::TimeDeal(deal) => deal.limit_per_buyer,
        }
    }

    fn counts_buyers(&self, item: ItemId) -> bool {
        matches!(self.kinds[&item], Kind::TimeDeal(_))
    }

    pub fn write(&mut self, records: &[OrderRecord], now: Timestamp) {
        let rooms = self.stock.iter().map(|(item, stock)| {
            let counts_buyers = self.counts_buyers(*item);
            let limit = self.limit(*item);
            (
                *item,
                Room {
                    available: stock.available(),
                    limit,
                    counts_buyers,
                },
            )
        });
        let view = BatchView {
            orders: self.orders.keys().copied().collect(),
            admissions: self.admissions.keys().copied().collect(),
            stock: rooms.collect(),
            holdings: self
                .buyers
                .iter()
                .map(|(key, counts)| (*key, counts.admitted - counts.released))
                .collect(),
        };
        let decision = batch::decide(view, records, now, 120_000);
        for (item, moved) in &decision.stock {
            self.move_stock(*item, *moved);
        }
        for ((item, buyer), moved) in &decision.buyers {
            self.move_buyer(*item, *buyer, *moved);
        }
        for (admission, order) in decision.admissions {
            assert_eq!(
                self.admissions.insert(admission, order),
                None,
                "counted once"
            );
        }
        for order in decision.orders {
            assert!(
                self.orders.insert(order.id, order).is_none(),
                "written once"
            );
        }
    }

    fn move_stock(&mut self, item: ItemId, moved: StockMove) {
        let stock = self.stock.get_mut(&item).unwrap();
        *stock = stock.after(moved);
    }

    fn move_buyer(&mut self, item: ItemId, buyer: AccountId, moved: StockMove) {
        let none = BuyerCount {
            buyer,
            admitted: 0,
            released: 0,
        };
        let counts = self.buyers.entry((item, buyer)).or_insert(none);
        counts.admitted += moved.admitted;
        counts.released += moved.released;
    }

    /// Ends an order that holds, as expiry and cancellation do; whether it held.
    pub fn release(&mut self, order: OrderId, now: Timestamp) -> bool {
        let Some(found) = self
            .orders
            .get_mut(&order)
            .filter(|order| order.status().holds())
        else {
            return false;
        };
        found.state = OrderState::Expired { at: now };
        let (units, buyer) = (found.units(), found.buyer);
        for units in units {
            let mut moved = StockMove::default();
            moved.release(units.count);
            self.move_stock(units.item, moved);
            if self.counts_buyers(units.item) {
                self.move_buyer(units.item, buyer, moved);
            }
        }
        true
    }

    /// Changes the total, unless it would fall under what is held.
    pub fn restock(&mut self, item: ItemId, change: i64) {
        let stock = self.stock.get_mut(&item).unwrap();
        if let Ok(next) = stock.with_total(stock.total + change) {
            *stock = next;
        }
    }

    pub fn telling(&self, item: ItemId) -> Telling {
        let stock = &self.stock[&item];
        Telling {
            item,
            admitted: stock.admitted,
            terms: Terms::of(&self.kinds[&item], stock),
            buyers: self.buyers(item),
        }
    }

    pub fn buyers(&self, item: ItemId) -> Vec<BuyerCount> {
        let rows = self.buyers.iter().filter(|((of, _), _)| *of == item);
        rows.map(|(_, counts)| *counts).collect()
    }

    pub fn receipts(&self) -> Vec<Receipt> {
        let of = |order: &Order| self.admissions.iter().find(|(_, of)| **of == order.id);
        self.orders
            .values()
            .filter_map(|order| {
                Some(Receipt {
                    order: order.id,
                    fingerprint: order.fingerprint,
                    admission: *of(order)?.0,
                    draft: None,
                })
            })
            .collect()
    }

    /// The invariants that hold at every moment.
    pub fn check(&self) {
        let mut held = HashMap::<ItemId, i64>::new();
        let mut by_buyer = HashMap::<(ItemId, AccountId), i64>::new();
        for order in self.orders.values().filter(|order| order.status().holds()) {
            for units in order.units() {
                *held.entry(units.item).or_default() += i64::from(units.count);
                *by_buyer.entry((units.item, order.buyer)).or_default() += i64::from(units.count);
            }
        }
        for (item, stock) in &self.stock {
            assert!(stock.is_sound(), "{stock:?}");
            assert_eq!(
                stock.held,
                held.get(item).copied().unwrap_or(0),
                "held is what lines hold"
            );
        }
        for ((item, buyer), counts) in &self.buyers {
            let units = by_buyer.get(&(*item, *buyer)).copied().unwrap_or(0);
            assert_eq!(
                counts.admitted - counts.released,
                units,
                "a buyer's row agrees"
            );
            let limit = self.limit(*item).map_or(i64::MAX, i64::from);
            assert!(units <= limit, "nobody holds more than the limit");
        }
    }

    /// Whether the ledger had to refuse what the gate had let through.
    pub fn has_surplus(&self) -> bool {
        self.orders.values().any(|order| match order.state {
            OrderState::Rejected { reason } => reason != Rejection::Withdrawn,
            _ => false,
        })
    }
}
