//! What nobody can read does not stand in anybody's way.

use serde_json::Value;

use crate::fleet::{PLENTY, assert_known, market, shoppers};
use crate::kafka_tools::Logged;
use crate::support::{Caller, Demo, code, fresh_key, until, verify};

/// Fewer in a row than stop a consumer.
const POISONED: usize = 6;
/// Groups that read what happens to orders: payment, cancellation and mail.
const READERS: usize = 3;

#[tokio::test]
async fn events_that_nobody_can_read_are_dead_letters_of_every_group_of_their_topic() {
    let logged = Logged::with(&[("PAYMENT__ASK_AGAIN_AFTER", "1s")]);
    let server = logged.shop.start().await;
    let (items, buyers) = market(&server).await;
    let traffic = shoppers(&server, &items, &buyers);
    traffic.goes_on(30).await;

    // In the middle of a sale, into the orders and into what payments are told by.
    let topics = ["order.accepted", "orders"];
    let mut expected = 0;
    for (topic, groups) in topics.iter().zip([1, READERS]) {
        logged.poison(topic, POISONED).await;
        expected += POISONED * groups;
    }
    traffic.goes_on(60).await;
    let (answered, tally) = traffic.end().await;
    assert_eq!(tally.faults, 0, "{tally:?}");
    assert_known(&tally);
    verify(&server, &items, PLENTY, &answered).await;

    // Every one of them is there as it was, says where it was and why it is here, and is counted.
    let admin = server.sign_in(Demo::Admin).await;
    let counted = u64::try_from(expected).unwrap();
    until("all dead letters", || async {
        let document = "{ backOffice { stockAudit { deadLetters } } }";
        let data = admin.ask(document, serde_json::json!({})).await;
        (data["backOffice"]["stockAudit"]["deadLetters"] == counted).then_some(())
    })
    .await;
    let letters = logged.consume("dead-letters", expected).await;
    assert_eq!(letters.len(), expected, "{letters:?}");
    for (topic, record) in topics
        .iter()
        .flat_map(|topic| (0..POISONED).map(move |record| (topic, record)))
    {
        let of = format!("dead-letter-topic:{},", logged.topic(topic));
        let text = format!("poison {record}");
        let letter = letters
            .iter()
            .find(|letter| letter.contains(&of) && letter.ends_with(&text));
        let letter = letter.unwrap_or_else(|| panic!("{text} of {topic} is not in {letters:?}"));
        for header in ["group", "partition", "offset", "reason", "attempts", "at"] {
            assert!(
                letter.contains(&format!("dead-letter-{header}:")),
                "{letter}"
            );
        }
        assert!(!letter.contains("dead-letter-reason:,"), "{letter}");
    }
    server.assert_audit(counted).await;

    an_operator_looks_through_them(&admin, expected).await;
    server.assert_audit(counted - 1).await;
}

/// Each is there as it came, whoever could not read it; one is replayed, another is dropped.
async fn an_operator_looks_through_them(admin: &Caller, expected: usize) {
    let open = until("all of them filed", || async {
        Some(admin.open_dead_letters().await).filter(|open| open.len() == expected)
    })
    .await;
    for (group, topic) in [
        ("ORDER_WRITER", "order.accepted"),
        ("PAYMENT", "orders"),
        ("CANCELLATION", "orders"),
        ("MAIL", "orders"),
    ] {
        let of_group = open.iter().filter(|letter| letter["group"] == group);
        let mut payloads: Vec<_> = of_group
            .inspect(|letter| assert_eq!(letter["topic"], topic))
            .map(|letter| letter["payload"].as_str().unwrap())
            .collect();
        payloads.sort_unstable();
        let expected: Vec<_> = (0..POISONED).map(|at| format!("poison {at}")).collect();
        assert_eq!(payloads, expected, "{group}");
    }
    replay_and_drop(admin, &open).await;
}

/// What still can't be read when it is replayed becomes a dead letter again, where it was.
async fn replay_and_drop(admin: &Caller, open: &[Value]) {
    let mut accepted = open
        .iter()
        .filter(|letter| letter["group"] == "ORDER_WRITER");
    let (one, other) = (accepted.next().unwrap(), accepted.next().unwrap());
    let id = |letter: &Value| letter["id"].as_str().unwrap().to_owned();
    let done = admin.replay_dead_letter(&id(one), &fresh_key()).await;
    assert_eq!(code(&done), None, "{done}");
    let (other, key) = (id(other), fresh_key());
    let done = admin.drop_dead_letter(&other, &key, "a stranger's").await;
    assert_eq!(code(&done), None, "{done}");
    let again = until("the same one again", || async {
        let open = admin.open_dead_letters().await;
        open.into_iter()
            .find(|letter| letter["group"] == one["group"] && letter["payload"] == one["payload"])
    })
    .await;
    assert_ne!(again["id"], one["id"]);
    assert_eq!(again["partition"], one["partition"]);
}
