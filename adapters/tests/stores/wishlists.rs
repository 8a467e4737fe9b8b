//! Wishlists.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::account::Account;
use domain::message::{Draft, OrderRecord, Verdict};
use domain::order::OrderStatus;
use domain::ports::wishlists::Added;
use domain::wishlist::WishlistEntry;
use domain::{AccountId, ItemId, Quantity, WishlistEntryId};

use super::bench::{Bench, account, admitted_again, at, buyer, id, item_id, order_id, record};
use super::lists::first;

const ROOM: u32 = 10;

/// Two customers, and so many items to wish for.
async fn shop(bench: &Bench, items: u128) {
    let accounts = [account(1, "kim@example.com"), account(2, "lee@example.com")];
    assert!(bench.accounts.create(&accounts).await.unwrap());
    for number in 1..=items {
        bench.general(number, 1).await;
    }
}

fn entry(number: u128, account: AccountId, item: ItemId, added: i64) -> WishlistEntry {
    WishlistEntry {
        id: WishlistEntryId(id(11, number)),
        account,
        item,
        quantity: units(2),
        added_at: at(added),
    }
}

fn units(count: i64) -> Quantity {
    Quantity::new(count).unwrap()
}

async fn list(bench: &Bench, account: AccountId) -> Vec<WishlistEntry> {
    let window = first(100);
    let page = bench.wishlists.entries_of(account, &window).await.unwrap();
    page.rows.into_iter().map(|(_, entry)| entry).collect()
}

pub async fn an_item_stands_on_a_wishlist_once(bench: Bench) {
    shop(&bench, 1).await;
    let at_once = (0..8).map(|number| {
        let wishlists = bench.wishlists.clone();
        let entry = entry(number, buyer(1), item_id(1), 0);
        tokio::spawn(async move { wishlists.add(&entry, ROOM).await.unwrap() })
    });
    let mut outcomes = Vec::new();
    for one in at_once.collect::<Vec<_>>() {
        outcomes.push(one.await.unwrap());
    }
    let done = outcomes.iter().filter(|one| **one == Added::Done);
    assert_eq!(done.count(), 1, "{outcomes:?}");
    let there = list(&bench, buyer(1)).await;
    assert_eq!(there.len(), 1);
    let others = outcomes.iter().filter(|one| **one != Added::Done);
    assert!(others.eq([Added::IsThere(there[0].id); 7].iter()));

    // On somebody else's it is another wish.
    let other = entry(9, buyer(2), item_id(1), 0);
    let added = bench.wishlists.add(&other, ROOM).await.unwrap();
    assert_eq!(added, Added::Done);
    assert_eq!(list(&bench, buyer(2)).await, [other]);
}

pub async fn a_wishlist_is_read_newest_first_in_pages(bench: Bench) {
    shop(&bench, 5).await;
    let mut wishes: Vec<_> = (1..=5_u128)
        .map(|number| {
            // Some of the same millisecond.
            let added = i64::try_from(number % 3).unwrap();
            entry(number, buyer(1), item_id(number), added)
        })
        .collect();
    for wish in &wishes {
        let added = bench.wishlists.add(wish, ROOM).await.unwrap();
        assert_eq!(added, Added::Done);
    }
    wishes.sort_by_key(|wish| std::cmp::Reverse((wish.added_at, wish.id)));
    assert_eq!(list(&bench, buyer(1)).await, wishes);

    let mut window = first(2);
    let mut read = Vec::new();
    loop {
        let page = bench.wishlists.entries_of(buyer(1), &window).await.unwrap();
        assert_eq!(page.has_previous, !read.is_empty());
        window.after = page.rows.last().map(|(cursor, _)| cursor.clone());
        read.extend(page.rows.into_iter().map(|(_, wish)| wish));
        if !page.has_next {
            break;
        }
    }
    assert_eq!(read, wishes);
}

pub async fn a_wish_is_its_owners(bench: Bench) {
    shop(&bench, 1).await;
    let wish = entry(1, buyer(1), item_id(1), 0);
    bench.wishlists.add(&wish, ROOM).await.unwrap();
    let (kim, lee) = (buyer(1), buyer(2));
    let set = async |whose, count| {
        let set = bench.wishlists.set_quantity(whose, wish.id, units(count));
        set.await.unwrap()
    };
    let remove = async |whose| bench.wishlists.remove(whose, wish.id).await.unwrap();
    assert_eq!(set(lee, 7).await, None);
    assert!(!remove(lee).await);
    assert_eq!(list(&bench, kim).await, std::slice::from_ref(&wish));
    assert!(list(&bench, lee).await.is_empty());

    let changed = WishlistEntry {
        quantity: units(7),
        ..wish.clone()
    };
    assert_eq!(set(kim, 7).await, Some(changed.clone()));
    assert_eq!(set(kim, 7).await, Some(changed.clone()), "as it is already");
    assert_eq!(list(&bench, kim).await, [changed]);
    assert!(remove(kim).await);
    assert!(!remove(kim).await, "once");
    assert_eq!(set(kim, 8).await, None);
}

pub async fn a_wishlist_has_room_for_so_many(bench: Bench) {
    shop(&bench, 3).await;
    let add = async |number: u128| {
        let wish = entry(number, buyer(1), item_id(number), 0);
        bench.wishlists.add(&wish, 2).await.unwrap()
    };
    assert_eq!(add(1).await, Added::Done);
    assert_eq!(add(2).await, Added::Done);
    assert_eq!(add(3).await, Added::Full);
    let first = WishlistEntryId(id(11, 1));
    assert_eq!(add(1).await, Added::IsThere(first), "said before all else");
    assert!(bench.wishlists.remove(buyer(1), first).await.unwrap());
    assert_eq!(add(3).await, Added::Done);
}

pub async fn a_wishlist_goes_with_its_account(bench: Bench) {
    shop(&bench, 1).await;
    let rehearsing = Account {
        rehearsal: true,
        ..account(3, "crowd@example.test")
    };
    let created = bench.accounts.create(&[rehearsing]).await.unwrap();
    assert!(created);
    for (number, whose) in [(1, 1), (2, 3)] {
        let wish = entry(number, buyer(whose), item_id(1), 0);
        bench.wishlists.add(&wish, ROOM).await.unwrap();
    }
    let gone = bench.accounts.remove_rehearsal_buyers().await.unwrap();
    assert_eq!(gone, 1);
    assert_eq!(list(&bench, buyer(1)).await.len(), 1);
    assert!(list(&bench, buyer(3)).await.is_empty());
}

fn entry_id(number: u128) -> WishlistEntryId {
    WishlistEntryId(id(11, number))
}

/// The same order, made from these entries.
fn from_entries(record: OrderRecord, entries: &[u128]) -> OrderRecord {
    let draft = Draft {
        wishlist_entries: entries.iter().copied().map(entry_id).collect(),
        ..Draft::clone(&record.draft)
    };
    OrderRecord {
        draft: Arc::new(draft),
        ..record
    }
}

async fn wish(bench: &Bench, number: u128, whose: u128, item: u128) {
    let wish = entry(number, buyer(whose), item_id(item), 0);
    let added = bench.wishlists.add(&wish, ROOM).await.unwrap();
    assert_eq!(added, Added::Done);
}

/// The numbers of a customer's entries.
async fn wishes(bench: &Bench, whose: u128) -> BTreeSet<u128> {
    let entries = list(bench, buyer(whose)).await.into_iter();
    entries
        .map(|entry| entry.id.0.as_u128() & u128::from(u64::MAX))
        .collect()
}

pub async fn chosen_entries_are_found_for_their_owner(bench: Bench) {
    shop(&bench, 3).await;
    for number in 1..=3 {
        wish(&bench, number, 1, number).await;
    }
    wish(&bench, 4, 2, 1).await;
    let chosen = [3, 1, 4, 9].map(entry_id);
    let found = bench.wishlists.entries(buyer(1), &chosen).await.unwrap();
    let found: BTreeSet<_> = found
        .into_iter()
        .map(|entry| (entry.id, entry.item))
        .collect();
    let expected = [(entry_id(1), item_id(1)), (entry_id(3), item_id(3))];
    assert_eq!(found, BTreeSet::from(expected));
    let none = bench.wishlists.entries(buyer(1), &[]).await.unwrap();
    assert!(none.is_empty());
}

pub async fn wishes_go_with_the_order_that_has_their_units(bench: Bench) {
    shop(&bench, 3).await;
    for number in 1..=3 {
        wish(&bench, number, 1, number).await;
    }
    wish(&bench, 4, 2, 1).await;
    let changed = bench
        .wishlists
        .set_quantity(buyer(1), entry_id(2), units(9));
    assert!(changed.await.unwrap().is_some());
    let lines = [(item_id(2), 1), (item_id(1), 1)];
    // One of them has gone in between, which is nobody's fault.
    let order = from_entries(record(1, 1, &lines), &[2, 1, 8]);
    bench.write(std::slice::from_ref(&order)).await;
    assert_eq!(
        bench.order(order_id(1)).await.status(),
        OrderStatus::PendingPayment
    );
    assert_eq!(wishes(&bench, 1).await, BTreeSet::from([3]));
    assert_eq!(wishes(&bench, 2).await, BTreeSet::from([4]));

    // Whatever comes again, it has cleared what it clears.
    wish(&bench, 1, 1, 1).await;
    let again = admitted_again(&order, 2);
    bench.write(&[order, again]).await;
    assert_eq!(wishes(&bench, 1).await, BTreeSet::from([1, 3]));
}

pub async fn an_order_without_units_leaves_its_wishes(bench: Bench) {
    shop(&bench, 2).await;
    wish(&bench, 1, 1, 1).await;
    wish(&bench, 2, 1, 2).await;
    let of = |number, count| from_entries(record(number, 1, &[(item_id(1), count)]), &[1]);
    let withdrawn = OrderRecord {
        verdict: Verdict::Withdrawn,
        ..of(2, 1)
    };
    let void = OrderRecord {
        verdict: Verdict::Void,
        ..of(3, 1)
    };
    bench.write(&[of(1, 2), withdrawn, void]).await;
    for number in [1, 2] {
        let order = bench.order(order_id(number)).await;
        assert_eq!(order.status(), OrderStatus::Rejected);
    }
    assert_eq!(wishes(&bench, 1).await, BTreeSet::from([1, 2]));
    // The same batch may have one that fits.
    bench.write(&[of(4, 2), of(5, 1)]).await;
    assert_eq!(wishes(&bench, 1).await, BTreeSet::from([2]));
}

pub async fn nobody_elses_wish_goes(bench: Bench) {
    shop(&bench, 2).await;
    wish(&bench, 1, 1, 1).await;
    wish(&bench, 2, 2, 1).await;
    let order = from_entries(record(1, 1, &[(item_id(1), 1)]), &[1, 2]);
    bench.write(&[order]).await;
    assert_eq!(wishes(&bench, 1).await, BTreeSet::new());
    assert_eq!(wishes(&bench, 2).await, BTreeSet::from([2]));
}

pub async fn wishes_of_a_large_batch_all_go(bench: Bench) {
    const BUYERS: u128 = 520;
    bench.general(1, 10_000).await;
    let accounts: Vec<_> = (1..=BUYERS)
        .map(|number| account(number, &format!("buyer{number}@example.com")))
        .collect();
    assert!(bench.accounts.create(&accounts).await.unwrap());
    let mut records = Vec::new();
    for number in 1..=BUYERS {
        wish(&bench, number, number, 1).await;
        let order = record(number, number, &[(item_id(1), 1)]);
        records.push(from_entries(order, &[number]));
    }
    let spared = records.pop().unwrap();
    bench.write(&records).await;
    for whose in 1..BUYERS {
        assert_eq!(wishes(&bench, whose).await, BTreeSet::new(), "{whose}");
    }
    let left = wishes(&bench, BUYERS).await;
    assert_eq!(left, BTreeSet::from([BUYERS]));
    bench.write(&[spared]).await;
    assert_eq!(wishes(&bench, BUYERS).await, BTreeSet::new());
}

pub async fn owners_may_change_what_the_writer_clears(bench: Bench) {
    const BUYERS: u128 = 12;
    bench.general(1, 10_000).await;
    let accounts: Vec<_> = (1..=BUYERS)
        .map(|number| account(number, &format!("buyer{number}@example.com")))
        .collect();
    assert!(bench.accounts.create(&accounts).await.unwrap());
    for round in 0..8 {
        let first = 1 + round * 1_000;
        let mut records = Vec::new();
        for whose in 1..=BUYERS {
            let number = first + whose;
            wish(&bench, number, whose, 1).await;
            records.push(from_entries(
                record(number, whose, &[(item_id(1), 1)]),
                &[number],
            ));
        }
        let owners = (1..=BUYERS).map(|whose| {
            let wishlists = bench.wishlists.clone();
            tokio::spawn(async move {
                let old = entry_id(first + whose);
                for count in 2..5 {
                    let set = wishlists.set_quantity(buyer(whose), old, units(count));
                    set.await.unwrap();
                    let new = entry(first + 500 + whose, buyer(whose), item_id(1), 1);
                    wishlists.add(&new, ROOM).await.unwrap();
                }
            })
        });
        let owners: Vec<_> = owners.collect();
        records.reverse();
        bench.write(&records).await;
        for owner in owners {
            owner.await.unwrap();
        }
        for whose in 1..=BUYERS {
            let new = first + 500 + whose;
            let left = wishes(&bench, whose).await;
            assert!(left.is_subset(&BTreeSet::from([new])), "{left:?}");
            let removed = bench.wishlists.remove(buyer(whose), entry_id(new)).await;
            assert_eq!(removed.unwrap(), !left.is_empty());
        }
    }
}
