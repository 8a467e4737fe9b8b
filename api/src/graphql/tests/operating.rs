//! What operators do with dead letters.

use domain::DeadLetterId;
use domain::account::Role;
use domain::dead_letter::{FiledLetter, KeptLetter, RawRecord};
use domain::message::{Offset, Partition, Topic};
use domain::ports::log::{DeadLetter, Group};
use serde_json::{Value, json};

use super::client::Client;
use super::world::{World, account_id, at};
use crate::graphql::ids::GlobalId;

const REPLAY: &str = "mutation($input: ReplayDeadLetterInput!) { replayDeadLetter(input: $input) {
    deadLetter { settlement settledAt } replayed userErrors { code message field } } }";
const SHOW: &str = "query($id: ID!) { backOffice { deadLetter(id: $id) {
    group offset payload payloadBase64 whole settlement } } }";

/// Has a letter put aside; with the record, as far as it is there.
fn put_aside(world: &World, payload: Option<&[u8]>) -> DeadLetterId {
    let kept = KeptLetter {
        letter: DeadLetter {
            group: Group::OrderWriter,
            partition: Partition {
                topic: Topic::OrderAccepted,
                number: 1,
            },
            offset: Offset(1 << 40),
            reason: "nobody can do this".to_owned(),
            attempts: 6,
        },
        at: at(3),
        record: payload.map(|payload| RawRecord {
            key: Vec::new(),
            payload: payload.to_vec(),
            trace: None,
        }),
    };
    let id = kept.id();
    let settled = None;
    let letter = FiledLetter { id, kept, settled };
    world.dead_letters.lock().unwrap().insert(id, letter);
    id
}

fn input(id: DeadLetterId) -> Value {
    let key = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
    json!({ "input": { "letterId": id.to_global().as_str(), "idempotencyKey": key } })
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_breaks_off_leaves_the_letter_open() {
    let world = World::new();
    let id = put_aside(&world, Some(b"{\"v\": 1}"));
    let admin = Client::new(&world).signed_in(account_id(1), Role::Admin);
    for (broken, published) in [("publish_again", 1), ("dead_letters.settle", 2)] {
        *world.broken.lock().unwrap() = Some(broken);
        let answer = admin.ask(REPLAY, input(id)).await;
        assert!(answer["errors"][0].is_object(), "{answer}");
        assert_eq!(world.asked("publish_again"), published);
        assert_eq!(world.dead_letters.lock().unwrap()[&id].settled, None);
    }
    *world.broken.lock().unwrap() = None;
    let data = admin.data(REPLAY, input(id)).await;
    let payload = &data["replayDeadLetter"];
    assert_eq!(payload["deadLetter"]["settlement"], "REPLAYED", "{payload}");
    assert_eq!(world.asked("publish_again"), 3);

    let data = admin.data(REPLAY, input(id)).await;
    let refused = &data["replayDeadLetter"]["userErrors"][0];
    assert_eq!(refused["code"], "DEAD_LETTER_SETTLED");
    assert_eq!(world.asked("publish_again"), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_whole_can_not_be_replayed() {
    let world = World::new();
    let id = put_aside(&world, None);
    let admin = Client::new(&world).signed_in(account_id(1), Role::Admin);
    let data = admin.data(REPLAY, input(id)).await;
    let refused = &data["replayDeadLetter"]["userErrors"][0];
    assert_eq!(refused["code"], "DEAD_LETTER_NOT_WHOLE");
    assert_eq!(refused["field"], json!(["letterId"]));
    assert_eq!(world.asked("publish_again"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_record_is_shown_as_it_came() {
    let world = World::new();
    let admin = Client::new(&world).signed_in(account_id(1), Role::Admin);
    for (record, text, base64, whole) in [
        (Some(&b"{}"[..]), json!("{}"), Value::Null, true),
        (Some(&b"{\xff"[..]), Value::Null, json!("e/8="), true),
        (None, Value::Null, Value::Null, false),
    ] {
        let id = put_aside(&world, record);
        let variables = json!({ "id": id.to_global().as_str() });
        let data = admin.data(SHOW, variables).await;
        let expected = json!({
            "group": "ORDER_WRITER", "offset": "1099511627776", "payload": text,
            "payloadBase64": base64, "whole": whole, "settlement": null,
        });
        assert_eq!(data["backOffice"]["deadLetter"], expected);
    }
}
