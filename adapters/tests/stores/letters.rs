//! Letters: who gets one, and which went out.

use std::collections::HashSet;

use domain::account::Account;
use domain::ports::housekeeping::Forgettable;
use domain::{EventId, Timestamp};

use super::bench::{Bench, account, at, id, order_id, record};

fn event(number: u128) -> EventId {
    EventId(id(12, number))
}

async fn forget(bench: &Bench, before: Timestamp, most: usize) -> usize {
    let forgetting = bench
        .housekeeping
        .forget(Forgettable::Letters, before, most);
    forgetting.await.unwrap()
}

async fn sent(bench: &Bench, numbers: std::ops::RangeInclusive<u128>) -> HashSet<EventId> {
    let events: Vec<_> = numbers.map(event).collect();
    let sent = bench.letters.sent(&events).await.unwrap();
    let once: HashSet<_> = sent.iter().copied().collect();
    assert_eq!(once.len(), sent.len());
    once
}

pub async fn a_letter_that_went_out_is_known(bench: Bench) {
    assert!(sent(&bench, 1..=3).await.is_empty());
    let noting = (0..8).map(|_| {
        let letters = bench.letters.clone();
        tokio::spawn(async move { letters.note_sent(event(2), at(5)).await })
    });
    for noted in noting.collect::<Vec<_>>() {
        noted.await.unwrap().unwrap();
    }
    bench.letters.note_sent(event(2), at(900)).await.unwrap();
    assert_eq!(sent(&bench, 1..=3).await, HashSet::from([event(2)]));
    // The first time counts.
    assert_eq!(forget(&bench, at(6), 9).await, 1);
    assert!(sent(&bench, 1..=3).await.is_empty());
}

pub async fn letters_are_forgotten_by_their_age(bench: Bench) {
    for number in 1..=7 {
        let then = at(i64::try_from(number).unwrap());
        bench.letters.note_sent(event(number), then).await.unwrap();
    }
    assert_eq!(forget(&bench, at(6), 3).await, 3);
    let rest = HashSet::from([4, 5, 6, 7].map(event));
    assert_eq!(sent(&bench, 1..=7).await, rest, "the oldest first");
    assert_eq!(forget(&bench, at(6), 3).await, 2);
    assert_eq!(forget(&bench, at(6), 3).await, 0);
    assert_eq!(sent(&bench, 1..=7).await, HashSet::from([6, 7].map(event)));
}

pub async fn whoever_has_an_account_is_written_to(bench: Bench) {
    let item = bench.general(1, 100).await;
    let rehearsing = Account {
        rehearsal: true,
        ..account(2, "crowd@example.test")
    };
    let accounts = [account(1, "kim@example.com"), rehearsing];
    assert!(bench.accounts.create(&accounts).await.unwrap());
    // One of kim's, one of the rehearsal's, one of somebody without an account, and kim's again.
    let buyers = [(1, 1), (2, 2), (3, 3), (4, 1)];
    let records = buyers.map(|(number, buyer)| record(number, buyer, &[(item, 1)]));
    bench.write(&records).await;
    let addressed = async |orders: &[u128]| {
        let ids: Vec<_> = orders.iter().map(|number| order_id(*number)).collect();
        let addressed = bench.letters.addressed(&ids).await.unwrap();
        let mut numbers: Vec<u64> = addressed.iter().map(|id| id.0.as_u64_pair().1).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(addressed(&[1, 2, 3, 4, 5]).await, [1, 4]);
    assert_eq!(addressed(&[2, 3]).await, [0; 0]);
    assert_eq!(addressed(&[]).await, [0; 0]);
}
