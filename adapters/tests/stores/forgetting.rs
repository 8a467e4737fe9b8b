//! What is forgotten, and what is not.

use chrono::TimeDelta;
use domain::gate::Fingerprint;
use domain::order::KeyUse;
use domain::ports::housekeeping::Forgettable;
use domain::session::Ending;
use domain::{IdempotencyKey, Timestamp};

use super::accounts::{ask, verification};
use super::bench::{Bench, at, buyer, id};
use super::sessions::signed_in;

async fn forget(bench: &Bench, what: Forgettable, before: Timestamp, most: usize) -> usize {
    let forgetting = bench.housekeeping.forget(what, before, most);
    forgetting.await.unwrap()
}

pub async fn sessions_go_when_they_are_over(bench: Bench) {
    let sessions = signed_in(&bench, 1, 1, 5).await;
    // The end of each is at 1,000.
    assert_eq!(forget(&bench, Forgettable::Sessions, at(1_000), 9).await, 0);
    let over = at(1_001);
    assert_eq!(forget(&bench, Forgettable::Sessions, over, 3).await, 3);
    assert_eq!(forget(&bench, Forgettable::Sessions, over, 3).await, 2);
    for session in &sessions {
        assert!(bench.sessions.session(session.id).await.unwrap().is_none());
    }
    let ended = bench.sessions.ended_since(at(0)).await.unwrap();
    assert!(ended.is_empty(), "nobody ended them");
}

pub async fn ends_are_known_for_a_time(bench: Bench) {
    let sessions = signed_in(&bench, 1, 1, 2).await;
    for (session, when) in sessions.iter().zip([10, 20]) {
        let which = Ending::One(session.id);
        let ending = bench.sessions.end_sessions(buyer(1), which, at(when));
        assert_eq!(ending.await.unwrap(), 1);
    }
    let ended = Forgettable::EndedSessions;
    assert_eq!(forget(&bench, ended, at(20), 9).await, 1);
    let known = bench.sessions.ended_since(at(0)).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].session, sessions[1].id);
}

pub async fn proofs_go_when_their_codes_are_void(bench: Bench) {
    for number in 1..=3 {
        let asked = i64::try_from(number).unwrap();
        ask(&bench, verification(number, "kim@example.com", asked)).await;
    }
    // Each is good for 60,000.
    let proofs = Forgettable::Verifications;
    assert_eq!(forget(&bench, proofs, at(60_003), 9).await, 2);
    assert_eq!(forget(&bench, proofs, at(60_003), 9).await, 0);
    let kept = verification(3, "kim@example.com", 3).id;
    assert!(
        bench
            .verifications
            .verification(kept)
            .await
            .unwrap()
            .is_some()
    );
}

pub async fn used_keys_are_known_for_a_time(bench: Bench) {
    let item = bench.general(1, 100).await;
    let restock = async |number: u128| {
        let key = KeyUse {
            requester: buyer(1),
            mutation: "restockItem",
            key: IdempotencyKey(id(11, number)),
            fingerprint: Fingerprint(number),
            subject: item.0,
        };
        let restocking = bench.catalogue.restock(item, 1, at(1), &key, None);
        restocking.await.unwrap();
    };
    restock(1).await;
    restock(2).await;
    let then = (bench.pass_time)() + TimeDelta::milliseconds(1);
    restock(3).await;
    let keys = Forgettable::IdempotencyKeys;
    assert_eq!(forget(&bench, keys, then, 1).await, 1);
    assert_eq!(forget(&bench, keys, then, 9).await, 1);
    assert_eq!(forget(&bench, keys, then, 9).await, 0);
    let later = then + TimeDelta::days(1);
    assert_eq!(forget(&bench, keys, later, 9).await, 1);
}
