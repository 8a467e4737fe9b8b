//! Wishlists.

use domain::account::Account;
use domain::ports::wishlists::Added;
use domain::wishlist::WishlistEntry;
use domain::{AccountId, ItemId, Quantity, WishlistEntryId};

use super::bench::{Bench, account, at, buyer, id, item_id};
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
