//! Dead letters: filed once, looked through, settled once.

use domain::act::{Act, Alteration, Deed};
use domain::dead_letter::{FiledLetter, KeptLetter, LetterFilter, RawRecord, Settled, Settlement};
use domain::gate::Fingerprint;
use domain::message::{Offset, Partition, Topic};
use domain::order::KeyUse;
use domain::page::{End, Window};
use domain::ports::back_office::ActFilter;
use domain::ports::dead_letters::Standing;
use domain::ports::log::{DeadLetter, Group};
use domain::trace::TraceContext;
use domain::{ActId, IdempotencyKey};

use super::bench::{Bench, at, buyer, id};

/// A letter that is as old as its record's offset says.
fn kept(group: Group, offset: i64) -> KeptLetter {
    let trace = TraceContext {
        trace: 5,
        span: 7,
        is_sampled: true,
        state: "vendor=7".to_owned(),
    };
    KeptLetter {
        letter: DeadLetter {
            group,
            partition: Partition {
                topic: Topic::Orders,
                number: 11,
            },
            offset: Offset(offset),
            reason: "아무도 못 읽는다".to_owned(),
            attempts: 6,
        },
        at: at(offset),
        record: Some(RawRecord {
            key: b"key\0\xff".to_vec(),
            payload: vec![0xff; 60_000],
            trace: Some(Box::new(trace)),
        }),
    }
}

fn window(count: usize) -> Window {
    Window {
        count,
        from: End::First,
        after: None,
        before: None,
    }
}

fn act(number: u128, letter: &FiledLetter) -> Act {
    Act {
        id: ActId(id(10, number)),
        operator: buyer(500),
        at: at(2_000),
        deed: Deed::DropDeadLetter,
        subject: letter.id.0,
        note: Some("nobody needs it".to_owned()),
        changes: Alteration::of_dead_letter(Settlement::Dropped),
    }
}

fn key(number: u128, letter: &FiledLetter) -> KeyUse {
    KeyUse {
        requester: buyer(500),
        mutation: "dropDeadLetter",
        key: IdempotencyKey(id(13, number)),
        fingerprint: Fingerprint(number),
        subject: letter.id.0,
    }
}

async fn listed(bench: &Bench, filter: LetterFilter) -> Vec<i64> {
    let page = bench.dead_letters.list(&filter, &window(50)).await.unwrap();
    let letters = page.rows.into_iter();
    letters
        .map(|(_, letter)| letter.kept.letter.offset.0)
        .collect()
}

async fn standing(bench: &Bench) -> (i64, u64) {
    let Standing { next, open } = bench.dead_letters.standing().await.unwrap();
    (next.0, open)
}

pub async fn a_dead_letter_is_filed_once(bench: Bench) {
    assert_eq!(standing(&bench).await, (0, 0));
    let whole = kept(Group::Mail, 1);
    let gone = KeptLetter {
        record: None,
        ..kept(Group::OrderWriter, 2)
    };
    let filing = |from, letters: Vec<KeptLetter>, next| {
        let ledger = bench.dead_letters.clone();
        async move {
            let filed = ledger.file(Offset(from), &letters, Offset(next)).await;
            filed.unwrap()
        }
    };
    // Beside each other: one of them files.
    let letters = || vec![whole.clone(), gone.clone()];
    let both = (0..4).map(|_| tokio::spawn(filing(0, letters(), 2)));
    let mut filed = 0;
    for done in both.collect::<Vec<_>>() {
        filed += u32::from(done.await.unwrap());
    }
    assert_eq!(filed, 1);
    assert_eq!(standing(&bench).await, (2, 2));
    for letter in letters() {
        let found = bench.dead_letters.get(letter.id()).await.unwrap().unwrap();
        assert_eq!((found.id, found.settled), (letter.id(), None));
        assert_eq!(found.kept, letter);
    }

    // Kept again, twice in one batch, and one that is new.
    let again = KeptLetter {
        at: at(900),
        ..whole.clone()
    };
    let new = kept(Group::Mail, 3);
    let batch = vec![again, new.clone(), new.clone()];
    assert!(!filing(1, batch.clone(), 5).await, "not where it stands");
    assert!(filing(2, batch, 5).await);
    assert_eq!(standing(&bench).await, (5, 3));
    let found = bench.dead_letters.get(whole.id()).await.unwrap().unwrap();
    assert_eq!(found.kept.at, at(1), "the first one stays");
    // What is not a letter moves the position, and a log that begins anew moves it back.
    assert!(filing(5, Vec::new(), 9).await);
    assert!(filing(9, Vec::new(), 1).await);
    assert_eq!(standing(&bench).await, (1, 3));
    let unknown = kept(Group::Payment, 77).id();
    assert!(bench.dead_letters.get(unknown).await.unwrap().is_none());
}

pub async fn a_dead_letter_is_settled_once_with_its_act(bench: Bench) {
    let letters = [kept(Group::Mail, 1), kept(Group::Payment, 2)];
    let filed = bench.dead_letters.file(Offset(0), &letters, Offset(2));
    assert!(filed.await.unwrap());
    let find = async |letter: &KeptLetter| {
        let found = bench.dead_letters.get(letter.id()).await.unwrap();
        found.unwrap()
    };
    let (letter, other) = (find(&letters[0]).await, find(&letters[1]).await);
    let settled = Settled {
        at: at(2_000),
        settlement: Settlement::Dropped,
    };
    let settling = (1..=4).map(|number| {
        let (ledger, letter) = (bench.dead_letters.clone(), letter.clone());
        tokio::spawn(async move {
            let (act, key) = (act(number, &letter), key(number, &letter));
            ledger.settle(letter.id, settled, &act, &key).await.unwrap()
        })
    });
    let mut done = 0;
    for settling in settling.collect::<Vec<_>>() {
        done += u32::from(settling.await.unwrap());
    }
    assert_eq!(done, 1);
    assert_eq!(find(&letters[0]).await.settled, Some(settled));
    assert_eq!(standing(&bench).await, (2, 1));
    let acts = async || {
        let (all, window) = (ActFilter::default(), window(50));
        let page = bench.back_office.acts(&all, &window).await.unwrap();
        let acts = page.rows.into_iter();
        acts.map(|(_, act)| act).collect::<Vec<_>>()
    };
    let written = acts().await;
    assert_eq!(written.len(), 1);
    assert_eq!(written[0].changes[0].after, "DROPPED");

    let act = act(9, &other);
    // The key that settled it is used, and settles nothing else.
    let number = written[0].id.0.as_u128() & 0xff;
    let used = key(number, &letter);
    let known = bench
        .orders
        .key_use(used.requester, used.mutation, used.key);
    assert_eq!(known.await.unwrap(), Some((used.fingerprint, letter.id.0)));
    let again = bench.dead_letters.settle(other.id, settled, &act, &used);
    assert!(!again.await.unwrap());
    assert_eq!(find(&letters[1]).await.settled, None);
    assert_eq!(acts().await.len(), 1);
}

pub async fn dead_letters_are_looked_through_by_group_and_state(bench: Bench) {
    let letters: Vec<_> = (0..6)
        .map(|offset| {
            let groups = [Group::Mail, Group::OrderWriter, Group::Mail];
            kept(groups[usize::try_from(offset).unwrap() % 3], offset)
        })
        .collect();
    let filed = bench.dead_letters.file(Offset(0), &letters, Offset(6));
    assert!(filed.await.unwrap());
    let settled = Settled {
        at: at(2_000),
        settlement: Settlement::Replayed,
    };
    for (number, letter) in (1..).zip([&letters[0], &letters[4]]) {
        let found = bench.dead_letters.get(letter.id()).await.unwrap().unwrap();
        let (act, key) = (act(number, &found), key(number, &found));
        let done = bench.dead_letters.settle(found.id, settled, &act, &key);
        assert!(done.await.unwrap());
    }
    let filter = |settled, group| LetterFilter { settled, group };
    let mail = Some(Group::Mail);
    assert_eq!(listed(&bench, filter(None, None)).await, [5, 4, 3, 2, 1, 0]);
    assert_eq!(listed(&bench, filter(None, mail)).await, [5, 3, 2, 0]);
    assert_eq!(listed(&bench, filter(Some(false), mail)).await, [5, 3, 2]);
    assert_eq!(listed(&bench, filter(Some(true), None)).await, [4, 0]);
    let payment = Some(Group::Payment);
    assert_eq!(listed(&bench, filter(None, payment)).await, [0; 0]);

    let open = filter(Some(false), None);
    let first = bench.dead_letters.list(&open, &window(3)).await.unwrap();
    assert!(first.has_next && !first.has_previous);
    let rest = Window {
        after: first.rows.last().map(|(cursor, _)| cursor.clone()),
        ..window(3)
    };
    let rest = bench.dead_letters.list(&open, &rest).await.unwrap();
    assert!(!rest.has_next && rest.has_previous);
    let offsets = first.rows.iter().chain(&rest.rows);
    let offsets: Vec<_> = offsets
        .map(|(_, letter)| letter.kept.letter.offset.0)
        .collect();
    assert_eq!(offsets, [5, 3, 2, 1]);
}
