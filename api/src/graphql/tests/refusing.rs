//! The promise of every mutation: an object, or refusals, never both and never neither.

use std::collections::BTreeMap;

use domain::account::Role;
use serde_json::{Value, json};

use super::client::Client;
use super::world::World;
use crate::graphql::types;

const TYPES: &str = "{ __schema { types { name kind
    fields { name type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }
    inputFields { name type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }
    enumValues { name } } } }";

/// The schema's types by name.
async fn by_name() -> BTreeMap<String, Value> {
    let response = types().finish().execute(TYPES).await;
    let schema = response.data.into_json().unwrap();
    let types = schema["__schema"]["types"].as_array().unwrap();
    types
        .iter()
        .map(|of| (of["name"].as_str().unwrap().to_owned(), of.clone()))
        .collect()
}

/// A value of a type that is well formed and means nothing.
fn meaningless(types: &BTreeMap<String, Value>, of: &Value) -> Value {
    match of["kind"].as_str().unwrap() {
        "NON_NULL" => meaningless(types, &of["ofType"]),
        "LIST" => json!([meaningless(types, &of["ofType"])]),
        "ENUM" => types[of["name"].as_str().unwrap()]["enumValues"][0]["name"].clone(),
        "INPUT_OBJECT" => {
            let fields = types[of["name"].as_str().unwrap()]["inputFields"]
                .as_array()
                .unwrap();
            let field = |field: &Value| {
                let name = field["name"].as_str().unwrap().to_owned();
                (name, meaningless(types, &field["type"]))
            };
            fields
                .iter()
                .map(field)
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        _ => match of["name"].as_str().unwrap() {
            "Int" => json!(-1),
            "Version" => json!(1),
            "Boolean" => json!(false),
            "UUID" => json!("f81d4fae-7dec-41d0-a765-00a0c91e6bf6"),
            "DateTime" => json!("2026-03-01T06:00:00Z"),
            _ => json!("\u{7}"),
        },
    }
}

/// Asks for every mutation, each alone, and looks whether it keeps the promise.
async fn ask_all(client: &Client) -> BTreeMap<String, Vec<String>> {
    let types = by_name().await;
    let mut codes = BTreeMap::new();
    for mutation in types["Mutation"]["fields"].as_array().unwrap() {
        let name = mutation["name"].as_str().unwrap();
        let capital = name[..1].to_uppercase() + &name[1..];
        let payload = types[&format!("{capital}Payload")]["fields"]
            .as_array()
            .unwrap();
        let object = payload
            .iter()
            .find(|field| field["type"]["kind"] != "NON_NULL")
            .unwrap();
        let sub = if object["type"]["kind"] == "OBJECT" {
            "{ __typename }"
        } else {
            ""
        };
        let object = object["name"].as_str().unwrap();
        let query = format!(
            "mutation($input: {capital}Input!) {{ {name}(input: $input) {{ {object} {sub} serverTime
                userErrors {{ __typename code message field }} }} }}"
        );
        let input = meaningless(
            &types,
            &json!({ "kind": "INPUT_OBJECT", "name": format!("{capital}Input") }),
        );
        let data = client.data(&query, json!({ "input": input })).await;
        let payload = &data[name];
        let errors = payload["userErrors"].as_array().unwrap();
        assert_eq!(
            payload[object].is_null(),
            !errors.is_empty(),
            "{name}: {payload:#}"
        );
        assert!(
            errors
                .iter()
                .all(|error| !error["message"].as_str().unwrap().is_empty())
        );
        let found = errors
            .iter()
            .map(|error| error["code"].as_str().unwrap().to_owned());
        codes.insert(name.to_owned(), found.collect());
    }
    codes
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_told_so() {
    let codes = ask_all(&Client::new(&World::new())).await;
    for name in [
        "placeOrder",
        "payOrder",
        "cancelOrder",
        "createItem",
        "updateItem",
        "restockItem",
        "scheduleDeal",
    ] {
        assert_eq!(codes[name], ["UNAUTHENTICATED"], "{name}");
    }
    assert_eq!(
        codes["signOut"],
        Vec::<String>::new(),
        "ending no session is done already"
    );
}

#[tokio::test]
async fn a_buyer_may_not_sell() {
    let world = World::new();
    let me = world.add_account(1, Role::Customer);
    let codes = ask_all(&Client::new(&world).signed_in(me, Role::Customer)).await;
    for name in ["createItem", "updateItem", "restockItem", "scheduleDeal"] {
        assert_eq!(codes[name], ["FORBIDDEN"], "{name}");
    }
}

#[tokio::test]
async fn what_means_nothing_is_refused_and_never_an_error() {
    let world = World::new();
    let me = world.add_account(1, Role::Admin);
    let codes = ask_all(&Client::new(&world).signed_in(me, Role::Admin)).await;
    for (name, codes) in &codes {
        let needs_nothing = ["signOut", "signOutEverywhere"].contains(&name.as_str());
        assert_eq!(codes.is_empty(), needs_nothing, "{name}");
    }
    for name in [
        "placeOrder",
        "payOrder",
        "createItem",
        "signUp",
        "signIn",
        "requestEmailVerification",
    ] {
        assert!(
            codes[name].iter().all(|code| code == "INVALID_INPUT"),
            "{name}: {:?}",
            codes[name]
        );
    }
    assert_eq!(codes["refreshSession"], ["SESSION_ENDED"]);
}

#[tokio::test]
async fn a_fault_leaves_a_mutation_null_and_the_ones_before_it_alone() {
    let world = World::new();
    let client = Client::new(&world);
    client.set_away(true);
    let query = "mutation($out: SignOutInput!, $ask: RequestEmailVerificationInput!) {
        a: signOut(input: $out) { signedOut }
        b: requestEmailVerification(input: $ask) { verification { email } userErrors { code } }
        c: signOut(input: $out) { signedOut } }";
    let variables = json!({ "out": { "refreshToken": "x" }, "ask": { "email": "a@example.test" } });
    let answer = client.ask(query, variables).await;
    assert_eq!(
        answer["data"],
        json!({ "a": { "signedOut": true }, "b": null, "c": { "signedOut": true } })
    );
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
    assert_eq!(answer["errors"][0]["path"], json!(["b"]));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE");
}

#[tokio::test]
async fn an_address_is_answered_as_it_is_written_down() {
    let world = World::new();
    let query = "mutation { requestEmailVerification(input: { email: \" Kim@Example.TEST \" }) {
        verification { email validForMs resendAfterMs } userErrors { code } } }";
    let data = Client::new(&world).data(query, json!({})).await;
    assert_eq!(
        data["requestEmailVerification"],
        json!({
            "verification": { "email": "Kim@example.test", "validForMs": 600_000, "resendAfterMs": 60_000 },
            "userErrors": [],
        })
    );
    assert_eq!(world.asked("add_verifications"), 1);
}
