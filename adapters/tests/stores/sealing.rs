//! What is sealed is sealed anew with another key, while others read and write.

use std::sync::Arc;

use adapters::crypto::keyring::Dated;
use adapters::crypto::vault::{Vault, VaultKey};
use adapters::entropy::SystemEntropy;
use adapters::sql::{Ledger, Resealed, SEALED};
use domain::account::{Account, Email};
use domain::delivery::Address;
use domain::event::Event;
use domain::verification::Purpose;

use super::accounts::verification;
use super::bench::{Bench, LONG, account, at, buyer, email, method, order_id, payment_id, placed};

/// The keys of these ids, of which the last one seals.
fn vault(ids: &[u8]) -> Vault {
    let keys: Vec<_> = (0..)
        .zip(ids)
        .map(|(place, id)| Dated {
            key: VaultKey {
                id: *id,
                bytes: [*id; 32],
            },
            from: at(place),
        })
        .collect();
    Vault::new(&keys, at(1_000), &[9; 32], Arc::new(SystemEntropy))
}

fn person(number: u128) -> Account {
    let mut person = account(number, &format!("person{number}@example.com"));
    person.profile.phone = (!number.is_multiple_of(3)).then(|| format!("010-0000-{number:04}"));
    person.profile.address = number
        .is_multiple_of(2)
        .then(|| format!("{number} Long Road"));
    person
}

/// Whether these are the same: accounts and addresses have no `Debug`.
async fn reads_all(ledger: &Ledger, bench: &Bench, people: &[Account], to: &Address) {
    use domain::ports::Accounts;
    for known in people {
        let read = Accounts::account(ledger, known.id).await;
        assert!(read.map_err(|fault| fault.detail()).unwrap().as_ref() == Some(known));
        let found = ledger.by_email(&known.email).await.unwrap();
        assert!(found.as_ref() == Some(known), "by the blind index");
    }
    let order = bench.order(order_id(1)).await;
    assert!(order.delivery_address.as_ref() == Some(to));
}

/// Goes through everything once, in small pages.
async fn pass(ledger: &Ledger) -> Resealed {
    let mut all = Resealed::default();
    for table in SEALED {
        let mut after = None;
        loop {
            let page = ledger.reseal(*table, after, 4).await;
            let (found, last) = page.map_err(|fault| fault.detail()).unwrap();
            all += found;
            match last {
                Some(last) => after = Some(last),
                None => break,
            }
        }
    }
    all
}

async fn ask(ledger: &Ledger, number: u128, address: &str) {
    use domain::ports::Verifications;
    let asked = verification(number, address, 0);
    let event = Event::verification_requested(asked.id, asked.requested_at);
    ledger.add_verifications(&[(asked, event)]).await.unwrap();
}

async fn newest(ledger: &Ledger, address: &Email) -> String {
    use domain::ports::Verifications;
    let newest = ledger.newest_verification(address, Purpose::SignUp).await;
    let newest = newest.unwrap().unwrap();
    newest.email.as_str().to_owned()
}

pub async fn everything_is_sealed_anew(
    open: impl AsyncFn(Vault) -> Arc<Ledger>,
    bench: impl Fn(Arc<Ledger>) -> Bench,
) {
    use domain::ports::Accounts;
    let before = open(vault(&[1])).await;
    let shop = bench(before.clone());
    let people: Vec<Account> = (1..=9).map(person).collect();
    assert!(before.create(&people).await.unwrap());
    ask(&before, 1, "person1@example.com").await;
    let (_, order) = placed(&shop, 1, LONG).await;
    let to = Address::new("1 First Street".to_owned()).unwrap();
    let paying = order.pay(payment_id(1), method(), Some(to.clone()), at(10));
    shop.done(&paying.unwrap()).await;

    // Everybody has the next key; one does not seal with it yet.
    let ahead = open(vault(&[1, 2])).await;
    let behind = open(vault(&[2, 1])).await;
    let texts = 9 + 9 + 6 + 4 + 1 + 1;
    let found = pass(&ahead).await;
    assert_eq!((found.texts, found.resealed), (texts, texts));
    ask(&behind, 2, "person2@example.com").await;
    ask(&ahead, 3, "person3@example.com").await;
    reads_all(&behind, &bench(behind.clone()), &people, &to).await;
    let found = pass(&ahead).await;
    assert_eq!(
        (found.texts, found.resealed),
        (texts + 2, 1),
        "what came behind"
    );
    assert!(pass(&ahead).await.is_nothing_left());

    // Whoever never had the first key reads everything.
    let after = open(vault(&[2])).await;
    reads_all(&after, &bench(after.clone()), &people, &to).await;
    assert_eq!(
        newest(&after, &email("person2@example.com")).await,
        "person2@example.com"
    );
    let gone = before.account(buyer(1)).await.err();
    assert!(gone.is_some_and(|fault| fault.detail().contains("key 2")));

    // What no key opens stays as it is, and is told.
    let stranger = open(vault(&[3])).await;
    let found = pass(&stranger).await;
    assert_eq!((found.unreadable, found.resealed), (texts + 2, 0));
    assert!(!found.is_nothing_left());
    assert!(pass(&after).await.is_nothing_left());
}
