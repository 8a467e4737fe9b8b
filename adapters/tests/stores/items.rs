//! Items: made, edited, restocked.

use domain::ItemId;
use domain::deal::Deal;
use domain::event::{Event, ItemEvent, What};
use domain::gate::Telling;
use domain::item::{Category, Item, Kind};
use domain::order::KeyUse;
use domain::page::ItemFilter;
use domain::ports::catalogue::ItemWritten;
use domain::stock::{MAX_TOTAL, Stock};

use super::bench::{Bench, at, buyer, item, item_id, record, restock_key, won};

fn created(item: &Item) -> Event {
    Event::of_item(item.id, item.version, at(0), ItemEvent::Created)
}

fn window(opens: i64, closes: Option<i64>, limit: Option<u32>) -> Kind {
    Kind::TimeDeal(Deal::new(at(opens), closes.map(at), limit).unwrap())
}

fn told(written: &ItemWritten) -> &[Telling] {
    match written {
        ItemWritten::Done { tellings, .. } => tellings,
        other => panic!("not done: {other:?}"),
    }
}

/// What happened to items, as the outbox has it.
async fn happened(bench: &Bench) -> Vec<(ItemId, i64, ItemEvent)> {
    let pending = bench.pending(1_000).await;
    let items = pending.into_iter().filter_map(|event| match event.what {
        What::Item {
            item,
            version,
            happened,
        } => Some((item, version, happened)),
        What::Account { .. } | What::Order { .. } | What::VerificationRequested { .. } => None,
    });
    items.collect()
}

pub async fn an_item_comes_back_as_it_was_made(bench: Bench) {
    let mut general = item(1, 5, Kind::General);
    general.sku = Some("85123A ✓".to_owned());
    general.details.name = String::from("İstanbul 'mug' — 한글 %");
    let mut paused = item(2, MAX_TOTAL, window(10, Some(20), Some(u32::MAX)));
    if let Kind::TimeDeal(deal) = &mut paused.kind {
        deal.paused = true;
    }
    for item in [&general, &paused] {
        let written = bench
            .catalogue
            .create(item, &created(item), None)
            .await
            .unwrap();
        assert_eq!(told(&written)[0].terms, item.terms());
        assert_eq!(&bench.item(item.id).await, item);
    }
    assert_eq!(
        happened(&bench).await,
        [
            (general.id, 1, ItemEvent::Created),
            (paused.id, 1, ItemEvent::Created)
        ]
    );
    let both = bench
        .catalogue
        .items(&[paused.id, item_id(99), general.id])
        .await
        .unwrap();
    assert_eq!(both.len(), 2);
    assert!(bench.catalogue.items(&[]).await.unwrap().is_empty());
}

pub async fn keys_and_codes_are_taken_once(bench: Bench) {
    let coded = |number, sku: &str| Item {
        sku: Some(sku.to_owned()),
        ..item(number, 5, Kind::General)
    };
    let first = coded(1, "A");
    let make = async |item: &Item, key: Option<&KeyUse>| {
        bench
            .catalogue
            .create(item, &created(item), key)
            .await
            .unwrap()
    };
    assert!(matches!(
        make(&first, Some(&restock_key(1))).await,
        ItemWritten::Done { .. }
    ));
    assert_eq!(
        make(&coded(2, "B"), Some(&restock_key(1))).await,
        ItemWritten::KeyTaken
    );
    assert_eq!(
        make(&coded(2, "A"), Some(&restock_key(2))).await,
        ItemWritten::SkuTaken
    );
    let used = bench
        .orders
        .key_use(buyer(1_000), "restockItem", restock_key(2).key)
        .await
        .unwrap();
    assert_eq!(used, None, "a refused item leaves its key free");
    let others = Item {
        seller: buyer(1_001),
        ..coded(2, "A")
    };
    assert!(matches!(
        make(&others, Some(&restock_key(2))).await,
        ItemWritten::Done { .. }
    ));
    assert!(
        matches!(make(&coded(3, "a"), None).await, ItemWritten::Done { .. }),
        "another code"
    );
    assert_eq!(bench.events().await, 3);

    let mine = bench
        .catalogue
        .by_sku(buyer(1_000), &["a", "B", "A"].map(str::to_owned))
        .await;
    let mut mine: Vec<_> = mine.unwrap().into_iter().map(|item| item.id).collect();
    mine.sort();
    assert_eq!(mine, [item_id(1), item_id(3)]);
}

pub async fn many_items_are_added_or_none(bench: Bench) {
    let coded = |number: u128, sku: String| Item {
        sku: Some(sku),
        ..item(number, 5, Kind::General)
    };
    let many: Vec<Item> = (0..1_500).map(|n| coded(n, n.to_string())).collect();
    let written = bench.catalogue.create_many(&many, at(9)).await.unwrap();
    assert_eq!(told(&written).len(), 1_500);
    assert_eq!(
        bench.catalogue.count(&ItemFilter::default()).await.unwrap(),
        1_500
    );
    assert_eq!(bench.events().await, 1_500);
    assert_eq!(
        happened(&bench).await[7],
        (item_id(7), 1, ItemEvent::Created)
    );

    let taken = [
        coded(2_000, "new".to_owned()),
        coded(2_001, "77".to_owned()),
    ];
    assert_eq!(
        bench.catalogue.create_many(&taken, at(9)).await.unwrap(),
        ItemWritten::SkuTaken
    );
    let twice = [
        coded(2_000, "new".to_owned()),
        coded(2_001, "new".to_owned()),
    ];
    assert_eq!(
        bench.catalogue.create_many(&twice, at(9)).await.unwrap(),
        ItemWritten::SkuTaken
    );
    assert_eq!(
        bench.catalogue.count(&ItemFilter::default()).await.unwrap(),
        1_500
    );
    assert_eq!(bench.events().await, 1_500);
}

pub async fn an_edit_names_the_version_it_saw(bench: Bench) {
    let id = bench.general(1, 5).await;
    bench.write(&[record(1, 1, &[(id, 2)])]).await;
    let mut edited = item(1, 99, Kind::General);
    edited.details.name = String::from("Another name");
    edited.details.category = Category::Fashion;
    edited.details.price = won(7);
    edited.version = 2;
    let event = Event::of_item(id, 2, at(3), ItemEvent::Edited);
    let edit = async |expected| {
        bench
            .catalogue
            .edit(&edited, expected, &event, None)
            .await
            .unwrap()
    };
    assert_eq!(edit(3).await, ItemWritten::Conflict { current: 1 });
    let written = edit(1).await;
    assert!(
        told(&written).is_empty(),
        "the gate does not care for names"
    );
    let after = bench.item(id).await;
    assert_eq!(after.details, edited.details);
    assert_eq!(
        (after.version, after.stock.total, after.stock.held),
        (2, 5, 2),
        "stock is its own"
    );
    let ItemWritten::Done {
        item: Some(answered),
        ..
    } = written
    else {
        panic!("no item")
    };
    assert_eq!(*answered, after);
    assert_eq!(edit(1).await, ItemWritten::Conflict { current: 2 });
    edited.id = item_id(99);
    let nowhere = bench
        .catalogue
        .edit(&edited, 1, &event, None)
        .await
        .unwrap();
    assert_eq!(nowhere, ItemWritten::NotFound);
    assert_eq!(happened(&bench).await.len(), 2);
}

pub async fn the_gate_hears_of_a_window_and_not_of_a_name(bench: Bench) {
    let id = bench.deal(1, 5, Some(2)).await;
    let mut edited = item(1, 5, window(5, Some(50), Some(3)));
    edited.version = 2;
    let event = Event::of_item(id, 2, at(3), ItemEvent::Scheduled);
    let written = bench
        .catalogue
        .edit(&edited, 1, &event, None)
        .await
        .unwrap();
    let terms = told(&written)[0].terms;
    assert_eq!(
        (terms.opens_at, terms.closes_at, terms.limit),
        (Some(at(5)), Some(at(50)), Some(3))
    );
    assert_eq!(terms.version, 2);
    let after = bench.item(id).await;
    assert_eq!((after.kind, after.stock.version), (edited.kind, 2));
    edited.version = 3;
    let written = bench
        .catalogue
        .edit(&edited, 2, &event, None)
        .await
        .unwrap();
    assert!(told(&written).is_empty(), "the same window again");
    assert_eq!(bench.item(id).await.stock.version, 2);
}

pub async fn a_restock_moves_the_total_within_its_bounds(bench: Bench) {
    let id = bench.general(1, 5).await;
    bench.write(&[record(1, 1, &[(id, 4)])]).await;
    let restock = async |change, number| {
        bench
            .catalogue
            .restock(id, change, at(7), &restock_key(number), None)
            .await
            .unwrap()
    };
    let written = restock(10, 1).await;
    assert_eq!(
        (told(&written)[0].terms.ceiling, told(&written)[0].admitted),
        (15, 4)
    );
    assert_eq!(restock(10, 1).await, ItemWritten::KeyTaken);
    assert_eq!(restock(-12, 2).await, ItemWritten::BelowHeld { held: 4 });
    assert_eq!(restock(MAX_TOTAL, 2).await, ItemWritten::OutOfRange);
    assert_eq!(restock(i64::MAX, 2).await, ItemWritten::OutOfRange);
    assert_eq!(restock(i64::MIN, 2).await, ItemWritten::OutOfRange);
    let ItemWritten::Done {
        item: Some(after), ..
    } = restock(-11, 2).await
    else {
        panic!()
    };
    assert_eq!(
        after.stock,
        Stock {
            total: 4,
            held: 4,
            admitted: 4,
            released: 0,
            version: 3
        }
    );
    assert_eq!((after.version, bench.item(id).await), (3, *after.clone()));
    let nowhere = bench
        .catalogue
        .restock(item_id(9), 1, at(7), &restock_key(3), None)
        .await
        .unwrap();
    assert_eq!(nowhere, ItemWritten::NotFound);
    assert_eq!(
        happened(&bench).await[1..],
        [(id, 2, ItemEvent::Restocked), (id, 3, ItemEvent::Restocked)]
    );
}

pub async fn restocks_at_once_all_count(bench: Bench) {
    let id = bench.general(1, 0).await;
    let all = (0..10).map(|number| {
        let catalogue = bench.catalogue.clone();
        // Two ask under each key.
        tokio::spawn(async move {
            catalogue
                .restock(id, 1, at(7), &restock_key(number / 2), None)
                .await
                .unwrap()
        })
    });
    let (mut done, mut taken) = (0, 0);
    for written in all.collect::<Vec<_>>() {
        match written.await.unwrap() {
            ItemWritten::Done { .. } => done += 1,
            ItemWritten::KeyTaken => taken += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((done, taken, bench.stock(id).await.total), (5, 5, 5));
}

pub async fn codes_are_compared_to_the_letter(bench: Bench) {
    let codes = ["A", "a", "A ", " A", "Á", "A\u{301}", "ａ", "ß", "ss"];
    let all: Vec<_> = (1..)
        .zip(codes)
        .map(|(number, code)| {
            let mut item = item(number, 1, Kind::General);
            item.sku = Some(String::from(code));
            item
        })
        .collect();
    let written = bench.catalogue.create_many(&all, at(0)).await.unwrap();
    assert!(matches!(written, ItemWritten::Done { .. }), "{written:?}");
    for item in &all {
        let skus = [item.sku.clone().unwrap()];
        let found = bench.catalogue.by_sku(item.seller, &skus).await.unwrap();
        assert_eq!(found, std::slice::from_ref(item), "{skus:?}");
    }
}
