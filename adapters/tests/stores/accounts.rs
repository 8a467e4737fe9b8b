//! Accounts, and proofs of addresses.

use domain::account::{Account, Role};
use domain::act::{Act, Alteration, BY_COMMAND, Deed};
use domain::event::{Event, What};
use domain::page::{End, Window};
use domain::ports::accounts::Changed;
use domain::ports::back_office::ActFilter;
use domain::verification::{Purpose, Verification};
use domain::{ActId, Language, VerificationId};

use super::bench::{Bench, account, at, buyer, email, id};
use super::sessions::session;

pub fn verification(number: u128, address: &str, requested: i64) -> Verification {
    Verification {
        id: VerificationId(id(9, number)),
        purpose: Purpose::SignUp,
        account: None,
        email: email(address),
        language: Language::Korean,
        code_digest: None,
        requested_at: at(requested),
        expires_at: at(requested + 60_000),
        attempts: 0,
        used_at: None,
    }
}

pub async fn ask(bench: &Bench, asked: Verification) {
    let event = Event::verification_requested(asked.id, asked.requested_at);
    let added = [(asked, event)];
    bench.verifications.add_verifications(&added).await.unwrap();
}

/// Whether there is one and it is the same: an account has no `Debug`, so that no log can have it.
fn same<T: PartialEq>(one: impl IntoIterator<Item = T>, other: &T) -> bool {
    one.into_iter().next().as_ref() == Some(other)
}

pub async fn an_account_is_found_by_any_spelling_of_its_address(bench: Bench) {
    assert!(bench.accounts.is_empty().await.unwrap());
    let mut kim = account(1, "Kim.Minsu@Example.com");
    kim.profile.name = String::from("김민수");
    kim.profile.address = Some("서울\n종로구 1".to_owned());
    kim.role = Role::Admin;
    kim.language = Language::Korean;
    let lee = Account {
        password_hash: None,
        ..account(2, "lee@example.com")
    };
    assert!(
        bench
            .accounts
            .create(&[kim.clone(), lee.clone()])
            .await
            .unwrap()
    );
    assert!(!bench.accounts.is_empty().await.unwrap());
    for spelling in ["kim.minsu@example.com", " KIM.MINSU@EXAMPLE.COM "] {
        assert!(same(
            bench.accounts.by_email(&email(spelling)).await.unwrap(),
            &kim
        ));
    }
    assert!(
        bench
            .accounts
            .by_email(&email("kim@example.com"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(same(bench.accounts.account(lee.id).await.unwrap(), &lee));
    assert!(bench.accounts.account(buyer(9)).await.unwrap().is_none());
    assert_eq!(
        bench
            .accounts
            .accounts(&[lee.id, buyer(9), kim.id])
            .await
            .unwrap()
            .len(),
        2
    );
}

pub async fn an_address_has_one_account(bench: Bench) {
    let create = async |accounts: &[Account]| bench.accounts.create(accounts).await.unwrap();
    assert!(create(&[account(1, "kim@example.com")]).await);
    assert!(!create(&[account(2, "lee@example.com"), account(3, "KIM@example.com")]).await);
    assert!(
        bench.accounts.account(buyer(2)).await.unwrap().is_none(),
        "all or none"
    );
    assert!(!create(&[account(2, "lee@example.com"), account(3, "Lee@example.com")]).await);

    let many: Vec<_> = (10..2_500)
        .map(|number| account(number, &format!("b{number}@example.test")))
        .collect();
    assert!(create(&many).await);
    assert!(!create(&many[2_000..2_001]).await);

    let at_once = (0..8).map(|number| {
        let accounts = bench.accounts.clone();
        let account = account(5_000 + number, "first@example.com");
        tokio::spawn(async move { accounts.create(&[account]).await.unwrap() })
    });
    let mut created = 0;
    for one in at_once.collect::<Vec<_>>() {
        created += i32::from(one.await.unwrap());
    }
    assert_eq!(created, 1);
}

pub async fn a_verification_is_used_once(bench: Bench) {
    let proof = verification(1, "kim@example.com", 0);
    ask(&bench, proof.clone()).await;
    let event = bench.pending(9).await.pop().unwrap();
    assert_eq!(
        event.what,
        What::VerificationRequested {
            verification: proof.id
        }
    );
    let proofs = &bench.verifications;
    let read = async |id| proofs.verification(id).await.unwrap();
    assert!(same(read(proof.id).await, &proof));
    for code in ["first", "second"] {
        proofs.set_code(proof.id, code).await.unwrap();
        proofs.count_wrong_code(proof.id).await.unwrap();
    }
    let seen = read(proof.id).await.unwrap();
    assert_eq!(
        (seen.code_digest.as_deref(), seen.attempts),
        (Some("second"), 2)
    );

    let kim = account(1, "kim@example.com");
    let sign_up =
        async |account: &Account, id| bench.accounts.sign_up(account, id, at(50)).await.unwrap();
    let created = bench
        .accounts
        .create(&[account(2, "lee@example.com")])
        .await;
    assert!(created.unwrap());
    assert_eq!(
        sign_up(&account(3, "lee@example.com"), proof.id).await,
        Changed::EmailTaken
    );
    assert_eq!(
        read(proof.id).await.unwrap().used_at,
        None,
        "nothing came of it"
    );
    assert_eq!(sign_up(&kim, proof.id).await, Changed::Done);
    assert_eq!(read(proof.id).await.unwrap().used_at, Some(at(50)));
    assert!(same(
        bench.accounts.by_email(&kim.email).await.unwrap(),
        &kim
    ));
    assert_eq!(
        sign_up(&account(4, "new@example.com"), proof.id).await,
        Changed::TooLate
    );
    let unknown = VerificationId(id(9, 99));
    assert_eq!(
        sign_up(&account(4, "new@example.com"), unknown).await,
        Changed::TooLate
    );
    assert!(bench.accounts.account(buyer(4)).await.unwrap().is_none());

    proofs.set_code(proof.id, "third").await.unwrap();
    assert_eq!(
        read(proof.id).await.unwrap().code_digest.as_deref(),
        Some("second")
    );
}

pub async fn a_password_hash_is_replaced_while_it_is_the_same(bench: Bench) {
    let kim = account(1, "kim@example.com");
    let lee = account(2, "lee@example.com");
    let both = [kim.clone(), lee.clone()];
    assert!(bench.accounts.create(&both).await.unwrap());
    let old = kim.password_hash.clone().unwrap();
    let replace = async |from: &str, to: &str| {
        let replaced = bench.accounts.replace_password_hash(kim.id, from, to);
        replaced.await.unwrap()
    };
    assert!(replace(&old, "$new").await);
    assert!(!replace(&old, "$newer").await, "it has changed in between");
    let read = bench.accounts.account(kim.id).await.unwrap().unwrap();
    assert_eq!(read.password_hash.as_deref(), Some("$new"));
    assert!(same(bench.accounts.account(lee.id).await.unwrap(), &lee));
}

pub async fn a_role_changes_once_and_with_its_act(bench: Bench) {
    let kim = account(1, "kim@example.com");
    let one = std::slice::from_ref(&kim);
    assert!(bench.accounts.create(one).await.unwrap());
    let change = async |number: u128, from: Role, to: Role| {
        let act = Act {
            id: ActId(id(11, number)),
            operator: BY_COMMAND,
            at: at(5),
            deed: Deed::GrantRole,
            subject: kim.id.0,
            note: None,
            changes: Alteration::of_role(from, to),
        };
        let changed = bench.accounts.change_role(kim.id, from, to, &act);
        changed.await.unwrap()
    };
    assert!(change(1, Role::Customer, Role::Admin).await);
    assert!(!change(2, Role::Customer, Role::Seller).await);
    let read = bench.accounts.account(kim.id).await.unwrap().unwrap();
    assert_eq!(read.role, Role::Admin);
    let window = Window {
        count: 9,
        from: End::First,
        after: None,
        before: None,
    };
    let all = ActFilter::default();
    let acts = bench.back_office.acts(&all, &window).await.unwrap().rows;
    assert_eq!(acts.len(), 1);
    assert_eq!(
        acts[0].1.changes,
        Alteration::of_role(Role::Customer, Role::Admin)
    );
}

pub async fn rehearsal_buyers_vanish_without_a_trace_of_others(bench: Bench) {
    let kim = account(1, "kim@example.com");
    let crowd: Vec<_> = (10..15)
        .map(|number| Account {
            rehearsal: true,
            ..account(number, &format!("crowd-{number}@example.test"))
        })
        .collect();
    let create = async |accounts: &[Account]| bench.accounts.create(accounts).await.unwrap();
    assert!(create(&crowd).await && create(std::slice::from_ref(&kim)).await);
    let (theirs, kims) = (session(1, &crowd[0]), session(2, &kim));
    for (session, of) in [(&theirs, &crowd[0]), (&kims, &kim)] {
        let hash = of.password_hash.as_deref().unwrap();
        assert!(bench.sessions.open_session(session, hash).await.unwrap());
    }
    let buyers = bench.accounts.rehearsal_buyers(3).await.unwrap();
    assert_eq!(buyers.len(), 3);
    assert!(
        !bench
            .accounts
            .rehearsal_buyers(99)
            .await
            .unwrap()
            .contains(&kim.id)
    );
    assert_eq!(bench.accounts.remove_rehearsal_buyers().await.unwrap(), 5);
    assert_eq!(bench.accounts.remove_rehearsal_buyers().await.unwrap(), 0);
    assert!(bench.accounts.rehearsal_buyers(9).await.unwrap().is_empty());
    let open = async |id| bench.sessions.session(id).await.unwrap().is_some();
    assert!(!open(theirs.id).await);
    assert!(open(kims.id).await);
    assert!(bench.accounts.by_email(&kim.email).await.unwrap().is_some());
}
