//! Proofs of addresses.

use domain::VerificationId;
use domain::verification::{Purpose, Verification};

use super::accounts::{ask, verification};
use super::bench::{Bench, at, buyer, email, id};

pub async fn the_newest_verification_counts(bench: Bench) {
    let newest = async || {
        let address = email("KIM@example.com");
        let newest = bench
            .verifications
            .newest_verification(&address, Purpose::SignUp);
        newest.await.unwrap()
    };
    assert!(newest().await.is_none());
    for (number, requested) in [(1, 10), (2, 30), (3, 20)] {
        ask(&bench, verification(number, "kim@example.com", requested)).await;
    }
    ask(&bench, verification(4, "lee@example.com", 40)).await;
    assert_eq!(newest().await.unwrap().id, VerificationId(id(9, 2)));
}

pub async fn a_verification_is_for_one_purpose(bench: Bench) {
    let purposes = [
        Purpose::SignUp,
        Purpose::PasswordReset,
        Purpose::SignIn,
        Purpose::NewAddress,
        Purpose::OldAddress,
    ];
    for (number, purpose) in (1..).zip(purposes) {
        let asked = Verification {
            purpose,
            account: Some(buyer(number)),
            ..verification(number, "kim@example.com", 10)
        };
        ask(&bench, asked).await;
    }
    for (number, purpose) in (1..).zip(purposes) {
        let address = email("kim@example.com");
        let proofs = &bench.verifications;
        let newest = proofs.newest_verification(&address, purpose).await.unwrap();
        assert_eq!(newest.unwrap().id, VerificationId(id(9, number)));
        let account = buyer(number);
        let newest = proofs.newest_verification_of(account, purpose).await;
        assert_eq!(newest.unwrap().unwrap().purpose, purpose);
        let another = buyer(number + 1);
        let newest = proofs.newest_verification_of(another, purpose).await;
        assert!(newest.unwrap().is_none());
    }
}

pub async fn of_many_who_use_one_a_single_one_does(bench: Bench) {
    let asked = verification(1, "kim@example.com", 10);
    let proof = asked.id;
    ask(&bench, asked).await;
    let using = (0..8).map(|_| {
        let port = bench.verifications.clone();
        tokio::spawn(async move { port.use_verification(proof, at(20)).await })
    });
    let mut used = 0;
    for one in using.collect::<Vec<_>>() {
        used += i32::from(one.await.unwrap().unwrap());
    }
    assert_eq!(used, 1);
    let read = bench.verifications.verification(proof).await.unwrap();
    assert_eq!(read.unwrap().used_at, Some(at(20)));
}
