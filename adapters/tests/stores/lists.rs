//! Lists a page at a time, against the same list in memory.

use domain::deal::Deal;
use domain::item::{Category, Item, Kind};
use domain::order::OrderStatus;
use domain::page::{
    Cursor, CursorValue, End, ItemFilter, ItemKindFilter, ItemOrder, ItemQuery, Page, Window,
};
use domain::{AccountId, ItemId, Money};
use uuid::Uuid;

use super::bench::{Bench, at, buyer, item, item_id, order_id, record, won};

pub fn first(count: usize) -> Window {
    Window {
        count,
        from: End::First,
        after: None,
        before: None,
    }
}

/// Items among which values are equal everywhere, in no order of their ids.
fn items() -> Vec<Item> {
    (0..14_u128)
        .map(|number| {
            let step = i64::try_from(number * 7 % 5).unwrap();
            let kind = match number % 3 {
                0 => Kind::General,
                _ => Kind::TimeDeal(Deal::new(at(100 - step), None, None).unwrap()),
            };
            let mut item = item(number * 11 % 14, 5, kind);
            item.created_at = at(step);
            item.details.price = won(step * 100);
            let names = ["pen", "Pen", "Äpfel", "zebra", "9"];
            item.details.name = String::from(names[usize::try_from(step).unwrap()]);
            item
        })
        .collect()
}

/// The list as it should be.
fn ordered(order: ItemOrder) -> Vec<Item> {
    let mut list = items();
    let name = |item: &Item| (item.details.name.to_lowercase(), item.id);
    let opening = |item: &Item| (item.deal().map(|deal| deal.opens_at), item.id);
    match order {
        ItemOrder::OldestFirst => list.sort_by_key(|item| (item.created_at, item.id)),
        ItemOrder::NewestFirst => {
            list.sort_by_key(|item| std::cmp::Reverse((item.created_at, item.id)));
        }
        ItemOrder::CheapestFirst => list.sort_by_key(|item| (item.details.price.minor, item.id)),
        ItemOrder::DearestFirst => {
            list.sort_by_key(|item| std::cmp::Reverse((item.details.price.minor, item.id)));
        }
        ItemOrder::ByName => list.sort_by_key(name),
        ItemOrder::OpensFirst => {
            list.retain(|item| item.deal().is_some());
            list.sort_by_key(opening);
        }
    }
    list
}

const ORDERS: [ItemOrder; 6] = [
    ItemOrder::NewestFirst,
    ItemOrder::OldestFirst,
    ItemOrder::CheapestFirst,
    ItemOrder::DearestFirst,
    ItemOrder::ByName,
    ItemOrder::OpensFirst,
];

/// What a window leaves of a list: the places of the first and the one after the last row.
fn expected(
    length: usize,
    count: usize,
    from: End,
    after: Option<usize>,
    before: Option<usize>,
) -> std::ops::Range<usize> {
    let start = after.map_or(0, |after| after + 1);
    let end = before.unwrap_or(length).max(start);
    match from {
        End::First => start..end.min(start + count),
        End::Last => end.saturating_sub(count).max(start)..end,
    }
}

pub async fn every_page_of_every_order_is_what_it_should_be(bench: Bench) {
    bench.catalogue.create_many(&items(), at(0)).await.unwrap();
    for order in ORDERS {
        let list = ordered(order);
        let all = page(&bench, order, first(100)).await;
        assert_eq!(
            ids(&all),
            list.iter().map(|item| item.id).collect::<Vec<_>>(),
            "{order:?}"
        );
        assert!(!all.has_previous && !all.has_next);
        let cursors: Vec<Cursor> = all.rows.iter().map(|(cursor, _)| cursor.clone()).collect();
        let places = [None, Some(0), Some(3), Some(list.len() - 1)];
        for from in [End::First, End::Last] {
            for count in [0, 1, 3, list.len()] {
                for after in places {
                    for before in places {
                        let window = Window {
                            count,
                            from,
                            after: after.map(|place| cursors[place].clone()),
                            before: before.map(|place| cursors[place].clone()),
                        };
                        let what = format!("{order:?} {count} {from:?} {after:?} {before:?}");
                        let page = page(&bench, order, window).await;
                        check(
                            &page,
                            &list,
                            expected(list.len(), count, from, after, before),
                            (after, before, from),
                            &what,
                        );
                    }
                }
            }
        }
    }
}

/// A page is the rows it should be, and says truly whether others are on its sides.
fn check(
    page: &Page<Item>,
    list: &[Item],
    range: std::ops::Range<usize>,
    (after, before, from): (Option<usize>, Option<usize>, End),
    what: &str,
) {
    let rows: Vec<ItemId> = list[range.clone()].iter().map(|item| item.id).collect();
    assert_eq!(ids(page), rows, "{what}");
    if !range.is_empty() {
        assert_eq!(page.has_previous, range.start > 0, "{what}");
        assert_eq!(page.has_next, range.end < list.len(), "{what}");
        return;
    }
    // Nothing between two cursors, or nothing asked for: what lies beyond the cursors counts, and
    // what was not asked for.
    let start = after.map_or(0, |after| after + 1);
    let end = before.unwrap_or(list.len());
    let cut_off = start < end;
    let (first, last) = (from == End::First, from == End::Last);
    assert_eq!(
        page.has_previous,
        after.is_some() || last && cut_off,
        "{what}"
    );
    assert_eq!(
        page.has_next,
        before.is_some() || first && cut_off,
        "{what}"
    );
}

async fn page(bench: &Bench, order: ItemOrder, window: Window) -> Page<Item> {
    let query = ItemQuery {
        filter: ItemFilter::default(),
        order,
        window,
    };
    bench.catalogue.list(&query).await.unwrap()
}

fn ids(page: &Page<Item>) -> Vec<ItemId> {
    page.rows.iter().map(|(_, item)| item.id).collect()
}

pub async fn a_buyers_orders_come_newest_first_in_pages(bench: Bench) {
    let item = bench.general(1, 100).await;
    let mut records = Vec::new();
    for number in [5, 1, 4, 2, 3, 6, 7] {
        let mut record = record(number, 1 + number / 7, &[(item, 1)]);
        // Two and two were placed in the same millisecond.
        let placed = at(i64::try_from(number / 2).unwrap());
        std::sync::Arc::make_mut(&mut record.draft).accepted_at = placed;
        records.push(record);
    }
    bench.write(&records).await;
    let list = [6, 5, 4, 3, 2, 1].map(order_id);

    let mut forwards = Vec::new();
    let mut window = first(2);
    loop {
        let page = bench.orders.orders_of(buyer(1), &window).await.unwrap();
        assert_eq!(page.has_previous, !forwards.is_empty());
        forwards.extend(page.rows.iter().map(|(_, order)| order.id));
        assert!(
            page.rows
                .iter()
                .all(|(_, order)| order.status() == OrderStatus::PendingPayment)
        );
        if !page.has_next {
            break;
        }
        window.after = page.rows.last().map(|(cursor, _)| cursor.clone());
    }
    assert_eq!(forwards, list);

    let mut backwards = Vec::new();
    let mut window = Window {
        from: End::Last,
        ..first(4)
    };
    loop {
        let page = bench.orders.orders_of(buyer(1), &window).await.unwrap();
        assert_eq!(page.has_next, !backwards.is_empty());
        backwards.splice(0..0, page.rows.iter().map(|(_, order)| order.id));
        if !page.has_previous {
            break;
        }
        window.before = page.rows.first().map(|(cursor, _)| cursor.clone());
    }
    assert_eq!(backwards, list);
    let other = bench.orders.orders_of(buyer(2), &first(9)).await.unwrap();
    assert_eq!(other.rows.len(), 1, "and nobody else's");
}

/// The items that a filter leaves, by number.
async fn left(bench: &Bench, filter: ItemFilter) -> Vec<u128> {
    let count = bench.catalogue.count(&filter).await.unwrap();
    let query = ItemQuery {
        filter,
        order: ItemOrder::OldestFirst,
        window: first(100),
    };
    let page = bench.catalogue.list(&query).await.unwrap();
    assert_eq!(page.rows.len() as u64, count);
    let numbers = page
        .rows
        .iter()
        .map(|(_, item)| item.id.0.as_u128() & u128::from(u64::MAX));
    numbers.collect()
}

/// Names something in a filter.
type Set<'a> = &'a dyn Fn(&mut ItemFilter);

pub async fn filters_leave_what_they_name(bench: Bench) {
    let deal = |opens| Kind::TimeDeal(Deal::new(at(opens), None, None).unwrap());
    let mut all = [
        item(1, 5, Kind::General),
        item(2, 5, deal(10)),
        item(3, 5, deal(20)),
        item(4, 0, Kind::General),
    ];
    all[0].sku = Some("A".to_owned());
    all[1].details.category = Category::Fashion;
    all[2].seller = AccountId(Uuid::from_u128(77));
    all[2].sku = Some("A".to_owned());
    all[3].details.price = Money {
        minor: 1_600,
        currency: domain::Currency::from_code("GBP").unwrap(),
    };
    all[0].details.price = won(1_600);
    bench.catalogue.create_many(&all, at(0)).await.unwrap();
    bench.write(&[record(1, 1, &[(item_id(2), 5)])]).await;

    let seller = Some(buyer(1_000));
    let skus = vec!["A".to_owned(), "B".to_owned()];
    let cases: [(Set, &[u128]); 12] = [
        (&|_| {}, &[1, 2, 3, 4]),
        (&|f| f.kind = Some(ItemKindFilter::General), &[1, 4]),
        (&|f| f.kind = Some(ItemKindFilter::TimeDeal), &[2, 3]),
        (&|f| f.category = Some(Category::Fashion), &[2]),
        (&|f| f.seller = seller, &[1, 2, 4]),
        (&|f| f.skus.clone_from(&skus), &[1, 3]),
        // Of one currency only.
        (&|f| f.price_from = Some(won(1_600)), &[1]),
        (&|f| f.price_to = Some(won(1_599)), &[2, 3]),
        (&|f| f.in_stock = true, &[1, 3]),
        (&|f| f.opens_from = Some(at(20)), &[3]),
        (&|f| f.opens_before = Some(at(20)), &[2]),
        (&|f| (f.seller, f.in_stock) = (seller, true), &[1]),
    ];
    for (set, expected) in cases {
        let mut filter = ItemFilter::default();
        set(&mut filter);
        let what = format!("{filter:?}");
        assert_eq!(left(&bench, filter).await, expected, "{what}");
    }
}

pub async fn names_are_searched_as_they_are_written(bench: Bench) {
    let names = [
        "100% wool",
        "100 % wool",
        "under_score",
        "underscore",
        "WHAT!",
        "Ärmel",
        "양말 한 켤레",
        "back\\slash",
    ];
    let all: Vec<Item> = (0..)
        .zip(names)
        .map(|(number, name)| {
            let mut item = item(number, 5, Kind::General);
            item.details.name = String::from(name);
            item
        })
        .collect();
    bench.catalogue.create_many(&all, at(0)).await.unwrap();
    for (part, found) in [
        ("100%", vec![0]),
        ("%", vec![0, 1]),
        ("R_S", vec![2]),
        ("rsc", vec![3]),
        ("t!", vec![4]),
        ("äRM", vec![5]),
        ("한", vec![6]),
        ("k\\s", vec![7]),
        ("", (0..8).collect()),
        ("'; --", vec![]),
    ] {
        let filter = ItemFilter {
            name_contains: Some(part.to_owned()),
            ..Default::default()
        };
        assert_eq!(left(&bench, filter).await, found, "{part}");
    }
}

pub async fn a_cursor_of_another_list_has_nothing_beside_it(bench: Bench) {
    let item = bench.general(1, 5).await;
    bench.write(&[record(1, 1, &[(item, 1)])]).await;
    let cursor = |value| {
        Some(Cursor {
            value,
            id: Uuid::nil(),
        })
    };
    let window = Window {
        after: cursor(CursorValue::Text("pen".to_owned())),
        ..first(5)
    };
    assert!(
        page(&bench, ItemOrder::OldestFirst, window.clone())
            .await
            .rows
            .is_empty()
    );
    assert!(
        bench
            .orders
            .orders_of(buyer(1), &window)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    let window = Window {
        before: cursor(CursorValue::Minor(1)),
        ..first(5)
    };
    assert!(
        page(&bench, ItemOrder::ByName, window)
            .await
            .rows
            .is_empty()
    );
}
