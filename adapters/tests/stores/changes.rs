//! What changes about an account, and how it goes.

use domain::account::ProfileChange;
use domain::delivery::Address;
use domain::event::{AccountEvent, Event, What};
use domain::order::Order;
use domain::policy::ReturnPolicy;
use domain::ports::accounts::{Changed, Deleted, PasswordChange};
use domain::session::Ending;
use domain::verification::{Purpose, Verification};
use domain::{EventId, Language, ReturnId, VerificationId};

use super::accounts::{ask, verification};
use super::bench::{
    Bench, LONG, account, at, buyer, calendar, captured, email, id, method, new_ids, order_id,
    payment_id, placed,
};
use super::sessions::{session, signed_in};

const RETURNS: ReturnPolicy = ReturnPolicy {
    days_to_request: 1,
    days_to_complete: 1,
};

fn change(from: &str, to: &str, proof: Option<VerificationId>) -> PasswordChange {
    PasswordChange {
        account: buyer(1),
        from: from.to_owned(),
        to: to.to_owned(),
        proof,
        event: event(AccountEvent::PasswordChanged),
    }
}

fn event(happened: AccountEvent) -> Event {
    Event::of_account(EventId(id(13, 1)), buyer(1), at(50), happened)
}

/// What became of this account, as far as anybody was told.
async fn told(bench: &Bench) -> Vec<AccountEvent> {
    let told = bench.pending(99).await.into_iter();
    let told = told.filter_map(|event| match event.what {
        What::Account { account, happened } if account == buyer(1) => Some(happened),
        What::Account { .. }
        | What::Order { .. }
        | What::Item { .. }
        | What::VerificationRequested { .. } => None,
    });
    told.collect()
}

async fn hash_of(bench: &Bench, who: u128) -> Option<String> {
    let account = bench.accounts.account(buyer(who)).await.unwrap();
    account.unwrap().password_hash
}

pub async fn a_password_changes_once_and_ends_what_was_open(bench: Bench) {
    let sessions = signed_in(&bench, 1, 1, 3).await;
    let others = signed_in(&bench, 2, 4, 1).await;
    let begun = Verification {
        purpose: Purpose::SignIn,
        account: Some(buyer(1)),
        ..verification(1, "b1@example.com", 10)
    };
    let under_way = begun.id;
    ask(&bench, begun).await;
    let old = hash_of(&bench, 1).await.unwrap();

    let changing = (0..6).map(|number| {
        let (port, old) = (bench.accounts.clone(), old.clone());
        let new = format!("new {number}");
        tokio::spawn(async move { port.change_password(&change(&old, &new, None)).await })
    });
    let mut done = 0;
    for one in changing.collect::<Vec<_>>() {
        done += i32::from(one.await.unwrap().unwrap() == Changed::Done);
    }
    assert_eq!(done, 1);
    assert_eq!(told(&bench).await, [AccountEvent::PasswordChanged]);
    assert!(hash_of(&bench, 1).await.unwrap().starts_with("new "));
    for session in &sessions {
        assert!(bench.sessions.session(session.id).await.unwrap().is_none());
    }
    let ended = bench.sessions.ended_since(at(50)).await.unwrap();
    assert_eq!(ended.len(), 3);
    let using = bench.verifications.use_verification(under_way, at(60));
    assert!(!using.await.unwrap(), "a sign-in with the old password");
    let other = bench.sessions.session(others[0].id).await.unwrap();
    assert!(other.is_some());
    let late = session(9, &account(1, "b1@example.com"));
    let opening = bench.sessions.open_session(&late, &old).await;
    assert!(!opening.unwrap(), "it was proven with the old password");
}

pub async fn a_password_is_reset_with_one_proof(bench: Bench) {
    signed_in(&bench, 1, 1, 1).await;
    let asked = Verification {
        purpose: Purpose::PasswordReset,
        ..verification(1, "b1@example.com", 10)
    };
    let proof = asked.id;
    ask(&bench, asked).await;
    let old = hash_of(&bench, 1).await.unwrap();
    let change = async |from: &str, to: &str, proof| {
        let change = change(from, to, proof);
        bench.accounts.change_password(&change).await.unwrap()
    };
    let unknown = VerificationId(id(9, 99));
    assert_eq!(change(&old, "new", Some(unknown)).await, Changed::TooLate);
    assert_eq!(change("other", "new", Some(proof)).await, Changed::TooLate);
    assert_eq!(hash_of(&bench, 1).await.unwrap(), old);
    assert_eq!(change(&old, "new", Some(proof)).await, Changed::Done);
    assert_eq!(change("new", "newer", Some(proof)).await, Changed::TooLate);
    assert_eq!(hash_of(&bench, 1).await.as_deref(), Some("new"));
}

pub async fn an_address_moves_with_two_proofs(bench: Bench) {
    signed_in(&bench, 1, 1, 1).await;
    signed_in(&bench, 2, 2, 1).await;
    let mut proofs = Vec::new();
    for number in 1..=4 {
        let asked = verification(number, "new@example.com", 10);
        proofs.push(asked.id);
        ask(&bench, asked).await;
    }
    let to = email("New@Example.com");
    let moved = async |who, to, proofs| {
        let moving = bench.accounts.change_email(buyer(who), to, proofs, at(20));
        moving.await.unwrap()
    };
    let taken = email("B2@example.com");
    let both = [proofs[0], proofs[1]];
    assert_eq!(moved(1, &taken, both).await, Changed::EmailTaken);
    assert_eq!(moved(1, &to, both).await, Changed::Done);
    assert_eq!(moved(1, &taken, both).await, Changed::EmailTaken);
    let again = email("newer@example.com");
    let half_used = [proofs[1], proofs[2]];
    assert_eq!(moved(1, &again, half_used).await, Changed::TooLate);
    let rest = [proofs[2], proofs[3]];
    assert_eq!(moved(9, &again, rest).await, Changed::TooLate, "nobody");
    assert_eq!(moved(2, &again, rest).await, Changed::Done);

    let found = bench.accounts.by_email(&email("new@example.com")).await;
    assert!(found.unwrap().is_some_and(|found| found.id == buyer(1)));
    let gone = bench.accounts.by_email(&email("b1@example.com")).await;
    assert!(gone.unwrap().is_none());
    let open = bench.sessions.sessions_of(buyer(1), at(30), 9).await;
    assert_eq!(open.unwrap().len(), 1, "sessions go on");
}

pub async fn a_profile_says_what_its_owner_said_last(bench: Bench) {
    let kim = account(1, "kim@example.com");
    let created = bench.accounts.create(std::slice::from_ref(&kim)).await;
    assert!(created.unwrap());
    let update = async |who, change| {
        let updated = bench.accounts.update_profile(buyer(who), change).await;
        updated.unwrap()
    };
    let change = ProfileChange {
        name: Some("김민수".to_owned()),
        phone: Some(None),
        address: Some(Some("서울 종로구 1".to_owned())),
        language: Some(Language::Korean),
    };
    let mut expected = kim.clone();
    change.clone().apply_to(&mut expected);
    assert!(
        update(1, change.clone())
            .await
            .is_some_and(|now| now == expected)
    );
    assert!(update(2, change).await.is_none());
    let set = async |who, on| {
        let event = event(AccountEvent::SecondFactorSet { on });
        let setting = bench.accounts.set_second_factor(buyer(who), on, &event);
        setting.await.unwrap()
    };
    assert!(set(1, true).await && set(1, true).await);
    assert!(!set(2, true).await);
    assert!(set(1, false).await && set(1, true).await);
    let told = told(&bench).await;
    let told = told.iter().map(|happened| match happened {
        AccountEvent::SecondFactorSet { on } => *on,
        AccountEvent::PasswordChanged => panic!("it did not"),
    });
    let told: Vec<bool> = told.collect();
    assert_eq!(told, [true, false, true], "where something changed");
    expected.second_factor = true;
    let read = bench.accounts.account(buyer(1)).await.unwrap();
    assert!(read.is_some_and(|read| read == expected));
}

pub async fn who_changes_a_profile_undoes_nobody_elses_change(bench: Bench) {
    const ROUNDS: usize = 20;
    let mut kim = account(1, "kim@example.com");
    let created = bench.accounts.create(std::slice::from_ref(&kim)).await;
    assert!(created.unwrap());
    for round in 0..ROUNDS {
        let (name, phone) = (format!("Kim {round}"), format!("010-0000-{round:04}"));
        let address = format!("{round} Sejong-daero");
        let all = [
            ProfileChange {
                name: Some(name),
                ..ProfileChange::default()
            },
            ProfileChange {
                phone: Some(Some(phone)),
                ..ProfileChange::default()
            },
            ProfileChange {
                address: Some(Some(address)),
                ..ProfileChange::default()
            },
        ];
        let changing = all.iter().map(|change| {
            let (port, change) = (bench.accounts.clone(), change.clone());
            tokio::spawn(async move { port.update_profile(buyer(1), change).await })
        });
        for changed in changing.collect::<Vec<_>>() {
            assert!(changed.await.unwrap().unwrap().is_some());
        }
        for change in all {
            change.apply_to(&mut kim);
        }
        let read = bench.accounts.account(buyer(1)).await.unwrap();
        assert!(read.is_some_and(|read| read == kim), "{round}");
    }
}

pub async fn an_account_goes_with_what_is_personal(bench: Bench) {
    signed_in(&bench, 1, 1, 2).await;
    signed_in(&bench, 2, 3, 1).await;
    ask(&bench, verification(1, "b1@example.com", 10)).await;
    let order = addressed(&bench).await;
    assert_eq!(delete(&bench).await, Deleted::OrdersOpen(1), "it leaves");
    let order = bench.done(&captured(&order, 1)).await;
    let sent = order.dispatch("T".to_owned(), &calendar(), at(1_500));
    let order = bench.done(&sent.unwrap()).await;
    assert_eq!(delete(&bench).await, Deleted::OrdersOpen(1), "it arrives");
    let order = bench.done(&order.deliver(at(2_500)).unwrap()).await;
    let (id, rules) = (ReturnId(id(9, 1)), (&RETURNS, &calendar()));
    let asked = (&[][..], "it does not fit Kim");
    let step = order.request_return(id, asked, rules, at(2_600)).unwrap();
    let order = bench.done(&step).await;
    assert_eq!(delete(&bench).await, Deleted::OrdersOpen(1), "it is back");
    let back = order.complete_return(id, new_ids(5).refund, false, at(3_000));
    let order = bench.done(&back.unwrap()).await;

    let deleting = (0..4).map(|_| {
        let port = bench.accounts.clone();
        tokio::spawn(async move { port.delete_account(buyer(1), at(50)).await })
    });
    let mut done = 0;
    for one in deleting.collect::<Vec<_>>() {
        done += i32::from(one.await.unwrap().unwrap() == Deleted::Done);
    }
    assert_eq!(done, 1);
    assert_eq!(delete(&bench).await, Deleted::Gone);
    assert!(bench.accounts.account(buyer(1)).await.unwrap().is_none());
    let proof = VerificationId(super::bench::id(9, 1));
    let proof = bench.verifications.verification(proof).await;
    assert!(proof.unwrap().is_none());
    assert_eq!(bench.sessions.ended_since(at(50)).await.unwrap().len(), 2);
    let mut expected = order;
    expected.delivery_address = None;
    expected.returns[0].reason.clear();
    assert_eq!(bench.order(order_id(1)).await, expected, "its figures stay");
    let others = bench.sessions.end_sessions(buyer(2), Ending::All, at(60));
    assert_eq!(others.await.unwrap(), 1, "nobody else's");
}

/// An order of buyer 1 that is being paid, and where it goes.
async fn addressed(bench: &Bench) -> Order {
    let (_, order) = placed(bench, 1, LONG).await;
    assert_eq!(delete(bench).await, Deleted::OrdersOpen(1), "it waits");
    let address = Address::new("1 First Street".to_owned()).unwrap();
    let pay = order.pay(payment_id(1), method(), Some(address), at(10));
    let order = bench.done(&pay.unwrap()).await;
    assert_eq!(delete(bench).await, Deleted::OrdersOpen(1), "it is paid");
    order
}

async fn delete(bench: &Bench) -> Deleted {
    let deleting = bench.accounts.delete_account(buyer(1), at(50));
    deleting.await.unwrap()
}
