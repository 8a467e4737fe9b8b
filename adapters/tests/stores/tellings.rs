//! What the gate is told of items and their buyers.

use super::bench::{Bench, LONG, OVER, at, buyer, item_id, order_id, record, restock_key};

pub async fn everything_is_told_with_all_its_buyers(bench: Bench) {
    let (deal, general) = (bench.deal(1, 10, Some(3)).await, bench.general(2, 10).await);
    bench
        .write(&[
            record(1, 1, &[(deal, 2), (general, 1)]),
            record(2, 2, &[(deal, 1)]),
        ])
        .await;
    let mut tellings = bench
        .catalogue
        .tellings(&[general, deal, item_id(9)])
        .await
        .unwrap();
    tellings.sort_by_key(|telling| telling.item);
    assert_eq!(tellings.len(), 2);
    assert_eq!(tellings[0].terms, bench.item(deal).await.terms());
    assert_eq!((tellings[0].admitted, tellings[0].buyers.len()), (3, 2));
    assert_eq!((tellings[1].admitted, tellings[1].buyers.len()), (1, 0));

    let all = bench.catalogue.tellings_since(None, None, 1).await.unwrap();
    assert_eq!((all.len(), all[0].item, all[0].buyers.len()), (1, deal, 2));
    let rest = bench
        .catalogue
        .tellings_since(None, Some(deal), 9)
        .await
        .unwrap();
    assert_eq!((rest.len(), rest[0].item), (1, general));
    assert!(
        bench
            .catalogue
            .tellings_since(None, Some(general), 9)
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn what_changed_is_told_with_the_buyers_that_did(bench: Bench) {
    let deal = bench.deal(1, 10, None).await;
    let quiet = bench.deal(2, 10, None).await;
    bench
        .write_holding(
            &[record(1, 1, &[(deal, 2)]), record(2, 2, &[(deal, 1)])],
            OVER,
        )
        .await;
    (bench.pass_time)();
    let since = (bench.pass_time)();
    assert!(
        bench
            .catalogue
            .tellings_since(Some(since), None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    bench
        .write_holding(&[record(3, 3, &[(deal, 1)])], LONG)
        .await;
    let changed = bench
        .catalogue
        .tellings_since(Some(since), None, 9)
        .await
        .unwrap();
    assert_eq!(changed.len(), 1, "nothing of {quiet:?}");
    assert_eq!((changed[0].admitted, changed[0].buyers.len()), (4, 1));
    assert_eq!(changed[0].buyers[0].buyer, buyer(3));

    (bench.pass_time)();
    let since = (bench.pass_time)();
    bench
        .done(&bench.order(order_id(1)).await.expire(at(1)).unwrap())
        .await;
    let changed = bench
        .catalogue
        .tellings_since(Some(since), None, 9)
        .await
        .unwrap();
    assert_eq!(changed[0].terms.ceiling, 12);
    let counts: Vec<_> = changed[0]
        .buyers
        .iter()
        .map(|c| (c.buyer, c.released))
        .collect();
    assert_eq!(counts, [(buyer(1), 2)]);

    (bench.pass_time)();
    let since = (bench.pass_time)();
    bench
        .catalogue
        .restock(quiet, 1, at(7), &restock_key(1), None)
        .await
        .unwrap();
    let changed = bench
        .catalogue
        .tellings_since(Some(since), None, 9)
        .await
        .unwrap();
    assert_eq!(
        changed
            .iter()
            .map(|telling| telling.item)
            .collect::<Vec<_>>(),
        [quiet]
    );
}
