//! Sessions, and how they end.

use std::collections::HashSet;

use domain::account::Account;
use domain::session::{Ending, Session};
use domain::{SessionId, Timestamp};

use super::bench::{Bench, account, at, buyer, id};

pub fn session(number: u128, account: &Account) -> Session {
    Session {
        id: SessionId(id(10, number)),
        account: account.id,
        refresh_digest: format!("digest-{number}"),
        created_at: at(i64::try_from(number).unwrap()),
        refreshed_at: None,
        expires_at: at(1_000),
    }
}

/// An account with so many sessions, numbered from `first`.
pub async fn signed_in(bench: &Bench, who: u128, first: u128, count: u128) -> Vec<Session> {
    let account = account(who, &format!("b{who}@example.com"));
    let created = bench.accounts.create(std::slice::from_ref(&account)).await;
    assert!(created.unwrap());
    let hash = account.password_hash.clone().unwrap();
    let sessions: Vec<_> = (first..first + count)
        .map(|number| session(number, &account))
        .collect();
    for session in &sessions {
        assert!(bench.sessions.open_session(session, &hash).await.unwrap());
    }
    sessions
}

async fn ended(bench: &Bench, since: Timestamp) -> HashSet<SessionId> {
    let ended = bench.sessions.ended_since(since).await.unwrap();
    ended.into_iter().map(|end| end.session).collect()
}

async fn end(bench: &Bench, of: u128, which: Ending, when: i64) -> usize {
    let ending = bench.sessions.end_sessions(buyer(of), which, at(when));
    ending.await.unwrap()
}

pub async fn a_session_opens_for_the_password_that_was_proven(bench: Bench) {
    let kim = account(1, "kim@example.com");
    let created = bench.accounts.create(std::slice::from_ref(&kim)).await;
    assert!(created.unwrap());
    let opened = session(1, &kim);
    let open = async |hash: &str| bench.sessions.open_session(&opened, hash).await.unwrap();
    assert!(!open("another").await, "it was changed in the meantime");
    assert!(bench.sessions.session(opened.id).await.unwrap().is_none());
    assert!(open(kim.password_hash.as_deref().unwrap()).await);
    let read = bench.sessions.session(opened.id).await.unwrap();
    assert!(read.is_some_and(|read| read == opened));

    let gone = session(2, &account(2, "gone@example.com"));
    let opening = bench.sessions.open_session(&gone, "hash").await;
    assert!(!opening.unwrap());
}

pub async fn a_refresh_token_works_once(bench: Bench) {
    let opened = signed_in(&bench, 1, 1, 1).await.pop().unwrap();
    let rotate = async |from: &str, to: &str| {
        let rotating = bench
            .sessions
            .rotate_session(opened.id, from, to, at(7), at(9));
        rotating.await.unwrap()
    };
    assert!(rotate("digest-1", "two").await);
    assert!(
        !rotate("digest-1", "three").await,
        "somebody used it before"
    );
    let rotated = Session {
        refresh_digest: "two".to_owned(),
        refreshed_at: Some(at(7)),
        expires_at: at(9),
        ..opened.clone()
    };
    let read = bench.sessions.session(opened.id).await.unwrap();
    assert!(read.is_some_and(|read| read == rotated));
    assert_eq!(end(&bench, 1, Ending::One(opened.id), 8).await, 1);
    assert!(!rotate("two", "four").await);
}

pub async fn who_ends_a_session_is_heard(bench: Bench) {
    let kims = signed_in(&bench, 1, 1, 3).await;
    let lees = signed_in(&bench, 2, 4, 1).await;
    let open = async |who| {
        let open = bench.sessions.sessions_of(buyer(who), at(5), 9).await;
        open.unwrap()
            .into_iter()
            .map(|it| it.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(open(1).await, [kims[2].id, kims[1].id, kims[0].id]);

    let not_hers = Ending::One(lees[0].id);
    assert_eq!(end(&bench, 1, not_hers, 10).await, 0);
    assert_eq!(end(&bench, 1, Ending::One(kims[1].id), 20).await, 1);
    assert_eq!(end(&bench, 1, Ending::One(kims[1].id), 21).await, 0);
    assert_eq!(open(1).await, [kims[2].id, kims[0].id]);
    let stays = Ending::AllBut(kims[0].id);
    assert_eq!(end(&bench, 1, stays, 30).await, 1);
    assert_eq!(end(&bench, 1, stays, 30).await, 0);
    assert_eq!(open(1).await, [kims[0].id]);
    assert_eq!(end(&bench, 1, Ending::All, 30).await, 1);
    assert_eq!(end(&bench, 1, Ending::All, 31).await, 0);
    assert!(open(1).await.is_empty());
    assert_eq!(open(2).await, [lees[0].id]);

    let all: HashSet<_> = kims.iter().map(|it| it.id).collect();
    assert_eq!(ended(&bench, at(20)).await, all);
    let last = HashSet::from([kims[0].id, kims[2].id]);
    assert_eq!(ended(&bench, at(21)).await, last);
    assert!(ended(&bench, at(31)).await.is_empty());
}

pub async fn a_session_ends_once_however_many_end_it(bench: Bench) {
    let sessions = signed_in(&bench, 1, 1, 20).await;
    let ending = (0..16).map(|number| {
        let (port, session) = (bench.sessions.clone(), sessions[0].id);
        let which = if number % 2 == 0 {
            Ending::All
        } else {
            Ending::One(session)
        };
        tokio::spawn(async move { port.end_sessions(buyer(1), which, at(5)).await })
    });
    let mut count = 0;
    for one in ending.collect::<Vec<_>>() {
        count += one.await.unwrap().unwrap();
    }
    assert_eq!(count, 20);
    assert_eq!(ended(&bench, at(0)).await.len(), 20);
}
